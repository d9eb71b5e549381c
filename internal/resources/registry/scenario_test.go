package registry_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// everySecond is a replication for tests that wait for many passes.
func everySecond(further string) string { return every(time.Second, further) }

func every(interval time.Duration, further string) string {
	return strings.Replace(every2s(further), "interval = 2", fmt.Sprintf("interval = %d", int(interval.Seconds())), 1)
}

// scenario is a registry that terraform changes as a process of its own, so
// that what it prints can be looked at.
type scenario struct {
	*testing.T
	lab       *testlab.Lab
	target    *testlab.Target
	ctx       context.Context
	workspace *tfcli.Workspace
	// dir is the storage on each host, which the test has made.
	dir map[string]string
}

// newScenario makes an empty storage on each host, and a folder for terraform.
func newScenario(t *testing.T) *scenario {
	t.Helper()
	s := newStorages(t)
	s.workspace = acctest.Workspace(t)
	return s
}

// newStorages makes an empty storage on each host.
func newStorages(t *testing.T) *scenario {
	t.Helper()
	lab, target := labAndTarget(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	s := &scenario{T: t, lab: lab, target: target, ctx: ctx, dir: map[string]string{}}
	for _, host := range lab.Hosts {
		s.dir[host.Name] = "/srv/registry"
		shell(t, lab, host.Name, "mkdir -p /srv/registry")
	}
	return s
}

// write configures the registry on these hosts.
func (s *scenario) write(hosts string, attributes ...string) {
	s.Helper()
	must(s, s.workspace.Write("main.tf", s.config(hosts, attributes...)))
}

func (s *scenario) config(hosts string, attributes ...string) string {
	s.Helper()
	return acctest.Required + acctest.Provider(s, s.target, "ssh") + replicated(s.target, hosts, "h1", attributes...)
}

// apply gives what terraform said, without its frames and line breaks.
func (s *scenario) apply() string {
	s.Helper()
	output, err := s.workspace.Apply(s.ctx)
	if err != nil {
		s.Fatalf("%v\n%s", err, s.lab.Report())
	}
	return plainText(output)
}

// refused applies and wants an error with all of these texts.
func (s *scenario) refused(texts ...string) {
	s.Helper()
	output, err := s.workspace.Apply(s.ctx)
	if err == nil {
		s.Fatalf("the apply was not refused:\n%s", output)
	}
	s.says(plainText(output), texts...)
}

// says fails for each text that is not in what terraform said.
func (s *scenario) says(output string, texts ...string) {
	s.Helper()
	for _, text := range texts {
		if !strings.Contains(output, text) {
			s.Errorf("nothing says %q in\n%s", text, output)
		}
	}
}

// settled wants an empty plan and gives what terraform said.
func (s *scenario) settled() string {
	s.Helper()
	empty, output, err := s.workspace.PlanIsEmpty(s.ctx)
	if err != nil || !empty {
		s.Errorf("the plan is not empty: %v\n%s", err, output)
	}
	return plainText(output)
}

func (s *scenario) destroy() {
	s.Helper()
	_, err := s.workspace.Destroy(s.ctx)
	must(s, err)
}

// list is the sum of all replicated files of a host, by path.
func (s *scenario) list(host string) string { return listing(s.T, s.lab, host, s.dir[host]) }

// sizes are those of all replicated files of a host, by path.
func (s *scenario) sizes(host string) string {
	s.Helper()
	return shell(s, s.lab, host, "cd "+s.dir[host]+" && { find vm_dir images_dir state_file_dir -type f ! -name '*.upload' -printf '%p %s\n' | sort; } 2>/dev/null || true")
}

// equal waits until replicas have what a host has. Sums are made when the sizes
// are equal: layers are large.
func (s *scenario) equal(primary string, replicas ...string) {
	s.Helper()
	for _, look := range []func(string) string{s.sizes, s.list} {
		for _, host := range replicas {
			awaitLook(s.T, "what "+primary+" has on "+host, func(got string) bool { return got != "" && got == look(primary) }, func() string { return look(host) })
		}
	}
}

// awaitStatus waits until the replication's container of a host says something.
func (s *scenario) awaitStatus(host, text string) {
	s.Helper()
	awaitLook(s.T, host+" to say "+text, func(got string) bool { return strings.Contains(got, text) }, func() string {
		return shell(s, s.lab, host, "docker exec anka-acc-registry-replication-"+host+" cat /run/anka/status.json 2>&1 || true")
	})
}

// inodes are those of the layers of a host: a layer that was transferred again
// has another.
func (s *scenario) inodes(host string) string {
	s.Helper()
	return shell(s, s.lab, host, "cd "+s.dir[host]+" && ls -i images_dir")
}

// pushLarge uploads a template with one layer of so many bytes, and gives the
// layer's name.
func (s *scenario) pushLarge(host, template string, size int) string {
	s.Helper()
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content) // never fails
	copy(content, template)
	sum := sha256.Sum256(content)
	layer := hex.EncodeToString(sum[:]) + ".ank"
	url := registryURL(s.lab, host)
	_, err := ask(s.ctx, http.MethodPut, url+"/registry/v2/image/"+layer, content)
	must(s, err)
	send(s, http.MethodPost, url+"/registry/v2/vm", fmt.Sprintf(`{"id":%q,"name":"large","version":{"tag":"v1","images":[%q]}}`, template, layer))
	return layer
}

// plainText is terraform's output as one line.
func plainText(output string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)), " ")
}

// copyStorage copies what is in one host's directory into another host's,
// without the times of files, and without the files of replication.
func (s *scenario) copyStorage(from, to string) {
	s.Helper()
	packed := shell(s, s.lab, from, "cd "+s.dir[from]+" && tar cz images_dir vm_dir | base64 -w0")
	shell(s, s.lab, to, "cd "+s.dir[to]+" && echo "+packed+" | base64 -d | tar xzm")
}
