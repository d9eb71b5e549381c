package container

import (
	"slices"
	"strings"
)

// External is a mount that is none: the data of Target is on no host and the
// service itself speaks to where it is, which [Mount.Store] names. Nothing is
// mounted for it.
const External MountType = "external"

// VolumeOptions are those of Docker's local volume driver, in its own words.
// The zero value is a directory of the daemon. A volume that exists keeps the
// options that it was made with.
type VolumeOptions struct {
	// Type is the file system: nfs.
	Type string `json:"type,omitempty"`
	// Device is what is mounted: ":/export" for NFS.
	Device string `json:"device,omitempty"`
	// Options are those of mount(8), separated by commas: "addr=10.0.0.9,rw".
	Options string `json:"o,omitempty"`
}

// Driver is how the driver is told.
func (o VolumeOptions) Driver() map[string]string {
	options := map[string]string{}
	for name, value := range map[string]string{"type": o.Type, "device": o.Device, "o": o.Options} {
		if value != "" {
			options[name] = value
		}
	}
	return options
}

// VolumeOptionsOf reads what a daemon says of a volume; it is the reverse of
// [VolumeOptions.Driver] and leaves out what we never set.
func VolumeOptionsOf(driver map[string]string) VolumeOptions {
	return VolumeOptions{Type: driver["type"], Device: driver["device"], Options: driver["o"]}
}

// stores is the value of [LabelStore]: a line of TARGET STORE for every mount
// that has a store.
func stores(mounts []Mount) string {
	var lines []string
	for _, m := range mounts {
		if m.Store != "" {
			lines = append(lines, m.Target+" "+m.Store)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Storage is where the container keeps data: what is mounted, and what its
// label tells of stores, which no daemon knows.
func (f Found) Storage() []Mount {
	all := slices.Clone(f.Mounts)
	for line := range strings.SplitSeq(f.Labels[LabelStore], "\n") {
		target, store, ok := strings.Cut(line, " ")
		if !ok {
			continue
		}
		at := slices.IndexFunc(all, func(m Mount) bool { return m.Target == target })
		if at < 0 {
			all = append(all, Mount{Type: External, Target: target, Store: store})
			continue
		}
		all[at].Store = store
	}
	return all
}

// SamePlace reports whether two mounts have the same data in them. The volume
// through which a store is reached can be called anything.
func (m Mount) SamePlace(other Mount) bool {
	if m.Store != "" || other.Store != "" {
		return m.Store == other.Store
	}
	return m.Type == other.Type && m.Source == other.Source
}

// Place is how messages name where the data is: a path of the host, "volume
// NAME", or the store.
func (m Mount) Place() string {
	switch {
	case m.Store != "":
		return m.Store
	case m.Type == Volume:
		return "volume " + m.Source
	default:
		return m.Source
	}
}
