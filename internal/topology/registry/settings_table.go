package registry

import (
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Table is all settings of the registry that are attributes, from the vendor's
// configuration reference for 1.50. Adding one is adding a row.
var Table = slices.Concat(
	general, service.Logging(), centralLogs, service.HTTPS(), service.Authentication("ANKA_ENABLE_AUTHORIZATION"),
	performance, service.Monitoring(containerPort), objectStore,
)

var general = service.Table{
	{
		Group: "general", Attribute: "image_directory", Env: "ANKA_IMAGE_DIR_PATH", Kind: service.KindText, Default: "images_dir",
		Description: "Directory of disk images below the storage; with `replication` a relative path of letters, digits and `._-/`. Default `images_dir`. Changing it does not move what is there.",
	}, {
		Group: "general", Attribute: "state_file_directory", Env: "ANKA_STATE_FILE_DIR_PATH", Kind: service.KindText, Default: "state_file_dir",
		Description: "Directory of the states of suspended VMs below the storage; with `replication` a relative path of letters, digits and `._-/`. Default `state_file_dir`. Changing it does not move what is there.",
	}, {
		Group: "general", Attribute: "vm_directory", Env: "ANKA_VM_DIR_PATH", Kind: service.KindText, Default: "vm_dir",
		Description: "Directory of templates and tags, which name the disk images, below the storage; with `replication` a relative path of letters, digits and `._-/`. Default `vm_dir`. Changing it does not move what is there.",
	},
}

var centralLogs = service.Table{
	{
		Group: "logging", Attribute: "access_logs", Env: "ANKA_ACCESS_LOGS", Kind: service.KindBool, Default: "false",
		Description: "Whether every request is logged. Default `false`.",
	}, {
		Group: "logging", Attribute: "verbosity_by_module", Env: "ANKA_VMODULE", Kind: service.KindLevelList, Range: service.NotNegative,
		Description: "Verbosity of single source files, each as `PATTERN=LEVEL` with a level from `0` on, such as `[\"upload=5\"]`. For the vendor's support.",
	}, {
		Group: "logging", Attribute: "files_directory", Env: "ANKA_FILES_DIR", Kind: service.KindPath, Default: "/files",
		Description: "Directory of what belongs to no VM, such as central logs, below the storage. Default `/files`.",
	}, {
		Group: "logging", Attribute: "central_log_directory", Env: "ANKA_LOGS_DIR", Kind: service.KindPath, Default: "/central-logs",
		Description: "Directory of central logs below `files_directory`. Default `/central-logs`.",
	}, {
		Group: "logging", Attribute: "central_log_server_url", Env: "ANKA_LOG_SERVER_ADDR", Kind: service.KindURL,
		Description: "Registry that this one sends its logs to, where several registries keep central logs in one place.",
	}, {
		Group: "logging", Attribute: "central_log_backend", Env: "ANKA_LOG_SERVER_BACKEND_TYPE", Kind: service.KindEnum, Allowed: []string{"disk", "azure"}, Default: "disk",
		Description: "Where central logs are kept. Default `disk`.",
	}, {
		Group: "logging", Attribute: "central_log_max_days", Env: "ANKA_KEEP_LOGS_FOR", Kind: service.KindInt, Range: service.NotNegative, Default: "7",
		Description: "For how many days central logs are kept. Default `7`.",
	}, {
		Group: "logging", Attribute: "central_log_max_size", Env: "ANKA_MAX_LOG_SIZE", Kind: service.KindSize, Unit: 1 << 20, Default: "1GB",
		Description: "How large one central log file may be, in whole megabytes such as `\"1GB\"`, the default.",
	}, {
		Group: "logging", Attribute: "central_log_rotate_at_max_size", Env: "ANKA_ROTATE_LOG_FILES_AT_MAX_FILE_SIZE", Kind: service.KindBool, Default: "true",
		Description: "Whether a new central log file begins when one has reached `central_log_max_size`. Default `true`.",
	}, {
		Group: "logging", Attribute: "central_log_rotate_daily", Env: "ANKA_ROTATE_LOG_FILES_END_OF_DAY", Kind: service.KindBool, Default: "false",
		Description: "Whether a new central log file begins every day. Default `false`.",
	},
}

var performance = service.Table{
	{
		Group: "performance", Attribute: "vm_list_cache_ttl", Env: "ANKA_VM_LIST_CACHE_TTL", Kind: service.KindDuration, Range: service.Interval, Since: "1.28.0", Default: "30s",
		Description: "How long what is known of templates is kept in memory, such as `\"30s\"`, the default. As long can it take until a new tag is seen.",
	}, {
		Group: "performance", Attribute: "vm_list_concurrency", Env: "ANKA_VM_LIST_CONCURRENCY", Kind: service.KindInt, Range: service.Positive, Default: "10",
		Description: "How many templates are read at once for a list. Default `10`.",
	}, {
		Group: "performance", Attribute: "graceful_shutdown_timeout", Env: service.GracefulShutdown, Kind: service.KindDuration, Range: service.Grace, Default: "10s",
		Description: "How long uploads and downloads in flight may go on when the registry is told to stop, such as `\"10s\"`, the default, and at most `\"1h\"`. Docker waits longer than that before it kills.",
	},
}
