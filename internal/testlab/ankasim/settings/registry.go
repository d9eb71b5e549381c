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
	S3             *S3           // where the data is instead of on disk
}

// S3 are the settings of an object store. Its address and credentials are read
// by the library that speaks to it.
type S3 struct {
	Bucket                         string
	PathStyle, SkipTLSVerification bool
	PartSize                       int64 // bytes
	Concurrency                    int
}

// ReadRegistry turns env into settings. The error lists every bad variable.
func ReadRegistry(env Environment) (Registry, error) {
	r := &reader{env: env}
	unknown := r.check(common, onlyRegistry)
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
	reg.Server.Unknown = unknown
	if r.env["ANKA_BACKEND_TYPE"] == "s3" {
		reg.S3 = &S3{
			Bucket: r.text("ANKA_BACKEND_S3_BUCKET", "anka-registry"), PathStyle: r.flag("ANKA_BACKEND_S3_USE_PATH_STYLE"),
			SkipTLSVerification: r.flag("ANKA_BACKEND_S3_SKIP_TLS_VERIFICATION"),
			PartSize:            int64(r.number("ANKA_BACKEND_S3_UPLOAD_PART_SIZE", 20<<20)),
			Concurrency:         r.number("ANKA_BACKEND_S3_UPLOAD_CONCURRENCY", 2),
		}
	}
	if r.flag("ANKA_ENABLE_RESOURCE_MANAGEMENT") && !r.flag("ANKA_ENABLE_AUTHORIZATION") {
		r.reject("ANKA_ENABLE_RESOURCE_MANAGEMENT", "requires ANKA_ENABLE_AUTHORIZATION")
	}
	return reg, r.err()
}
