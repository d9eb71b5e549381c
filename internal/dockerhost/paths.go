package dockerhost

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	dockercontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// MissingPathError is a directory of a host that a container needs and that is
// not there.
type MissingPathError struct {
	Host string
	// Err is the daemon's, which names the path.
	Err error
}

// Error tells the host and what to do.
func (e *MissingPathError) Error() string {
	return fmt.Sprintf("host %q lacks a directory that is to be mounted; mount the disk that belongs there, or make the directory if it is to be a new one: %v",
		e.Host, e.Err)
}

// Unwrap gives the original error.
func (e *MissingPathError) Unwrap() error { return e.Err }

// MountError is a volume of a file server that a host cannot mount.
type MountError struct {
	Host string
	// Err is the daemon's, which names server, path and options.
	Err error
}

// Error tells the host and what to check.
func (e *MountError) Error() string {
	return fmt.Sprintf("host %q cannot mount a volume; check that the file server answers and exports that path to this host, the options, and that "+
		"the kernel of the host knows the file system (\"no such device\" says that it does not; \"no such file or directory\" that the server has no such path): %v",
		e.Host, e.Err)
}

// Unwrap gives the original error.
func (e *MountError) Unwrap() error { return e.Err }

// VolumeOptionsError is a volume of ours that was made with other options. It
// was left as it is.
type VolumeOptionsError struct {
	Host, Name  string
	Has, Wanted container.VolumeOptions
}

// Error tells host, name, options and the way out.
func (e *VolumeOptionsError) Error() string {
	return fmt.Sprintf("host %q already has the volume %q with the options %v instead of %v, and a volume keeps its options; it was left as it is: "+
		"remove it once no container uses it, or choose another name", e.Host, e.Name, e.Has.Driver(), e.Wanted.Driver())
}

// isMissingPath reports whether a daemon says that a host path to be mounted
// is not there.
func isMissingPath(err error) bool {
	return err != nil && strings.Contains(err.Error(), "bind source path does not exist")
}

// isUnmountable reports whether a daemon says that it could not mount what a
// volume is made of.
func isUnmountable(err error) bool {
	return err != nil && strings.Contains(err.Error(), "failed to mount local volume")
}

// noImage is an image that no host can have: the digest of nothing that could
// be an image.
const noImage = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// HasPath reports whether a directory or file exists on the host. It changes
// nothing there: it asks for a container of an image that cannot exist, and a
// daemon judges what is to be mounted before it looks for the image. A daemon
// that does not is taken to have it; it refuses when the container is made.
func (h *Host) HasPath(ctx context.Context, path string) (bool, error) {
	exists := false
	err := h.call(ctx, request{"look for " + path, h.callTimeout}, func(ctx context.Context, s *session) error {
		created, err := s.api.ContainerCreate(ctx, &dockercontainer.Config{Image: noImage}, &dockercontainer.HostConfig{
			Mounts: []mount.Mount{{Type: mount.TypeBind, Source: path, Target: "/mnt", ReadOnly: true}},
		}, nil, nil, "")
		switch {
		case isMissingPath(err):
			return nil
		case errdefs.IsNotFound(err):
			exists = true
			return nil
		case err == nil: // against all odds
			exists = true
			return s.api.ContainerRemove(ctx, created.ID, dockercontainer.RemoveOptions{Force: true})
		}
		return err
	})
	return exists, err
}
