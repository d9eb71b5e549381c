package ankaapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
)

// Kind tells failures apart that need different remedies.
type Kind string

// The kinds of failures.
const (
	// Unreachable: no connection could be made, or it broke.
	Unreachable Kind = "unreachable"
	// Timeout: no answer in time.
	Timeout Kind = "timeout"
	// TLSFailure: certificates or protocol versions do not fit.
	TLSFailure Kind = "tls"
	// Unauthorized: credentials are missing or wrong (HTTP 401, 403).
	Unauthorized Kind = "unauthorized"
	// NotAnka: something answers that is neither controller nor registry,
	// such as an HTML page.
	NotAnka Kind = "not anka"
	// WrongService: a registry answers where a controller was expected, or
	// the other way round.
	WrongService Kind = "wrong service"
	// Failed: the service answers, and says that it failed or is not ready.
	Failed Kind = "failed"
)

// Error is every failure of a request. It never contains credentials.
type Error struct {
	Kind Kind
	// URL is what was asked, with path.
	URL string
	// Detail says what was seen and what to look at.
	Detail string
	// Err is the original error, nil when the service answered.
	Err error
}

// Error tells URL, what was seen, what to check, and the original error.
func (e *Error) Error() string {
	text := e.URL + ": " + e.Detail
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the original error.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether err is an [*Error] of one of kinds.
func Is(err error, kinds ...Kind) bool {
	var failed *Error
	if !errors.As(err, &failed) {
		return false
	}
	for _, kind := range kinds {
		if failed.Kind == kind {
			return true
		}
	}
	return false
}

// transportError classifies an error of a request that got no answer.
func transportError(ctx context.Context, url string, err error) *Error {
	failed := &Error{URL: url, Err: err}
	var network net.Error
	switch {
	case isTLS(err):
		failed.Kind = TLSFailure
		failed.Detail = "TLS failed; check the scheme of the URL and anka_auth of the provider block (CA, client certificate)"
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		failed.Kind, failed.Detail = Unreachable, "it was cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		failed.Kind, failed.Detail = Timeout, "no answer in time; check that the service runs and the way to it is not filtered"
	default:
		failed.Kind, failed.Detail = Unreachable, "no connection; check that the service runs and the address and port are right"
	}
	return failed
}

func isTLS(err error) bool {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) ||
		errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) ||
		strings.Contains(err.Error(), "remote error: tls:") ||
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}
