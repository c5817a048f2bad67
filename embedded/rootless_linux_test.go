package embedded

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/berthdev/berth/internal/testenv"
)

// ordinaryID is the user of this run, subordinateID the first of his subordinate IDs.
var ordinaryID, subordinateID = testenv.OrdinaryID()

// asUser is the variable that says to a process of the tests which case of an ordinary user it is.
const asUser = "BERTH_TEST_ORDINARY"

// ordinaryCases are the ordinary users that there are.
var ordinaryCases = map[string]testenv.Ordinary{
	"subordinate IDs": testenv.Everything,
	"no ranges":       {Programs: []string{"newuidmap", "newgidmap", "slirp4netns"}},
	"no programs":     {Subordinate: true},
	"crun":            {Subordinate: true, Programs: []string{"newuidmap", "newgidmap", "crun"}, CgroupV1: true},
}

// TestRootless runs the engine as an ordinary user: this same test in processes that have given up root's rights.
func TestRootless(t *testing.T) {
	if name := os.Getenv(asUser); name != "" {
		testAsUser(t, name)
		return
	}
	if os.Getenv("BERTH_EMBEDDED") == "" {
		t.Skip("BERTH_EMBEDDED is not set: containers are started in .ci/run")
	}
	for name := range ordinaryCases {
		t.Run(name, func(t *testing.T) { runAsUser(t, name) })
	}
}

// runAsUser runs this test in a process of the user.
func runAsUser(t *testing.T, name string) {
	var out bytes.Buffer
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestRootless$", "-test.timeout=200s", "-test.v="+fmt.Sprint(testing.Verbose()))
	cmd.Env = []string{asUser + "=" + name}
	cmd.Stdout, cmd.Stderr = &out, &out
	err := ordinaryCases[name].Run(cmd)
	t.Logf("%s", &out)
	if err != nil {
		t.Fatal(err)
	}
}
