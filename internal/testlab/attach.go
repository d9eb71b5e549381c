package testlab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// Attach returns the running detached lab of that name. The error wraps fs.ErrNotExist when there is none.
func Attach(name string) (*Lab, error) {
	found, err := loadState(name)
	if err != nil {
		return nil, err
	}
	if !found.running() {
		return nil, fmt.Errorf("lab %q is dead: its processes ended without `down`; run `down` and `up` again", name)
	}
	if !found.Detached {
		return nil, fmt.Errorf("lab %q belongs to process %d and ends with it: only detached labs can be shared", name, found.Owner.PID)
	}
	lab := &Lab{
		Name: name, Subnet: found.Subnet, owner: found.Owner, sw: &first{Process: found.Switch}, kept: true,
		options: Options{Name: name, Hosts: len(found.Hosts), Detached: true, Log: func(string, ...any) {}},
	}
	lab.Gateway = strings.TrimSuffix(found.Subnet, "0/24") + "1"
	for _, saved := range found.Hosts {
		host := &Host{Name: saved.Name, Address: saved.Address, lab: lab}
		if saved.First.Alive() {
			host.first = &first{Process: saved.First}
		}
		lab.Hosts = append(lab.Hosts, host)
	}
	return lab, nil
}

// reuse returns the running detached lab that options ask for, with all its hosts powered on and the images loaded; nil
// when there is none.
func reuse(ctx context.Context, options Options) (*Lab, error) {
	found, err := loadState(options.Name)
	if err != nil || !found.Detached || !found.running() {
		return nil, nil //nolint:nilerr // no usable lab is the ordinary case: Up sweeps what is there and makes one
	}
	if len(found.Hosts) != options.Hosts || (options.Subnet != "" && options.Subnet != found.Subnet) {
		return nil, fmt.Errorf("lab %q runs with %d hosts in %s, asked for were %d in %q: take it down first",
			options.Name, len(found.Hosts), found.Subnet, options.Hosts, options.Subnet)
	}
	lab, err := Attach(options.Name)
	if err != nil {
		return nil, err
	}
	lab.options.Log = options.Log
	if err := lab.Heal(ctx); err != nil {
		return nil, err
	}
	built, err := buildImages(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := lab.load(ctx, built); err != nil {
		return nil, err
	}
	options.Log("lab %s was up already", lab.Name)
	return lab, nil
}

// buildImages builds what the options ask for and the cache lacks.
func buildImages(ctx context.Context, options Options) ([]images.Archive, error) {
	archives := make([]images.Archive, 0, len(options.Images))
	for _, name := range options.Images {
		began := time.Now()
		archive, err := images.Build(ctx, name)
		if err != nil {
			return nil, err
		}
		if took := time.Since(began); took > 5*time.Second {
			options.Log("image %s built in %s", name, took.Round(time.Second))
		}
		archives = append(archives, archive)
	}
	return archives, nil
}

// LoadImages builds images that Options.Images did not name and loads them into every host.
func (l *Lab) LoadImages(ctx context.Context, names ...string) error {
	options := l.options
	options.Images = names
	built, err := buildImages(ctx, options)
	if err != nil {
		return err
	}
	return l.load(ctx, built)
}

func (l *Lab) load(ctx context.Context, archives []images.Archive) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, host := range l.Hosts {
		group.Go(func() error {
			for _, archive := range archives {
				if err := images.Load(ctx, host.DockerSocket(), archive); err != nil {
					return fmt.Errorf("host %s: %w", host.Name, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// HostConfig is one value of the provider's `hosts` map.
type HostConfig struct {
	Address    string     `json:"address"`
	DockerHost string     `json:"docker_host"`
	SSH        *SSHConfig `json:"ssh,omitempty"`
	TLS        *TLSConfig `json:"tls,omitempty"`
	Insecure   bool       `json:"insecure,omitempty"`
}

// SSHConfig is the `ssh` attribute of a host.
type SSHConfig struct {
	PrivateKey            string `json:"private_key,omitempty"`
	PrivateKeyPath        string `json:"private_key_path,omitempty"`
	KnownHosts            string `json:"known_hosts,omitempty"`
	KnownHostsPath        string `json:"known_hosts_path,omitempty"`
	HostKey               string `json:"host_key,omitempty"`
	InsecureIgnoreHostKey bool   `json:"insecure_ignore_host_key,omitempty"`
}

// TLSConfig is the `tls` attribute of a host.
type TLSConfig struct {
	CAPEM      string `json:"ca_pem,omitempty"`
	CertPEM    string `json:"cert_pem,omitempty"`
	KeyPEM     string `json:"key_pem,omitempty"`
	CAPath     string `json:"ca_path,omitempty"`
	CertPath   string `json:"cert_path,omitempty"`
	KeyPath    string `json:"key_path,omitempty"`
	ServerName string `json:"server_name,omitempty"`
}

// Transports are the values that HostConfigs takes: the ways to a Docker daemon that the provider knows.
var Transports = []string{"ssh", "tls", "tcp", "unix"}

// HostConfigs returns the provider's `hosts` map for one of Transports; keys and certificates are given as paths.
func (l *Lab) HostConfigs(transport string) (map[string]HostConfig, error) {
	tls, err := l.TLS()
	if err != nil {
		return nil, err
	}
	configs := make(map[string]HostConfig, len(l.Hosts))
	for _, host := range l.Hosts {
		config := HostConfig{Address: host.Address}
		switch transport {
		case "ssh":
			config.DockerHost = host.SSHURL(SSHPort)
			config.SSH = &SSHConfig{PrivateKeyPath: l.dir("id_ed25519"), KnownHostsPath: l.dir("known_hosts")}
		case "tls":
			config.DockerHost = "tcp://" + host.TLSAddr()
			config.TLS = &TLSConfig{CAPath: tls.CAPath, CertPath: tls.CertPath, KeyPath: tls.KeyPath}
		case "tcp":
			config.DockerHost, config.Insecure = "tcp://"+host.TCPAddr(), true
		case "unix":
			config.DockerHost = host.UnixURL()
		default:
			return nil, fmt.Errorf("transport %q: want one of %s", transport, strings.Join(Transports, ", "))
		}
		configs[host.Name] = config
	}
	return configs, nil
}

// HostsJSON is HostConfigs as JSON, ready for ANKA_HOSTS or TF_VAR_hosts.
func (l *Lab) HostsJSON(transport string) (string, error) {
	configs, err := l.HostConfigs(transport)
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(configs)
	return string(raw), err
}

// TLS returns the client's certificate, its key and the authority of all TLS listeners.
func (l *Lab) TLS() (TLS, error) {
	made := TLS{CAPath: l.dir("ca.pem"), CertPath: l.dir("cert.pem"), KeyPath: l.dir("key.pem")}
	for path, text := range map[string]*string{made.CAPath: &made.CA, made.CertPath: &made.Cert, made.KeyPath: &made.Key} {
		raw, err := os.ReadFile(path)
		if err != nil {
			return made, fmt.Errorf("lab %s: %w", l.Name, err)
		}
		*text = string(raw)
	}
	return made, nil
}

// SSHKey returns the private key that every host lets in as root.
func (l *Lab) SSHKey() (SSHKey, error) {
	path := l.dir("id_ed25519")
	raw, err := os.ReadFile(path)
	if err != nil {
		return SSHKey{}, fmt.Errorf("lab %s: %w", l.Name, err)
	}
	return SSHKey{PEM: string(raw), Path: path}, nil
}

// KnownHosts returns the known_hosts lines of all ports of all hosts.
func (l *Lab) KnownHosts() (string, error) {
	var text strings.Builder
	for _, host := range l.Hosts {
		key, err := host.HostKey()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%[1]s,[%[1]s]:%[2]d,[%[1]s]:%[3]d %[4]s\n", host.Address, SSHPortNoSocket, SSHPortNoForward, key)
	}
	return text.String(), nil
}

// writeClientFiles leaves what a user of the lab needs beside its state: known_hosts and hosts-<transport>.json.
func (l *Lab) writeClientFiles() error {
	known, err := l.KnownHosts()
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.dir("known_hosts"), []byte(known), 0o644); err != nil {
		return err
	}
	for _, transport := range Transports {
		text, err := l.HostsJSON(transport)
		if err != nil {
			return err
		}
		if err := os.WriteFile(l.HostsFile(transport), []byte(text+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// HostsFile is the file that holds HostsJSON.
func (l *Lab) HostsFile(transport string) string {
	return filepath.Join(stateDir(l.Name), "hosts-"+transport+".json")
}
