package dockerhost

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"

	topology "github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

const noPath = `invalid mount config for type "bind": bind source path does not exist: /mnt/disk`

// TestHasPath asks in a way that makes nothing, and takes back what a daemon
// makes all the same.
func TestHasPath(t *testing.T) {
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		want    bool
		failed  bool
		removes bool
	}{
		"missing": {refuse(http.StatusBadRequest, noPath), false, false, false},
		"there":   {refuse(http.StatusNotFound, "No such image: sha256:0000"), true, false, false},
		"made all the same": {func(w http.ResponseWriter, _ *http.Request) {
			reply(w, http.StatusCreated, map[string]string{"Id": "x1"})
		}, true, false, true},
		"broken": {refuse(http.StatusInternalServerError, "disk error"), false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newFakeDaemon(t)
			d.on("POST /containers/create", c.answer)
			d.on("DELETE /containers/x1", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
			got, err := d.plainHost(t).HasPath(testContext(t), "/mnt/disk")
			if got != c.want || (err != nil) != c.failed || slices.Contains(d.seen(), "DELETE /containers/x1") != c.removes {
				t.Errorf("got %t, %v after %v", got, err, d.seen())
			}
		})
	}
}

// TestCreate_storage: what a daemon is told of paths that have to exist, paths
// that it may make, exports, and data that is nowhere.
func TestCreate_storage(t *testing.T) {
	d := newFakeDaemon(t)
	var host container.HostConfig
	var volume struct{ DriverOpts map[string]string }
	options := topology.VolumeOptions{Type: "nfs", Device: ":/srv", Options: "addr=10.0.0.9,hard"}
	spec := topology.Spec{Image: "i", Mounts: []topology.Mount{
		{Type: topology.Bind, Source: "/mnt/disk", Target: "/a", Existing: true, ReadOnly: true},
		{Type: topology.Bind, Source: "/opt/made", Target: "/b"},
		{Type: topology.Volume, Source: "export", Target: "/c", Options: options},
		{Type: topology.External, Target: "/d", Store: "bucket x"},
	}}.Owned(topology.Identity{Owner: "anka", Role: topology.Registry, Instance: "h1"})
	has := options.Driver()
	d.on("POST /volumes/create", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&volume)
		reply(w, http.StatusCreated, map[string]any{"Name": "export", "Labels": volumeLabels(spec), "Options": has})
	})
	d.on("POST /containers/create", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&struct{ HostConfig *container.HostConfig }{&host})
		reply(w, http.StatusCreated, map[string]string{"Id": "1"})
	})
	h := d.plainHost(t)
	if _, err := h.CreateContainer(testContext(t), spec); err != nil {
		t.Fatal(err)
	}
	if len(host.Mounts) != 1 || host.Mounts[0].Source != "/mnt/disk" || !host.Mounts[0].ReadOnly || host.Mounts[0].Target != "/a" ||
		!slices.Equal(host.Binds, []string{"/opt/made:/b", "export:/c"}) {
		t.Errorf("got mounts %+v and binds %q", host.Mounts, host.Binds)
	}
	if topology.VolumeOptionsOf(volume.DriverOpts) != options {
		t.Errorf("got the options %v", volume.DriverOpts)
	}
	// The daemon takes another volume of that name without a word.
	has = map[string]string{"type": "nfs", "device": ":/srv", "o": "addr=10.0.0.9,soft"}
	_, err := h.CreateContainer(testContext(t), spec)
	var other *VolumeOptionsError
	if !errors.As(err, &other) || other.Name != "export" || other.Has.Options != "addr=10.0.0.9,soft" {
		t.Errorf("got %v", err)
	}
	wantText(t, err, `host "h1"`, "export", "addr=10.0.0.9,soft", "remove it once no container uses it")
}

// TestStorageErrors are told apart by what the daemon says.
func TestStorageErrors(t *testing.T) {
	d := newFakeDaemon(t)
	d.on("POST /containers/create", refuse(http.StatusBadRequest, noPath))
	d.on("POST /containers/1/start", refuse(http.StatusInternalServerError,
		"error while mounting volume '/v/_data': failed to mount local volume: mount :/srv:/v/_data, data: addr=10.0.0.9: no such device"))
	h := d.plainHost(t)
	_, err := h.CreateContainer(testContext(t), topology.Spec{Name: "c", Image: "i", Mounts: []topology.Mount{{Type: topology.Bind, Source: "/mnt/disk", Target: "/a", Existing: true}}})
	var missing *MissingPathError
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
	wantText(t, err, `host "h1"`, "/mnt/disk", "mount the disk")
	err = h.StartContainer(testContext(t), "1")
	var mount *MountError
	if !errors.As(err, &mount) {
		t.Errorf("got %v", err)
	}
	wantText(t, err, `host "h1"`, "10.0.0.9", "no such device")
}
