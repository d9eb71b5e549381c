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
	a, err := c.get(ctx, statusPaths[s], true)
	if err != nil {
		return err
	}
	err = a.decode(into)
	if err == nil || (a.code != http.StatusNotFound && !a.html) {
		return err
	}
	// Not what was expected: tell a mixed up URL from a foreign server.
	other := Registry
	if s == Registry {
		other = Controller
	}
	b, otherErr := c.get(ctx, statusPaths[other], true)
	var found RegistryStatus
	if otherErr == nil && (b.code == http.StatusUnauthorized || b.decode(&found) == nil) {
		return &Error{Kind: WrongService, URL: a.url, Detail: fmt.Sprintf("this is the URL of a %s, not of a %s", other, s)}
	}
	return err
}

// Ready is nil when the service is ready to serve. It asks /readyz, which
// needs no credentials; services older than 1.41.1 have none, and there the
// status decides. Errors are [*Error].
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
		// It serves; more cannot be seen without credentials.
		return nil
	case err != nil:
		return err
	case status.Status != running:
		return &Error{Kind: Failed, URL: c.base + statusPaths[s], Detail: fmt.Sprintf("its status is %q", status.Status)}
	}
	return nil
}
