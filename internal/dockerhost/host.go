package dockerhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
)

const (
	// MinAPIVersion is that of Docker 20.10, the oldest daemon supported.
	MinAPIVersion = "1.41"
	// callTimeout bounds an ordinary API call, so that a daemon that hangs
	// ends in an error and not in an endless apply.
	callTimeout = 30 * time.Second
	// rememberFailure keeps the resources of one plan from waiting for the
	// same dead host one after the other.
	rememberFailure = 30 * time.Second
)

// Host is one remote Docker daemon. It is dialled on first use, once, and safe
// for concurrent use.
type Host struct {
	cfg      Config
	endpoint Endpoint
	// link is the ssh connection, nil for other transports.
	link *sshLink
	// dial opens a stream to the daemon's socket.
	dial    func(context.Context) (net.Conn, error)
	session *shared[*session]
	// callTimeout is the constant, except in tests.
	callTimeout time.Duration
}

// session is a daemon that was shaken hands with.
type session struct {
	api *client.Client
	// daemonAPI is the newest API version the daemon knows.
	daemonAPI string
}

// Daemon is what a host's Docker daemon says of itself.
type Daemon struct {
	// ID is unique per daemon.
	ID string
	// Name is the host name as the daemon sees it.
	Name string
	// APIVersion is the newest the daemon knows.
	APIVersion    string
	ServerVersion string
	OSType, Arch  string
}

// New makes a host from its configuration. It reads key files but dials
// nothing. Errors are [*ConfigError].
func New(cfg Config) (*Host, error) {
	fault := func(field string, err error) error { return &ConfigError{Host: cfg.Name, Field: field, Err: err} }
	if cfg.DockerHost == "" {
		cfg = fromEnvironment(cfg, os.Getenv)
	}
	endpoint, err := ParseDockerHost(cfg.DockerHost)
	if err != nil {
		return nil, fault("docker_host", err)
	}
	if cfg.ConnectTimeout <= 0 {
		cfg.ConnectTimeout = DefaultConnectTimeout
	}
	if cfg.Address == "" {
		cfg.Address = endpoint.Host
	}
	if cfg.Address == "" {
		return nil, fault("address", errors.New("is required, because docker_host names no host to take it from"))
	}
	if cfg.ServiceAccess == "" {
		cfg.ServiceAccess = Direct
		if endpoint.Scheme == SchemeSSH {
			cfg.ServiceAccess = Tunnel
		}
	}
	if cfg.ServiceAccess == Tunnel && endpoint.Scheme != SchemeSSH {
		return nil, fault("service_access", fmt.Errorf("%q needs a docker_host of ssh://, which %s is not", Tunnel, endpoint))
	}
	h := &Host{cfg: cfg, endpoint: endpoint.withDefaults(cfg.TLS != nil), callTimeout: callTimeout}
	if err := h.chooseTransport(); err != nil {
		return nil, err
	}
	h.session = &shared[*session]{
		open: h.open, close: func(s *session) { _ = s.api.Close() },
		// Dialling has its own limit of one ConnectTimeout, whose error says
		// more; the daemon then has the rest of this one to answer.
		timeout: 2 * cfg.ConnectTimeout, remember: rememberFailure,
	}
	return h, nil
}

// fromEnvironment takes the endpoint and, for tcp://, the certificates from
// where the Docker command line takes them.
func fromEnvironment(cfg Config, getenv func(string) string) Config {
	cfg.DockerHost = getenv("DOCKER_HOST")
	if cfg.DockerHost == "" {
		cfg.DockerHost = SchemeUnix + "://" + DefaultSocket
	}
	if dir := getenv("DOCKER_CERT_PATH"); dir != "" && getenv("DOCKER_TLS_VERIFY") != "" && cfg.TLS == nil {
		cfg.TLS = &TLSConfig{CAPath: dir + "/ca.pem", CertPath: dir + "/cert.pem", KeyPath: dir + "/key.pem"}
	}
	return cfg
}

// Name is the host's key in the hosts map.
func (h *Host) Name() string { return h.cfg.Name }

// Address is where the host's services are published and advertised.
func (h *Host) Address() string { return h.cfg.Address }

// Connect dials the daemon and agrees on an API version. All methods do so by
// themselves; calling it first only makes the time predictable. Errors are
// [*UnreachableError].
func (h *Host) Connect(ctx context.Context) error {
	_, err := h.connected(ctx)
	return err
}

func (h *Host) connected(ctx context.Context) (*session, error) {
	s, err := h.session.get(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("host %q: connecting to %s: %w", h.cfg.Name, h.endpoint, err)
	}
	return s, err
}

// open dials and makes the one ping that API negotiation needs.
func (h *Host) open(ctx context.Context) (*session, error) {
	api, err := client.NewClientWithOpts(
		// The address is never dialled; a unix one keeps proxies of the
		// environment and compression out.
		client.WithHost(SchemeUnix+"://"+DefaultSocket),
		client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) {
			if h.link == nil {
				// The ssh connection has the same limit of its own, which
				// must end before this one to be the error that is told.
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, h.cfg.ConnectTimeout)
				defer cancel()
			}
			conn, err := h.dial(ctx)
			if err != nil {
				return nil, &dialError{err}
			}
			return conn, nil
		}),
		client.WithAPIVersionNegotiation(),
	)
	if err != nil {
		return nil, fmt.Errorf("host %q: unable to make a Docker client: %w", h.cfg.Name, err)
	}
	ping, err := api.Ping(ctx)
	if err != nil {
		_ = api.Close()
		return nil, h.handshakeError(ctx, err)
	}
	if ping.APIVersion == "" || versions.LessThan(ping.APIVersion, MinAPIVersion) {
		_ = api.Close()
		return nil, h.unreachable("agree with the Docker daemon on an API version",
			"upgrade Docker on the host to 20.10 or newer",
			fmt.Errorf("the daemon's newest API version is %q, and %s is the oldest supported", ping.APIVersion, MinAPIVersion))
	}
	api.NegotiateAPIVersionPing(ping)
	return &session{api: api, daemonAPI: ping.APIVersion}, nil
}

// dialError carries a failed dial through the Docker client, which would
// replace errors whose text or type it recognizes by its own wording.
type dialError struct{ cause error }

func (e *dialError) Error() string { return "the connection could not be made" }
func (e *dialError) Unwrap() error { return e.cause }

// Daemon asks the daemon about itself.
func (h *Host) Daemon(ctx context.Context) (Daemon, error) {
	var d Daemon
	err := h.call(ctx, request{"ask the Docker daemon about itself", h.callTimeout}, func(ctx context.Context, s *session) error {
		info, err := s.api.Info(ctx)
		d = Daemon{
			ID: info.ID, Name: info.Name, APIVersion: s.daemonAPI, ServerVersion: info.ServerVersion,
			OSType: info.OSType, Arch: info.Architecture,
		}
		return err
	})
	return d, err
}

// Clock is the time on the host, by which everything in its containers goes.
func (h *Host) Clock(ctx context.Context) (time.Time, error) {
	var clock time.Time
	err := h.call(ctx, request{"ask the Docker daemon for the time", h.callTimeout}, func(ctx context.Context, s *session) error {
		info, err := s.api.Info(ctx)
		if err != nil {
			return err
		}
		if clock, err = time.Parse(time.RFC3339Nano, info.SystemTime); err != nil {
			return fmt.Errorf("its answer is %q: %w", info.SystemTime, err)
		}
		return nil
	})
	return clock, err
}

// request is one act on a daemon: what it is in words that follow "tried to",
// and how long it may take; 0 leaves that to the caller's context.
type request struct {
	act     string
	timeout time.Duration
}

// call connects when needed and does one act with its own deadline.
func (h *Host) call(ctx context.Context, r request, do func(context.Context, *session) error) error {
	s, err := h.connected(ctx)
	if err != nil {
		return err
	}
	callCtx := ctx
	if r.timeout > 0 {
		var cancel context.CancelFunc
		callCtx, cancel = context.WithTimeout(ctx, r.timeout)
		defer cancel()
	}
	start := time.Now()
	err = do(callCtx, s)
	if h.cfg.Trace != nil {
		h.cfg.Trace(ctx, Act{Host: h.cfg.Name, Tried: r.act, Took: time.Since(start), Failed: err != nil})
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("host %q: unable to %s: %w", h.cfg.Name, r.act, errors.Join(ctx.Err(), err))
	case callCtx.Err() != nil:
		h.session.drop(s)
		return h.unreachable(r.act, fmt.Sprintf("the daemon did not answer within %s, check its log and the host's load", r.timeout), err)
	case broken(err):
		h.session.drop(s)
		return h.brokenError(r.act, err)
	case typed(err):
		return err
	default:
		return fmt.Errorf("host %q (%s): unable to %s: %w", h.cfg.Name, h.cfg.Address, r.act, err)
	}
}

// broken reports whether err means that the connection failed, as opposed to
// the daemon having answered with an error.
func broken(err error) bool {
	var dial *dialError
	var network net.Error
	return client.IsErrConnectionFailed(err) || errors.As(err, &dial) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// typed reports whether err already names the host and what to do.
func typed(err error) bool {
	var (
		image *ImageError
		name  *NameTakenError
		ours  *NotOursError
		port  *PortTakenError
	)
	return errors.As(err, &image) || errors.As(err, &name) || errors.As(err, &ours) || errors.As(err, &port)
}

// Tunnelled reports whether services are reached through the ssh connection.
func (h *Host) Tunnelled() bool { return h.cfg.ServiceAccess == Tunnel }

// DialService connects to a service on the host, at an address as seen from
// the host: through the ssh connection when [Host.Tunnelled], else from here.
// A tunnelled connection has no deadlines of its own; bound its use by closing
// it.
func (h *Host) DialService(ctx context.Context, network, address string) (net.Conn, error) {
	if h.Tunnelled() {
		return h.link.dialService(ctx, network, address)
	}
	dialer := net.Dialer{Timeout: h.cfg.ConnectTimeout}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("host %q: unable to connect to %s from here: %w", h.cfg.Name, address, err)
	}
	return conn, nil
}

// Close ends the connections to the host for good.
func (h *Host) Close() error {
	h.session.shut()
	if h.link != nil {
		h.link.close()
	}
	return nil
}
