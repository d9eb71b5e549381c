package ankaapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// transportError classifies an error of a request that got no answer.
func (c *Client) transportError(ctx context.Context, url string, err error) *Error {
	failed := &Error{Kind: Unreachable, URL: url, Err: err}
	var (
		network net.Error
		name    *net.DNSError
	)
	detail := c.tlsDetail(err)
	switch {
	case detail != "":
		failed.Kind, failed.Detail = TLSFailure, detail
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		failed.Detail = "the request was cancelled"
	case errors.As(err, &name) && name.IsNotFound:
		failed.Detail = fmt.Sprintf("the name %q has no address where this is looked up; check the spelling of the URL's host and the "+
			"DNS server, or use an address", name.Name)
	case errors.As(err, &name) && !name.IsTimeout:
		failed.Detail = fmt.Sprintf("the name %q cannot be looked up; check the DNS server, or use an address", name.Name)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		failed.Kind = Timeout
		failed.Detail = fmt.Sprintf("no answer within %s; check that the service runs and that no firewall drops what is sent to it", c.cfg.Timeout)
	case errors.Is(err, syscall.ECONNREFUSED), strings.Contains(err.Error(), "onnection refused"):
		// The second is what an ssh server says of a connection it was to make.
		failed.Detail = "the connection was refused: the machine is there, and nothing listens on this port; check the port and that the service runs"
	default:
		failed.Detail = "no connection; check that the service runs and that address and port are right"
	}
	return failed
}

// tlsDetail says what is wrong with TLS and what to do, "" when it is not TLS.
func (c *Client) tlsDetail(err error) string {
	var (
		pin       *pinError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		algorithm x509.InsecureAlgorithmError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
	)
	const replace = "the server needs another certificate"
	switch {
	case errors.As(err, &pin):
		return "the server has another certificate than the one that was put into its container, so something else answers here"
	case errors.As(err, &authority):
		return "TLS failed: the server's certificate is signed by an authority that is not known here; set ca_pem or ca_path of anka_auth in the " +
			"provider block to that authority's certificate, or to the server's own when it signed itself"
	case errors.As(err, &host):
		return fmt.Sprintf("TLS failed: the server's certificate is for %s and not for the host of this URL; use a URL with a name of the "+
			"certificate, or give the server a certificate that has this one", certificateNames(host.Certificate))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("TLS failed: the server's certificate is valid from %s to %s and not now; %s, unless the clock of this machine is wrong",
			date(invalid.Cert.NotBefore), date(invalid.Cert.NotAfter), replace)
	case errors.As(err, &algorithm):
		return "TLS failed: the server's certificate is signed with an algorithm that is no longer safe; " + replace
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "TLS failed: the server's certificate cannot be verified; " + replace
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "TLS failed: what answers does not speak HTTPS; if the service has no certificate, the URL begins with http://"
	case strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`):
		// A TLS alert in answer to plain HTTP.
		return wantsHTTPS
	case strings.Contains(err.Error(), "tls: "):
		return c.alertDetail(err.Error())
	}
	return ""
}

const wantsHTTPS = "the server speaks HTTPS on this port, and the URL begins with http://; change it to https://"

// alertDetail explains what the server objects to. Package tls has no exported
// type for that, only texts.
func (c *Client) alertDetail(text string) string {
	given := c.cfg.Credentials.ClientCert != ""
	says := func(some ...string) bool {
		for _, one := range some {
			if strings.Contains(text, "remote error: tls: "+one) {
				return true
			}
		}
		return false
	}
	switch {
	// It is what servers say of both.
	case !given && says("handshake failure"):
		return "TLS failed: the server wants a client certificate, and there is none, or has no cipher suite in common with the provider; " +
			"set client_cert_pem and client_key_pem of anka_auth in the provider block, or compare ANKA_CIPHER_SUITES with what the provider speaks"
	case given && says("handshake failure"):
		return "TLS failed: the server does not accept the client certificate of anka_auth, or has no cipher suite in common with the provider; " +
			"check who signed the certificate (ANKA_CA_CERT), and ANKA_CIPHER_SUITES"
	case !given && says("certificate required", "bad certificate"):
		return "TLS failed: the server wants a client certificate, and there is none; set client_cert_pem and client_key_pem of anka_auth in the provider block"
	case given && says("certificate required", "bad certificate", "unknown certificate", "unsupported certificate", "revoked certificate",
		"expired certificate", "access denied"):
		return "TLS failed: the server does not accept the client certificate of anka_auth; check that it is signed by the authority the server was " +
			"given (ANKA_CA_CERT), is neither expired nor revoked (ANKA_CRL), and is meant for clients"
	case strings.Contains(text, "protocol version"), strings.Contains(text, "unsupported version"):
		return "TLS failed: server and provider have no version of TLS in common; the provider speaks 1.2 and 1.3 (see ANKA_MIN_TLS_VERSION and ANKA_MAX_TLS_VERSION)"
	default:
		return "TLS failed; check the scheme of the URL, the server's versions and cipher suites of TLS, and anka_auth of the provider block (CA, client certificate)"
	}
}

// certificateNames are the names and addresses that a certificate is for.
func certificateNames(certificate *x509.Certificate) string {
	names := append([]string(nil), certificate.DNSNames...)
	for _, ip := range certificate.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no name at all"
	}
	return strings.Join(names, ", ")
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// refusesPlain recognizes what web servers with TLS answer to plain HTTP.
func refusesPlain(code int, body []byte) bool {
	return code == http.StatusBadRequest &&
		(bytes.Contains(body, []byte("HTTP request to an HTTPS server")) || bytes.Contains(body, []byte("plain HTTP request was sent to HTTPS port")))
}
