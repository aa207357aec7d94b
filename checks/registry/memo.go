package registry

import (
	"context"
	"sync"
)

// memo answers each question once and shares the answer, with those too who ask while it is being found. What crashes who
// finds it crashes them all: they would take an answer that is none for a good one.
type memo[K comparable, V any] struct {
	mu      sync.Mutex
	answers map[K]*answer[V]
}

type answer[V any] struct {
	done  chan struct{}
	value func() V
}

// do returns the answer to key, which ask finds if nobody asked before. Who waits for another's answer and runs out
// of time gets what late says.
func (m *memo[K, V]) do(ctx context.Context, key K, ask, late func() V) V {
	m.mu.Lock()
	known, ok := m.answers[key]
	if !ok {
		if m.answers == nil {
			m.answers = map[K]*answer[V]{}
		}
		known = &answer[V]{done: make(chan struct{})}
		m.answers[key] = known
	}
	m.mu.Unlock()
	if !ok {
		defer close(known.done)
		known.value = sync.OnceValue(ask)
		return known.value()
	}
	select {
	case <-known.done:
		return known.value()
	case <-ctx.Done():
		return late()
	}
}
