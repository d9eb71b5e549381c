// Package ankasim documents the lab's stand-in for the Anka controller and
// registry, which are proprietary and cannot be had there. It was written from
// the published API and configuration reference and fails as the real ones are
// documented to fail. Nothing in the provider knows it.
//
// One static binary, cmd/ankasim, with the role as its only argument
// (controller or registry) and the documented ANKA_* environment. Layers:
//
//	cmd/ankasim ─► controller, registry ─► serve ─► settings, glog, wire
//
// What only the stand-in has, for tests, without credentials:
//
//	GET    /ankasim/env           the ANKA_* environment as a JSON object, secrets included
//	POST   /ankasim/node          a node as GET /api/v1/node lists it, all fields optional; again to report in or to change it
//	DELETE /ankasim/node?id=
//	POST   /ankasim/vm            {"instance_id", "vm": {…}}
//	DELETE /ankasim/vm?id=
//	POST   /ankasim/apikey        {"id", "user_name", "public_key": PEM}, with ANKA_ENABLE_API_KEYS
//
// The registry's uploads, with credentials when authentication is on (the real
// endpoints are not published). Files first, the version that names them last;
// a file is FILE.upload on disk until it is complete:
//
//	PUT, GET /registry/v2/image/NAME.ank           images_dir/NAME.ank
//	PUT, GET /registry/v2/state_file/NAME.ank      state_file_dir/NAME.ank
//	PUT, GET /registry/v2/vm/ID/file/NAME          vm_dir/ID/NAME
//	POST     /registry/v2/vm                       {"id", "name", "version": {"tag", "images", "state_files", "config_file", "nvram", …}}
//	                                               vm_dir/ID/tag-NUMBER.json, then vm_dir/ID/template.json
//	GET      /registry/disk                        {"total", "free"} in bytes
//
// Misbehaviour, by environment:
//
//	ANKASIM_VERSION=1.40.0     claim this version; below 1.41.1 there is no /livez and /readyz
//	ANKASIM_LICENSE=basic      claim this license
//	ANKASIM_NEVER_READY=true   /readyz answers 503 forever
//	ANKASIM_READY_DELAY=3s     /readyz answers 503 this long after the start
//	ANKASIM_EXIT=1             end at start with this exit code
//	ANKASIM_EXIT_DELAY=3s      … but only after serving this long
//
// Left out: the object store, the queue interface, central logging, OpenID
// Connect, permissions of groups, and the built-in etcd.
package ankasim
