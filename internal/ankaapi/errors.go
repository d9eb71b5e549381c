package ankaapi

import "errors"

// Kind tells failures apart that need different remedies.
type Kind string

// The kinds of failures.
const (
	// Unreachable: the name has no address, no connection could be made, or it
	// broke.
	Unreachable Kind = "unreachable"
	// Timeout: no answer in time.
	Timeout Kind = "timeout"
	// TLSFailure: certificates or protocol versions do not fit, or one side
	// speaks TLS and the other does not.
	TLSFailure Kind = "tls"
	// Unauthorized: credentials are missing or wrong, as a service says in its
	// documented form (HTTP 401, 403).
	Unauthorized Kind = "unauthorized"
	// NotAnka: something answers that is neither controller nor registry,
	// such as an HTML page or a redirect.
	NotAnka Kind = "not anka"
	// WrongService: a registry answers where a controller was expected, or
	// the other way round.
	WrongService Kind = "wrong service"
	// Failed: the service answers, and says that it failed or is not ready; or
	// a proxy in front of it says that it has none to pass the request to.
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
	// code is the HTTP status that refused an API key, 0 for other failures.
	code int
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
