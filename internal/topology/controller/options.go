package controller

import "github.com/anka-ha/terraform-provider-anka/internal/topology/service"

// Options are all variables that a controller reads: those of [Table], and
// those that are wired or have no attribute.
var Options = Table.Options(append(service.Named(
	`ANKA_REGISTRY LOCAL_ANKA_REGISTRY PUSH_REGISTRY ETCD_ENDPOINTS LISTEN_ADDR ROOT_TOKEN*`),
	service.Option{
		Name: "ANKA_STANDALONE",
		Refused: "It makes the controller run an etcd of its own, whose data would be inside the container and gone with the next replacement, " +
			"and each replica would have another. Remove it: etcd_endpoints name the etcd of all controllers.",
	}))
