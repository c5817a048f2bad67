package requests

// call is a call of the facade.
type call struct {
	name string // Containers.Run
	when string // what is special about it; "" for nothing
	do   func(w *world)
}

// calls are all rows of the page, in its order.
func calls() []call {
	var all []call
	for _, group := range [][]call{
		clientCalls, containersCalls, lifeCalls, lookCalls, streamCalls, fileCalls, commandCalls, imageCalls, otherCalls,
	} {
		all = append(all, group...)
	}
	return all
}
