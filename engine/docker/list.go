package docker

import (
	"context"
	"encoding/json"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// wireSummary is an entry of GET /containers/json.
type wireSummary struct {
	ID         string `json:"Id"`
	Names      []string
	Image      string
	ImageID    string
	Command    string
	Created    int64
	State      string
	Status     string
	Ports      []wirePort
	Labels     map[string]string
	SizeRw     *int64
	SizeRootFs *int64
	Mounts     []wireMountPoint

	NetworkSettings struct{ Networks map[string]json.RawMessage }
}

type wirePort struct {
	IP          string
	PrivatePort uint16
	PublicPort  uint16
	Type        string
}

// ContainerList implements [engine.Containers].
func (e *Engine) ContainerList(ctx context.Context, opts engine.ListOptions) ([]engine.Summary, error) {
	if opts.Limit < 0 {
		return nil, &engine.InvalidError{Option: "ListOptions.Limit", Value: strconv.Itoa(opts.Limit), Reason: "negative"}
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
	add("since", opts.Since) // the engine ignores the query parameters of that name
	add("before", opts.Before)
	query, err := filterQuery(filters)
	if err != nil {
		return nil, err
	}
	if opts.All || opts.Limit > 0 {
		query.Set("all", "1")
	}
	if opts.Limit > 0 {
		query.Set("limit", strconv.Itoa(opts.Limit))
	}
	if opts.Size {
		query.Set("size", "1")
	}
	r := get("/containers/json")
	r.Query = query
	var list []wireSummary
	if err := e.call(ctx, op{"list containers", ""}, r, &list); err != nil {
		return nil, err
	}
	out := make([]engine.Summary, 0, len(list))
	for i := range list {
		s := summary(&list[i])
		if opts.Size { // the engine leaves zeros out
			s.SizeRw, s.SizeRootFs = new(engine.Bytes(value(list[i].SizeRw))), new(engine.Bytes(value(list[i].SizeRootFs)))
		}
		out = append(out, s)
	}
	return out, nil
}

func summary(w *wireSummary) engine.Summary {
	s := engine.Summary{
		ID:         w.ID,
		Image:      w.Image,
		ImageID:    w.ImageID,
		Command:    w.Command,
		Created:    time.Unix(w.Created, 0),
		Status:     status(w.State),
		Raw:        w.State,
		StatusText: w.Status,
		Labels:     w.Labels,
		Networks:   slices.Sorted(maps.Keys(w.NetworkSettings.Networks)),
	}
	s.ExitCode, s.Health = normal.ListStatus(w.Status)
	for _, name := range w.Names {
		s.Names = append(s.Names, strings.TrimPrefix(name, "/"))
	}
	for _, p := range w.Ports {
		b := engine.PortBinding{Container: strconv.Itoa(int(p.PrivatePort)) + "/" + p.Type, HostPort: p.PublicPort}
		if p.PublicPort != 0 {
			b.HostIP = parseAddr(p.IP)
			if !b.HostIP.IsValid() {
				b.HostIP = netip.IPv4Unspecified()
			}
		}
		s.Ports = append(s.Ports, b)
	}
	sortPorts(s.Ports)
	for _, m := range w.Mounts {
		s.Mounts = append(s.Mounts, mountPoint(m))
	}
	return s
}

// filterQuery is filters as the API wants them: {"key": {"value": true}} is its old form, a list of values the one that all versions read.
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
