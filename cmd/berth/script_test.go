package main

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/berthdev/berth"
)

// testImage is the image that the scripts run: every engine of the tests has it.
const testImage = "docker.io/library/busybox:latest"

// TestOffline runs the scripts that need no engine.
func TestOffline(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/offline", RequireExplicitExec: true, UpdateScripts: *update})
}

// TestScripts runs the scripts on the engine of $BERTH_ENGINE_HOST. They have
// $IMAGE, and $N to begin the names of what they make, which is removed after them.
func TestScripts(t *testing.T) {
	cli := testEngine(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			return cond == cli.Engine().Name, nil
		},
		Setup: func(env *testscript.Env) error {
			prefix := "berth-cmd-" + strings.ToLower(rand.Text()[:8])
			env.Vars = append(env.Vars,
				"CONTAINER_HOST="+os.Getenv("BERTH_ENGINE_HOST"),
				"ENGINE="+cli.Engine().Name, "IMAGE="+testImage, "N="+prefix)
			env.Defer(func() { removeAll(t, cli, prefix) })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"until": until},
	})
}

// testEngine connects to the engine of the tests, or skips.
func testEngine(t *testing.T) *berth.Client {
	t.Helper()
	host := os.Getenv("BERTH_ENGINE_HOST")
	if host == "" {
		t.Skip("$BERTH_ENGINE_HOST names no engine: scripts/test command NAME does")
	}
	cli, err := berth.New(t.Context(), berth.WithHost(host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cli.Close() })
	return cli
}

// removeAll removes the containers and images whose names begin with prefix.
func removeAll(t *testing.T, cli *berth.Client, prefix string) {
	ctx := context.WithoutCancel(t.Context())
	list, err := cli.Containers.List(ctx, berth.ListOptions{All: true})
	if err != nil {
		t.Error(err)
	}
	for _, c := range list {
		if strings.HasPrefix(c.Name(), prefix) {
			if err := c.Remove(ctx, berth.RemoveOptions{Force: true, Volumes: true}); err != nil {
				t.Error(err)
			}
		}
	}
	images, err := cli.Images.List(ctx)
	if err != nil {
		t.Error(err)
	}
	for _, img := range images {
		for _, tag := range img.Tags() {
			if strings.Contains(tag, prefix) {
				if _, err := cli.Images.Remove(ctx, tag, berth.ImageRemoveOptions{Force: true}); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// untilPatience is how long until tries.
const untilPatience = 30 * time.Second

// until runs a command of the script's directory again and again until it succeeds:
// until [!] berth ARG...
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PROGRAM ARG...")
	}
	for end := time.Now().Add(untilPatience); ; time.Sleep(50 * time.Millisecond) {
		if ts.Exec(args[0], args[1:]...) == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s did not succeed", strings.Join(args, " "))
		}
	}
}

// command is the program itself, as a process of the test.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("berth") // testscript.Main has put it there
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(cmd.Dir, "home"))
	return cmd
}
