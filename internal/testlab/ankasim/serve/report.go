package serve

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// reportEnvironment lets a test read what the container was started with,
// secrets included: the stand-in only ever runs in the lab.
func reportEnvironment(env settings.Environment) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { wire.Reply(w, http.StatusOK, env.Anka()) }
}

// fileVariables are the variables whose values are paths of PEM files.
var fileVariables = []string{
	"ANKA_SERVER_CERT", "ANKA_SERVER_KEY", "ANKA_CA_CERT", "ANKA_ROOT_CERT", "ANKA_CRL",
	"ANKA_ETCD_CA_CERT", "ANKA_ETCD_CERT", "ANKA_ETCD_CERT_KEY",
	"ANKA_QUEUE_SERVER_CERT", "ANKA_QUEUE_SERVER_KEY", "ANKA_QUEUE_CA_CERT", "ANKA_QUEUE_CRL",
}

// file is what a test may know of a file in the container without its content.
type file struct {
	Path   string `json:"path"`
	Mode   string `json:"mode"`   // octal permissions, such as 0600
	SHA256 string `json:"sha256"` // hexadecimal
	Error  string `json:"error,omitempty"`
}

// reportFiles describes the files the environment names, by variable.
func reportFiles(env settings.Environment) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		files := map[string]file{}
		for _, name := range fileVariables {
			if path := env[name]; path != "" {
				files[name] = describe(path)
			}
		}
		wire.Reply(w, http.StatusOK, files)
	}
}

func describe(path string) file {
	info, err := os.Stat(path)
	if err != nil {
		return file{Path: path, Error: err.Error()}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return file{Path: path, Error: err.Error()}
	}
	sum := sha256.Sum256(data)
	return file{Path: path, Mode: fmt.Sprintf("%04o", info.Mode().Perm()), SHA256: hex.EncodeToString(sum[:])}
}

// maxPaths bounds how many different paths are told apart.
const maxPaths = 200

// requests counts what one interface was asked since its start.
type requests struct {
	mu    sync.Mutex
	Total int            `json:"total"`
	Paths map[string]int `json:"paths"`
}

func newRequests() *requests { return &requests{Paths: map[string]int{}} }

// count leaves out what only the stand-in has, so that looking changes nothing.
func (q *requests) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/ankasim/") {
			q.add(r.URL.Path)
		}
		next.ServeHTTP(w, r)
	})
}

func (q *requests) add(path string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.Total++
	if _, known := q.Paths[path]; !known && len(q.Paths) >= maxPaths {
		path = "…"
	}
	q.Paths[path]++
}

func (q *requests) report(w http.ResponseWriter, _ *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wire.Reply(w, http.StatusOK, q)
}
