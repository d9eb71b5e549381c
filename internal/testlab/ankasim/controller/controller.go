// Package controller is part of the lab's stand-in for the Anka controller:
// its REST API over a Store that all controllers share and a registry that it
// really asks. Written from the published API reference; what the reference
// leaves open is kept simple and said where it is decided.
package controller

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/serve"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// Controller answers the REST API.
type Controller struct {
	settings settings.Controller
	log      *glog.Logger
	store    Store
	registry *registryClient
	now      func() time.Time
}

// Check loads the certificates of both interfaces. The error says which could
// not be loaded; waiting for etcd does not cure it.
func Check(s settings.Controller) error {
	if _, err := serve.TLSConfig(s.Server.TLS, s.Server.Auth); err != nil {
		return err
	}
	if s.Queue.Addr == "" {
		return nil
	}
	_, err := serve.TLSConfig(s.Queue.TLS, s.Queue.Auth)
	return err
}

// New returns the service of a controller that keeps its data in store, with
// the queue interface where there is one.
func New(s settings.Controller, store Store, log *glog.Logger) serve.Service {
	return newController(s, store, log).service()
}

func newController(s settings.Controller, store Store, log *glog.Logger) *Controller {
	return &Controller{settings: s, log: log, store: store, registry: newRegistryClient(s), now: time.Now}
}

func (c *Controller) service() serve.Service {
	service := serve.Service{
		Settings: c.settings.Server, Log: c.log, Ready: c.store.Ready,
		Open: http.NewServeMux(), Protected: http.NewServeMux(),
	}
	service.Open.HandleFunc("GET /{$}", c.userInterface)
	// What a node agent and a user would do, for tests: not part of the real API.
	service.Open.HandleFunc("POST /ankasim/node", c.registerNode)
	service.Open.HandleFunc("DELETE /ankasim/node", c.remove(Nodes))
	service.Open.HandleFunc("POST /ankasim/vm", c.registerInstance)
	service.Open.HandleFunc("DELETE /ankasim/vm", c.remove(Instances))

	if c.settings.APIKeys {
		service.Credentials = append(service.Credentials, c.bearer)
		service.Open.HandleFunc("POST /tap/v1/hand", c.hand)
		service.Open.HandleFunc("POST /tap/v1/shake", c.shake)
		service.Open.HandleFunc("POST /ankasim/apikey", c.registerKey)
	}
	if c.settings.OIDC.ProviderURL != "" {
		provider := newIdentityProvider(c.settings, c.log, func() time.Time { return c.now() })
		service.Credentials = append(service.Credentials, provider.bearer)
	}
	if c.settings.Queue.Addr != "" {
		service.Also = append(service.Also, c.queue(service.Credentials))
	}

	service.Protected.HandleFunc("GET /api/v1/status", c.status)
	service.Protected.HandleFunc("GET /api/v1/node", c.nodes)
	service.Protected.HandleFunc("GET /api/v1/vm", c.instances)
	service.Protected.HandleFunc("GET /api/v1/registry/vm", c.proxy("/registry/v2/vm"))
	service.Protected.HandleFunc("GET /api/v1/registry/disk", c.proxy("/registry/disk"))
	return service
}

// queue is the interface for nodes only. What nodes ask there is not published,
// so behind its probes is just one route, to try credentials on.
func (c *Controller) queue(credentials []serve.Authenticator) serve.Service {
	face := c.settings.Server
	face.ListenAddr, face.TLS, face.Auth = c.settings.Queue.Addr, c.settings.Queue.TLS, c.settings.Queue.Auth
	service := serve.Service{
		Settings: face, Log: c.log, Ready: c.store.Ready, Credentials: credentials,
		Open: http.NewServeMux(), Protected: http.NewServeMux(),
	}
	service.Protected.HandleFunc("GET /ankasim/queue", func(w http.ResponseWriter, _ *http.Request) { wire.ReplyOK(w, nil) })
	return service
}

// status answers without etcd: the reference names only the registry as
// something the answer depends on.
func (c *Controller) status(w http.ResponseWriter, r *http.Request) {
	registryStatus := "Running"
	if err := c.registry.running(r.Context()); err != nil {
		c.log.Warningf("registry: %v", err)
		registryStatus = "FAIL"
	}
	wire.ReplyOK(w, wire.ControllerStatus{
		Status:          "Running",
		Version:         c.settings.Server.Faults.Version,
		RegistryAddress: c.settings.Registry,
		RegistryStatus:  registryStatus,
		License:         c.settings.Server.Faults.License,
	})
}

func (c *Controller) userInterface(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	login := ""
	if name := c.settings.OIDC.DisplayName; name != "" {
		login = "<p>Login with " + html.EscapeString(name) + "</p>"
	}
	// The client may be gone; there is nobody left to tell.
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>Anka Build Cloud (stand-in)</title></head>"+
		"<body><h1>Anka Build Cloud Controller</h1><p>Stand-in, version %s.</p>%s</body></html>\n",
		c.settings.Server.Faults.Version, login)
}

// proxy passes on what the controller's own registry says, in the envelope of
// the controller.
func (c *Controller) proxy(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := c.registry.get(r.Context(), path, r.URL.Query())
		var refused *registryError
		switch {
		case errors.As(err, &refused):
			c.log.Warningf("registry: %v", err)
			wire.ReplyFail(w, refused.httpCode(), err.Error())
		case err != nil:
			c.log.Warningf("registry: %v", err)
			wire.ReplyFail(w, http.StatusInternalServerError, err.Error())
		default:
			wire.ReplyOK(w, body)
		}
	}
}
