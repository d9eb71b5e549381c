package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Storage is where the registries keep templates. At most one of Path, Volume,
// NFS and S3 is set; without any it is the volume [VolumeName].
type Storage struct {
	// Path is a directory of every host. Paths has that of single hosts in its
	// place, by host.
	Path  string
	Paths map[string]string
	// CreatePath lets the daemon make a directory that is not there.
	CreatePath bool
	// Volume is the name of a volume on every host.
	Volume string
	// NFS is an export of a file server.
	NFS *NFS
	// S3: the data is in an object store, which settings describe.
	S3 bool
	// Shared: what all hosts have at their Path is the same file system.
	Shared bool
}

// NFS is a directory that a file server exports.
type NFS struct {
	// Server is its IP address or DNS name.
	Server string
	// Path is absolute.
	Path string
	// Options are those of mount(8) beside the server's address.
	Options []string
}

// Common reports whether all registries have the same data in their storage,
// so that there is nothing to replicate, and replication would make one
// registry work against the other.
func (s Storage) Common() bool { return s.Shared || s.NFS != nil || s.S3 }

// VolumeName is the volume of the registry on host unless one is named.
func VolumeName(owner, host string) string {
	return container.Identity{Owner: owner, Role: container.Registry, Instance: host}.Name()
}

// String is how users name an export.
func (n NFS) String() string { return "NFS " + n.Server + ":" + n.Path }

// options are those of the volume. The kernel needs the address among them, as
// no mount helper resolves the device.
func (n NFS) options() container.VolumeOptions {
	return container.VolumeOptions{
		Type: "nfs", Device: ":" + n.Path,
		Options: strings.Join(append([]string{"addr=" + n.Server}, n.Options...), ","),
	}
}

// volumeName has the fingerprint of the options in it: a volume keeps those
// that it was made with, so that other options need another volume. The data is
// on the server, whatever the volume is called.
func (n NFS) volumeName(owner, host string) string {
	o := n.options()
	sum := sha256.Sum256([]byte(o.Device + "\n" + o.Options))
	return VolumeName(owner, host) + "-nfs-" + hex.EncodeToString(sum[:4])
}

// Mount is the storage of the registry on host, unless it is an object store.
func (s Storage) Mount(owner, host string) container.Mount {
	path := s.Path
	if own := s.Paths[host]; own != "" {
		path = own
	}
	switch {
	case path != "":
		return container.Mount{Type: container.Bind, Source: path, Target: BasePath, Existing: !s.CreatePath}
	case s.NFS != nil:
		return container.Mount{
			Type: container.Volume, Source: s.NFS.volumeName(owner, host), Target: BasePath, Options: s.NFS.options(), Store: s.NFS.String(),
		}
	case s.Volume != "":
		return container.Mount{Type: container.Volume, Source: s.Volume, Target: BasePath}
	default:
		return container.Mount{Type: container.Volume, Source: VolumeName(owner, host), Target: BasePath}
	}
}

// mount is the storage of the registry on host; values has the settings of an
// object store.
func (s Storage) mount(values service.Values, owner, host string) container.Mount {
	if s.S3 {
		return container.Mount{Type: container.External, Target: BasePath, Store: store(values)}
	}
	return s.Mount(owner, host)
}

// Known reports whether it is known which bucket is meant, where it is one.
func (s Settings) Known() bool { return !s.Storage.S3 || storeKnown(s.Values) }

// CheckNFSOptions judges the options of a mount; at tells which one is at
// fault.
func CheckNFSOptions(options []string) (at int, err error) {
	for i, option := range options {
		name, _, _ := strings.Cut(option, "=")
		switch {
		case option == "" || strings.ContainsAny(option, ", \t\r\n"):
			return i, fmt.Errorf("%q is not one option: it is empty, or contains a comma or white space. Make it several elements of the list", option)
		case slices.Contains([]string{"addr", "mountaddr", "clientaddr"}, name):
			return i, fmt.Errorf("%s follows from server: remove it", name)
		case slices.ContainsFunc(options[:i], func(other string) bool { earlier, _, _ := strings.Cut(other, "="); return earlier == name }):
			return i, fmt.Errorf("%s is there twice, and the last one would win: remove one of them", name)
		case name == "bg":
			return i, fmt.Errorf("bg belongs into /etc/fstab: Docker mounts the export itself, each time the container starts")
		}
	}
	return -1, nil
}
