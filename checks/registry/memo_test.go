package registry

import (
	"context"
	"testing"
)

// A crash is no answer: who asks again is crashed too.
func TestMemoCrash(t *testing.T) {
	var m memo[string, int]
	for range 2 {
		crash := func() (crash any) {
			defer func() { crash = recover() }()
			m.do(context.Background(), "key", func() int { panic("nothing is there") }, func() int { return 0 })
			return nil
		}()
		if crash != "nothing is there" {
			t.Errorf("%v", crash)
		}
	}
}
