package bench

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/berthdev/berth"
)

// The calls beside the same raw requests: compare berth with raw in one run.

func BenchmarkList(b *testing.B) {
	t := connect(b)
	for range 20 {
		c, err := t.cli.Containers.Create(b.Context(), berth.Spec{Image: image, Command: []string{"true"}})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Remove(b.Context())
	}
	b.Run("raw", func(b *testing.B) {
		for b.Loop() {
			var out []map[string]any
			if err := json.Unmarshal(t.do(b, "GET", "/containers/json?all=true", ""), &out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("berth", func(b *testing.B) {
		for b.Loop() {
			if _, err := t.cli.Containers.List(b.Context(), berth.ListOptions{All: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkInspect(b *testing.B) {
	t := connect(b)
	c := t.sleeper(b)
	b.Run("raw", func(b *testing.B) {
		for b.Loop() {
			var out map[string]any
			if err := json.Unmarshal(t.do(b, "GET", "/containers/"+c.ID()+"/json", ""), &out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("berth", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Inspect(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkExec(b *testing.B) {
	t := connect(b)
	c := t.sleeper(b)
	b.Run("raw", func(b *testing.B) {
		for b.Loop() {
			var out struct{ ID string }
			json.Unmarshal(t.do(b, "POST", "/containers/"+c.ID()+"/exec", `{"Cmd":["true"],"AttachStdout":true,"AttachStderr":true}`), &out)
			t.hijack(b, "/exec/"+out.ID+"/start", `{"Detach":false,"Tty":false}`, nil)
			t.do(b, "GET", "/exec/"+out.ID+"/json", "")
		}
	})
	b.Run("berth", func(b *testing.B) {
		for b.Loop() {
			if err := c.Command("true").Run(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRun(b *testing.B) {
	t := connect(b)
	create, remove := `{"Image":"`+image+`","Cmd":["true"],"AttachStdout":true,"AttachStderr":true}`, "?force=true&v=true"
	if t.podman {
		create, remove = `{"image":"`+image+`","command":["true"]}`, "?force=true&volumes=true&timeout=0"
	}
	b.Run("raw", func(b *testing.B) {
		for b.Loop() {
			var out struct{ Id string }
			if err := json.Unmarshal(t.do(b, "POST", "/containers/create", create), &out); err != nil {
				b.Fatal(err)
			}
			path := "/containers/" + out.Id
			waited := make(chan struct{})
			t.hijack(b, path+"/attach?stream=1&stdout=1&stderr=1", "", func() {
				go func() {
					defer close(waited)
					t.do(b, "POST", path+"/wait", "")
				}()
				t.do(b, "POST", path+"/start", "")
			})
			<-waited
			t.do(b, "DELETE", path+remove, "")
		}
	})
	b.Run("berth", func(b *testing.B) {
		for b.Loop() {
			if _, err := t.cli.Containers.Run(b.Context(), berth.Spec{Image: image, Command: []string{"true"}}); err != nil {
				b.Fatal(fmt.Errorf("run: %w", err))
			}
		}
	})
}
