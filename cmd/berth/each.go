package main

import (
	"errors"
	"sync"
)

// atATime is how many calls of each run at a time.
const atATime = 8

// each calls f for every name, some at a time, and prints the names of those that went
// well, in their order. The errors are joined.
func (a *app) each(names []string, f func(name string) error) error {
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	slots := make(chan struct{}, atATime)
	for i, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = f(name)
			<-slots
		})
	}
	wg.Wait()
	var done []string
	for i, name := range names {
		if errs[i] == nil {
			done = append(done, name)
		}
	}
	return errors.Join(append(errs, a.printLines(done...))...)
}
