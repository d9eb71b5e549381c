package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
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

// Storage is the registry's data on disk or in a bucket, in the documented
// layout. Other processes may copy files in and out at any time; nothing is kept
// in memory.
type Storage struct {
	files
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
func OpenStorage(ctx context.Context, s settings.Registry) (*Storage, error) {
	storage := &Storage{dirs: map[fileKind]string{image: s.ImageDir, stateFile: s.StateFileDir}, vms: s.VMDir}
	if s.S3 != nil {
		b, err := openBucket(ctx, s)
		storage.files = b
		return storage, err
	}
	for _, dir := range []string{s.ImageDir, s.StateFileDir, s.VMDir, s.CentralLogsDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("cannot use the storage under %s: %w", s.BaseDir, err)
		}
	}
	storage.files = disk{needed: []string{s.ImageDir, s.StateFileDir, s.VMDir}}
	return storage, nil
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
	if _, err := s.size(path); err == nil {
		return 0, errConflict
	}
	return s.put(path, data)
}
