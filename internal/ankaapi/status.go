package ankaapi

import (
	"context"
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
		return err
	}
	err = c.decode(a, into)
	// The page of a proxy whose service is down tells nothing of the service.
	strange := a.code == http.StatusNotFound || (a.html && a.code < http.StatusInternalServerError)
	if err == nil || !strange {
		return err
	}
	// Not what was expected: tell a mixed up URL from a foreign server.
	other := Registry
	if s == Registry {
		other = Controller
	}
	b, otherErr := c.get(ctx, statusPaths[other], true)
	var found RegistryStatus
	if otherErr == nil && (b.code == http.StatusUnauthorized || c.decode(b, &found) == nil) {
		return &Error{Kind: WrongService, URL: a.url, Detail: fmt.Sprintf("this is the URL of a %s, not of a %s; by default controllers listen "+
			"on port 80 and registries on port 8089", other, s)}
	}
	return err
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
	case Is(err, Unauthorized) && a.enveloped():
		return nil
	case Is(err, Unauthorized):
		return &Error{Kind: NotAnka, URL: a.url, Detail: fmt.Sprintf("it has no /readyz, and its status is refused (HTTP %d) by something that is not "+
			"an Anka service, such as a proxy; check host, port and scheme of the URL", a.code)}
	case err != nil:
		return err
	case status.Status != running:
		return &Error{Kind: Failed, URL: a.url, Detail: fmt.Sprintf("its status is %q", status.Status)}
	}
	return nil
}
