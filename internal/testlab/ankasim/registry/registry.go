// Package registry is part of the lab's stand-in for the Anka registry: its
// REST API over a storage directory in the documented layout. The upload
// endpoints are the stand-in's own, as the real ones are not published; what
// they leave on disk follows the published layout.
package registry

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/serve"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// Registry answers the REST API.
type Registry struct {
	settings settings.Registry
	log      *glog.Logger
	storage  *Storage
	now      func() time.Time

	mu     sync.Mutex
	listed []wire.Template
	listAt time.Time // zero when there is no list to reuse
}

// New returns the service of a registry over storage.
func New(s settings.Registry, storage *Storage, log *glog.Logger) serve.Service {
	return newRegistry(s, storage, log).service()
}

func newRegistry(s settings.Registry, storage *Storage, log *glog.Logger) *Registry {
	return &Registry{settings: s, log: log, storage: storage, now: time.Now}
}

func (g *Registry) service() serve.Service {
	service := serve.Service{
		Settings: g.settings.Server, Log: g.log,
		Ready: g.storage.ready,
		Open:  http.NewServeMux(), Protected: http.NewServeMux(),
	}
	mux := service.Protected
	mux.HandleFunc("GET /registry/status", g.status)
	mux.HandleFunc("GET /registry/disk", g.disk)
	mux.HandleFunc("GET /registry/v2/vm", g.templates)
	mux.HandleFunc("DELETE /registry/vm", g.deleteTemplate)
	mux.HandleFunc("POST /registry/v2/vm", g.addVersion)
	for _, kind := range []fileKind{image, stateFile} {
		path := func(r *http.Request) (string, error) { return g.storage.layerPath(kind, r.PathValue("name")) }
		mux.HandleFunc("PUT /registry/v2/"+string(kind)+"/{name}", g.upload(path))
		mux.HandleFunc("GET /registry/v2/"+string(kind)+"/{name}", g.download(path))
	}
	path := func(r *http.Request) (string, error) {
		return g.storage.vmFilePath(r.PathValue("id"), r.PathValue("name"))
	}
	mux.HandleFunc("PUT /registry/v2/vm/{id}/file/{name}", g.upload(path))
	mux.HandleFunc("GET /registry/v2/vm/{id}/file/{name}", g.download(path))
	return service
}

func (g *Registry) status(w http.ResponseWriter, _ *http.Request) {
	wire.ReplyRegistryOK(w, wire.RegistryStatus{Status: "Running", Version: g.settings.Server.Faults.Version})
}

func (g *Registry) disk(w http.ResponseWriter, _ *http.Request) {
	disk, err := g.storage.disk()
	if err != nil {
		g.fail(w, err)
		return
	}
	wire.ReplyRegistryOK(w, disk)
}

func (g *Registry) templates(w http.ResponseWriter, r *http.Request) {
	if id := r.URL.Query().Get("id"); id != "" {
		template, err := g.storage.Template(id)
		if err != nil {
			g.fail(w, err)
			return
		}
		wire.ReplyRegistryOK(w, template)
		return
	}
	templates, err := g.list()
	if err != nil {
		g.fail(w, err)
		return
	}
	wire.ReplyRegistryOK(w, templates)
}

// list answers from memory for ANKA_VM_LIST_CACHE_TTL, so a replica whose files
// are copied in shows a new template that much later. Own changes show at once.
func (g *Registry) list() ([]wire.Template, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.listAt.IsZero() && g.now().Sub(g.listAt) < g.settings.ListCacheTTL {
		return g.listed, nil
	}
	templates, err := g.storage.List()
	if templates == nil {
		return nil, err
	}
	if err != nil {
		g.log.Errorf("left out of the list: %v", err)
	}
	g.listed, g.listAt = templates, g.now()
	return templates, nil
}

func (g *Registry) forgetList() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listAt = time.Time{}
}

func (g *Registry) deleteTemplate(w http.ResponseWriter, r *http.Request) {
	defer g.forgetList()
	if err := g.storage.Delete(r.URL.Query().Get("id")); err != nil {
		g.fail(w, err)
		return
	}
	wire.ReplyRegistryOK(w, nil)
}

// maxPush bounds the JSON of one version, in bytes.
const maxPush = 1 << 20

func (g *Registry) addVersion(w http.ResponseWriter, r *http.Request) {
	var push Push
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPush)).Decode(&push); err != nil {
		wire.ReplyFail(w, http.StatusBadRequest, "not the JSON of a version: "+err.Error())
		return
	}
	defer g.forgetList()
	version, err := g.storage.Add(push, g.now().UTC().Format(time.RFC3339))
	if err != nil {
		g.fail(w, err)
		return
	}
	wire.ReplyRegistryOK(w, version)
}

type pathOf func(*http.Request) (string, error)

func (g *Registry) upload(path pathOf) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		target, err := path(r)
		if err != nil {
			g.fail(w, err)
			return
		}
		size, err := g.storage.write(target, r.Body)
		if err != nil {
			g.fail(w, err)
			return
		}
		wire.ReplyRegistryOK(w, struct {
			Size int64 `json:"size"`
		}{size})
	}
}

func (g *Registry) download(path pathOf) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		source, err := path(r)
		if err != nil {
			g.fail(w, err)
			return
		}
		file, err := g.storage.open(source)
		if err != nil {
			g.fail(w, err)
			return
		}
		defer func() { _ = file.Close() }()
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, file)
	}
}

func (g *Registry) fail(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	switch {
	case errors.Is(err, errNotFound):
		code = http.StatusNotFound
	case errors.Is(err, errBadName), errors.Is(err, errMissing):
		code = http.StatusBadRequest
	case errors.Is(err, errBusy), errors.Is(err, errConflict):
		code = http.StatusConflict
	default:
		g.log.Errorf("%v", err)
	}
	wire.ReplyFail(w, code, err.Error())
}
