package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// files is where the data is, by path. What is not there is errNotFound.
type files interface {
	// put makes a file, which has its name only when it is whole and safe.
	put(path string, data io.Reader) (int64, error)
	open(path string) (content, error)
	size(path string) (int64, error)
	// names are what is directly below a directory, which need not exist.
	names(dir string) ([]string, error)
	// remove deletes a file, or a directory with all that is in it. One that is
	// not there is no error.
	remove(path string) error
	ready(context.Context) error
	disk() (wire.Disk, error)
}

// content is an open file.
type content interface {
	io.ReadSeeker
	io.Closer
}

// disk are files in directories that have to be there.
type disk struct{ needed []string }

func (d disk) put(path string, data io.Reader) (int64, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return 0, err
	}
	size, err := writeSynced(path+uploadSuffix, data)
	if err != nil {
		return size, err
	}
	return size, os.Rename(path+uploadSuffix, path)
}

func writeSynced(path string, data io.Reader) (size int64, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if size, err = io.Copy(file, data); err != nil {
		return size, err
	}
	return size, file.Sync()
}

func (d disk) open(path string) (content, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, absent(err)
	}
	return file, nil
}

func (d disk) size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, absent(err)
	}
	return info.Size(), nil
}

func (d disk) names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, absent(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

func (d disk) remove(path string) error { return os.RemoveAll(path) }

func (d disk) ready(context.Context) error {
	for _, dir := range d.needed {
		if _, err := os.Stat(dir); err != nil {
			return fmt.Errorf("storage is gone: %w", err)
		}
	}
	return nil
}

// disk is the size and free space of the file system of the first directory.
func (d disk) disk() (wire.Disk, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(d.needed[0], &stat); err != nil {
		return wire.Disk{}, fmt.Errorf("cannot measure the storage: %w", err)
	}
	block := uint64(stat.Bsize)
	return wire.Disk{Total: stat.Blocks * block, Free: stat.Bavail * block}, nil
}

func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errNotFound
	}
	return err
}
