// Package controller is part of the lab's stand-in for the Anka controller:
// its REST API over a Store that all controllers share and a registry that it
// really asks. Written from the published API reference; what the reference
// leaves open is kept simple and said where it is decided.
package controller

import (
	"errors"
	"fmt"
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

// New returns the service of a controller that keeps its data in store. The
// error says which certificate could not be loaded.
func New(s settings.Controller, store Store, log *glog.Logger) (serve.Service, error) {
	c, err := newController(s, store, log)
	if err != nil {
		return serve.Service{}, err
	}
	return c.service(), nil
}

func newController(s settings.Controller, store Store, log *glog.Logger) (*Controller, error) {
	registry, err := newRegistryClient(s)
	if err != nil {
		return nil, err
	}
	return &Controller{settings: s, log: log, store: store, registry: registry, now: time.Now}, nil
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

	service.Protected.HandleFunc("GET /api/v1/status", c.status)
	service.Protected.HandleFunc("GET /api/v1/node", c.nodes)
	service.Protected.HandleFunc("GET /api/v1/vm", c.instances)
	service.Protected.HandleFunc("GET /api/v1/registry/vm", c.proxy("/registry/v2/vm"))
	service.Protected.HandleFunc("GET /api/v1/registry/disk", c.proxy("/registry/disk"))
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
	// The client may be gone; there is nobody left to tell.
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>Anka Build Cloud (stand-in)</title></head>"+
		"<body><h1>Anka Build Cloud Controller</h1><p>Stand-in, version %s.</p></body></html>\n",
		c.settings.Server.Faults.Version)
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
