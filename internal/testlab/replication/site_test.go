package replication_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/serve"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/rclone"
	lab "github.com/anka-ha/terraform-provider-anka/internal/testlab/replication"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// interval of all followers, in seconds.
const interval = 1

var tools = sync.OnceValues(func() (string, error) {
	if err := testlab.Prerequisites(context.Background()); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "anka-replication-tools-")
	if err != nil {
		return "", err
	}
	return dir, rclone.Install(context.Background(), dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("TF_ACC") != "" {
		if dir, _ := tools(); dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

// pair is a primary and a replica of it.
type pair struct {
	t        *testing.T
	site     *lab.Site
	source   *lab.Side
	follower *lab.Side
	link     *lab.Link
	registry http.Handler // the primary's
}

// newPair prepares a primary and a replica; change edits the settings. Neither side is started.
func newPair(t *testing.T, change func(*replication.Settings)) *pair {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("set TF_ACC=1: this runs busybox and rclone")
	}
	dir, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	s := replication.Settings{Owner: "anka", RegistryID: "registry-1", Term: 1, Interval: interval}
	if change != nil {
		change(&s)
	}
	if problems := s.Problems(); len(problems) > 0 {
		t.Fatal(problems)
	}
	address := freeport.Address(t)
	p := &pair{t: t}
	base := t.TempDir()
	p.site, err = lab.NewSite(base, dir, address, s)
	p.must(err)
	p.source, err = p.site.Source("primary")
	p.must(err)
	p.link, err = lab.NewLink(address)
	p.must(err)
	p.follower, err = p.site.Follower("replica", p.link.Address)
	p.must(err)
	p.registry = standIn(t, p.source.Data)
	t.Cleanup(func() {
		p.source.Kill()
		p.follower.Kill()
		p.link.Close()
		if t.Failed() {
			t.Logf("source:\n%s\nfollower:\n%s", p.source.Log(), p.follower.Log())
		}
	})
	return p
}

// startedPair is a pair that replicates.
func startedPair(t *testing.T, change func(*replication.Settings)) *pair {
	t.Helper()
	p := newPair(t, change)
	p.must(p.source.Start())
	p.must(p.follower.Start())
	return p
}

func (p *pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func storage(t *testing.T, data string) *registry.Storage {
	t.Helper()
	s, err := settings.ReadRegistry(settings.Environment{"ANKA_BASE_PATH": data})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := registry.OpenStorage(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func standIn(t *testing.T, data string) http.Handler {
	t.Helper()
	s, err := settings.ReadRegistry(settings.Environment{"ANKA_BASE_PATH": data})
	if err != nil {
		t.Fatal(err)
	}
	return serve.Handler(registry.New(s, storage(t, data), glog.New(io.Discard, time.Now)))
}

func call(handler http.Handler, method, path string, body io.Reader) error {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, path, body))
	if answer.Code != http.StatusOK {
		return fmt.Errorf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	return nil
}

// upload sends a layer of random content, which is named by its checksum.
func upload(handler http.Handler, kind string, size int) (string, error) {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	sum := sha256.Sum256(content)
	name := hex.EncodeToString(sum[:]) + ".ank"
	return name, call(handler, "PUT", "/registry/v2/"+kind+"/"+name, strings.NewReader(string(content)))
}

// push uploads a version of two layers, a state file, a configuration and NVRAM, in the order of a client.
func push(handler http.Handler, id string, number, size int) error {
	var names [3]string
	for i, kind := range []string{"image", "image", "state_file"} {
		name, err := upload(handler, kind, size)
		if err != nil {
			return err
		}
		names[i] = name
	}
	files := map[string]string{"config": fmt.Sprintf("config-%d.yaml", number), "nvram": fmt.Sprintf("nvram-%d", number)}
	for _, name := range files {
		if err := call(handler, "PUT", "/registry/v2/vm/"+id+"/file/"+name, strings.NewReader(id+" "+name)); err != nil {
			return err
		}
	}
	return call(handler, "POST", "/registry/v2/vm", strings.NewReader(fmt.Sprintf(
		`{"id":%q,"name":"vm-%s","version":{"tag":"v%d","images":[%q,%q],"state_files":[%q],"config_file":%q,"nvram":%q}}`,
		id, id, number, names[0], names[1], names[2], files["config"], files["nvram"])))
}

func (p *pair) push(id string, number, size int) {
	p.t.Helper()
	p.must(push(p.registry, id, number, size))
}

func (p *pair) remove(id string) {
	p.t.Helper()
	p.must(call(p.registry, "DELETE", "/registry/vm?id="+id, nil))
}

// patience is how much longer than on a calm machine is waited: nothing here is
// about speed but where a test says so.
const patience = 20

func (p *pair) await(within time.Duration, what string, done func() error) time.Duration {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience*within)
	defer cancel()
	begun := time.Now()
	if err := lab.Await(ctx, what, done); err != nil {
		p.t.Fatal(err)
	}
	return time.Since(begun)
}

// awaitEqual waits until the replica holds what the primary does and says so.
func (p *pair) awaitEqual(within time.Duration) time.Duration {
	p.t.Helper()
	took := p.await(within, "an equal replica", func() error { return lab.Equal(p.source.Data, p.follower.Data) })
	p.await(within+5*time.Second, "a follower in sync", func() error {
		s, err := p.follower.Status()
		if err == nil && (!s.InSync || s.LastError != "") {
			err = fmt.Errorf("status %+v", s)
		}
		return err
	})
	return took
}

// awaitError waits until the follower gives a reason that contains text.
func (p *pair) awaitError(text string) replication.Status {
	p.t.Helper()
	var s replication.Status
	p.await(20*time.Second, fmt.Sprintf("error %q", text), func() (err error) {
		s, err = p.follower.Status()
		if err == nil && (s.InSync || !strings.Contains(s.LastError, text)) {
			err = fmt.Errorf("status %+v", s)
		}
		return err
	})
	return s
}

// passes waits until the follower made n more passes.
func (p *pair) passes(n int64) {
	p.t.Helper()
	first, err := p.follower.Status()
	p.must(err)
	p.await(30*time.Second, "passes", func() error {
		s, err := p.follower.Status()
		if err == nil && s.InSync && len(s.Manifest) != hex.EncodedLen(sha256.Size) {
			p.t.Errorf("in sync with %q, which is no manifest", s.Manifest)
		}
		if err == nil && s.Passes < first.Passes+n {
			err = fmt.Errorf("%d passes", s.Passes-first.Passes)
		}
		return err
	})
}

// unchanged fails when a replica lost or changed a file of before.
func unchanged(t *testing.T, before map[string]string, data string) {
	t.Helper()
	now, err := lab.Tree(data)
	if err != nil {
		t.Fatal(err)
	}
	for path, sum := range before {
		if now[path] != sum {
			t.Errorf("%s was lost or changed", path)
		}
	}
}

func tree(t *testing.T, data string) map[string]string {
	t.Helper()
	files, err := lab.Tree(data)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// get reads a file from the source as the holder of the certificate in dir/tls.
func (p *pair) get(dir, path string) (string, error) {
	bin, err := tools()
	p.must(err)
	tls := filepath.Join(dir, "tls")
	cmd := exec.Command(filepath.Join(bin, "rclone"), "cat", "source:"+path, "--retries", "1", "--low-level-retries", "1",
		"--ca-cert", filepath.Join(p.follower.Dir, "tls", "ca.pem"), "--client-cert", filepath.Join(tls, "cert.pem"), "--client-key", filepath.Join(tls, "key.pem"))
	cmd.Env = []string{"RCLONE_CONFIG=/nowhere", "RCLONE_CONFIG_SOURCE_TYPE=webdav", "RCLONE_CONFIG_SOURCE_URL=https://" + p.site.Address}
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// passed lets time go by.
func (p *pair) passed(d time.Duration) {
	ctx, cancel := contextFor(p.t, d)
	defer cancel()
	<-ctx.Done()
}

// uploadLarge uploads an image without holding it in memory.
func uploadLarge(p *pair, size int64) (string, error) {
	seed := [32]byte{byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32())}
	sum := sha256.New()
	if _, err := io.CopyN(sum, rand.NewChaCha8(seed), size); err != nil {
		return "", err
	}
	name := hex.EncodeToString(sum.Sum(nil)) + ".ank"
	return name, call(p.registry, "PUT", "/registry/v2/image/"+name, io.LimitReader(rand.NewChaCha8(seed), size))
}
