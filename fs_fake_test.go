package berth

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
)

// fileEngine is an engine whose only container is a tree of files in memory.
type fileEngine struct {
	engine.Engine
	follows bool // GetArchive follows a link in the last place, and gives it the link's name, as Podman does
	cut     int  // bytes after which archives end; 0 is never

	mu       sync.Mutex
	files    map[string]*memFile // by absolute path
	archives []string            // that were fetched
	stats    int
	puts     []string // directories that were unpacked into
	putErr   error
}

// errPutHalf makes an engine read a part of the archive and call that a success.
var errPutHalf = errors.New("half")

type memFile struct {
	mode     fs.FileMode
	data     string
	link     string // of a symbolic link
	hard     string // another name of this file
	uid, gid int
	time     time.Time
}

var memTime = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// tree makes the files of an engine from names: "d/" is a directory, "l -> t" a
// symbolic link, "h => t" a hard link, "f" a file with its name as content.
func tree(names ...string) map[string]*memFile {
	files := map[string]*memFile{"/": {mode: fs.ModeDir | 0o755, time: memTime}}
	for _, name := range names {
		f := &memFile{mode: 0o644, time: memTime}
		if l, target, ok := strings.Cut(name, " -> "); ok {
			name, f.mode, f.link = l, fs.ModeSymlink|0o777, target
		} else if l, target, ok := strings.Cut(name, " => "); ok {
			name, f.hard, f.data = l, target, files[target].data
		} else if strings.HasSuffix(name, "/") {
			f.mode = fs.ModeDir | 0o755
		} else {
			f.data = "content of " + name
		}
		files[path.Clean(name)] = f
	}
	return files
}

func (e *fileEngine) Supports(engine.Feature) bool { return true }

func (e *fileEngine) Identity() engine.Identity { return engine.Identity{Name: "fake", Host: "fake"} }

func (e *fileEngine) Close() error { return nil }

func (e *fileEngine) notFound(name string) error {
	return &engine.APIError{Op: "look at", Object: name, Status: 404, Kind: engine.ErrNotFound}
}

// resolve follows the links in name, the last one with follow.
func (e *fileEngine) resolve(name string, follow bool) (string, *memFile, error) {
	for range 100 {
		done, rest := "/", strings.TrimPrefix(path.Clean(name), "/")
		next := ""
		for rest != "" && next == "" {
			element, after, _ := strings.Cut(rest, "/")
			here := path.Join(done, element)
			f := e.files[here]
			switch {
			case f == nil:
				return here, nil, e.notFound(name)
			case f.link != "" && (after != "" || follow):
				next = path.Join(linkTarget(here, f.link), after)
			default:
				done, rest = here, after
			}
		}
		if next == "" {
			return done, e.files[done], nil
		}
		name = next
	}
	return "", nil, errors.New("too many links")
}

func (e *fileEngine) stat(name string) (engine.PathStat, error) {
	real, f, err := e.resolve(name, false)
	if err != nil {
		return engine.PathStat{}, err
	}
	st := engine.PathStat{Name: path.Base(real), Mode: f.mode, Size: int64(len(f.data)), ModTime: f.time}
	if f.link != "" {
		st.LinkTarget, st.Size = linkTarget(real, f.link), int64(len(f.link))
		target, _, err := e.resolve(name, true)
		switch {
		case err == nil:
			st.LinkTarget = target
		case !errors.Is(err, engine.ErrNotFound):
			return engine.PathStat{}, err
		}
	}
	return st, nil
}

func (e *fileEngine) ContainerStatPath(ctx context.Context, _, name string) (engine.PathStat, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stats++
	if err := ctx.Err(); err != nil {
		return engine.PathStat{}, err
	}
	return e.stat(name)
}

func (e *fileEngine) ContainerGetArchive(ctx context.Context, _, name string, _ engine.ArchiveOptions) (io.ReadCloser, engine.PathStat, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.archives = append(e.archives, name)
	st, err := e.stat(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, st, err
	}
	real, _, err := e.resolve(name, e.follows)
	if err != nil {
		return nil, st, err
	}
	data := e.tar(real, path.Base(name))
	if e.cut > 0 {
		data = data[:min(e.cut, len(data))]
	}
	return io.NopCloser(bytes.NewReader(data)), st, nil
}

// tar is the archive of real, with root as the name of its root.
func (e *fileEngine) tar(real, root string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(e.files)) {
		below, ok := strings.CutPrefix(name, real)
		if !ok || real != "/" && below != "" && below[0] != '/' {
			continue
		}
		f := e.files[name]
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: path.Join(root, below), Linkname: f.link, Size: int64(len(f.data)),
			Mode: int64(f.mode.Perm()), ModTime: f.time, Uid: f.uid, Gid: f.gid,
		}
		switch {
		case f.mode.IsDir():
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		case f.link != "":
			h.Typeflag = tar.TypeSymlink
		case f.mode&fs.ModeNamedPipe != 0:
			h.Typeflag = tar.TypeFifo
		case f.hard != "" && name != real && strings.HasPrefix(f.hard, real):
			h.Typeflag, h.Size, h.Linkname = tar.TypeLink, 0, path.Join(root, strings.TrimPrefix(f.hard, real))
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		if h.Size > 0 {
			io.WriteString(w, f.data)
		}
	}
	w.Close()
	return b.Bytes()
}

func (e *fileEngine) ContainerPutArchive(_ context.Context, _, dir string, r io.Reader, _ engine.PutArchiveOptions) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.puts = append(e.puts, dir)
	switch e.putErr {
	case nil:
	case errPutHalf:
		_, err := io.CopyN(io.Discard, r, 1000)
		return err
	default:
		return e.putErr
	}
	real, f, err := e.resolve(dir, true)
	if err != nil {
		return err
	}
	if !f.mode.IsDir() {
		return errors.New("not a directory")
	}
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(t)
		if err != nil {
			return err
		}
		e.files[path.Join(real, h.Name)] = &memFile{
			mode: h.FileInfo().Mode(), data: string(data), link: h.Linkname, uid: h.Uid, gid: h.Gid, time: h.ModTime,
		}
	}
}

// fileContainer is the container of e.
func fileContainer(t testing.TB, e engine.Engine) *Container {
	t.Helper()
	leaktest.Check(t)
	o, err := newOptions([]Option{withEnv(noEnv)})
	if err != nil {
		t.Fatal(err)
	}
	cli := newClient(e, o)
	t.Cleanup(func() { cli.Close() })
	return cli.container("c0ffee")
}

// bothWays runs a test on engines that follow links in archives and on engines that do not.
func bothWays(t *testing.T, files func() map[string]*memFile, test func(*testing.T, *fileEngine, *Container)) {
	for name, follows := range map[string]bool{"links as links": false, "links followed": true} {
		t.Run(name, func(t *testing.T) {
			e := &fileEngine{follows: follows, files: files()}
			test(t, e, fileContainer(t, e))
		})
	}
}
