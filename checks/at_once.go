package checks

import "sync"

// atOnce does n things at the same time and waits for all of them. What crashes one of them crashes the caller, which
// ends one check (see runOne): left alone it would end the whole run, without a report.
func atOnce(n int, do func(i int)) {
	crashes := make(chan any, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			defer func() {
				if crash := recover(); crash != nil {
					crashes <- crash
				}
			}()
			do(i)
		})
	}
	group.Wait()
	close(crashes)
	if crash, crashed := <-crashes; crashed {
		panic(crash)
	}
}
