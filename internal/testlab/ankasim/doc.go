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
// For tests: inprocess runs the handlers inside a test, pki makes certificates,
// secureetcd runs an etcd with TLS and logins on a host of the lab.
//
// # What it checks
//
//   - Every documented variable is parsed by its kind at start; values that are
//     not of their kind end it with exit code 1 and a line per variable. Names
//     that the reference does not have are ignored with a line in the log. A
//     wrong address of a registry is no reason to end: the status reports FAIL.
//   - HTTPS: the pair is PEM, the key PKCS#8 without a password, no certificate
//     of the chain signed with SHA-1. Cipher suites have the documented lower
//     case names. Any file that cannot be loaded ends it, before etcd is waited
//     for; so do the queue's and etcd's.
//   - Authentication: root token, client certificates of ANKA_CA_CERT (alias
//     ANKA_ROOT_CERT) that are not in ANKA_CRL, API keys, OpenID Connect; any of
//     them opens the door. A certificate that is revoked or of another authority
//     ends the handshake, even for the probes, which need none.
//   - API keys: the second half of the handshake within 10 s, each secret once,
//     sessions for ANKA_API_KEYS_SESSION_TTL. Only on the controller.
//   - OpenID Connect: the provider is asked at the first login. The ID token
//     itself is the bearer token, in place of the code flow of the real web
//     interface; it needs the client as its audience, the user name claim, and
//     the groups claim as an array. With ANKA_OIDC_USER_INFO the claims come from
//     the user info endpoint. Only on the controller.
//   - Outgoing connections, to the registry and to the provider, trust the
//     system's authorities, of which the image has none, and not ANKA_CA_CERT: a
//     private authority needs ANKA_SKIP_TLS_VERIFICATION, as documented.
//   - The registry is asked with the root token: registry_status is FAIL when it
//     wants another one, cannot be verified or cannot be reached.
//   - etcd: the start ends when it does not answer within
//     ANKA_ETCD_REQUEST_TIMEOUT, and at once when it refuses the login.
//   - The queue interface, at ANKA_QUEUE_ADDR with TLS and authentication of its
//     own: the probes, and GET /ankasim/queue behind authentication.
//   - SIGTERM: no new connections; requests in flight have
//     ANKA_GRACEFUL_SHUTDOWN_TIMEOUT, and the exit code is 0 when that was enough.
//
// # What only the stand-in has
//
// For tests, without credentials:
//
//	GET    /ankasim/env           the ANKA_* environment as a JSON object, secrets included
//	GET    /ankasim/files         the PEM files it names, by variable: {"path", "mode": "0600", "sha256", "error"}
//	GET    /ankasim/requests      {"total", "paths": {"/readyz": 3, …}} since the start, without /ankasim/
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
//	ANKASIM_READY_HANG=true    /readyz never answers
//	ANKASIM_LOG_ENV=true       the log begins with the environment, secrets included
//	ANKASIM_EXIT=1             end at start with this exit code
//	ANKASIM_EXIT_DELAY=3s      … but only after serving this long
//	ANKASIM_NEVER_ENDS=true    after SIGTERM nothing is served, and the process stays
//
// All but version and license on some hosts only, as all replicas have one
// environment:
//
//	ANKASIM_FAULT_HOST=10.0.1.4      controllers whose ANKA_ANKA_REGISTRY has this host; no registry
//	ANKASIM_FAULT_FILE=/mnt/vol/bad  containers in which this path is there, such as in the storage of one host
//
// Left out: the object store, what nodes ask the queue, central logging,
// permissions of groups, and the built-in etcd and registry.
package ankasim
