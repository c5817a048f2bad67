package podman

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// wireListed is an entry of GET /containers/json, whose schema is not that of a single container.
type wireListed struct {
	ID        string `json:"Id"`
	Names     []string
	Image     string
	ImageID   string
	Command   []string
	Created   time.Time
	StartedAt int64 // seconds; that of the zero time is never
	ExitedAt  int64
	Exited    bool
	ExitCode  int
	State     string
	Status    string // of the health check
	Labels    map[string]string
	Mounts    []string // targets
	Networks  []string
	Pod       string
	Ports     []struct {
		HostIP        string `json:"host_ip"`
		ContainerPort uint16 `json:"container_port"`
		HostPort      uint16 `json:"host_port"`
		Range         uint16 `json:"range"`
		Protocol      string `json:"protocol"`
	}
	ExposedPorts map[string][]string // 5.x: port -> protocols
	Size         *struct {
		RootFsSize int64 `json:"rootFsSize"`
		RwSize     int64 `json:"rwSize"`
	}
}

// ContainerList implements [engine.Containers].
func (e *Engine) ContainerList(ctx context.Context, opts engine.ListOptions) ([]engine.Summary, error) {
	if opts.Limit < 0 {
		return nil, &engine.InvalidError{Option: "ListOptions.Limit", Value: strconv.Itoa(opts.Limit), Reason: "it is negative"}
	}
	filters := maps.Clone(opts.Filters)
	add := func(key, value string) {
		if value == "" {
			return
		}
		if filters == nil {
			filters = engine.Filters{}
		}
		filters[key] = append(slices.Clone(filters[key]), value)
	}
	add("since", opts.Since)
	add("before", opts.Before)
	if !statusFilter(filters) {
		return []engine.Summary{}, nil
	}
	query, err := filterQuery(filters)
	if err != nil {
		return nil, err
	}
	query.Set("all", boolean(opts.All || opts.Limit > 0 || len(filters["status"]) > 0))
	if opts.Limit > 0 {
		query.Set("limit", strconv.Itoa(opts.Limit))
	}
	if opts.Size {
		query.Set("size", "true")
	}
	r := get("/containers/json")
	r.Query = query
	var list []wireListed
	if err := e.call(ctx, op{verb: "list containers"}, r, &list); err != nil {
		return nil, err
	}
	now := time.Now()
	out := make([]engine.Summary, 0, len(list))
	for i := range list {
		out = append(out, summary(&list[i], opts.Size, now))
	}
	return out, nil
}

// statusFilter takes states out of the filter that no container of Podman has, but those of other engines do. It reports whether anything can match what is left.
func statusFilter(filters engine.Filters) bool {
	words := filters["status"]
	if len(words) == 0 {
		return true
	}
	words = slices.DeleteFunc(slices.Clone(words), func(s string) bool { return s == "dead" || s == "restarting" })
	filters["status"] = words
	return len(words) > 0
}

func summary(w *wireListed, size bool, now time.Time) engine.Summary {
	s := engine.Summary{
		ID:       w.ID,
		Image:    w.Image,
		ImageID:  imageID(w.ImageID),
		Command:  strings.Join(w.Command, " "),
		Created:  w.Created,
		Raw:      w.State,
		Health:   healthStatus(w.Status),
		Labels:   w.Labels,
		Networks: slices.Sorted(slices.Values(w.Networks)),
		Pod:      w.Pod,
	}
	s.Status, _ = statusOf(w.State)
	if s.Status == engine.StatusExited {
		s.ExitCode = &w.ExitCode
	}
	for _, n := range w.Names {
		s.Names = append(s.Names, strings.TrimPrefix(n, "/"))
	}
	for _, m := range w.Mounts {
		s.Mounts = append(s.Mounts, engine.MountPoint{Target: m})
	}
	if (engine.State{Status: s.Status}).Running() { // of others the engine remembers what nothing listens on
		s.Ports = listedPorts(w)
	}
	if size && w.Size != nil {
		s.SizeRw, s.SizeRootFs = new(engine.Bytes(w.Size.RwSize)), new(engine.Bytes(w.Size.RootFsSize))
	}
	s.StatusText = normal.StatusText(normal.StatusInfo{
		Status: s.Status, ExitCode: s.ExitCode, Started: unixTime(w.StartedAt), Finished: unixTime(w.ExitedAt), Health: s.Health,
	}, now)
	return s
}

func listedPorts(w *wireListed) []engine.PortBinding {
	var out []engine.PortBinding
	published := map[string]bool{}
	for _, p := range w.Ports {
		for protocol := range strings.SplitSeq(p.Protocol, ",") {
			for i := range max(p.Range, 1) {
				b := engine.PortBinding{Container: strconv.Itoa(int(p.ContainerPort+i)) + "/" + protocol, HostIP: listenAddr(p.HostIP), HostPort: p.HostPort + i}
				published[b.Container] = true
				out = append(out, b)
			}
		}
	}
	for port, protocols := range w.ExposedPorts {
		for _, protocol := range protocols {
			if c := port + "/" + protocol; !published[c] {
				out = append(out, engine.PortBinding{Container: c})
			}
		}
	}
	sortPorts(out)
	return out
}

// unixTime is the time of a number of seconds; the zero time is -62135596800, and 0 was never meant as 1970.
func unixTime(sec int64) time.Time {
	if sec <= 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0)
}

// filterQuery is filters as the API wants them: {"key": ["value"]}.
func filterQuery(filters engine.Filters) (url.Values, error) {
	query := url.Values{}
	if len(filters) == 0 {
		return query, nil
	}
	b, err := json.Marshal(filters)
	if err != nil {
		return nil, err
	}
	query.Set("filters", string(b))
	return query, nil
}
