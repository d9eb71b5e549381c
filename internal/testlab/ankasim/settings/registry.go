package settings

import (
	"path/filepath"
	"time"
)

// Registry holds the settings of the stand-in registry. Its directories are
// resolved against ANKA_BASE_PATH, whose reference default is the working
// directory: an image without ANKA_BASE_PATH keeps its data in the container.
type Registry struct {
	Server         Server
	BaseDir        string
	ImageDir       string
	StateFileDir   string
	VMDir          string
	CentralLogsDir string
	ListCacheTTL   time.Duration // how long a list of templates may be out of date
}

// ReadRegistry turns env into settings. The error lists every bad variable.
func ReadRegistry(env Environment) (Registry, error) {
	r := &reader{env: env}
	base := r.text("ANKA_BASE_PATH", ".")
	under := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(base, path)
	}
	reg := Registry{
		Server:       r.server(":8089"),
		BaseDir:      base,
		ImageDir:     under(r.text("ANKA_IMAGE_DIR_PATH", "images_dir")),
		StateFileDir: under(r.text("ANKA_STATE_FILE_DIR_PATH", "state_file_dir")),
		VMDir:        under(r.text("ANKA_VM_DIR_PATH", "vm_dir")),
		// The documented defaults /files and /central-logs start with a slash
		// and yet lie under the base path.
		CentralLogsDir: filepath.Join(base, r.text("ANKA_FILES_DIR", "/files"), r.text("ANKA_LOGS_DIR", "/central-logs")),
		ListCacheTTL:   r.duration("ANKA_VM_LIST_CACHE_TTL", 30*time.Second),
	}
	if backend := r.oneOf("ANKA_BACKEND_TYPE", "disk", "disk", "s3"); backend == "s3" {
		r.reject("ANKA_BACKEND_TYPE", "this stand-in has no object store, only disk")
	}
	return reg, r.err()
}
