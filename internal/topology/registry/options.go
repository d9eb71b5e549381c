package registry

import "github.com/anka-ha/terraform-provider-anka/internal/topology/service"

// Options are all variables that a registry reads: those of [Table], and those
// that are wired or have no attribute.
var Options = Table.Options(service.Named(
	`LISTEN_ADDR BASE_PATH BACKEND_TYPE ROOT_TOKEN* ENABLE_EVENT_LOGGING EVENT_LOG_URL`,
))
