package testlab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

func TestAccLab_hostsAreSeparate(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, 2*time.Minute)
	first, second := lab.Hosts[0], lab.Hosts[1]
	for _, question := range []string{"docker info --format '{{.ID}}'", "hostname", "hostname -I", "cat /run/lab/host_key.pub"} {
		one, err := first.Run(ctx, question)
		must(t, err)
		other, err := second.Run(ctx, question)
		must(t, err)
		if one == other {
			t.Errorf("%s answers %q on both hosts", question, one)
		}
	}
	for _, path := range []string{"/opt/registry-storage", "/srv/x", "/var/lib/anka", "/etc/anka", "/data/etcd"} {
		_, err := first.Run(ctx, "mkdir -p "+path)
		must(t, err)
		if _, err := second.Run(ctx, "test ! -e "+path); err != nil {
			t.Errorf("%s of one host is there on the other", path)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s of a host is there on this machine", path)
		}
	}
}

func TestAccLab_publishedPortsReachOtherHosts(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, 2*time.Minute)
	runEtcd(ctx, t, lab.Hosts[0], lab.Hosts[1])
}

// version asks a daemon for its API version over an HTTP client.
func version(ctx context.Context, client *http.Client, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/version", nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct{ APIVersion string }
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	return answer.APIVersion, json.Unmarshal(raw, &answer)
}

func TestAccLab_everyTransportLeadsToTheDaemon(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, time.Minute)
	host := lab.Hosts[1]
	made, err := lab.TLS()
	must(t, err)
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM([]byte(made.CA))
	pair, err := tls.X509KeyPair([]byte(made.Cert), []byte(made.Key))
	must(t, err)
	withTLS := func(config *tls.Config) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	}

	if _, err := version(ctx, &http.Client{}, "http://"+host.TCPAddr()); err != nil {
		t.Errorf("plain: %v", err)
	}
	full := withTLS(&tls.Config{RootCAs: authority, Certificates: []tls.Certificate{pair}})
	if _, err := version(ctx, full, "https://"+host.TLSAddr()); err != nil {
		t.Errorf("TLS: %v", err)
	}
	if _, err := version(ctx, withTLS(&tls.Config{RootCAs: authority}), "https://"+host.TLSAddr()); err == nil {
		t.Error("TLS without a client certificate was let in")
	}
	if _, err := version(ctx, withTLS(&tls.Config{Certificates: []tls.Certificate{pair}}), "https://"+host.TLSAddr()); err == nil {
		t.Error("TLS without the lab's authority was trusted")
	}
	if _, err := host.Docker(ctx, "version"); err != nil {
		t.Errorf("unix socket: %v", err)
	}
}

// dialSSH connects as the provider would: with the lab's key and its known_hosts, nothing ignored.
func dialSSH(t *testing.T, lab *Lab, address string) *ssh.Client {
	t.Helper()
	return dialSSHAs(t, lab, address, "root")
}

func dialSSHAs(t *testing.T, lab *Lab, address, user string) *ssh.Client {
	t.Helper()
	key, err := lab.SSHKey()
	must(t, err)
	signer, err := ssh.ParsePrivateKey([]byte(key.PEM))
	must(t, err)
	known, err := knownhosts.New(lab.dir("known_hosts"))
	must(t, err)
	client, err := ssh.Dial("tcp", address, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: known, Timeout: 10 * time.Second,
	})
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestAccLab_sshPortsForwardAsTheySay(t *testing.T) {
	lab := LabForTest(t, 2)
	host, other := lab.Hosts[0], lab.Hosts[1]
	for _, row := range []struct {
		port        int
		socket, tcp bool
	}{
		{SSHPort, true, true},
		{SSHPortNoSocket, false, true},
		{SSHPortNoForward, false, false},
	} {
		client := dialSSH(t, lab, host.addr(row.port))
		conn, err := client.Dial("unix", "/var/run/docker.sock")
		if (err == nil) != row.socket {
			t.Errorf("port %d: socket forwarding: %v, want it allowed: %v", row.port, err, row.socket)
		}
		if err == nil {
			_ = conn.Close()
		}
		// The way through a jump host: from the first host to the second.
		conn, err = client.Dial("tcp", other.SSHAddr())
		if (err == nil) != row.tcp {
			t.Errorf("port %d: TCP forwarding: %v, want it allowed: %v", row.port, err, row.tcp)
		}
		if err == nil {
			_ = conn.Close()
		}
		session, err := client.NewSession()
		must(t, err)
		session.Stdin = strings.NewReader("GET /_ping HTTP/1.0\r\n\r\n")
		said, err := session.Output("docker system dial-stdio")
		if err != nil || !strings.HasSuffix(string(said), "OK") {
			t.Errorf("port %d: dial-stdio said %q: %v", row.port, said, err)
		}
	}
}

func TestAccLab_sshUsersDifferInWhatTheyMay(t *testing.T) {
	lab := LabForTest(t, 2)
	for user, may := range map[string]bool{"root": true, "ops": true, "guest": false} {
		conn, err := dialSSHAs(t, lab, lab.Hosts[0].SSHAddr(), user).Dial("unix", "/var/run/docker.sock")
		if (err == nil) != may {
			t.Errorf("%s reaches the Docker socket: %v, want it allowed: %v", user, err, may)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestAccLab_imagesStart(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, 5*time.Minute)
	host := lab.Hosts[0]
	runEtcd(ctx, t, host)
	start := func(args ...string) {
		t.Helper()
		_, err := host.Docker(ctx, append([]string{"run", "-d"}, args...)...)
		must(t, err)
	}
	start("--name", "registry", "-p", "8089:8089", "-v", "/opt/registry:/mnt/vol", "-e", "ANKA_LISTEN_ADDR=:8089",
		"-e", "ANKA_BASE_PATH=/mnt/vol", images.Registry)
	start("--name", "controller", "-p", "80:80", "-e", "ANKA_ETCD_ENDPOINTS="+clientURL(host),
		"-e", "ANKA_ANKA_REGISTRY=http://"+host.addr(8089), images.Controller)
	for _, port := range []int{8089, 80} {
		url := "http://" + host.addr(port) + "/readyz"
		must(t, poll(ctx, url, func() (bool, error) {
			status, err := get(ctx, url)
			return status == http.StatusOK, err
		}))
	}
	must(t, lab.LoadImages(ctx, images.Etcd36, images.Etcd37))
	for name, want := range map[string]string{images.Etcd35: "3.5.35", images.Etcd36: "3.6.16", images.Etcd37: "3.7.3"} {
		said, err := lab.Hosts[1].Docker(ctx, "run", "--rm", name, "/usr/local/bin/etcd", "--version")
		if err != nil || !strings.Contains(said, "etcd Version: "+want+"\n") {
			t.Errorf("%s says %q, %v", name, said, err)
		}
	}
}

func TestAccLab_hostConfigsNameWorkingFiles(t *testing.T) {
	lab := LabForTest(t, 2)
	for _, transport := range Transports {
		configs, err := lab.HostConfigs(transport)
		must(t, err)
		for name, config := range configs {
			if net.ParseIP(config.Address) == nil || config.DockerHost == "" {
				t.Errorf("%s of %s: %+v", transport, name, config)
			}
			if (config.SSH != nil) != (transport == "ssh") || (config.TLS != nil) != (transport == "tls") ||
				config.Insecure != (transport == "tcp") {
				t.Errorf("%s of %s has another transport's settings: %+v", transport, name, config)
			}
		}
		raw, err := os.ReadFile(lab.HostsFile(transport))
		must(t, err)
		text, err := lab.HostsJSON(transport)
		must(t, err)
		if strings.TrimSpace(string(raw)) != text {
			t.Errorf("%s holds %s", lab.HostsFile(transport), raw)
		}
	}
	if _, err := lab.HostConfigs("pigeon"); err == nil {
		t.Error("an unknown transport passed")
	}
}

func TestAccLab_resetRemovesWhatATestLeft(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, 2*time.Minute)
	host := lab.Hosts[0]
	runEtcd(ctx, t, host)
	_, err := host.Docker(ctx, "volume", "create", "left")
	must(t, err)
	must(t, host.FillDisk(ctx))
	must(t, lab.Hosts[1].PowerOff(ctx))
	must(t, lab.Reset(ctx))
	left, err := host.Run(ctx, "docker ps -aq; docker volume ls -q; ls -A /opt | grep -v containerd; true")
	must(t, err)
	if left != "" {
		t.Errorf("still there: %q", left)
	}
	if !lab.Hosts[1].Running() {
		t.Error("a powered off host stayed off")
	}
}
