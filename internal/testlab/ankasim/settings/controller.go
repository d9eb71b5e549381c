package settings

import "time"

// Controller holds the settings of the stand-in controller.
type Controller struct {
	Server              Server
	Registry            string   // URL that nodes use, reported in the status
	LocalRegistry       string   // URL this controller uses instead, when set
	PushRegistries      []string // URLs that receive uploads
	SkipTLSVerification bool     // of the registry's certificate
	DialTimeout         time.Duration
	RequestTimeout      time.Duration
	NodeActiveTimeout   time.Duration // a node silent for longer is Offline
	APIKeys             bool          // users may authenticate by the API key handshake
	SessionTTL          time.Duration // of a session that a handshake opened
	Etcd                Etcd
}

// RegistryURL is where this controller reaches its registry: the local address
// where one is set. Empty when it runs without a registry.
func (c Controller) RegistryURL() string {
	if c.LocalRegistry != "" {
		return c.LocalRegistry
	}
	return c.Registry
}

// Etcd describes the cluster in which all controllers keep their data.
type Etcd struct {
	Endpoints           []string
	RequestTimeout      time.Duration // also how long the start waits for etcd
	DialTimeout         time.Duration
	TLS                 bool
	CACertPath          string
	CertPath            string
	KeyPath             string
	SkipTLSVerification bool
	Username            string // empty without ANKA_USE_ETCD_LOGIN
	Password            string
}

// ReadController turns env into settings. The error lists every bad variable.
func ReadController(env Environment) (Controller, error) {
	r := &reader{env: env}
	c := Controller{
		Server:              r.server(":80"),
		Registry:            r.text("ANKA_ANKA_REGISTRY", ""),
		LocalRegistry:       r.text("ANKA_LOCAL_ANKA_REGISTRY", ""),
		PushRegistries:      r.list("ANKA_PUSH_REGISTRY"),
		SkipTLSVerification: r.flag("ANKA_SKIP_TLS_VERIFICATION"),
		DialTimeout:         r.duration("ANKA_DIAL_TIMEOUT", 5*time.Second),
		RequestTimeout:      r.duration("ANKA_REQUEST_TIMEOUT", 15*time.Second),
		APIKeys:             r.flag("ANKA_ENABLE_API_KEYS"),
		SessionTTL:          r.duration("ANKA_API_KEYS_SESSION_TTL", 5*time.Minute),
		NodeActiveTimeout:   r.duration("ANKA_NODE_ACTIVE_TIMEOUT", 2*time.Minute),
	}
	if c.RegistryURL() == "" && !r.flag("ANKA_ALLOW_EMPTY_REGISTRY") {
		r.reject("ANKA_ANKA_REGISTRY", "required unless ANKA_ALLOW_EMPTY_REGISTRY is true")
	}
	if r.flag("ANKA_STANDALONE") {
		r.reject("ANKA_STANDALONE", "this stand-in has no built-in etcd")
	}
	c.Etcd = Etcd{
		Endpoints:           r.list("ANKA_ETCD_ENDPOINTS", "127.0.0.1:2379"),
		RequestTimeout:      r.duration("ANKA_ETCD_REQUEST_TIMEOUT", 20*time.Second),
		DialTimeout:         c.DialTimeout,
		TLS:                 r.flag("ANKA_USE_ETCD_TLS"),
		CACertPath:          r.text("ANKA_ETCD_CA_CERT", ""),
		CertPath:            r.text("ANKA_ETCD_CERT", ""),
		KeyPath:             r.text("ANKA_ETCD_CERT_KEY", ""),
		SkipTLSVerification: r.flag("ANKA_SKIP_ETCD_TLS_VERIFICATION"),
	}
	if r.flag("ANKA_USE_ETCD_LOGIN") {
		c.Etcd.Username = r.text("ANKA_ETCD_USERNAME", "")
		c.Etcd.Password = r.text("ANKA_ETCD_PASSWORD", "")
		if c.Etcd.Username == "" || c.Etcd.Password == "" {
			r.reject("ANKA_USE_ETCD_LOGIN", "needs ANKA_ETCD_USERNAME and ANKA_ETCD_PASSWORD")
		}
	}
	return c, r.err()
}
