package dockerhost

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotFound is wrapped by errors about containers and volumes that are not
// there.
var ErrNotFound = errors.New("not found")

// ConfigError says which attribute of a host is at fault.
type ConfigError struct {
	// Host is the host's key.
	Host string
	// Field is the attribute's path below the host: "ssh.private_key".
	Field string
	Err   error
}

// Error tells host, attribute and fault.
func (e *ConfigError) Error() string { return fmt.Sprintf("host %q: %s: %v", e.Host, e.Field, e.Err) }

// Unwrap gives the original error.
func (e *ConfigError) Unwrap() error { return e.Err }

// UnreachableError is every failure to reach a host's daemon or to agree with
// it: what runs there is then unknown, and not absent.
type UnreachableError struct {
	// Host is the host's key, Address what was dialled.
	Host, Address string
	// Tried is the act that failed: "list containers".
	Tried string
	// Check says what the user can look at.
	Check string
	// Reason is set when the host is there and could not be used.
	Reason Reason
	Err    error
}

// Reason tells why a host that is there could not be used.
type Reason string

// The reasons. Whichever it is, what runs on the host is not known.
const (
	// HostKeyRefused: the ssh server's key is not known, has changed or is
	// revoked. The error wraps a [*HostKeyError].
	HostKeyRefused Reason = "ssh host key"
	// LoginRefused: the ssh server accepts none of our keys, or there are none.
	LoginRefused Reason = "ssh login"
	// TLSRefused: one of the two sides does not accept the other's certificate.
	TLSRefused Reason = "tls"
	// SocketDenied: the user may not open the Docker socket.
	SocketDenied Reason = "socket permission"
)

// because is the error with its reason.
func (e *UnreachableError) because(reason Reason) *UnreachableError {
	e.Reason = reason
	return e
}

// Error tells host, address, what was tried, what to check, and the original
// error.
func (e *UnreachableError) Error() string {
	text := fmt.Sprintf("host %q (%s) is unreachable: tried to %s", e.Host, e.Address, e.Tried)
	if e.Reason != "" {
		text = fmt.Sprintf("host %q (%s): unable to %s", e.Host, e.Address, e.Tried)
	}
	if e.Check != "" {
		text += "; " + e.Check
	}
	return fmt.Sprintf("%s: %v", text, e.Err)
}

// Unwrap gives the original error.
func (e *UnreachableError) Unwrap() error { return e.Err }

// IsUnreachable reports whether err says that a host's daemon could not be
// reached, handshaken with, or did not answer in time. It is false when the
// caller itself cancelled.
func IsUnreachable(err error) bool {
	var unreachable *UnreachableError
	return errors.As(err, &unreachable)
}

// ImageError is an image that a host does not have and cannot pull.
type ImageError struct {
	Host, Image string
	Err         error
}

// Error tells host, image and what to do.
func (e *ImageError) Error() string {
	return fmt.Sprintf("host %q has no image %q and cannot pull it; check the name, the host's way to the registry and "+
		"registry_auth of the provider block, or load the image on the host: %v", e.Host, e.Image, e.Err)
}

// Unwrap gives the original error.
func (e *ImageError) Unwrap() error { return e.Err }

// NameTakenError is a container or volume of the wanted name that is not ours.
type NameTakenError struct {
	Host, Name string
	// Kind is "container" or "volume".
	Kind string
}

// Error tells host and name, and that nothing was touched.
func (e *NameTakenError) Error() string {
	return fmt.Sprintf("host %q already has a %s named %q that does not belong to this resource; it was left as it is: "+
		"remove or rename it, or choose another name", e.Host, e.Kind, e.Name)
}

// NotOursError is a refusal to change something without our labels.
type NotOursError struct {
	Host, Name string
	// Kind is "container" or "volume".
	Kind string
}

// Error tells host and name, and that nothing was touched.
func (e *NotOursError) Error() string {
	return fmt.Sprintf("host %q: %s %q does not carry the labels of this provider; it was left as it is", e.Host, e.Kind, e.Name)
}

// PortTakenError is a port that something else on the host listens on. Port is
// 0 when the daemon did not name it.
type PortTakenError struct {
	Host string
	Port int
	Err  error
}

// Error tells host and port.
func (e *PortTakenError) Error() string {
	return fmt.Sprintf("host %q: port %d is already in use; stop what listens there or choose another port: %v", e.Host, e.Port, e.Err)
}

// Unwrap gives the original error.
func (e *PortTakenError) Unwrap() error { return e.Err }

// NoHostError is a name that the hosts map does not declare.
type NoHostError struct {
	Name string
	// Known are the declared names, sorted.
	Known []string
}

// Error tells the name and the declared ones.
func (e *NoHostError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("there is no host %q; the provider block has no hosts", e.Name)
	}
	return fmt.Sprintf("there is no host %q; the provider block has: %s", e.Name, strings.Join(e.Known, ", "))
}

// HostNotKnownError is a host whose configuration depends on resources that
// the same apply creates.
type HostNotKnownError struct{ Name string }

// Error tells the name.
func (e *HostNotKnownError) Error() string {
	return fmt.Sprintf("host %q is not known yet: the provider block depends on resources that have not been created", e.Name)
}
