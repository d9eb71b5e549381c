package tools_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestTopologyReachesNoNetwork: the rules of the linter look at what a package
// imports itself; what comes with that counts as well.
func TestTopologyReachesNoNetwork(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./internal/topology/...")
	list.Dir = "../.."
	list.Env = append(list.Environ(), "GOWORK=off")
	output, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for _, forbidden := range []string{"net", "net/http", "crypto/tls", "os/exec"} {
		if slices.Contains(strings.Fields(string(output)), forbidden) {
			t.Errorf("topology reaches %s", forbidden)
		}
	}
}
