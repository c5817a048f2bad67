package berth

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// hostileTars are tars that are hard to follow: content of zeros, content that
// looks like the end or like headers, extended headers, links with a size.
func hostileTars(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	add := func(name string, format tar.Format, headers ...tar.Header) {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			h.Format, h.Mode = format, 0o644
			content := make([]byte, h.Size)
			if err := w.WriteHeader(&h); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, err := w.Write(content); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = b.Bytes()
	}
	add("zeros", tar.FormatUSTAR, tar.Header{Name: "a", Size: 700}, tar.Header{Name: "b", Size: 1024}, tar.Header{Name: "c", Size: 1})
	add("empty", tar.FormatUSTAR)
	add("nothing in them", tar.FormatUSTAR, tar.Header{Name: "a"}, tar.Header{Name: "d/", Typeflag: tar.TypeDir}, tar.Header{Name: "l", Linkname: "a", Typeflag: tar.TypeSymlink})
	add("pax", tar.FormatPAX, tar.Header{Name: strings.Repeat("n", 300), Size: 513}, tar.Header{Name: "b", Size: 2, PAXRecords: map[string]string{"X.size": "9999", "X.y": "size=5"}})
	add("gnu", tar.FormatGNU, tar.Header{Name: strings.Repeat("n", 300), Linkname: strings.Repeat("l", 300), Typeflag: tar.TypeSymlink}, tar.Header{Name: "b", Size: 600})
	var inner bytes.Buffer
	w := tar.NewWriter(&inner)
	data := out["zeros"]
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: "a.tar", Mode: 0o644, Size: int64(len(data))}), second(w.Write(data)), w.Close()); err != nil {
		t.Fatal(err)
	}
	out["a tar in a tar"] = inner.Bytes()
	return out
}

func second[V any](_ V, err error) error { return err }

// TestWholeTar: every cut of a tar is seen, however it is read.
func TestWholeTar(t *testing.T) {
	tars := hostileTars(t)
	for _, name := range slices.Sorted(maps.Keys(tars)) {
		whole := tars[name]
		for how, reader := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "by bytes": iotest.OneByteReader, "by halves": iotest.HalfReader, "with the end": iotest.DataErrReader,
		} {
			for n := 0; n <= len(whole); n += 128 {
				want := io.ErrUnexpectedEOF
				if n == len(whole) {
					want = nil
				}
				got, err := io.ReadAll(&wholeTar{ReadCloser: io.NopCloser(reader(bytes.NewReader(whole[:n])))})
				if !bytes.Equal(got, whole[:n]) {
					t.Errorf("%s, read %s: %d bytes of %d were read", name, how, len(got), n)
				}
				if err != want {
					t.Errorf("%s, read %s: cut to %d of %d bytes: %v, want %v", name, how, n, len(whole), err, want)
				}
			}
		}
	}
}

// TestWholeTarEntries: what archive/tar takes for a clean end is none.
func TestWholeTarEntries(t *testing.T) {
	whole := hostileTars(t)["zeros"]
	for n := 0; n < len(whole); n += tarBlock {
		tr := tar.NewReader(&wholeTar{ReadCloser: io.NopCloser(bytes.NewReader(whole[:n]))})
		var err error
		for err == nil {
			if _, err = tr.Next(); err == nil {
				_, err = io.Copy(io.Discard, tr)
			}
		}
		if err == io.EOF {
			t.Errorf("the entries of a tar cut to %d of %d bytes end as if nothing were missing", n, len(whole))
		}
	}
}

// TestWholeTarForeign: what is no tar is passed on, with its own end.
func TestWholeTarForeign(t *testing.T) {
	for _, text := range []string{strings.Repeat("no tar ", 200), strings.Repeat("9", 2000)} {
		got, err := io.ReadAll(&wholeTar{ReadCloser: io.NopCloser(strings.NewReader(text))})
		if err != nil || string(got) != text {
			t.Errorf("%q…: %d bytes, %v", text[:10], len(got), err)
		}
	}
}

// FuzzWholeTar: a scan agrees with archive/tar on where a tar ends, and never fails by itself.
func FuzzWholeTar(f *testing.F) {
	for _, data := range hostileTars(f) {
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := io.ReadAll(&wholeTar{ReadCloser: io.NopCloser(bytes.NewReader(data))})
		if !bytes.Equal(got, data) || err != nil && err != io.ErrUnexpectedEOF {
			t.Fatalf("%d bytes of %d, %v", len(got), len(data), err)
		}
		var one, two tarScan
		one.see(data)
		for _, b := range data {
			two.see([]byte{b})
		}
		if one.ended() != two.ended() {
			t.Errorf("read at once it has ended: %v, by bytes: %v", one.ended(), two.ended())
		}
	})
}
