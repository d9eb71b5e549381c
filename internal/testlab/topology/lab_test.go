package topology

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// workspace is an empty folder for terraform with the provider built.
func workspace(t *testing.T) *tfcli.Workspace {
	t.Helper()
	plugins := t.TempDir()
	must(t, tfcli.BuildProvider(t.Context(), plugins))
	w, err := tfcli.New(t.TempDir(), plugins)
	must(t, err)
	return w
}

// docker runs the docker CLI against a host and returns what it printed.
func docker(t testing.TB, lab *testlab.Lab, host string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	output, err := lab.Host(host).Docker(ctx, arguments...)
	if err != nil {
		t.Fatalf("docker %s on %s: %v\n%s", strings.Join(arguments, " "), host, err, output)
	}
	return strings.TrimSpace(output)
}
