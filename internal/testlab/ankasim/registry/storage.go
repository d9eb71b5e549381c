package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// uploadSuffix marks a file whose upload is not complete: x.ank.upload. Files
// of uploads that broke off stay, as they do in a real storage.
const uploadSuffix = ".upload"

// Errors a client can do something about.
var (
	errBadName  = errors.New("name is not allowed")
	errNotFound = errors.New("not found")
	errBusy     = errors.New("an upload of that name is in progress")
	errConflict = errors.New("already exists")
	errMissing  = errors.New("names files that are not in the registry")
)

// Storage is the registry's data on disk, in the documented layout. Other
// processes may copy files in and out at any time; nothing is kept in memory.
type Storage struct {
	dirs map[fileKind]string
	vms  string

	mu        sync.Mutex // one writer of metadata at a time
	uploading sync.Map   // path → struct{}
}

type fileKind string

const (
	image     fileKind = "image"
	stateFile fileKind = "state_file"
)

// OpenStorage makes the directories that are missing and leaves what is there.
func OpenStorage(s settings.Registry) (*Storage, error) {
	for _, dir := range []string{s.ImageDir, s.StateFileDir, s.VMDir, s.CentralLogsDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("cannot use the storage under %s: %w", s.BaseDir, err)
		}
	}
	return &Storage{dirs: map[fileKind]string{image: s.ImageDir, stateFile: s.StateFileDir}, vms: s.VMDir}, nil
}

// Ready returns nil while the directories are there.
func (s *Storage) Ready() error {
	for _, dir := range []string{s.dirs[image], s.dirs[stateFile], s.vms} {
		if _, err := os.Stat(dir); err != nil {
			return fmt.Errorf("storage is gone: %w", err)
		}
	}
	return nil
}

// Disk returns the size and free space of the file system of the images.
func (s *Storage) Disk() (wire.Disk, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(s.dirs[image], &stat); err != nil {
		return wire.Disk{}, fmt.Errorf("cannot measure the storage: %w", err)
	}
	block := uint64(stat.Bsize)
	return wire.Disk{Total: stat.Blocks * block, Free: stat.Bavail * block}, nil
}

var (
	layerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.ank$`)
	plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$`)
)

func (s *Storage) layerPath(kind fileKind, name string) (string, error) {
	if !layerName.MatchString(name) {
		return "", fmt.Errorf("%s %q: %w: letters, digits and ._- ending in .ank", kind, name, errBadName)
	}
	return filepath.Join(s.dirs[kind], name), nil
}

// vmFilePath is where the configuration or NVRAM of a template's version lies.
func (s *Storage) vmFilePath(id, name string) (string, error) {
	if !plainName.MatchString(id) || !plainName.MatchString(name) || name == templateFile {
		return "", fmt.Errorf("file %q of template %q: %w: letters, digits and ._-", name, id, errBadName)
	}
	return filepath.Join(s.vms, id, name), nil
}

// write stores data under path; until it is complete and on disk it is only
// visible with the upload suffix. It returns the number of bytes.
func (s *Storage) write(path string, data io.Reader) (int64, error) {
	if _, taken := s.uploading.LoadOrStore(path, struct{}{}); taken {
		return 0, errBusy
	}
	defer s.uploading.Delete(path)
	if _, err := os.Stat(path); err == nil {
		return 0, errConflict
	}
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

// size returns the bytes of a file, or errNotFound.
func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, errNotFound
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
