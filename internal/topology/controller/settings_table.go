package controller

import (
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Names of variables that rows refer to.
const (
	manageMACs    = "ANKA_MANAGE_MAC_ADDRESSES"
	eventLogging  = "ANKA_ENABLE_EVENT_LOGGING"
	oidcProvider  = "ANKA_OIDC_PROVIDER_URL"
	oidcClientID  = "ANKA_OIDC_CLIENT_ID"
	useEtcdTLS    = "ANKA_USE_ETCD_TLS"
	useEtcdLogin  = "ANKA_USE_ETCD_LOGIN"
	etcdUsername  = "ANKA_ETCD_USERNAME"
	etcdPassword  = "ANKA_ETCD_PASSWORD"
	queueAddress  = "ANKA_QUEUE_ADDR"
	useQueueTLS   = "ANKA_USE_QUEUE_TLS"
	queueAuth     = "ANKA_ENABLE_QUEUE_AUTH"
	queueCert     = "ANKA_QUEUE_SERVER_CERT"
	queueKey      = "ANKA_QUEUE_SERVER_KEY"
	queueCACert   = "ANKA_QUEUE_CA_CERT"
	authorization = "ANKA_ENABLE_CONTROLLER_AUTHORIZATION"
)

// Table is all settings of the controller that are attributes, from the
// vendor's configuration reference for 1.50. Adding one is adding a row.
var Table = slices.Concat(
	general, service.Logging(), events, service.HTTPS(), service.Authentication(authorization), oidc,
	etcdClient, queue, performance, service.Monitoring(containerPort),
)

var general = service.Table{
	{
		Group: "general", Attribute: "allow_empty_registry", Env: AllowEmptyRegistry, Kind: service.KindBool, Default: "false",
		Description: "Whether the controller starts without a registry. Default `false`.",
	}, {
		Group: "general", Attribute: "allow_cors", Env: "ANKA_ALLOW_CORS", Kind: service.KindBool, Default: "false",
		Description: "Whether pages of other origins may call the API from a browser (CORS). Default `false`.",
	}, {
		Group: "general", Attribute: "instance_timeout", Env: "ANKA_INSTANCE_TIME_OUT", Kind: service.KindDuration, Range: service.Interval, Default: "1m",
		Description: "How long an instance that has ended stays listed as `Terminating` or `Terminated`, such as `\"1m\"`, the default.",
	}, {
		Group: "general", Attribute: "no_node_upgrades", Env: "ANKA_NO_NODE_UPGRADES", Kind: service.KindBool, Default: "false",
		Description: "Whether the agents of nodes stay as they are when the controller has another version; otherwise they update themselves, which takes minutes. Default `false`.",
	}, {
		Group: "general", Attribute: "vram_threshold", Env: "ANKA_VRAMTHRESHOLD", Kind: service.KindFloat, Range: service.NotNegative,
		Description: "Threshold for the memory of a node's VMs that the controller goes by, as a number. The vendor publishes neither default nor unit: set it only on the advice of the vendor's support.",
	}, {
		Group: "general", Attribute: "manage_mac_addresses", Env: manageMACs, Kind: service.KindBool, Default: "false",
		Description: "Whether the controller gives VMs their MAC addresses, so that no two have the same. Templates have to be in the registry in stopped, not suspended, state. Default `false`.",
	}, {
		Group: "general", Attribute: "mac_address_range", Env: "ANKA_MAC_ADDR_RANGE", Kind: service.KindMACRange, Needs: []string{manageMACs},
		Description: "MAC addresses that VMs get, both ends included, such as `\"02:00:00:00:00:00-02:00:00:00:ff:ff\"`.",
	}, {
		Group: "general", Attribute: "mac_address_max_retries", Env: "ANKA_MAC_ADDR_RANGE_MAX_RETRIES", Kind: service.KindInt, Range: service.NotNegative, Needs: []string{manageMACs}, Default: "100",
		Description: "How often the controller tries to get a free MAC address before it gives up. Default `100`.",
	}, {
		Group: "general", Attribute: "mac_address_clean_interval", Env: "ANKA_CLEAN_MAC_ADDRESS_INTERVAL", Kind: service.KindDuration, Range: service.Interval, Needs: []string{manageMACs}, Default: "1h",
		Description: "How often MAC addresses that are no longer in use are set free, such as `\"1h\"`, the default.",
	}, {
		Group: "general", Attribute: "mac_address_fill_interval", Env: "ANKA_FILL_MAC_ADDRESS_RANGE_INTERVAL", Kind: service.KindDuration, Range: service.Interval, Needs: []string{manageMACs}, Default: "3h",
		Description: "How often the list of MAC addresses is checked against the range, such as `\"3h\"`, the default.",
	},
}

var events = service.Table{
	{
		Group: "logging", Attribute: "event_logging", Env: eventLogging, Kind: service.KindBool, Default: "false",
		Description: "Whether events, such as the start of an instance, are logged. Needs an Enterprise Plus license. Default `false`.",
	}, {
		Group: "logging", Attribute: "event_log_url", Env: "ANKA_EVENT_LOG_URL", Kind: service.KindURL, Verbatim: true, Needs: []string{eventLogging},
		Description: "URL that events are posted to as JSON.",
	},
}

var oidc = service.Table{
	{
		Group: "authentication", Attribute: "oidc_provider_url", Env: oidcProvider, Kind: service.KindURL, Verbatim: true, Needs: []string{oidcClientID, service.EnableAuth},
		Description: "Issuer of OpenID Connect, exactly as it names itself. Users can then log in to the user interface with their account there. Needs an Enterprise Plus license; the provider has to allow a redirect to `/oidc/v1/callback` of the controllers.",
	}, {
		Group: "authentication", Attribute: "oidc_client_id", Env: oidcClientID, Kind: service.KindText, Needs: []string{oidcProvider, service.EnableAuth},
		Description: "The controllers' client ID at the provider.",
	}, {
		Group: "authentication", Attribute: "oidc_client_secret", Env: "ANKA_OIDC_CLIENT_SECRET", Kind: service.KindText, Secret: true, Needs: []string{oidcProvider},
		Description: "Secret of `oidc_client_id`.",
	}, {
		Group: "authentication", Attribute: "oidc_display_name", Env: "ANKA_OIDC_DISPLAY_NAME", Kind: service.KindText, Needs: []string{oidcProvider},
		Description: "What the provider is called on the login page.",
	}, {
		Group: "authentication", Attribute: "oidc_scopes", Env: "ANKA_OIDC_SCOPES", Kind: service.KindList, Needs: []string{oidcProvider}, Since: "1.31.0",
		Description: "Scopes that are asked for, instead of the controller's own choice (`openid`, `profile` and `groups`).",
	}, {
		Group: "authentication", Attribute: "oidc_username_claim", Env: "ANKA_OIDC_USERNAME_CLAIM", Kind: service.KindText, Needs: []string{oidcProvider}, Default: "name",
		Description: "Claim that holds the name of the user. Default `name`.",
	}, {
		Group: "authentication", Attribute: "oidc_groups_claim", Env: "ANKA_OIDC_GROUPS_CLAIM", Kind: service.KindText, Needs: []string{oidcProvider}, Default: "groups",
		Description: "Claim that holds the user's permission groups. Default `groups`.",
	}, {
		Group: "authentication", Attribute: "oidc_user_info", Env: "ANKA_OIDC_USER_INFO", Kind: service.KindBool, Needs: []string{oidcProvider}, Since: "1.31.0", Default: "false",
		Description: "Whether claims are read from the provider's user info endpoint, for providers that leave them out of the token. Default `false`.",
	},
}

var etcdClient = service.Table{
	{
		Group: "etcd_client", Attribute: "tls", Env: useEtcdTLS, Kind: service.KindBool,
		Description: "Whether the controller speaks TLS with etcd. It is on when `ca_cert_wo` or `client_cert_wo` is given, and off otherwise. `etcd_endpoints` have to begin with `https://`.",
	}, {
		Group: "etcd_client", Attribute: "ca_cert", Env: "ANKA_ETCD_CA_CERT", Kind: service.KindCertificate, Turns: useEtcdTLS,
		Description: "Certificate of the authority, or several, that signs etcd's certificates, as PEM text.",
	}, {
		Group: "etcd_client", Attribute: "client_cert", Env: "ANKA_ETCD_CERT", Kind: service.KindCertificate, Turns: useEtcdTLS,
		Description: "Certificate that the controller shows to etcd, as PEM text.",
	}, {
		Group: "etcd_client", Attribute: "client_key", Env: "ANKA_ETCD_CERT_KEY", Kind: service.KindPrivateKey, VersionBy: "client_cert", Turns: useEtcdTLS,
		Description: "Private key of `client_cert_wo` as PEM text: PKCS#8 (`BEGIN PRIVATE KEY`) without a password.",
	}, {
		Group: "etcd_client", Attribute: "skip_tls_verification", Env: "ANKA_SKIP_ETCD_TLS_VERIFICATION", Kind: service.KindBool, Needs: []string{useEtcdTLS}, Default: "false",
		Description: "Whether every certificate of etcd is trusted. Anyone in between can then read and change the data. Default `false`.",
	}, {
		Group: "etcd_client", Attribute: "login", Env: useEtcdLogin, Kind: service.KindBool, Needs: []string{etcdUsername, etcdPassword},
		Description: "Whether the controller logs in to etcd. It is on when `username` is given, and off otherwise.",
	}, {
		Group: "etcd_client", Attribute: "username", Env: etcdUsername, Kind: service.KindText, Turns: useEtcdLogin, Needs: []string{etcdPassword},
		Description: "User that the controller logs in to etcd as.",
	}, {
		Group: "etcd_client", Attribute: "password", Env: etcdPassword, Kind: service.KindText, Secret: true, Turns: useEtcdLogin, Needs: []string{etcdUsername},
		Description: "Password of `username`.",
	}, {
		Group: "etcd_client", Attribute: "request_timeout", Env: "ANKA_ETCD_REQUEST_TIMEOUT", Kind: service.KindDuration, Range: service.Timeout, Default: "20s",
		Description: "How long the controller waits for an answer of etcd, such as `\"20s\"`, the default.",
	}, {
		Group: "etcd_client", Attribute: "defragmentation_interval", Env: "ANKA_DEFRAG_DB_INTERVAL", Kind: service.KindDuration, Default: "0s",
		Description: "How often the controller defragments all members of etcd; `\"0s\"`, the default, is never. A member answers nobody while it is defragmented, and the controller takes no turns.",
	},
}

var queue = service.Table{
	{
		Group: "queue", Attribute: "address", Env: queueAddress, Kind: service.KindAddress, Taken: []int{containerPort},
		Description: "Address inside the container on which the tasks of nodes are served separately, such as `\":8090\"`. Its port is published on the host as well. For a separate interface with client certificates while people log in on the main one.",
	}, {
		Group: "queue", Attribute: "tls", Env: useQueueTLS, Kind: service.KindBool, Needs: []string{queueCert, queueKey},
		Description: "Whether the queue interface speaks TLS. It is on when `server_cert_wo` is given, and off otherwise.",
	}, {
		Group: "queue", Attribute: "server_cert", Env: queueCert, Kind: service.KindCertificate, Turns: useQueueTLS, Needs: []string{queueAddress},
		Description: "Certificate of the queue interface as PEM text: its own first, then the intermediate ones.",
	}, {
		Group: "queue", Attribute: "server_key", Env: queueKey, Kind: service.KindPrivateKey, VersionBy: "server_cert", Turns: useQueueTLS, Needs: []string{queueAddress},
		Description: "Private key of `server_cert_wo` as PEM text: PKCS#8 (`BEGIN PRIVATE KEY`) without a password.",
	}, {
		Group: "queue", Attribute: "authentication", Env: queueAuth, Kind: service.KindBool, Needs: []string{useQueueTLS, queueCACert},
		Description: "Whether nodes have to show a client certificate on the queue interface. It is on when `ca_cert_wo` is given, and off otherwise.",
	}, {
		Group: "queue", Attribute: "ca_cert", Env: queueCACert, Kind: service.KindCertificate, Turns: queueAuth, Needs: []string{queueAddress},
		Description: "Certificate of the authority, or several, that signs the nodes' client certificates, as PEM text.",
	}, {
		Group: "queue", Attribute: "crl", Env: "ANKA_QUEUE_CRL", Kind: service.KindCRL, Needs: []string{queueCACert},
		Description: "Client certificates that were revoked: the revocation list of `ca_cert_wo` as PEM text (`BEGIN X509 CRL`).",
	}, {
		Group: "queue", Attribute: "clean_interval", Env: "ANKA_CLEAN_QUEUES_INTERVAL", Kind: service.KindDuration, Default: "1h",
		Description: "How often tasks that are older than a day are dropped, such as `\"1h\"`, the default; `\"0s\"` is never. It also holds without a separate interface.",
	},
}

var performance = service.Table{
	{
		Group: "performance", Attribute: "workers", Env: "ANKA_NUM_WORKERS", Kind: service.KindInt, Range: service.Positive, Default: "2",
		Description: "How many workers process what nodes report. More help when nodes are many and change states slowly. Default `2`.",
	}, {
		Group: "performance", Attribute: "task_batch_size", Env: "ANKA_BATCH_TASK_COUNT", Kind: service.KindInt, Range: &service.Range{Min: 1, Max: 40}, Since: "1.23.0", Default: "2",
		Description: "How many tasks are taken from the queue at once, up to `40`, which is as many as etcd takes. Default `2`.",
	}, {
		Group: "performance", Attribute: "dial_timeout", Env: "ANKA_DIAL_TIMEOUT", Kind: service.KindDuration, Range: service.Timeout, Default: "5s",
		Description: "How long the controller waits for a connection to a registry or node, such as `\"5s\"`, the default.",
	}, {
		Group: "performance", Attribute: "request_timeout", Env: "ANKA_REQUEST_TIMEOUT", Kind: service.KindDuration, Range: service.Timeout, Default: "15s",
		Description: "How long the controller waits for the answer to a request of its own, such as `\"15s\"`, the default.",
	}, {
		Group: "performance", Attribute: "tls_handshake_timeout", Env: "ANKA_TLS_HANDSHAKE_TIMEOUT", Kind: service.KindDuration, Range: service.Timeout, Default: "5s",
		Description: "How long the controller waits for a TLS handshake, such as `\"5s\"`, the default.",
	}, {
		Group: "performance", Attribute: "graceful_shutdown_timeout", Env: service.GracefulShutdown, Kind: service.KindDuration, Range: service.Grace, Default: "10s",
		Description: "How long requests in flight may go on when the controller is told to stop, such as `\"10s\"`, the default, and at most `\"1h\"`. Docker waits longer than that before it kills.",
	}, {
		Group: "performance", Attribute: "max_idle_connections_per_host", Env: "ANKA_MAX_IDLE_CONNECTION_PER_HOST", Kind: service.KindInt, Range: service.NotNegative, Default: "50",
		Description: "How many unused connections to one host are kept open. Default `50`.",
	}, {
		Group: "performance", Attribute: "http_retries", Env: "ANKA_NUM_HTTP_RETRIES", Kind: service.KindInt, Range: service.NotNegative, Default: "5",
		Description: "How often a request that failed is sent again. Default `5`.",
	}, {
		Group: "performance", Attribute: "instance_active_timeout", Env: "ANKA_INSTANCE_ACTIVE_TIMEOUT", Kind: service.KindDuration, Range: service.Interval, Default: "2m",
		Description: "After how long without news an instance counts as not communicating, such as `\"2m\"`, the default.",
	}, {
		Group: "performance", Attribute: "node_active_timeout", Env: "ANKA_NODE_ACTIVE_TIMEOUT", Kind: service.KindDuration, Range: service.Interval, Default: "2m",
		Description: "After how long without news a node counts as offline, such as `\"2m\"`, the default.",
	}, {
		Group: "performance", Attribute: "query_task_timeout", Env: "ANKA_QUERY_TASK_TIMEOUT", Kind: service.KindDuration, Range: service.Timeout, Default: "10s",
		Description: "How long a node that asks for a task to start a VM waits while there is none, such as `\"10s\"`, the default.",
	}, {
		Group: "performance", Attribute: "reserve_task_timeout", Env: "ANKA_RESERVE_TASK_TIMEOUT", Kind: service.KindDuration, Range: service.Timeout, Default: "10s",
		Description: "How long a client of the queue waits for a task while there is none, such as `\"10s\"`, the default.",
	}, {
		Group: "performance", Attribute: "scheduler_interval", Env: "ANKA_SCHEDULER_INTERVAL", Kind: service.KindDuration, Range: service.Interval, Default: "30m",
		Description: "How often scheduled tasks are looked at, such as `\"30m\"`, the default.",
	}, {
		Group: "performance", Attribute: "unknown_vm_threshold", Env: "ANKA_UNKNOWN_VM_THRESHOLD", Kind: service.KindInt, Range: service.Positive, Default: "30",
		Description: "After how many reports of a VM that the controller does not know the node has to end it. Default `30`.",
	},
}
