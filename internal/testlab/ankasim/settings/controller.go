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
	TLSHandshakeTimeout time.Duration
	APIKeys             bool          // users may authenticate by the API key handshake
	SessionTTL          time.Duration // of a session that a handshake opened
	OIDC                OIDC
	Etcd                Etcd
	Queue               Queue
}

// RegistryURL is where this controller reaches its registry: the local address
// where one is set. Empty when it runs without a registry.
func (c Controller) RegistryURL() string {
	if c.LocalRegistry != "" {
		return c.LocalRegistry
	}
	return c.Registry
}

// OIDC describes the provider whose users may log in. It is off without a URL.
type OIDC struct {
	ProviderURL   string
	ClientID      string // the audience of accepted tokens
	ClientSecret  string
	DisplayName   string // of the provider, on the login page
	UsernameClaim string
	GroupsClaim   string // an array of strings
	UserInfo      bool   // claims come from the user info endpoint, not from the token
}

// Queue describes the second interface, for nodes only.
type Queue struct {
	Addr string // host:port, empty for none
	TLS  TLS
	Auth Auth
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
	unknown := r.check(common, onlyController)
	c := Controller{
		Server:              r.server(":80"),
		Registry:            r.text("ANKA_ANKA_REGISTRY", ""),
		LocalRegistry:       r.text("ANKA_LOCAL_ANKA_REGISTRY", ""),
		PushRegistries:      r.list("ANKA_PUSH_REGISTRY"),
		SkipTLSVerification: r.flag("ANKA_SKIP_TLS_VERIFICATION"),
		DialTimeout:         r.duration("ANKA_DIAL_TIMEOUT", 5*time.Second),
		RequestTimeout:      r.duration("ANKA_REQUEST_TIMEOUT", 15*time.Second),
		TLSHandshakeTimeout: r.duration("ANKA_TLS_HANDSHAKE_TIMEOUT", 5*time.Second),
		APIKeys:             r.flag("ANKA_ENABLE_API_KEYS"),
		SessionTTL:          r.duration("ANKA_API_KEYS_SESSION_TTL", 5*time.Minute),
		NodeActiveTimeout:   r.duration("ANKA_NODE_ACTIVE_TIMEOUT", 2*time.Minute),
	}
	c.Server.Unknown = unknown
	if c.RegistryURL() == "" && !r.flag("ANKA_ALLOW_EMPTY_REGISTRY") {
		r.reject("ANKA_ANKA_REGISTRY", "required unless ANKA_ALLOW_EMPTY_REGISTRY is true")
	}
	if r.flag("ANKA_STANDALONE") {
		r.reject("ANKA_STANDALONE", "this stand-in has no built-in etcd")
	}
	if r.flag("ANKA_ENABLE_RESOURCE_MANAGEMENT") && !r.flag("ANKA_ENABLE_CONTROLLER_AUTHORIZATION") {
		r.reject("ANKA_ENABLE_RESOURCE_MANAGEMENT", "requires ANKA_ENABLE_CONTROLLER_AUTHORIZATION")
	}
	c.Etcd = r.etcd(c.DialTimeout)
	c.OIDC = r.oidc()
	c.Queue = r.queue(c.Server)
	return c, r.err()
}

func (r *reader) etcd(dialTimeout time.Duration) Etcd {
	e := Etcd{
		Endpoints:           r.list("ANKA_ETCD_ENDPOINTS", "127.0.0.1:2379"),
		RequestTimeout:      r.duration("ANKA_ETCD_REQUEST_TIMEOUT", 20*time.Second),
		DialTimeout:         dialTimeout,
		TLS:                 r.flag("ANKA_USE_ETCD_TLS"),
		CACertPath:          r.text("ANKA_ETCD_CA_CERT", ""),
		CertPath:            r.text("ANKA_ETCD_CERT", ""),
		KeyPath:             r.text("ANKA_ETCD_CERT_KEY", ""),
		SkipTLSVerification: r.flag("ANKA_SKIP_ETCD_TLS_VERIFICATION"),
	}
	if r.flag("ANKA_USE_ETCD_LOGIN") {
		e.Username = r.text("ANKA_ETCD_USERNAME", "")
		e.Password = r.text("ANKA_ETCD_PASSWORD", "")
		if e.Username == "" || e.Password == "" {
			r.reject("ANKA_USE_ETCD_LOGIN", "needs ANKA_ETCD_USERNAME and ANKA_ETCD_PASSWORD")
		}
	}
	return e
}

func (r *reader) oidc() OIDC {
	o := OIDC{
		ProviderURL:   r.text("ANKA_OIDC_PROVIDER_URL", ""),
		ClientID:      r.text("ANKA_OIDC_CLIENT_ID", ""),
		ClientSecret:  r.text("ANKA_OIDC_CLIENT_SECRET", ""),
		DisplayName:   r.text("ANKA_OIDC_DISPLAY_NAME", ""),
		UsernameClaim: r.text("ANKA_OIDC_USERNAME_CLAIM", "name"),
		GroupsClaim:   r.text("ANKA_OIDC_GROUPS_CLAIM", "groups"),
		UserInfo:      r.flag("ANKA_OIDC_USER_INFO"),
	}
	if o.ClientID != "" {
		r.need("ANKA_OIDC_CLIENT_ID", "ANKA_OIDC_PROVIDER_URL", "ANKA_OIDC_CLIENT_SECRET")
	}
	if o.ProviderURL != "" {
		r.need("ANKA_OIDC_PROVIDER_URL", "ANKA_OIDC_CLIENT_ID")
	}
	return o
}

// queue shares the TLS versions and cipher suites of the server; the reference
// has none for the queue, and only the one root token.
func (r *reader) queue(s Server) Queue {
	q := Queue{Addr: r.text("ANKA_QUEUE_ADDR", ""), TLS: s.TLS}
	q.TLS.Enabled = r.flag("ANKA_USE_QUEUE_TLS")
	q.TLS.CertPath = r.text("ANKA_QUEUE_SERVER_CERT", "")
	q.TLS.KeyPath = r.text("ANKA_QUEUE_SERVER_KEY", "")
	if q.TLS.Enabled {
		r.need("ANKA_USE_QUEUE_TLS", "ANKA_QUEUE_SERVER_CERT", "ANKA_QUEUE_SERVER_KEY")
	}
	q.Auth = Auth{
		Queue:      true,
		Enabled:    r.flag("ANKA_ENABLE_QUEUE_AUTH"),
		RootToken:  s.Auth.RootToken,
		CACertPath: r.text("ANKA_QUEUE_CA_CERT", ""),
		CRLPath:    r.text("ANKA_QUEUE_CRL", ""),
	}
	return q
}
