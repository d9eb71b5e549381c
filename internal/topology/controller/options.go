package controller

import "github.com/anka-ha/terraform-provider-anka/internal/topology/service"

// Options are all variables that a controller reads: those of [Table], and
// those that are wired or have no attribute.
var Options = Table.Options(service.Named(
	`ANKA_REGISTRY LOCAL_ANKA_REGISTRY PUSH_REGISTRY ETCD_ENDPOINTS LISTEN_ADDR ROOT_TOKEN* STANDALONE`))
