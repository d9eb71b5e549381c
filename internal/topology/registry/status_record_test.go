package registry

import (
	"slices"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

func TestReadRecords(t *testing.T) {
	var found []container.Found
	for _, label := range []string{
		`{"made":"2026-03-01T12:00:00Z","attributes":{"primary":"h1","replicas":{"h1":{},"h2":{}}}}`,
		`{"made":"2026-03-02T12:00:00Z","attributes":{"primary":"h3","replicas":{"h3":{},"h2":{"port":1}}}}`,
		`{"made":"2026-03-01T13:00:00Z","attributes":{"primary":"h4"}}`,
		"", "{",
	} {
		found = append(found, container.Found{Labels: map[string]string{container.LabelRecord: label}})
	}
	if got := ReadRecords(found); got.Primary != "h3" || !slices.Equal(got.Hosts, []string{"h2", "h3"}) {
		t.Errorf("got %+v", got)
	}
	if got := ReadRecords(found[3:]); got.Primary != "" || len(got.Hosts) != 0 {
		t.Errorf("got %+v", got)
	}
}

// TestReadRecords_common: all registries have the same data where storage says so.
func TestReadRecords_common(t *testing.T) {
	for storage, want := range map[string]bool{
		`{"shared":true,"path":"/mnt/all"}`: true, `{"nfs":{"server":"f"}}`: true, `{"s3":{"bucket":"b"}}`: true,
		`{"path":"/mnt/disk"}`: false, `{"shared":false,"path":"/mnt/disk"}`: false, `null`: false,
	} {
		label := `{"made":"2026-03-01T12:00:00Z","attributes":{"storage":` + storage + `}}`
		if got := ReadRecords([]container.Found{{Labels: map[string]string{container.LabelRecord: label}}}); got.Common != want {
			t.Errorf("%s: got %+v", storage, got)
		}
	}
}

func TestPublished(t *testing.T) {
	at := container.Port{HostIP: "10.0.1.4", HostPort: 80, ContainerPort: 8089}
	found := container.Found{Status: container.Running, Ports: []container.Port{{HostPort: 2112, ContainerPort: 2112}, at}}
	if got, ok := Published(found); !ok || got != at {
		t.Errorf("got %+v, %t", got, ok)
	}
	found.Status = container.Exited
	if _, ok := Published(found); ok {
		t.Error("a container that ended is reached")
	}
	found.Status, found.Ports = container.Running, nil
	if _, ok := Published(found); ok {
		t.Error("a container without ports is reached")
	}
}
