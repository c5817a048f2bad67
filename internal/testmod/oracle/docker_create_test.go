package oracle

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/parity"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// option is a container that Python makes with keyword arguments and Berth with a Spec.
type option struct {
	kwargs string
	set    func(*berth.Spec)
	// differs are the places where the containers differ, and why. That they do not is a failure too.
	differs map[string]string
	// older are further ones, on engines that are not the newest: there, none of them must be.
	older map[string]string
	// refused says why Berth refuses what Python's library lets through.
	refused string
	// fails says why neither makes a container.
	fails string
	// raises says why Python's library raises and Berth makes the container.
	raises string
}

// TestDockerCreate makes each container with docker-py and with Berth, and compares
// what the engine shows of both: the request of each keyword argument is the same.
func TestDockerCreate(t *testing.T) {
	w := newWorld(t, "docker", "docker")
	other := w.start(sleeper())
	w.py.with["other"], w.py.with["net"], w.py.with["vol"] = other.ID(), w.network().Name(), w.volume()
	with := func(key string) string { return w.py.with[key].(string) }
	for _, o := range dockerOptions(other.ID(), with("net"), with("vol")) {
		w.run(o.kwargs, func(w *world) {
			compareCreate(w, o, "client.containers.create(image, **{**dict(command=['sleep', '3600'], name=name), **dict("+o.kwargs+")})")
		})
	}
}

// compareCreate makes both containers and compares them.
func compareCreate(w *world, o option, expr string) {
	name := rig.Name()
	w.py.with["name"] = name + "-py"
	v, perr := w.py.try("", expr)
	w.t.Cleanup(func() { rig.Remove(w.t, w.cli, name+"-py") })
	spec := berth.Spec{Image: rig.Image, Command: []string{"sleep", "3600"}, Name: name + "-go"}
	o.set(&spec)
	c, berr := w.cli.Containers.Create(w.ctx, spec)
	if berr == nil {
		w.t.Cleanup(func() { rig.Remove(w.t, w.cli, c.ID()) })
	}
	switch {
	case o.refused != "":
		if perr != nil || !isUnsupported(berr) {
			w.t.Errorf("Python: %v, Berth: %v; want Berth alone to refuse: %s", perr, berr, o.refused)
		}
		return
	case o.fails != "":
		if perr == nil || berr == nil {
			w.t.Errorf("Python: %v, Berth: %v; want both to fail: %s", perr, berr, o.fails)
		}
		return
	case o.raises != "":
		if perr == nil || berr != nil {
			w.t.Errorf("Python: %v, Berth: %v; want Python alone to fail: %s", perr, berr, o.raises)
		}
		return
	case perr != nil || berr != nil:
		w.t.Fatalf("Python: %v\nBerth: %v", perr, berr)
	}
	py, own := neutral(v, name), neutral(wire(w.t, must(c.Inspect(w.ctx)).Raw), name)
	differs := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(merged(py, own))) {
		if py[path] == own[path] {
			continue
		}
		if place := placeOf(o.differs, path); place != "" {
			differs[place] = true
			continue
		}
		if !w.newest() && placeOf(o.older, path) != "" {
			continue
		}
		w.t.Errorf("%s is %q of Python's container, %q of Berth's", path, py[path], own[path])
	}
	for place, why := range o.differs {
		if !differs[place] && w.newest() {
			w.t.Errorf("%s does not differ any more: %s", place, why)
		}
	}
}

func merged(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// placeOf is the entry of list that is path or above it.
func placeOf(list map[string]string, path string) string {
	for place := range list {
		if path == place || strings.HasPrefix(path, place+".") {
			return place
		}
	}
	return ""
}

// own are the places where no two containers are the same.
var own = regexp.MustCompile(`^(Id|Created|Name|State\..*|ResolvConfPath|HostnamePath|HostsPath|LogPath|GraphDriver\..*|NetworkSettings\..*(ID|Key|MacAddress|MacAddr)|` +
	`ConmonPidFile|PidFile|OCIConfigPath|StaticDir|lockNumber|Config\.CreateCommand\..*)$`)

var (
	hash     = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	hostname = regexp.MustCompile(`\b[0-9a-f]{12}\b`)
)

// neutral flattens what an engine shows of a container, without what is this
// container's alone.
func neutral(v any, name string) map[string]string {
	all := map[string]string{}
	leaves("", sorted(simple(v)), all)
	out := map[string]string{}
	for path, text := range all {
		if own.MatchString(path) {
			continue
		}
		text = strings.NewReplacer(name+"-py", "NAME", name+"-go", "NAME").Replace(text)
		text = hash.ReplaceAllString(text, "HASH")
		if strings.HasSuffix(path, "Hostname") || strings.Contains(path, "Aliases") || strings.Contains(path, "DNSNames") {
			text = hostname.ReplaceAllString(text, "ID")
		}
		out[path] = text
	}
	return out
}

// sorted puts the lists that are sets in order: the engines' own order is by chance.
func sorted(v any) any {
	dict, _ := v.(map[string]any)
	for _, path := range [][]string{{"Mounts"}, {"Config", "Env"}, {"HostConfig", "Mounts"}, {"HostConfig", "Binds"}} {
		d := dict
		for _, key := range path[:len(path)-1] {
			d, _ = d[key].(map[string]any)
		}
		inOrder(d[path[len(path)-1]])
	}
	return v
}

// TestDockerOptions: every keyword argument of docker-py's create and run has a
// row here, or a reason.
func TestDockerOptions(t *testing.T) {
	inv, err := parity.Committed()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := map[string]string{
		"image": "in every row", "name": "in every row", "command": "in most rows", "remove": "of run: TestDockerRun", "stdout": "of run: TestDockerRun", "stderr": "of run: TestDockerRun", "stream": "of run: TestDockerRun",
		"version": "of the API, not of the container",
	}
	var all strings.Builder
	for _, o := range dockerOptions("", "", "") {
		all.WriteString(o.kwargs + "\n")
	}
	for _, name := range inv.Docker.Create {
		if elsewhere[name] == "" && !regexp.MustCompile(`\b`+name+`=`).MatchString(all.String()) {
			t.Errorf("no row for %s", name)
		}
	}
}
