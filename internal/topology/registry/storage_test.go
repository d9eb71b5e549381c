package registry_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

var export = registry.NFS{Server: "10.0.0.9", Path: "/srv/anka", Options: []string{"nfsvers=4.1", "hard"}}

func TestStorage_mount(t *testing.T) {
	nfs := container.VolumeOptions{Type: "nfs", Device: ":/srv/anka", Options: "addr=10.0.0.9,nfsvers=4.1,hard"}
	for name, c := range map[string]struct {
		storage registry.Storage
		want    container.Mount
	}{
		"default": {registry.Storage{}, container.Mount{Type: container.Volume, Source: "anka-anka-registry-h1"}},
		"volume":  {registry.Storage{Volume: "templates"}, container.Mount{Type: container.Volume, Source: "templates"}},
		"path":    {registry.Storage{Path: "/opt/t"}, container.Mount{Type: container.Bind, Source: "/opt/t", Existing: true}},
		"path that may be made": {
			registry.Storage{Path: "/opt/t", CreatePath: true}, container.Mount{Type: container.Bind, Source: "/opt/t"},
		},
		"path of this host": {
			registry.Storage{Path: "/opt/t", Paths: map[string]string{"h1": "/data/t"}},
			container.Mount{Type: container.Bind, Source: "/data/t", Existing: true},
		},
		"path of another host": {
			registry.Storage{Path: "/opt/t", Paths: map[string]string{"h1": "", "h2": "/data/t"}},
			container.Mount{Type: container.Bind, Source: "/opt/t", Existing: true},
		},
		"export": {
			registry.Storage{NFS: &export},
			container.Mount{Type: container.Volume, Source: "anka-anka-registry-h1-nfs-8a8dfb26", Options: nfs, Store: "NFS 10.0.0.9:/srv/anka"},
		},
	} {
		c.want.Target = "/mnt/vol"
		if got := c.storage.Mount("anka", "h1"); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// TestNFS_otherOptionsAreAnotherVolume of the same data: a volume keeps the
// options that it was made with.
func TestNFS_otherOptionsAreAnotherVolume(t *testing.T) {
	base := registry.Storage{NFS: &export}.Mount("anka", "h1")
	for name, c := range map[string]struct {
		nfs  registry.NFS
		same bool
	}{
		"option": {registry.NFS{Server: export.Server, Path: export.Path, Options: []string{"nfsvers=4.2"}}, true},
		"path":   {registry.NFS{Server: export.Server, Path: "/srv/other", Options: export.Options}, false},
		"server": {registry.NFS{Server: "10.0.0.8", Path: export.Path, Options: export.Options}, false},
	} {
		got := registry.Storage{NFS: &c.nfs}.Mount("anka", "h1")
		if got.Source == base.Source || got.SamePlace(base) != c.same {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestDesired_objectStore(t *testing.T) {
	s := registry.Settings{Storage: registry.Storage{S3: true}, Settings: service.Settings{
		Owner: "anka", Image: "i", Values: service.Values{"ANKA_BACKEND_S3_BUCKET": "templates", "AWS_ENDPOINT_URL": "http://10.0.0.9:9000"},
	}}
	spec := s.Desired([]service.Replica{{Host: "h1", Port: 9000}}).Replicas[0].Spec
	if spec.Env["ANKA_BACKEND_TYPE"] != "s3" || spec.Env["AWS_ENDPOINT_URL"] != "http://10.0.0.9:9000" {
		t.Errorf("got %v", spec.Env)
	}
	const want = "bucket templates at http://10.0.0.9:9000"
	if got := spec.Labels[container.LabelStore]; got != "/mnt/vol "+want || spec.Mounts[0].Place() != want {
		t.Errorf("got %q, %+v", got, spec.Mounts)
	}
	s.Values = service.Values{"AWS_ENDPOINT_URL": service.Unknown}
	if s.Known() {
		t.Error("it is not known where the bucket is")
	}
	s.Storage.S3, s.Values = false, nil
	if backend, set := s.Desired([]service.Replica{{Host: "h1"}}).Replicas[0].Spec.Env["ANKA_BACKEND_TYPE"]; set {
		t.Errorf("on disk, and the backend is %q", backend)
	}
}

func TestStorage_common(t *testing.T) {
	for want, storages := range map[bool][]registry.Storage{
		true:  {{NFS: &export}, {S3: true}, {Path: "/mnt/t", Shared: true}},
		false: {{}, {Path: "/opt/t"}, {Volume: "v"}},
	} {
		for _, s := range storages {
			if s.Common() != want {
				t.Errorf("%+v: got %t", s, !want)
			}
		}
	}
}

func TestCheckNFSOptions(t *testing.T) {
	for options, want := range map[string]string{
		"nfsvers=4.1 hard noatime rw": "",
		"addr=10.0.0.1":               "follows from server",
		"hard hard":                   "there twice",
		"timeo=1 timeo=2":             "there twice",
		"hard,rw":                     "not one option",
		"bg":                          "fstab",
	} {
		list := strings.Fields(options)
		at, err := registry.CheckNFSOptions(list)
		if want == "" && (err != nil || at != -1) || want != "" && (err == nil || !strings.Contains(err.Error(), want) || at != len(list)-1) {
			t.Errorf("%s: got %d, %v", options, at, err)
		}
	}
	if at, err := registry.CheckNFSOptions([]string{"rw", ""}); err == nil || at != 1 {
		t.Errorf("got %d, %v", at, err)
	}
}

func TestCheckBucket(t *testing.T) {
	for name, good := range map[string]bool{
		"anka-registry": true, "a.b.c": true, "abc": true, "ab": false, "Templates": false, "a_b_c": false, "-abc": false, "abc-": false,
		"10.0.0.1": false, strings.Repeat("a", 63): true, strings.Repeat("a", 64): false,
	} {
		if err := registry.CheckBucket(name); (err == nil) != good {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
