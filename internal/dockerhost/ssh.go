package dockerhost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// keepaliveInterval and keepaliveTimeout together bound how long a peer
	// that vanished without a word goes unnoticed.
	keepaliveInterval = 15 * time.Second
	keepaliveTimeout  = 15 * time.Second
	// idleTimeout closes a connection that carries nothing; the next use
	// dials again.
	idleTimeout = 2 * time.Minute
	// maxSessions stays below sshd's default MaxSessions of 10, which counts
	// commands but not forwarded streams.
	maxSessions = 6
)

// sshLink is the one multiplexed ssh connection to a host, for the daemon's
// socket and for all services. It is dialled on first use, kept alive, and
// dialled again after it broke.
type sshLink struct {
	host *Host
	// hops are the servers to go through, the host itself last.
	hops []*hop
	conn *shared[*sshConn]
	// stdio says that the server forbids forwarding the socket and that the
	// command docker system dial-stdio works instead.
	stdio atomic.Bool
	// sessions bounds the commands that run at once.
	sessions chan struct{}
	// interval, timeout and idle are the constants, except in tests.
	interval, timeout, idle time.Duration
}

// hop is one ssh server on the way.
type hop struct {
	// name is "user@host:port" for messages.
	name     string
	address  string
	user     string
	identity *identity
	trust    *trust
}

// sshConn is an established connection with those it runs through.
type sshConn struct {
	client *ssh.Client
	// through are the connections to jump hosts, outermost first.
	through []*ssh.Client

	mu sync.Mutex
	// streams are those in use, used is when their number last changed.
	streams int
	used    time.Time
}

// carry counts a stream until it is closed.
func (c *sshConn) carry(conn net.Conn) net.Conn {
	c.count(1)
	return &stream{Conn: conn, release: sync.OnceFunc(func() { c.count(-1) })}
}

func (c *sshConn) count(change int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams += change
	c.used = time.Now()
}

func (c *sshConn) idleFor() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams > 0 {
		return 0
	}
	return time.Since(c.used)
}

// stream is one of the streams that share an ssh connection.
type stream struct {
	net.Conn
	release func()
}

// Close ends the stream.
func (s *stream) Close() error {
	s.release()
	return s.Conn.Close()
}

func (c *sshConn) close() {
	_ = c.client.Close()
	for i := len(c.through) - 1; i >= 0; i-- {
		_ = c.through[i].Close()
	}
}

func newSSHLink(h *Host) (*sshLink, error) {
	settings := h.cfg.SSH
	if settings == nil {
		settings = &SSHConfig{}
	}
	hops, field, err := route(h.endpoint, *settings)
	if err != nil {
		return nil, &ConfigError{Host: h.cfg.Name, Field: field, Err: err}
	}
	l := &sshLink{
		host: h, hops: hops, sessions: make(chan struct{}, maxSessions),
		interval: keepaliveInterval, timeout: keepaliveTimeout, idle: idleTimeout,
	}
	l.conn = &shared[*sshConn]{
		open: l.open, close: (*sshConn).close, timeout: h.cfg.ConnectTimeout, remember: rememberFailure,
	}
	return l, nil
}

func (l *sshLink) close() { l.conn.shut() }

// open connects to every hop in turn.
func (l *sshLink) open(ctx context.Context) (*sshConn, error) {
	var clients []*ssh.Client
	fail := func(err error) (*sshConn, error) {
		for i := len(clients) - 1; i >= 0; i-- {
			_ = clients[i].Close()
		}
		return nil, err
	}
	for i, hop := range l.hops {
		var conn net.Conn
		var err error
		if i == 0 {
			var dialer net.Dialer
			conn, err = dialer.DialContext(ctx, "tcp", hop.address)
			if err != nil {
				return fail(l.host.unreachable("connect to "+hop.name+" by ssh", checkDial(ctx, err, "sshd"), err))
			}
		} else {
			conn, err = clients[i-1].DialContext(ctx, "tcp", hop.address)
			if err != nil {
				return fail(l.host.unreachable(fmt.Sprintf("connect to %s through the jump host %s", hop.name, l.hops[i-1].name),
					"check that the jump host can reach that address and that its sshd allows TCP forwarding", err))
			}
		}
		client, err := l.login(ctx, conn, hop)
		if err != nil {
			_ = conn.Close()
			return fail(err)
		}
		clients = append(clients, client)
	}
	last := len(clients) - 1
	c := &sshConn{client: clients[last], through: clients[:last], used: time.Now()}
	go l.keepAlive(c)
	return c, nil
}

// login does the ssh handshake within ctx.
func (l *sshLink) login(ctx context.Context, conn net.Conn, hop *hop) (*ssh.Client, error) {
	act := "log in to " + hop.name + " by ssh"
	signers, err := hop.identity.open(ctx)
	if err != nil {
		return nil, l.host.unreachable(act, "check the ssh settings of the host", err).because(LoginRefused)
	}
	defer signers.close()
	trust, err := hop.trust.open(hop.address)
	if err != nil {
		return nil, l.host.unreachable(act, "check known_hosts and host_key of the host", err)
	}
	// The ssh package knows no contexts; closing the connection is what ends
	// a handshake with a peer that says nothing.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	sc, channels, requests, err := ssh.NewClientConn(conn, hop.address, &ssh.ClientConfig{
		User:              hop.user,
		Auth:              []ssh.AuthMethod{ssh.PublicKeysCallback(signers.list)},
		HostKeyCallback:   trust.check,
		HostKeyAlgorithms: trust.algorithms,
	})
	if err != nil {
		return nil, l.loginError(ctx, act, loginAttempt{hop: hop, signers: signers, trust: trust, err: err})
	}
	return ssh.NewClient(sc, channels, requests), nil
}

type loginAttempt struct {
	hop     *hop
	signers *openIdentity
	trust   *openTrust
	err     error
}

func (l *sshLink) loginError(ctx context.Context, act string, a loginAttempt) error {
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case a.trust.refusal != nil:
		return l.host.unreachable(act, a.trust.refusal.advice(), a.trust.refusal).because(HostKeyRefused)
	case ctx.Err() != nil:
		return l.host.unreachable(act, "the server accepted the connection but did not complete the handshake within connect_timeout: "+
			"check that sshd is listening on that port", errors.Join(ctx.Err(), a.err))
	case unauthenticated(a.err):
		return l.host.unreachable(act, fmt.Sprintf("the server refused user %q, to whom %s: check the user and that the public key "+
			"is among the user's authorized keys", a.hop.user, a.signers.offered()), a.err).because(LoginRefused)
	case errors.As(a.err, &negotiation):
		return l.host.unreachable(act, "the server and this provider have no algorithm in common: upgrade OpenSSH on the host", a.err)
	default:
		return l.host.unreachable(act, "check that an ssh server listens there, and its log", a.err)
	}
}

// keepAlive notices a peer that is gone, also one that vanished silently, and
// makes room for a new connection.
func (l *sshLink) keepAlive(c *sshConn) {
	gone := make(chan struct{})
	go func() {
		_ = c.client.Wait()
		close(gone)
	}()
	defer l.conn.drop(c)
	defer c.close()
	ticker := time.NewTicker(l.interval)
	defer ticker.Stop()
	for {
		select {
		case <-gone:
			return
		case <-ticker.C:
		}
		if c.idleFor() > l.idle {
			return
		}
		answer := make(chan error, 1)
		go func() {
			_, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil)
			answer <- err
		}()
		deadline := time.NewTimer(l.timeout)
		select {
		case err := <-answer:
			deadline.Stop()
			if err != nil {
				return
			}
		case <-deadline.C:
			return
		case <-gone:
			deadline.Stop()
			return
		}
	}
}

// use opens a stream over the connection, a second time over a new connection
// when the one at hand turns out to be broken.
func (l *sshLink) use(ctx context.Context, open func(*sshConn) (net.Conn, error)) (net.Conn, error) {
	for retried := false; ; retried = true {
		c, err := l.conn.get(ctx)
		if err != nil {
			return nil, err
		}
		conn, err := open(c)
		if err == nil {
			return c.carry(conn), nil
		}
		var refused *ssh.OpenChannelError
		if retried || ctx.Err() != nil || IsUnreachable(err) || errors.As(err, &refused) {
			return nil, err
		}
		l.conn.drop(c)
	}
}

// dialService opens a stream to a service as seen from the host.
func (l *sshLink) dialService(ctx context.Context, network, address string) (net.Conn, error) {
	// An address that drops packets must not hold up a caller without a
	// deadline.
	ctx, cancel := context.WithTimeout(ctx, l.host.cfg.ConnectTimeout)
	defer cancel()
	conn, err := l.use(ctx, func(c *sshConn) (net.Conn, error) { return c.client.DialContext(ctx, network, address) })
	if err == nil || IsUnreachable(err) {
		return conn, err
	}
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) && refused.Reason == ssh.Prohibited {
		return nil, fmt.Errorf("host %q: the ssh server forbids the tunnel to %s; allow it with AllowTcpForwarding in its sshd_config, "+
			"or set service_access to %q when the address can be reached from here: %w", l.host.cfg.Name, address, Direct, err)
	}
	return nil, fmt.Errorf("host %q: unable to connect to %s through the ssh connection: %w", l.host.cfg.Name, address, err)
}
