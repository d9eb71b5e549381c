package dockerhost

import (
	"archive/tar"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// TestAccHost_filesAndRuntime: files belong to root and nobody else reads them,
// docker inspect does not show them, what was left unfinished is made anew, and
// the daemon takes every limit and name.
func TestAccHost_filesAndRuntime(t *testing.T) {
	lab := testlab.LabForTest(t, 1)
	h := labHost(t, lab, "unix")
	ctx := testContext(t)
	docker := func(args ...string) string {
		t.Helper()
		out, err := lab.Hosts[0].Docker(ctx, args...)
		if err != nil {
			t.Fatalf("docker %v: %v\n%s", args, err, out)
		}
		return out
	}
	const canary = "canary-private-key"
	spec := etcdSpec("m1", 12379)
	spec.Mounts = nil
	spec.Files = []container.File{{Path: "/etc/anka/server_key.pem", Content: []byte(canary), Mode: 0o600, Secret: true}}
	spec.Runtime = container.Runtime{
		Memory: 256 << 20, CPUs: 500_000_000, ExtraHosts: map[string]string{"registry": "10.0.1.4", "six": "fd00::4"}, DNS: []string{"10.0.0.2"},
		Healthcheck: &container.Healthcheck{Command: []string{"/usr/local/bin/etcd", "--version"}, Interval: time.Second, Retries: 2},
	}
	spec = spec.Owned(container.Identity{Owner: "test", Role: container.Etcd, Instance: "m1"})
	unfinished := spec
	unfinished.Name, unfinished.Files = container.IncompleteName(spec.Name), nil
	left, err := h.CreateContainer(ctx, unfinished)
	must(t, err)
	id, err := h.CreateContainer(ctx, spec)
	must(t, err)
	if found := onlyContainer(t, h); id == left || found.ID != id || found.Name != spec.Name {
		t.Errorf("found %+v instead of %s made anew", found, left)
	}
	archive := tar.NewReader(strings.NewReader(docker("cp", id+":/etc/anka/server_key.pem", "-")))
	header, err := archive.Next()
	must(t, err)
	if header.Mode&0o7777 != 0o600 || header.Uid != 0 || header.Gid != 0 || header.Size != int64(len(canary)) {
		t.Errorf("the file has %+v", header)
	}
	if shown := docker("inspect", id); strings.Contains(shown, canary) {
		t.Error("docker inspect shows the secret")
	}
	must(t, h.StartContainer(ctx, id))
	const format = "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.ExtraHosts}} {{.HostConfig.Dns}} {{.Config.Healthcheck.Test}} {{.Config.Healthcheck.Retries}}"
	const want = "268435456 500000000 [registry:10.0.1.4 six:fd00::4] [10.0.0.2] [CMD /usr/local/bin/etcd --version] 2"
	if got := strings.TrimSpace(docker("inspect", "--format", format, id)); got != want {
		t.Errorf("it runs with %s, want %s", got, want)
	}
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for strings.TrimSpace(docker("inspect", "--format", "{{.State.Health.Status}}", id)) != "healthy" {
		select {
		case <-deadline.C:
			t.Fatalf("it is not healthy: %s", docker("inspect", "--format", "{{json .State.Health}}", id))
		case <-tick.C:
		}
	}
	began := time.Now()
	must(t, h.DiscardContainer(ctx, id))
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("discarding took %s", took)
	}
}
