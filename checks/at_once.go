package checks

import "sync"

// What crashes a function that is done beside its caller crashes the caller, which ends one check (see runOne): left alone
// it would end the whole run, without a report.

// atOnce does n things at the same time and waits for all of them.
func atOnce(n int, do func(i int)) {
	type nothing struct{}
	done, ends := make(chan func() nothing, n), make([]func() nothing, n)
	for i := range n {
		begin(done, func() nothing { do(i); return nothing{} })
	}
	for i := range n {
		ends[i] = <-done
	}
	for _, end := range ends {
		end()
	}
}

// beside does something while its caller goes on, who gets the result as begin gives it.
func beside[T any](do func() T) <-chan func() T {
	result := make(chan func() T, 1)
	begin(result, do)
	return result
}

// begin does something while its caller goes on. What comes to results, which has room for it, returns the result: what
// crashed it crashes whoever asks for that.
func begin[T any](results chan<- func() T, do func() T) {
	result := sync.OnceValue(do)
	go func() {
		defer func() {
			_ = recover() // the result keeps it
			results <- result
		}()
		result()
	}()
}
