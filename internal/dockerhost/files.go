package dockerhost

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	dockercontainer "github.com/docker/docker/api/types/container"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Exists reports whether a path exists inside a container, which may be
// created and never started: its mounts are looked into as well.
func (h *Host) Exists(ctx context.Context, id, path string) (bool, error) {
	exists := false
	err := h.call(ctx, request{fmt.Sprintf("look for %s in container %s", path, id), h.callTimeout}, func(ctx context.Context, s *session) error {
		_, err := s.api.ContainerStatPath(ctx, id, path)
		exists = err == nil
		if errdefs.IsNotFound(err) && !strings.Contains(err.Error(), "No such container") {
			return nil
		}
		return notFound(err)
	})
	return exists, err
}

// CopyTo writes files into a container, owned by root, replacing those that
// are there. Missing directories are made with mode 0755.
func (h *Host) CopyTo(ctx context.Context, id string, files []container.File) error {
	if len(files) == 0 {
		return nil
	}
	var missing []string
	for _, dir := range directories(files) {
		// Only missing ones may be in the archive: the daemon would change
		// the mode of the others.
		exists, err := h.Exists(ctx, id, dir)
		if err != nil {
			return err
		}
		if !exists {
			missing = append(missing, dir)
		}
	}
	archive, err := pack(missing, files)
	if err != nil {
		return fmt.Errorf("host %q: unable to pack files for container %q: %w", h.cfg.Name, id, err)
	}
	return h.call(ctx, request{"write files into container " + id, h.callTimeout}, func(ctx context.Context, s *session) error {
		return notFound(s.api.CopyToContainer(ctx, id, "/", bytes.NewReader(archive), dockercontainer.CopyToContainerOptions{}))
	})
}

// readAttempts is how often a file that changes while it is read is read again.
const readAttempts = 5

// ReadFile gives the content of a file inside a container, which may be
// created and never started, or have ended. A file of more than limit bytes is
// an error. The error wraps [ErrNotFound] when there is no such container or
// file.
func (h *Host) ReadFile(ctx context.Context, id, path string, limit int64) ([]byte, error) {
	var content []byte
	err := h.call(ctx, request{fmt.Sprintf("read %s of container %s", path, id), h.callTimeout}, func(ctx context.Context, s *session) error {
		for attempt := 1; ; attempt++ {
			archive, _, err := s.api.CopyFromContainer(ctx, id, path)
			if err != nil {
				return notFound(err)
			}
			content, err = unpack(archive, limit)
			_ = archive.Close()
			// The daemon looks at a file's size first and reads it then. One that
			// took its place in between has another size and breaks the archive.
			if !errors.Is(err, errTorn) || attempt == readAttempts || ctx.Err() != nil {
				return err
			}
		}
	})
	return content, err
}

var errTorn = errors.New("the file changed while it was read")

// unpack reads the one file of an archive.
func unpack(archive io.Reader, limit int64) ([]byte, error) {
	r := tar.NewReader(archive)
	header, err := r.Next()
	if err != nil {
		// Not wrapped: an archive that ends early is no broken connection.
		return nil, fmt.Errorf("%w: %s", errTorn, err.Error())
	}
	if header.Typeflag != tar.TypeReg {
		return nil, errors.New("it is not a regular file")
	}
	if header.Size > limit {
		return nil, fmt.Errorf("it has %d bytes, and %d are the most that is read", header.Size, limit)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errTorn, err.Error())
	}
	return content, nil
}

// directories are all parents of the files, parents first, without the root.
func directories(files []container.File) []string {
	var dirs []string
	for _, f := range files {
		for dir := path.Dir(path.Clean(f.Path)); dir != "/" && dir != "."; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

func pack(dirs []string, files []container.File) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, dir := range dirs {
		header := &tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(dir, "/") + "/", Mode: 0o755}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path {
			return nil, fmt.Errorf("%q is not a clean absolute path", f.Path)
		}
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(f.Path, "/"), Mode: f.Mode, Size: int64(len(f.Content)),
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// HasFiles reports whether there is a regular file anywhere below a directory
// inside a container, which may be created and never started. It reads no
// further than to the first one. The error wraps [ErrNotFound] when there is no
// such container or directory.
func (h *Host) HasFiles(ctx context.Context, id, path string) (bool, error) {
	found := false
	err := h.call(ctx, request{fmt.Sprintf("look for files in %s of container %s", path, id), h.callTimeout}, func(ctx context.Context, s *session) error {
		archive, _, err := s.api.CopyFromContainer(ctx, id, path)
		if err != nil {
			return notFound(err)
		}
		defer func() { _ = archive.Close() }()
		for r := tar.NewReader(archive); !found; {
			header, err := r.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			found = header.Typeflag == tar.TypeReg
		}
		return nil
	})
	return found, err
}
