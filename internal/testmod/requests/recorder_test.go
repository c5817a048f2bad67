package requests

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// recorder is a [berth.Tracer] that keeps the requests that are made while it is on.
type recorder struct {
	mu   sync.Mutex
	on   bool
	list []string
}

// Start implements [berth.Tracer].
func (r *recorder) Start(ctx context.Context, method, path string) (context.Context, func(int, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on {
		r.list = append(r.list, method+" "+endpoint(path))
	}
	return ctx, nil
}

// begin forgets what was recorded and switches the recorder on.
func (r *recorder) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on, r.list = true, nil
}

// end switches the recorder off and returns what it has.
func (r *recorder) end() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = false
	return r.list
}

var (
	version = regexp.MustCompile(`^/v[0-9.]+(/libpod)?/`)
	object  = regexp.MustCompile(`^/(containers|exec|images|manifests|networks|volumes|secrets)/(.+?)(/(?:archive|attach|attach/ws|changes|connect|disconnect|exec|exists|export|get|healthcheck|history|init|json|kill|logs|pause|push|rename|resize|restart|start|stats|stop|tag|top|unpause|update|wait))?$`)
	// verbs stand where an object's name does.
	verbs = []string{"create", "json", "prune", "stats", "load", "import", "export", "get", "pull", "remove", "search"}
)

// endpoint is the path of a request without the API's version, with {id} for what
// names an object.
func endpoint(path string) string {
	path = version.ReplaceAllString(path, "/")
	m := object.FindStringSubmatch(path)
	if m == nil {
		return path
	}
	kind, name, action := m[1], m[2], m[3]
	for _, v := range verbs {
		if name == v && action == "" {
			return path
		}
	}
	return "/" + kind + "/{id}" + action
}

// squeeze makes one of the same request made several times in a row, as when an
// engine is asked until something has come true.
func squeeze(list []string) []string {
	var out []string
	for i, r := range list {
		if i > 0 && r == list[i-1] {
			continue
		}
		out = append(out, r)
	}
	return out
}

// refreshed marks what a call asks for beyond what it asks without refreshing
// the snapshot.
func refreshed(list, without []string) []string {
	var out []string
	for _, r := range list {
		if len(without) > 0 && r == without[0] {
			without = without[1:]
		} else if refreshes(r) {
			r += refreshMark
		} else {
			r += " (not there without the refresh!)"
		}
		out = append(out, r)
	}
	for _, r := range without {
		out = append(out, r+" (there without the refresh alone!)")
	}
	return out
}

const refreshMark = " (refresh)"

// refreshes tells a request that a refresh may be.
func refreshes(r string) bool {
	return strings.HasPrefix(r, http.MethodGet+" ") && strings.HasSuffix(r, "/{id}/json")
}
