package container

import (
	"slices"
	"testing"
)

// TestFound_storage: what a container was labelled with comes back beside what
// the daemon says of its mounts.
func TestFound_storage(t *testing.T) {
	id := Identity{Owner: "anka", Role: Registry, Instance: "h1"}
	nfs := Mount{Type: Volume, Source: "v", Target: "/mnt/vol", Store: "NFS 10.0.0.9:/srv/with-a_name"}
	bucket := Mount{Type: External, Target: "/mnt/vol", Store: "bucket a at http://x"}
	cache := Mount{Type: Volume, Source: "c", Target: "/cache"}
	for name, c := range map[string]struct{ asked, listed, want []Mount }{
		"volume": {[]Mount{cache}, []Mount{cache}, []Mount{cache}},
		"export": {[]Mount{nfs, cache}, []Mount{{Type: Volume, Source: "v", Target: "/mnt/vol"}, cache}, []Mount{nfs, cache}},
		"bucket": {[]Mount{bucket}, nil, []Mount{bucket}},
	} {
		labels := Spec{Mounts: c.asked}.Owned(id).Labels
		if got := (Found{Labels: labels, Mounts: c.listed}).Storage(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// TestHash_ignoresHowStorageIsChecked: neither a check at creation nor words
// replace a container.
func TestHash_ignoresHowStorageIsChecked(t *testing.T) {
	base := Spec{Mounts: []Mount{{Type: Bind, Source: "/a", Target: "/b"}}}
	same := Spec{Mounts: []Mount{{Type: Bind, Source: "/a", Target: "/b", Existing: true, Store: "words"}, {Type: External, Target: "/c", Store: "bucket"}}}
	if base.Hash() != same.Hash() {
		t.Error("the hash changed")
	}
	other := Spec{Mounts: []Mount{{Type: Bind, Source: "/a", Target: "/b", Options: VolumeOptions{Type: "nfs"}}}}
	if base.Hash() == other.Hash() {
		t.Error("options are not in the hash")
	}
}

func TestVolumeOptions_thereAndBack(t *testing.T) {
	for _, o := range []VolumeOptions{{}, {Type: "nfs", Device: ":/a", Options: "addr=1.2.3.4,rw"}} {
		if got := VolumeOptionsOf(o.Driver()); got != o {
			t.Errorf("got %+v, want %+v", got, o)
		}
	}
	if VolumeOptions.Driver(VolumeOptions{})["type"] != "" || len(VolumeOptions{}.Driver()) != 0 {
		t.Error("a plain volume has options")
	}
}
