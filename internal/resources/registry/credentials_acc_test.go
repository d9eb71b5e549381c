package registry_test

import (
	"archive/zip"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificates are the files of a container of the replication, by name.
func (s *scenario) certificates(host string) map[string]string {
	s.Helper()
	found := map[string]string{}
	for _, name := range []string{"ca", "cert", "key"} {
		found[name] = shell(s, s.lab, host, "docker exec anka-acc-registry-replication-"+host+" cat /etc/anka/tls/"+name+".pem")
	}
	return found
}

// fetchSnapshot asks the source on h1 for its announcement as the holder of
// certificates does; without any as somebody else.
func (s *scenario) fetchSnapshot(ca, holder map[string]string) error {
	s.Helper()
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM([]byte(ca["ca"])) {
		s.Fatalf("no certificate in %s", ca["ca"])
	}
	config := &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}
	if holder != nil {
		pair, err := tls.X509KeyPair([]byte(holder["cert"]), []byte(holder["key"]))
		must(s, err)
		// Whatever authorities the server names.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	resp, err := client.Get("https://" + s.lab.Host("h1").Address + ":8443/snapshot/head")
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(content), "anka-replication-1\t")) {
		err = fmt.Errorf("HTTP %d: %s", resp.StatusCode, content)
	}
	return err
}

// refusedByTLS: the server took part, and did not let the client in.
func refusedByTLS(err error) bool {
	var alert tls.AlertError
	return errors.As(err, &alert) || err != nil && strings.Contains(err.Error(), "remote error: tls:")
}

// TestAccRegistry_credentials: a higher credentials_version gives all
// containers of the replication new certificates in one apply; replication goes
// on, and nobody gets in with the old ones. Keys and certificates are in no
// state, plan, output or trace, label or log.
func TestAccRegistry_credentials(t *testing.T) {
	s := newScenario(t)
	const storage = `storage = { path = "/srv/registry" }`
	trace := filepath.Join(s.workspace.Dir, "trace.log")
	s.workspace.Env = []string{"TF_LOG=trace", "TF_LOG_PATH=" + trace}
	var printed strings.Builder
	run := func(arguments ...string) {
		t.Helper()
		output, err := s.workspace.Run(s.ctx, arguments...)
		printed.WriteString(output)
		if err != nil {
			t.Fatalf("%v\n%s", err, s.lab.Report())
		}
	}
	canaries := map[string]string{}
	collect := func(version string) map[string]map[string]string {
		t.Helper()
		of := map[string]map[string]string{}
		for _, host := range s.lab.Hosts {
			of[host.Name] = s.certificates(host.Name)
			for name, text := range of[host.Name] {
				lines := strings.Split(text, "\n")
				if len(lines) < 4 {
					t.Fatalf("%s on %s is %q", name, host.Name, text)
				}
				// The first and last lines are alike in many.
				canaries[name+" "+version+" on "+host.Name] = lines[len(lines)/2]
			}
		}
		return of
	}
	s.write(threeHosts, everySecond("credentials_version = 1"), storage)
	run("plan", "-no-color", "-input=false", "-out=first.plan")
	run("show", "-json", "first.plan")
	run("apply", "-no-color", "-input=false", "first.plan")
	push(t, s.lab, "h1", "template", "v1")
	s.equal("h1", "h2", "h3")
	first := collect("1")
	must(t, s.fetchSnapshot(first["h2"], first["h2"]))
	if err := s.fetchSnapshot(first["h2"], nil); !refusedByTLS(err) {
		t.Errorf("without a certificate: %v", err)
	}
	registries, copies := containers(t, s.lab, "registry"), containers(t, s.lab, "registry-replication")

	s.write(threeHosts, everySecond("credentials_version = 2"), storage)
	run("plan", "-no-color", "-input=false", "-out=second.plan")
	run("show", "-json", "second.plan")
	run("apply", "-no-color", "-input=false", "second.plan")
	second := collect("2")
	kept(t, s.lab, "registry", registries)
	for host, id := range containers(t, s.lab, "registry-replication") {
		if id == copies[host] || second[host]["key"] == first[host]["key"] || second[host]["cert"] == first[host]["cert"] || second[host]["ca"] != second["h1"]["ca"] {
			t.Errorf("%s has still something of the first version", host)
		}
	}
	push(t, s.lab, "h1", "template", "v2")
	s.equal("h1", "h2", "h3")
	must(t, s.fetchSnapshot(second["h1"], second["h3"]))
	for _, host := range []string{"h1", "h2", "h3"} {
		if err := s.fetchSnapshot(second["h1"], first[host]); !refusedByTLS(err) {
			t.Errorf("with the first certificate of %s: %v", host, err)
		}
	}
	// A follower's certificate is none of a source, which others would follow.
	if err := s.fetchSnapshot(first["h1"], second["h2"]); err == nil || refusedByTLS(err) {
		t.Errorf("who trusts the first authority still trusts the source: %v", err)
	}
	run("show", "-json")
	run("plan", "-no-color", "-input=false", "-detailed-exitcode") // an empty one
	s.nowhere(canaries, printed.String())
	s.destroy()
}

// nowhere looks for the canaries in everything that is kept or said.
func (s *scenario) nowhere(canaries map[string]string, printed string) {
	s.Helper()
	places := map[string]string{"output": printed}
	files, err := filepath.Glob(filepath.Join(s.workspace.Dir, "*"))
	must(s, err)
	for _, file := range files {
		places[filepath.Base(file)] = unpacked(s, file)
	}
	for _, host := range s.lab.Hosts {
		places["labels on "+host.Name] = shell(s, s.lab, host.Name, "docker inspect $(docker ps -aq) && docker volume ls -q | xargs -r docker volume inspect && docker image inspect $(docker images -q)")
		for _, id := range strings.Fields(shell(s, s.lab, host.Name, "docker ps -aq")) {
			logs := shell(s, s.lab, host.Name, "docker logs "+id+" 2>&1")
			if logs == "" {
				s.Errorf("container %s on %s has logged nothing: nothing can be found in it", id, host.Name)
			}
			places["logs on "+host.Name] += logs
		}
		places["status on "+host.Name] = shell(s, s.lab, host.Name, "docker exec anka-acc-registry-replication-"+host.Name+" cat /run/anka/status.json")
	}
	for _, needed := range []string{"trace.log", "terraform.tfstate", "second.plan", "output"} {
		if !strings.Contains(places[needed], "anka_registry") {
			s.Errorf("%s has nothing of the registry: nothing can be found in it", needed)
		}
	}
	if len(canaries) != 18 {
		s.Errorf("only %d canaries", len(canaries))
	}
	for place, content := range places {
		for what, canary := range canaries {
			if at := strings.Index(content, canary); at >= 0 {
				s.Errorf("the %s is in %s: …%q…", what, place, content[max(0, at-200):min(len(content), at+len(canary)+50)])
			}
		}
	}
}

// unpacked is the content of a file, and of a saved plan that of all files in
// it, which are compressed.
func unpacked(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return string(content)
	}
	var all strings.Builder
	for _, packed := range archive.File {
		file, err := packed.Open()
		must(t, err)
		_, err = io.Copy(&all, file)
		must(t, err)
		must(t, file.Close())
	}
	return all.String()
}
