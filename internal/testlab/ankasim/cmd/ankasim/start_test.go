package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

func TestStart_certificatesEndIt(t *testing.T) {
	pair := pki.NewAuthority(t, "ca").Issue(t, "server")
	base := []string{"ANKA_ALLOW_EMPTY_REGISTRY=true", "ANKA_ETCD_ENDPOINTS=http://127.0.0.1:1", "ANKA_ETCD_REQUEST_TIMEOUT=20s"}
	for name, test := range map[string]struct {
		role, want string
		env        []string
	}{
		"queue certificate": {"controller", "/nowhere.pem", append(base, "ANKA_QUEUE_ADDR=127.0.0.1:8100",
			"ANKA_USE_QUEUE_TLS=true", "ANKA_QUEUE_SERVER_CERT=/nowhere.pem", "ANKA_QUEUE_SERVER_KEY="+pair.KeyPath)},
		"queue authority": {"controller", "ANKA_QUEUE_CA_CERT", append(base, "ANKA_QUEUE_ADDR=:8100",
			"ANKA_ENABLE_QUEUE_AUTH=true", "ANKA_QUEUE_CA_CERT="+pair.KeyPath)},
		"authority": {"controller", "ANKA_CA_CERT", append(base, "ANKA_ENABLE_AUTH=true", "ANKA_CA_CERT="+pair.KeyPath)},
		"revocation list": {"registry", "ANKA_CRL", []string{
			"ANKA_BASE_PATH=" + t.TempDir(), "ANKA_LISTEN_ADDR=127.0.0.1:1",
			"ANKA_ENABLE_AUTH=true", "ANKA_CA_CERT=" + pair.CertPath, "ANKA_CRL=" + pair.CertPath,
		}},
		"key of the registry": {"registry", pair.CertPath, []string{
			"ANKA_BASE_PATH=" + t.TempDir(), "ANKA_LISTEN_ADDR=127.0.0.1:1",
			"ANKA_USE_HTTPS=true", "ANKA_SERVER_CERT=" + pair.CertPath, "ANKA_SERVER_KEY=" + pair.CertPath,
		}},
		"etcd pair": {"controller", "ANKA_ETCD_CERT_KEY", append(base, "ANKA_USE_ETCD_TLS=true",
			"ANKA_ETCD_CERT="+pair.CertPath, "ANKA_ETCD_CERT_KEY=/nowhere.key")},
		"etcd authority": {"controller", "ANKA_ETCD_CA_CERT", append(base, "ANKA_USE_ETCD_TLS=true", "ANKA_ETCD_CA_CERT="+pair.KeyPath)},
		"bad value":      {"controller", "ANKA_BATCH_TASK_COUNT", append(base, "ANKA_BATCH_TASK_COUNT=41")},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			p := ankasim(t, test.role, test.env...)
			if code := p.exitCode(); code != 1 || time.Since(begin) > 10*time.Second {
				t.Errorf("exit code %d after %s", code, time.Since(begin))
			}
			p.wantFatal(test.want)
		})
	}
}

func TestStart_readyAtOnceAndSaysWhatItIgnores(t *testing.T) {
	address, dir := freeport.Address(t), t.TempDir()
	begin := time.Now()
	p := ankasim(t, "registry", "ANKA_LISTEN_ADDR="+address, "ANKA_BASE_PATH="+dir, "ANKA_BASE_PATHS=/x",
		"ANKA_ENABLE_AUTH=true", "ANKA_ROOT_TOKEN="+secret)
	p.waitFor(http.DefaultClient, 200, "http://"+address+"/readyz")
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("ready after %s", took)
	}
	if log := p.output.String(); !strings.Contains(log, "ANKA_BASE_PATHS") || strings.Contains(log, secret) {
		t.Errorf("log: %s", log)
	}
}

// TestFaults_neverEnds: told to end, it serves no more and stays.
func TestFaults_neverEnds(t *testing.T) {
	address := freeport.Address(t)
	p := ankasim(t, "registry", "ANKA_LISTEN_ADDR="+address, "ANKA_BASE_PATH="+t.TempDir(), "ANKASIM_NEVER_ENDS=true")
	p.waitFor(http.DefaultClient, 200, "http://"+address+"/readyz")
	p.signal(syscall.SIGTERM)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(10 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		_ = conn.Close()
		select {
		case <-deadline:
			t.Fatal("it still serves")
		case <-tick.C:
		}
	}
	select {
	case <-p.ended:
		t.Error("it has ended")
	case <-time.After(500 * time.Millisecond):
	}
}

func TestFaults_logAndPlace(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "here")
	begin := func(more ...string) (*process, string) {
		address := freeport.Address(t)
		return ankasim(t, "registry", append([]string{
			"ANKA_LISTEN_ADDR=" + address, "ANKA_BASE_PATH=" + t.TempDir(),
			"ANKA_ENABLE_AUTH=true", "ANKA_ROOT_TOKEN=" + secret, "ANKASIM_FAULT_FILE=" + marker,
		}, more...)...), "http://" + address
	}
	p, url := begin("ANKASIM_NEVER_READY=true", "ANKASIM_LOG_ENV=true")
	p.waitFor(http.DefaultClient, 200, url+"/readyz")
	if strings.Contains(p.output.String(), secret) {
		t.Error("the fault is in force without its file")
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, url = begin("ANKASIM_NEVER_READY=true", "ANKASIM_LOG_ENV=true")
	p.waitFor(http.DefaultClient, 503, url+"/readyz")
	if !strings.Contains(p.output.String(), "ANKA_ROOT_TOKEN="+secret) {
		t.Errorf("the careless image keeps its secret: %s", p.output)
	}
	p, _ = begin("ANKASIM_EXIT=9")
	if code := p.exitCode(); code != 9 {
		t.Errorf("exit code %d", code)
	}
	p = ankasim(t, "controller", "ANKA_ANKA_REGISTRY=http://10.0.1.4:8089", "ANKASIM_EXIT=9", "ANKASIM_FAULT_HOST=10.0.1.4")
	if code := p.exitCode(); code != 9 {
		t.Errorf("controller on the host of the fault: exit code %d", code)
	}
	p = ankasim(t, "controller", "ANKA_ANKA_REGISTRY=http://10.0.1.5:8089", "ANKASIM_EXIT=9", "ANKASIM_FAULT_HOST=10.0.1.4",
		"ANKA_ETCD_ENDPOINTS=http://127.0.0.1:1", "ANKA_ETCD_REQUEST_TIMEOUT=1s")
	if code := p.exitCode(); code != 1 {
		t.Errorf("controller on another host: exit code %d", code)
	}
}

// TestStop_finishesAnUpload: a request that is half sent when the order to stop
// comes is answered, and the process ends with 0.
func TestStop_finishesAnUpload(t *testing.T) {
	address, dir := freeport.Address(t), t.TempDir()
	p := ankasim(t, "registry", "ANKA_LISTEN_ADDR="+address, "ANKA_BASE_PATH="+dir)
	p.waitFor(http.DefaultClient, 200, "http://"+address+"/readyz")
	reader, writer := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+address+"/registry/v2/image/a.ank", reader)
	if err != nil {
		t.Fatal(err)
	}
	type answer struct {
		code int
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			answered <- answer{0, err}
			return
		}
		answered <- answer{response.StatusCode, response.Body.Close()}
	}()
	if _, err := writer.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
		t.Fatal(err)
	}
	partial := filepath.Join(dir, "images_dir", "a.ank.upload")
	p.until("the upload to begin", func() bool { info, err := os.Stat(partial); return err == nil && info.Size() > 0 })
	p.signal(syscall.SIGTERM)
	p.until("the shutdown", func() bool { return strings.Contains(p.output.String(), "shutting down") })
	if _, err := writer.Write([]byte("end")); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-answered; got.err != nil || got.code != http.StatusOK {
		t.Errorf("upload: %+v", got)
	}
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if info, err := os.Stat(filepath.Join(dir, "images_dir", "a.ank")); err != nil || info.Size() != 1<<16+3 {
		t.Errorf("file: %v %v", info, err)
	}
}

// until waits for something about p that is not an answer.
func (p *process) until(what string, done func() bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			p.t.Fatalf("%s did not come within 10s:\n%s", what, p.output)
		case <-tick.C:
		}
	}
}

// TestController_queueAndMetrics: three addresses, the queue's with
// certificates of its own.
func TestController_queueAndMetrics(t *testing.T) {
	store, authority := startEtcd(t, "http"), pki.NewAuthority(t, "ca")
	server, node := authority.Issue(t, "queue"), authority.Issue(t, "node")
	main, queue, metrics := freeport.Address(t), freeport.Address(t), freeport.Address(t)
	p := ankasim(t, "controller", "ANKA_LISTEN_ADDR="+main, "ANKA_ALLOW_EMPTY_REGISTRY=true", "ANKA_ETCD_ENDPOINTS="+store.endpoint,
		"ANKA_QUEUE_ADDR="+queue, "ANKA_USE_QUEUE_TLS=true", "ANKA_QUEUE_SERVER_CERT="+server.CertPath,
		"ANKA_QUEUE_SERVER_KEY="+server.KeyPath, "ANKA_ENABLE_QUEUE_AUTH=true", "ANKA_QUEUE_CA_CERT="+authority.Path,
		"ANKA_ENABLE_METRICS=true", "ANKA_METRICS_PATH=/m", "ANKA_METRICS_PORT="+metrics[strings.LastIndex(metrics, ":")+1:])
	p.waitFor(http.DefaultClient, 200, "http://"+main+"/api/v1/status")
	if body := p.waitFor(http.DefaultClient, 200, "http://"+metrics+"/m"); !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics: %s", body)
	}
	with := func(certificates ...tls.Certificate) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool, Certificates: certificates}}}
	}
	p.waitFor(with(), 200, "https://"+queue+"/livez")
	p.waitFor(with(), 401, "https://"+queue+"/ankasim/queue")
	p.waitFor(with(node.TLS), 200, "https://"+queue+"/ankasim/queue")
}
