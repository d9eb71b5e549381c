package dockerhost

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// chooseTransport sets how the daemon's socket is reached.
func (h *Host) chooseTransport() error {
	fault := func(field string, err error) error { return &ConfigError{Host: h.cfg.Name, Field: field, Err: err} }
	if h.endpoint.Scheme != SchemeTCP && h.cfg.TLS != nil {
		return fault("tls", fmt.Errorf("is for tcp:// only, and docker_host is %s", h.endpoint))
	}
	if h.endpoint.Scheme != SchemeSSH && h.cfg.SSH != nil {
		return fault("ssh", fmt.Errorf("is for ssh:// only, and docker_host is %s", h.endpoint))
	}
	switch h.endpoint.Scheme {
	case SchemeUnix:
		h.dial = h.dialUnix
	case SchemeTCP:
		if h.cfg.TLS == nil {
			if !h.cfg.Insecure {
				return fault("docker_host", errors.New("tcp:// without tls lets everyone on the network become root on the host; "+
					"give certificates in tls, use ssh://, or allow it with insecure = true"))
			}
			h.dial = h.dialTCP
			return nil
		}
		config, field, err := h.cfg.TLS.load(h.endpoint.Host)
		if err != nil {
			return fault("tls."+field, err)
		}
		h.dial = func(ctx context.Context) (net.Conn, error) { return h.dialTLS(ctx, config) }
	case SchemeSSH:
		link, err := newSSHLink(h)
		if err != nil {
			return err
		}
		h.link = link
		h.dial = link.dialSocket
	}
	return nil
}

func (h *Host) dialUnix(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", h.endpoint.Socket)
	if err == nil {
		return conn, nil
	}
	act := "open the Docker socket " + h.endpoint.Socket
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, h.unreachable(act, "there is no such socket: check that Docker is installed and running, and the path", err)
	case errors.Is(err, fs.ErrPermission):
		return nil, h.unreachable(act, "the user who runs Terraform may not open it: add the user to the group docker", err).because(SocketDenied)
	default:
		return nil, h.unreachable(act, "check that Docker is running", err)
	}
}

func (h *Host) dialTCP(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", h.endpoint.hostPort())
	if err != nil {
		return nil, h.unreachable("connect to "+h.endpoint.String(), checkDial(ctx, err, "the Docker daemon"), err)
	}
	return conn, nil
}

// checkDial is what to look at when a TCP connection could not be made.
func checkDial(ctx context.Context, err error, service string) string {
	var dns *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, &dns):
		return "the name could not be resolved: check its spelling and the name server"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: check the port and that " + service + " is running"
	case ctx.Err() != nil, errors.As(err, &network) && network.Timeout():
		return "nothing answered within connect_timeout: check that the host is up and that no firewall is in the way"
	default:
		return "check the address, the network and that " + service + " is running"
	}
}

func (h *Host) dialTLS(ctx context.Context, config *tls.Config) (net.Conn, error) {
	plain, err := h.dialTCP(ctx)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, h.tlsError(ctx, err)
	}
	return conn, nil
}

func (h *Host) tlsError(ctx context.Context, err error) error {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	check, reason := "check the certificates on both sides", TLSRefused
	switch {
	case errors.As(err, &authority):
		check = "the daemon's certificate is not signed by the CA in tls: check ca_pem or ca_path"
	case errors.As(err, &name):
		check = "the daemon's certificate is for another name: set tls.server_name to a name that it has"
	case errors.As(err, &invalid):
		check = "the daemon's certificate is not valid: check its dates and usage, and the clock here"
	case errors.As(err, &record):
		check = "the daemon does not speak TLS on this port: check the port (2376 is usual with TLS) and its --tlsverify"
	case refusedCertificate(err):
		check = refusedCertificateCheck
	case ctx.Err() != nil:
		check, reason = "nothing answered within connect_timeout: check that the port is the Docker daemon's", ""
	}
	return h.unreachable("agree on TLS with "+h.endpoint.String(), check, err).because(reason)
}

const refusedCertificateCheck = "the daemon refused our certificate: check cert_pem and key_pem (or their paths) in tls, " +
	"which must be signed by the CA that the daemon was given with --tlscacert"

// refusedCertificate recognizes the alerts a TLS server sends for a client
// certificate it does not take; crypto/tls has no exported type for them.
func refusedCertificate(err error) bool {
	text := err.Error()
	// Before TLS 1.3, Go answers a missing certificate with the general alert.
	return strings.Contains(text, "remote error: tls: ") &&
		(strings.Contains(text, "certificate") || strings.Contains(text, "handshake failure"))
}

// handshakeError explains a ping that failed.
func (h *Host) handshakeError(ctx context.Context, err error) error {
	var unreachable *UnreachableError
	if errors.As(err, &unreachable) {
		return unreachable
	}
	act := "shake hands with the Docker daemon"
	text := err.Error()
	switch {
	case refusedCertificate(err):
		return h.unreachable(act, refusedCertificateCheck, err).because(TLSRefused)
	case strings.Contains(text, "HTTP request to an HTTPS server"), strings.Contains(text, "malformed HTTP response"):
		return h.unreachable(act, "the daemon wants TLS on this port: give certificates in tls", err).because(TLSRefused)
	case ctx.Err() != nil:
		return h.unreachable(act, "the connection was made, but the daemon did not answer within connect_timeout: check its log", err)
	case h.endpoint.Scheme == SchemeTCP && h.cfg.TLS != nil && errors.Is(err, syscall.ECONNRESET):
		return h.unreachable(act, "the daemon hung up, maybe because it wants a client certificate: check cert_pem and key_pem", err)
	default:
		return h.unreachable(act, "check that a Docker daemon listens there and is healthy", err)
	}
}

func (h *Host) brokenError(act string, err error) error {
	var unreachable *UnreachableError
	if errors.As(err, &unreachable) {
		return unreachable
	}
	return h.unreachable(act, "the connection to the daemon broke: check the network and that Docker is running", err)
}

func (h *Host) unreachable(tried, check string, err error) *UnreachableError {
	var dial *dialError
	if errors.As(err, &dial) {
		err = dial.cause
	}
	address := h.endpoint.String()
	return &UnreachableError{Host: h.cfg.Name, Address: address, Tried: tried, Check: check, Err: err}
}

// load makes the TLS configuration. The string names the attribute at fault.
func (c *TLSConfig) load(host string) (*tls.Config, string, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if c.ServerName != "" {
		config.ServerName = c.ServerName
	}
	ca, field, err := oneOf(pemOrPath{c.CA, "ca_pem", c.CAPath, "ca_path"})
	if err != nil {
		return nil, field, err
	}
	if ca != "" {
		// Without a CA of their own, the system's roots are used: the
		// daemon's certificate is verified in any case.
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(ca)) {
			return nil, field, errors.New("contains no certificate in PEM")
		}
	}
	cert, certField, err := oneOf(pemOrPath{c.Cert, "cert_pem", c.CertPath, "cert_path"})
	if err != nil {
		return nil, certField, err
	}
	key, keyField, err := oneOf(pemOrPath{c.Key, "key_pem", c.KeyPath, "key_path"})
	if err != nil {
		return nil, keyField, err
	}
	switch {
	case cert == "" && key == "":
		return config, "", nil
	case cert == "":
		return nil, keyField, errors.New("is set without cert_pem or cert_path")
	case key == "":
		return nil, certField, errors.New("is set without key_pem or key_path")
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		return nil, certField, fmt.Errorf("certificate and key do not make a pair: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, "", nil
}

// pemOrPath is an attribute that can be given as text or as the path of a
// file.
type pemOrPath struct {
	value, valueField string
	path, pathField   string
}

// oneOf gives the content, "" when neither is set, and the attribute it came
// from.
func oneOf(p pemOrPath) (content, field string, err error) {
	switch {
	case p.value != "" && p.path != "":
		return "", p.pathField, fmt.Errorf("conflicts with %s: set one of them", p.valueField)
	case p.path == "":
		return p.value, p.valueField, nil
	}
	read, err := ReadFile(p.path)
	if err != nil {
		return "", p.pathField, err
	}
	return string(read), p.pathField, nil
}

// ReadFile reads a file whose path may begin with ~ for the home directory.
func ReadFile(name string) ([]byte, error) {
	name, err := expandHome(name)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

// expandHome replaces a leading ~ by the home directory.
func expandHome(path string) (string, error) {
	if path != "~" && !strings.HasPrefix(path, "~/") {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%q cannot be expanded: %w", path, err)
	}
	return home + strings.TrimPrefix(path, "~"), nil
}
