package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeJSON(t *testing.T) {
	for body, want := range map[string]string{
		"":                       "<nil> unexpected EOF",
		" \n":                    "<nil> unexpected EOF",
		`{"a":1}`:                "map[a:1] <nil>",
		`{"a":1}{"b":2}`:         "map[a:1] <nil>",
		"{\"a\":1}\n{\"mess":     "map[a:1] <nil>",
		`{"a":1`:                 "<nil> unexpected EOF",
		"null":                   "<nil> <nil>",
		"rubbish":                "<nil> invalid character 'r' looking for beginning of value",
		"\xff":                   "<nil> invalid character 'ÿ' looking for beginning of value",
		"[1,2] trailing rubbish": "[1 2] <nil>",
	} {
		var out any
		err := DecodeJSON(iotest.OneByteReader(strings.NewReader(body)), &out)
		if got := fmt.Sprint(out, " ", err); got != want {
			t.Errorf("DecodeJSON(%q) = %s, want %s", body, got, want)
		}
	}
	if err := DecodeJSON(iotest.ErrReader(errCause), new(int)); err != errCause {
		t.Errorf("DecodeJSON of a failing reader = %v", err)
	}
}

// collect returns all values, and the error that ended them.
func collect[T any](r io.Reader) (all []T, err error) {
	for v, e := range Values[T](r) {
		if e != nil {
			err = e
			continue // an error must be the last
		}
		if err != nil {
			return all, errors.New("a value after an error")
		}
		all = append(all, v)
	}
	return all, err
}

func TestValues(t *testing.T) {
	for body, want := range map[string]string{
		"":            "[] <nil>",
		"\r\n":        "[] <nil>",
		"1\n2\r\n3":   "[1 2 3] <nil>",
		"1 2 ":        "[1 2] <nil>",
		"1\n\"x\"\n3": "[1] json: cannot unmarshal string into Go value of type int",
		"1\n{":        "[1] unexpected EOF",
		"1\n}":        "[1] invalid character '}' looking for beginning of value",
		"null\n7":     "[0 7] <nil>",
	} {
		all, err := collect[int](strings.NewReader(body))
		if got := fmt.Sprint(all, " ", err); got != want {
			t.Errorf("Values(%q) = %s, want %s", body, got, want)
		}
	}
	if all, err := collect[struct{ A string }](strings.NewReader(`{"A":"x"}{"A":"y"}`)); err != nil || len(all) != 2 || all[1].A != "y" {
		t.Errorf("concatenated values = %v, %v", all, err)
	}
	if all, err := collect[int](io.MultiReader(strings.NewReader("1\n"), iotest.ErrReader(errCause))); err != errCause || len(all) != 1 {
		t.Errorf("values of a failing reader = %v, %v", all, err)
	}
}

// TestValuesBreak: a range that is left loses nothing for the next one, and an error is repeated.
func TestValuesBreak(t *testing.T) {
	values := Values[int](strings.NewReader("1 2 3 x"))
	var got []string
	for v, err := range values {
		got = append(got, fmt.Sprintf("%d: %v", v, err))
		break
	}
	for range 2 {
		for v, err := range values {
			got = append(got, fmt.Sprintf("%d: %v", v, err))
		}
	}
	const bad = "0: invalid character 'x' looking for beginning of value"
	if diff := cmp.Diff([]string{"1: <nil>", "2: <nil>", "3: <nil>", bad, bad}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzValues: whatever the body, the first of its values is that of DecodeJSON, nothing follows an error, and only a body of whole values ends without one.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"", "1\n2", `{"a":[1,{"b":null}]} {"c":`, "{\"stream\":\"x\\n\"}\r\n", "[[[[", "\"\\ud800\"", "1e999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		all, err := collect[json.RawMessage](strings.NewReader(body))
		bytewise, berr := collect[json.RawMessage](iotest.OneByteReader(strings.NewReader(body)))
		if diff := cmp.Diff(all, bytewise); diff != "" || (err == nil) != (berr == nil) {
			t.Errorf("byte by byte: %v, %s", berr, diff)
		}
		var first json.RawMessage
		ferr := DecodeJSON(strings.NewReader(body), &first)
		if (ferr == nil) != (len(all) > 0) || len(all) > 0 && string(all[0]) != string(first) {
			t.Errorf("first value %q, %v; all %q, %v", first, ferr, all, err)
		}
		if err == nil {
			rest := body
			for _, v := range all {
				if !json.Valid(v) {
					t.Errorf("invalid value %q", v)
				}
				_, rest, _ = strings.Cut(rest, string(v))
			}
			if strings.TrimSpace(rest) != "" {
				t.Errorf("%q is left of %q", rest, body)
			}
		}
	})
}

func TestStatusError(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":"no such container: x"}` + "\n":                          "no such container: x||GET /x: 404 Not Found: no such container: x",
		`{"cause":"no such container","message":"inspect x","response":404}`: "inspect x|no such container|GET /x: 404 Not Found: inspect x",
		`{"message":"first"}{"message":"second"}`:                            "first||GET /x: 404 Not Found: first",
		"404 page not found\n":                                               "404 page not found||GET /x: 404 Not Found: 404 page not found",
		`{"message":7}`:                                                      `{"message":7}||GET /x: 404 Not Found: {"message":7}`,
		`{"error":"other"}`:                                                  `{"error":"other"}||GET /x: 404 Not Found: {"error":"other"}`,
		`["message"]`:                                                        `["message"]||GET /x: 404 Not Found: ["message"]`,
		"":                                                                   "||GET /x: 404 Not Found",
	} {
		e := &StatusError{Method: "GET", Path: "/x", Status: 404, Body: []byte(body)}
		if got := e.Message() + "|" + e.Cause() + "|" + e.Error(); got != want {
			t.Errorf("%q: %s, want %s", body, got, want)
		}
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"":              "",
		"abc":           "abc",
		"a/b":           "a%2Fb",
		"../../info":    "..%2F..%2Finfo",
		".":             "%2E",
		"..":            "%2E%2E",
		"...":           "...",
		"a?b#c":         "a%3Fb%23c",
		"a b%20":        "a%20b%2520",
		"img@sha256:ab": "img@sha256:ab",
		"ü\n":           "%C3%BC%0A",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzEscape: what is escaped is one segment of the path that is sent, and comes back as it was.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a/b", "..", ".", "%2e%2e", "a;b", "\x00", "?x=y", "//", "*"} {
		f.Add(s)
	}
	c := New(Config{Dial: DialUnix("/")})
	f.Fuzz(func(t *testing.T, s string) {
		req, _, err := c.build(t.Context(), get("/a/"+Escape(s)+"/json"))
		if err != nil {
			t.Fatal(err)
		}
		sent, err := url.ParseRequestURI(req.URL.RequestURI())
		if err != nil {
			t.Fatal(err)
		}
		segments := strings.Split(sent.EscapedPath(), "/")
		if len(segments) != 4 || segments[1] != "a" || segments[3] != "json" || segments[2] == "." || segments[2] == ".." {
			t.Fatalf("%q is sent as %q", s, req.URL.RequestURI())
		}
		if got, err := url.PathUnescape(segments[2]); got != s || err != nil {
			t.Errorf("%q comes back as %q, %v", s, got, err)
		}
	})
}

// TestRaw: a Raw keeps the text of the first value, whatever surrounds it, and is what DecodeJSON makes of it.
func TestRaw(t *testing.T) {
	for _, body := range []string{"", " \n", `{"a":1}`, " {\"a\":1}\n", `{"a":1}{"a":2}`, "{\"a\":1}\n{\"mess", `{"a":1`, "null", "rubbish", `{"a":"x"}`, `{"a":1} trailing`} {
		type value struct{ A int }
		var want value
		werr := DecodeJSON(strings.NewReader(body), &want)
		var got Raw[value]
		resp := &http.Response{StatusCode: 200, Body: io.NopCloser(iotest.HalfReader(strings.NewReader(body)))}
		err := readInto(resp, &got)
		if fmt.Sprint(err) != fmt.Sprint(werr) || err == nil && got.Value != want {
			t.Errorf("%q: %v, %v; want %v, %v", body, got.Value, err, want, werr)
		}
		var text json.RawMessage
		if DecodeJSON(strings.NewReader(body), &text) == nil && err == nil && string(got.Text) != string(text) {
			t.Errorf("%q: text %q, want %q", body, got.Text, text)
		}
	}
	resp := &http.Response{StatusCode: 200, Body: io.NopCloser(iotest.ErrReader(errCause))}
	if err := readInto(resp, new(Raw[int])); err != errCause {
		t.Errorf("a failing body: %v", err)
	}
}
