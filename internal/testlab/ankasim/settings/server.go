package settings

import "time"

// MinRootTokenLength is the documented minimum of ANKA_ROOT_TOKEN, in characters.
const MinRootTokenLength = 10

// Server holds what the controller and the registry have in common.
type Server struct {
	ListenAddr       string        // host:port, the host usually empty
	GracefulShutdown time.Duration // how long requests in flight may go on after SIGTERM
	AllowCORS        bool
	AccessLogs       bool // log a line per request, without query and headers
	TLS              TLS
	Auth             Auth
	Metrics          Metrics
	Faults           Faults
	Environment      Environment // for the report at /ankasim/env
}

// TLS holds the HTTPS settings; paths name PEM files.
type TLS struct {
	Enabled      bool
	CertPath     string
	KeyPath      string
	MinVersion   string // tls_1.0 … tls_1.3, empty for the library's default
	MaxVersion   string
	CipherSuites []string // names as in the TLS registry, such as TLS_AES_128_GCM_SHA256
}

// Auth says which credentials are accepted.
type Auth struct {
	Enabled    bool
	RootToken  string // basic auth password of user root
	CACertPath string // PEM, issuer of accepted client certificates
	CRLPath    string // PEM or DER, revoked client certificates
}

// Metrics describes the Prometheus listener.
type Metrics struct {
	Enabled bool
	Path    string
	Port    int
}

func (r *reader) server(listenAddr string) Server {
	s := Server{
		ListenAddr:       r.text("ANKA_LISTEN_ADDR", listenAddr),
		GracefulShutdown: r.duration("ANKA_GRACEFUL_SHUTDOWN_TIMEOUT", 10*time.Second),
		AllowCORS:        r.flag("ANKA_ALLOW_CORS"),
		AccessLogs:       r.flag("ANKA_ACCESS_LOGS") || r.number("ANKA_V", 0) >= 5,
		Environment:      r.env,
		Faults:           r.faults(),
	}
	s.TLS = TLS{
		Enabled:      r.flag("ANKA_USE_HTTPS"),
		CertPath:     r.text("ANKA_SERVER_CERT", ""),
		KeyPath:      r.text("ANKA_SERVER_KEY", ""),
		MinVersion:   r.tlsVersion("ANKA_MIN_TLS_VERSION"),
		MaxVersion:   r.tlsVersion("ANKA_MAX_TLS_VERSION"),
		CipherSuites: r.list("ANKA_CIPHER_SUITES"),
	}
	if s.TLS.Enabled {
		if s.TLS.CertPath == "" {
			r.reject("ANKA_SERVER_CERT", "required with ANKA_USE_HTTPS")
		}
		if s.TLS.KeyPath == "" {
			r.reject("ANKA_SERVER_KEY", "required with ANKA_USE_HTTPS")
		}
	}
	s.Auth = Auth{
		Enabled:    r.flag("ANKA_ENABLE_AUTH"),
		RootToken:  r.text("ANKA_ROOT_TOKEN", ""),
		CACertPath: r.text("ANKA_CA_CERT", r.text("ANKA_ROOT_CERT", "")),
		CRLPath:    r.text("ANKA_CRL", ""),
	}
	if s.Auth.Enabled && s.Auth.RootToken != "" && len(s.Auth.RootToken) < MinRootTokenLength {
		r.reject("ANKA_ROOT_TOKEN", "shorter than %d characters", MinRootTokenLength)
	}
	s.Metrics = Metrics{
		Enabled: r.flag("ANKA_ENABLE_METRICS"),
		Path:    r.text("ANKA_METRICS_PATH", "/metrics"),
		Port:    r.number("ANKA_METRICS_PORT", 2112),
	}
	return s
}

func (r *reader) tlsVersion(name string) string {
	return r.oneOf(name, "", "", "tls_1.0", "tls_1.1", "tls_1.2", "tls_1.3")
}
