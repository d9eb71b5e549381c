package ankaapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Service tells the two kinds of services apart.
type Service string

// The services.
const (
	Controller Service = "controller"
	Registry   Service = "registry"
)

// statusPaths are the documented status endpoints.
var statusPaths = map[Service]string{
	Controller: "/api/v1/status",
	Registry:   "/registry/status",
}

// running is the status of a healthy service.
const running = "Running"

// Status is what a controller says of itself.
type Status struct {
	// Status is "Running" when all is well.
	Status string `json:"status"`
	// Version such as "1.50.1-5e3c3f5b".
	Version string `json:"version"`
	// RegistryAddress is the registry URL that nodes are told.
	RegistryAddress string `json:"registry_address"`
	// RegistryStatus is "Running", or "FAIL" when it cannot be reached.
	RegistryStatus string `json:"registry_status"`
	// License is basic, enterprise or "enterprise plus".
	License string `json:"license"`
}

// RegistryStatus is what a registry says of itself.
type RegistryStatus struct {
	// Status is "Running" when all is well.
	Status string `json:"status"`
	// Version such as "1.50.1-5e3c3f5b".
	Version string `json:"version"`
}

// Status asks a controller. Errors are [*Error].
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status
	err := c.status(ctx, Controller, &status)
	return status, err
}

// RegistryStatus asks a registry. Errors are [*Error].
func (c *Client) RegistryStatus(ctx context.Context) (RegistryStatus, error) {
	var status RegistryStatus
	err := c.status(ctx, Registry, &status)
	return status, err
}

func (c *Client) status(ctx context.Context, s Service, into any) error {
	return c.ask(ctx, s, statusPaths[s], into)
}

// ask gets path of a service of the kind s.
func (c *Client) ask(ctx context.Context, s Service, path string, into any) error {
	a, err := c.get(ctx, path, true)
	if err != nil {
		// With an API key a mixed up URL already fails at the handshake. The
		// service's own path is asked too, because both kinds can be behind one
		// address, and then the key is what is wrong.
		if c.noHandshake(err) && !c.serves(ctx, s) && c.serves(ctx, s.other()) {
			return c.mixedUp(s, path)
		}
		return err
	}
	err = c.decode(a, into)
	// The page of a proxy whose service is down tells nothing of the service.
	strange := a.code == http.StatusNotFound || (a.html && a.code < http.StatusInternalServerError)
	if err == nil || !strange {
		return err
	}
	// Not what was expected: tell a mixed up URL from a foreign server.
	if c.serves(ctx, s.other()) {
		return c.mixedUp(s, path)
	}
	return err
}

// other is the other kind of service.
func (s Service) other() Service {
	if s == Registry {
		return Controller
	}
	return Registry
}

// serves reports whether a service of the kind s answers. It needs no
// credentials: a refusal in the documented form tells as much as a status.
func (c *Client) serves(ctx context.Context, s Service) bool {
	a, err := c.get(ctx, statusPaths[s], false)
	return err == nil && a.enveloped() &&
		(a.code == http.StatusOK || a.code == http.StatusUnauthorized || a.code == http.StatusForbidden)
}

// noHandshake reports whether err is that of a handshake with something that
// may know none.
func (c *Client) noHandshake(err error) bool {
	var failed *Error
	return c.key != nil && errors.As(err, &failed) && (failed.Kind == NotAnka || failed.code == http.StatusNotFound)
}

// mixedUp is the error of a URL where the other kind of service answers.
func (c *Client) mixedUp(s Service, path string) error {
	return &Error{Kind: WrongService, URL: c.base + path, Detail: fmt.Sprintf("this is the URL of a %s, not of a %s; by default controllers listen "+
		"on port 80 and registries on port 8089", s.other(), s)}
}

// Ready is nil when the service is ready to serve. It asks /readyz, which
// needs no credentials; services older than 1.41.1 have none, and there the
// status decides. Where that needs credentials that are not here, it counts that
// the service refuses it in its own documented words. Errors are [*Error].
func (c *Client) Ready(ctx context.Context, s Service) error {
	a, err := c.get(ctx, "/readyz", false)
	switch {
	case err != nil:
		return err
	// The user interface of an old controller may answer any path with its
	// page: that proves nothing.
	case a.code == http.StatusOK && !a.html:
		return nil
	case a.code == http.StatusNotFound || a.code == http.StatusUnauthorized || a.html:
	default:
		return &Error{Kind: Failed, URL: a.url, Detail: fmt.Sprintf("not ready (HTTP %d)", a.code)}
	}
	var status RegistryStatus
	err = c.status(ctx, s, &status)
	switch {
	case Is(err, Unauthorized):
		return c.guarded(ctx, s)
	case err != nil:
		return err
	case status.Status != running:
		return &Error{Kind: Failed, URL: c.base + statusPaths[s], Detail: fmt.Sprintf("its status is %q", status.Status)}
	}
	return nil
}

// guarded is nil when a service that shows its status to others only is the one
// that refuses it: it serves, and more cannot be seen. Anything else that
// demands a login may stand in its place.
func (c *Client) guarded(ctx context.Context, s Service) error {
	// Without credentials: the words do not depend on whether those of anka_auth
	// are the service's, which may be about to get others.
	a, err := c.get(ctx, statusPaths[s], false)
	if err != nil {
		return err
	}
	var status RegistryStatus
	switch err := c.decode(a, &status); {
	case Is(err, Unauthorized):
		return nil
	case err != nil:
		return err
	case status.Status != running:
		return &Error{Kind: Failed, URL: a.url, Detail: fmt.Sprintf("its status is %q", status.Status)}
	}
	return nil
}
