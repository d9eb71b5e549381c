package service

import "slices"

// Names of variables that rows refer to.
const (
	metricsPort   = "ANKA_METRICS_PORT"
	enableMetrics = "ANKA_ENABLE_METRICS"
	serverCert    = "ANKA_SERVER_CERT"
	serverKey     = "ANKA_SERVER_KEY"
	caCert        = "ANKA_CA_CERT"
	enableAPIKeys = "ANKA_ENABLE_API_KEYS"
	ingressNginx  = "ANKA_ENABLE_INGRESS_NGINX"
	// GracefulShutdown is how long a service finishes requests after it was
	// told to stop.
	GracefulShutdown = "ANKA_GRACEFUL_SHUTDOWN_TIMEOUT"
)

// megabyte is the unit of sizes of logs, as the services count it.
const megabyte = 1 << 20

var (
	// NotNegative bounds numbers that can be 0.
	NotNegative = &Range{Min: 0, Max: 1<<31 - 1}
	// Positive bounds numbers that cannot be 0.
	Positive = &Range{Min: 1, Max: 1<<31 - 1}
	// Timeout bounds how long something waits for an answer: no answer comes in
	// less, and what waits for more than a day waits for ever.
	Timeout = &Range{Min: 0.1, Max: 24 * 60 * 60}
	// Interval bounds what happens again and again, or is kept for a while: more
	// often than every second it would be all that is done.
	Interval = &Range{Min: 1, Max: 365 * 24 * 60 * 60}
	// Grace bounds how long a service may take to stop. A replacement waits for
	// it, and the next host for that.
	Grace = &Range{Min: 0, Max: 60 * 60}
)

// Logging are the settings of logs that both services have.
func Logging() Table {
	return slices.Concat(Table{
		{
			Group: "logging", Attribute: "verbosity", Env: "ANKA_V", Kind: KindInt, Range: &Range{Min: 0, Max: 10}, Default: "0",
			Description: "How much is logged, from `0`, the default, to `10`, everything.",
		}, {
			Group: "logging", Attribute: "directory", Env: "ANKA_LOG_DIR", Kind: KindPath,
			Description: "Directory inside the container that log files are written to, such as `/var/log/anka`. It is gone when the container is replaced, as it is with every change of a setting.",
		}, {
			Group: "logging", Attribute: "max_days", Env: "ANKA_LOG_MAX_DAYS", Kind: KindInt, Range: NotNegative, Default: "7",
			Description: "For how many days log files are kept, where their kind has no limit of its own. Default `7`.",
		}, {
			Group: "logging", Attribute: "max_size", Env: "ANKA_LOG_MAX_MB", Kind: KindSize, Unit: megabyte, Default: "700MB",
			Description: "How much space log files may take, where their kind has no limit of its own, in whole megabytes such as `\"700MB\"`, the default.",
		},
	},
		logFiles("command", "CMD", "log files of commands", "7", "1GB"),
		logFiles("error", "ERROR", "log files of errors", "3", "200MB"),
		logFiles("info", "INFO", "log files of plain information", "0", "0MB"),
		Table{{
			Group: "logging", Attribute: "central_logging", Env: "ANKA_ENABLE_CENTRAL_LOGGING", Kind: KindBool, Default: "false",
			Description: "Whether the service sends its logs to the registry, which keeps them with its data and shows them in the controller's user interface. Default `false`.",
		}})
}

// logFiles are the limits of one kind of log files; what is the kind in words.
func logFiles(attribute, variable, what, days, size string) Table {
	return Table{
		{
			Group: "logging", Attribute: attribute + "_max_days", Env: Prefix + variable + "_LOG_MAX_DAYS", Kind: KindInt, Range: NotNegative, Default: days,
			Description: "For how many days " + what + " are kept; `0` means as many as `max_days`. Default `" + days + "`.",
		}, {
			Group: "logging", Attribute: attribute + "_max_size", Env: Prefix + variable + "_LOG_MAX_MB", Kind: KindSize, Unit: megabyte, Default: size,
			Description: "How much space " + what + " may take, in whole megabytes such as `\"700MB\"`; `\"0MB\"` means as much as `max_size`. Default `\"" + size + "\"`.",
		},
	}
}

// HTTPS are the settings of serving and speaking TLS.
func HTTPS() Table {
	return Table{
		{
			Group: "https", Attribute: "enabled", Env: UseHTTPS, Kind: KindBool, Needs: []string{serverCert, serverKey},
			Description: "Whether the service speaks HTTPS instead of HTTP, on the same `port`. It is on when `server_cert_wo` is given, and off otherwise.",
		}, {
			Group: "https", Attribute: "server_cert", Env: serverCert, Kind: KindCertificate, Turns: UseHTTPS,
			Description: "Certificate of the service as PEM text: its own first, then the intermediate ones. It has to be valid for the addresses in `urls` and must not be signed with SHA-1.",
		}, {
			Group: "https", Attribute: "server_key", Env: serverKey, Kind: KindPrivateKey, VersionBy: "server_cert", Turns: UseHTTPS,
			Description: "Private key of `server_cert_wo` as PEM text: PKCS#8 (`BEGIN PRIVATE KEY`) without a password. `openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem` converts others.",
		}, {
			Group: "https", Attribute: "skip_tls_verification", Env: "ANKA_SKIP_TLS_VERIFICATION", Kind: KindBool, Default: "false",
			Description: "Whether the service trusts every certificate of the services that it calls itself, such as the controller that of its registry. For self-signed certificates; anyone in between can then read along. Default `false`.",
		}, {
			Group: "https", Attribute: "min_tls_version", Env: minTLS, Kind: KindEnum, Allowed: tlsVersions, Needs: []string{UseHTTPS}, Since: "1.12.0",
			Description: "Oldest version of TLS that clients may use.",
		}, {
			Group: "https", Attribute: "max_tls_version", Env: maxTLS, Kind: KindEnum, Allowed: tlsVersions, Needs: []string{UseHTTPS}, Since: "1.12.0",
			Description: "Newest version of TLS that clients may use.",
		}, {
			Group: "https", Attribute: "cipher_suites", Env: suites, Kind: KindList, Allowed: cipherSuites, Needs: []string{UseHTTPS}, Since: "1.12.0",
			Description: "Cipher suites that clients may use, up to TLS 1.2. Without a list the service chooses. " +
				"Unless `min_tls_version` is `tls_1.3`, HTTP/2 needs one of `tls_ecdhe_rsa_with_aes_128_gcm_sha256` and `tls_ecdhe_ecdsa_with_aes_128_gcm_sha256` among them.",
		},
	}
}

const (
	minTLS = "ANKA_MIN_TLS_VERSION"
	maxTLS = "ANKA_MAX_TLS_VERSION"
	suites = "ANKA_CIPHER_SUITES"
)

// tlsVersions are in order of age.
var tlsVersions = []string{"tls_1.0", "tls_1.1", "tls_1.2", "tls_1.3"}

// cipherSuites are those of the vendor's configuration reference, as written
// there.
var cipherSuites = []string{
	"tls_aes_128_gcm_sha256", "tls_aes_256_gcm_sha384", "tls_chacha20_poly1305_sha256",
	"tls_ecdhe_ecdsa_with_aes_128_gcm_sha256", "tls_ecdhe_ecdsa_with_aes_256_gcm_sha384", "tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256",
	"tls_ecdhe_rsa_with_aes_128_gcm_sha256", "tls_ecdhe_rsa_with_aes_256_gcm_sha384", "tls_ecdhe_rsa_with_chacha20_poly1305_sha256",
	"tls_ecdhe_ecdsa_with_aes_128_cbc_sha", "tls_ecdhe_ecdsa_with_aes_256_cbc_sha",
	"tls_ecdhe_rsa_with_aes_128_cbc_sha", "tls_ecdhe_rsa_with_aes_256_cbc_sha",
	"tls_rsa_with_aes_128_gcm_sha256", "tls_rsa_with_aes_256_gcm_sha384",
	"tls_rsa_with_aes_128_cbc_sha", "tls_rsa_with_aes_256_cbc_sha",
}

// Authentication are the settings of who is let in that both services have.
// authorize is the variable that turns permissions on, which each calls
// differently.
func Authentication(authorize string) Table {
	return Table{
		{
			Group: "authentication", Attribute: "enabled", Env: EnableAuth, Kind: KindBool, Needs: []string{RootToken},
			Description: "Whether clients have to authenticate. It is on when `root_token_wo` or `ca_cert_wo` is given, and off otherwise. Needs a license of the Enterprise tier.",
		}, {
			Group: "authentication", Attribute: "ca_cert", Env: caCert, Aliases: []string{"ANKA_ROOT_CERT"}, Kind: KindCertificate, Turns: EnableAuth,
			Description: "Certificate of the authority, or several, that signs client certificates, as PEM text. Clients can then authenticate with such a certificate. Needs HTTPS, or `ingress_nginx`.",
		}, {
			Group: "authentication", Attribute: "crl", Env: "ANKA_CRL", Kind: KindCRL, Needs: []string{caCert}, Since: "1.32.0",
			Description: "Client certificates that were revoked: the revocation list of `ca_cert_wo` as PEM text (`BEGIN X509 CRL`).",
		}, {
			Group: "authentication", Attribute: "api_keys", Env: enableAPIKeys, Kind: KindBool, Needs: []string{EnableAuth}, Default: "false",
			Description: "Whether users can authenticate with API keys (UAK). Default `false`.",
		}, {
			Group: "authentication", Attribute: "api_key_session_ttl", Env: "ANKA_API_KEYS_SESSION_TTL", Kind: KindDuration, Range: &Range{Min: 1, Max: week}, Needs: []string{enableAPIKeys}, Default: "5m",
			Description: "How long a session that was opened with an API key lasts, such as `\"5m\"`, the default.",
		}, {
			Group: "authentication", Attribute: "api_key_clean_interval", Env: "ANKA_API_KEYS_CLEANING_INTERVAL", Kind: KindDuration, Range: Interval, Needs: []string{enableAPIKeys}, Default: "4h",
			Description: "How often expired API keys are removed, such as `\"4h\"`, the default.",
		}, {
			Group: "authentication", Attribute: "authorization", Env: authorize, Kind: KindBool, Needs: []string{EnableAuth}, Default: "false",
			Description: "Whether what a client may do is limited by its permission groups; otherwise whoever is let in may do everything. The root token always may. Needs an Enterprise Plus license. Default `false`.",
		}, {
			Group: "authentication", Attribute: "resource_management", Env: "ANKA_ENABLE_RESOURCE_MANAGEMENT", Kind: KindBool, Needs: []string{authorize}, Since: "1.38.0", Default: "false",
			Description: "Whether permission groups can also be limited to single nodes and templates. Node groups do not work while it is on. Default `false`.",
		}, {
			Group: "authentication", Attribute: "ingress_nginx", Env: ingressNginx, Kind: KindBool, Needs: []string{EnableAuth}, Since: "1.33.0", Default: "false",
			Description: "Whether the client certificate is taken from headers that an Ingress NGINX in front has set. Only when nothing else can reach the service: who can set headers can be anyone. Default `false`.",
		},
	}
}

// week in seconds bounds what lives for a while.
const week = 7 * 24 * 60 * 60

// Monitoring are the settings of metrics. port is where the service itself
// listens.
func Monitoring(port int) Table {
	return Table{
		{
			Group: "monitoring", Attribute: "enabled", Env: enableMetrics, Kind: KindBool, Default: "false",
			Description: "Whether metrics for Prometheus are served, on a port of their own that is published on the host as well, without TLS and authentication. Default `false`.",
		}, {
			Group: "monitoring", Attribute: "path", Env: "ANKA_METRICS_PATH", Kind: KindPath, Needs: []string{enableMetrics}, Default: "/metrics",
			Description: "Path of the metrics. Default `/metrics`.",
		}, {
			Group: "monitoring", Attribute: "port", Env: metricsPort, Kind: KindInt, Range: &Range{Min: 1, Max: 65535}, Taken: []int{port}, Needs: []string{enableMetrics}, Default: "2112",
			Description: "TCP port of the metrics. Where several services share a host each needs its own. Default `2112`.",
		},
	}
}
