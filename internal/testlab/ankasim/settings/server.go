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
	Unknown          []string    // names of ANKA_* variables that the reference does not have, sorted
}

// TLS holds the HTTPS settings; paths name PEM files.
type TLS struct {
	Enabled      bool
	CertPath     string
	KeyPath      string
	MinVersion   string // tls_1.0 … tls_1.3, empty for the library's default
	MaxVersion   string
	CipherSuites []string // names as documented, such as tls_aes_128_gcm_sha256
}

// Auth says which credentials are accepted.
type Auth struct {
	Queue      bool // of the queue interface, whose variables are called ANKA_QUEUE_*
	Enabled    bool
	RootToken  string // basic auth password of user root
	CACertPath string // PEM, issuer of accepted client certificates
	CRLPath    string // PEM or DER, revoked client certificates
}

// Variable returns the full name of one of the variables with paths, such as CRL.
func (a Auth) Variable(short string) string {
	if a.Queue {
		return ankaPrefix + "QUEUE_" + short
	}
	return ankaPrefix + short
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
		MinVersion:   r.text("ANKA_MIN_TLS_VERSION", ""),
		MaxVersion:   r.text("ANKA_MAX_TLS_VERSION", ""),
		CipherSuites: r.list("ANKA_CIPHER_SUITES"),
	}
	if s.TLS.Enabled {
		r.need("ANKA_USE_HTTPS", "ANKA_SERVER_CERT", "ANKA_SERVER_KEY")
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

// need rejects those of names that are unset, which because makes mandatory.
func (r *reader) need(because string, names ...string) {
	for _, name := range names {
		if r.env[name] == "" {
			r.reject(name, "required with %s", because)
		}
	}
}
