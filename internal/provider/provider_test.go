package provider

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"golang.org/x/crypto/ssh"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

func TestProvider_schemaIsValid(t *testing.T) {
	server := providerserver.NewProtocol6(New("test")())()
	resp, err := server.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range resp.Diagnostics {
		t.Errorf("%s: %s", d.Summary, d.Detail)
	}
	for _, name := range []string{"anka_etcd_cluster", "anka_registry", "anka_controller"} {
		schema, exists := resp.ResourceSchemas[name]
		if !exists {
			t.Errorf("there is no %s", name)
			continue
		}
		undescribed(t, name, schema.Block.Attributes)
	}
	status, exists := resp.DataSourceSchemas["anka_controller_status"]
	if !exists {
		t.Fatal("there is no anka_controller_status")
	}
	undescribed(t, "anka_controller_status", status.Block.Attributes)
	undescribed(t, "provider", resp.Provider.Block.Attributes)
}

// undescribed fails for attributes without a description.
func undescribed(t *testing.T, at string, attributes []*tfprotov6.SchemaAttribute) {
	t.Helper()
	for _, a := range attributes {
		// The framework's own timeouts describe only what is inside.
		if a.Description == "" && a.Name != "timeouts" {
			t.Errorf("%s.%s has no description", at, a.Name)
		}
		if a.NestedType != nil {
			undescribed(t, at+"."+a.Name, a.NestedType.Attributes)
		}
	}
}

func privateKey(t *testing.T, passphrase string) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func oneHost(host any) object { return object{"hosts": object{"h1": host}} }

const tooOpen = `hosts["h1"].` + "docker_host: tcp:// without tls lets everyone on the network become root on the host; " +
	"give certificates in tls, use ssh://, or allow it with insecure = true."

const isEmpty = "It is set, but empty. The value must be left out to use what the machine has."

func TestValidate_namesAttributeAndFault(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	withSSH := func(settings object) object {
		return oneHost(object{"docker_host": "ssh://ops@10.0.1.4", "ssh": settings})
	}
	h1 := `("hosts").("h1")`
	cases := map[string]struct {
		config object
		want   string
	}{
		"host name": {object{"hosts": object{"H_1": object{"docker_host": "ssh://10.0.1.4"}}}, `("hosts").("H_1"): ` +
			`Invalid name: "H_1" is not a valid name. The value must be 1 to 32 lower-case letters, digits and inner hyphens.`},
		"null host": {oneHost(nil), h1 + ": Missing host: The host is null. Describe it, or leave its name out of the map."},
		"scheme": {oneHost(object{"docker_host": "http://10.0.1.4"}), h1 + `.("docker_host"): Invalid host: hosts["h1"].docker_host: ` +
			`"http://10.0.1.4" does not begin with ssh://, tcp:// or unix://.`},
		"password": {oneHost(object{"docker_host": "ssh://ops:hunter2@10.0.1.4"}), h1 + `.("docker_host"): Invalid host: ` +
			`hosts["h1"].docker_host: a password in the URL is not supported; use an ssh key or agent.`},
		"port": {oneHost(object{"docker_host": "ssh://10.0.1.4:99999"}), h1 + `.("docker_host"): Invalid host: ` +
			`hosts["h1"].docker_host: port "99999" is not between 1 and 65535.`},
		"address": {oneHost(object{"docker_host": "unix:///var/run/docker.sock"}), h1 + `.("address"): Invalid host: ` +
			`hosts["h1"].address: is required, because docker_host names no host to take it from.`},
		"plain tcp": {oneHost(object{"docker_host": "tcp://10.0.1.4:2375"}), h1 + `.("docker_host"): Invalid host: ` + tooOpen},
		"insecure and tls": {oneHost(object{"docker_host": "tcp://10.0.1.4", "insecure": true, "tls": object{}}), h1 +
			`.("insecure"): Invalid host: hosts["h1"].insecure: conflicts with tls: leave one of them out.`},
		"ssh for tcp": {oneHost(object{"docker_host": "tcp://10.0.1.4", "insecure": true, "ssh": object{}}), h1 +
			`.("ssh"): Invalid host: hosts["h1"].ssh: is for ssh:// only, and docker_host is tcp://10.0.1.4:2375.`},
		"tunnel without ssh": {oneHost(object{"docker_host": "tcp://10.0.1.4", "insecure": true, "service_access": "tunnel"}), h1 +
			`.("service_access"): Invalid host: hosts["h1"].service_access: "tunnel" needs a docker_host of ssh://, which tcp://10.0.1.4 is not.`},
		"service access": {oneHost(object{"docker_host": "ssh://10.0.1.4", "service_access": "vpn"}), h1 +
			`.("service_access"): Invalid Attribute Value Match: Attribute hosts["h1"].service_access value must be one of: ["tunnel" "direct"], got: "vpn"`},
		"key that is none": {withSSH(object{"private_key": "s3cr3t"}), h1 + `.("ssh").("private_key"): Invalid host: ` +
			`hosts["h1"].ssh.private_key: is not a private key in PEM or OpenSSH format.`},
		"encrypted key": {withSSH(object{"private_key": privateKey(t, "secret")}), h1 + `.("ssh").("private_key"): Invalid host: ` +
			`hosts["h1"].ssh.private_key: is encrypted with a passphrase: add it to an ssh agent and set agent = true in place of the key, or give a key without one.`},
		"key twice": {withSSH(object{"private_key": "x", "private_key_path": "y"}), h1 + `.("ssh").("private_key_path"): Invalid host: ` +
			`hosts["h1"].ssh.private_key_path: conflicts with private_key: set one of them.`},
		"pinned key": {withSSH(object{"host_key": "SHA256:abc"}), h1 + `.("ssh").("host_key"): Invalid host: ` +
			`hosts["h1"].ssh.host_key: is not a public key such as "ssh-ed25519 AAAA…".`},
		"known hosts": {withSSH(object{"known_hosts": "# mine\nnonsense"}), h1 + `.("ssh").("known_hosts"): Invalid host: ` +
			`hosts["h1"].ssh.known_hosts: line 2 is not in the format of known_hosts.`},
		"empty known hosts": {withSSH(object{"known_hosts": ""}), h1 + `.("ssh").("known_hosts"): Empty value: ` + isEmpty},
		"empty key":         {withSSH(object{"private_key": ""}), h1 + `.("ssh").("private_key"): Empty value: ` + isEmpty},
		"empty default":     {object{"ssh": object{"host_key": ""}}, `("ssh").("host_key"): Empty value: ` + isEmpty},
		"empty jump key": {withSSH(object{"jump": object{"address": "10.0.1.9", "private_key_path": ""}}), h1 +
			`.("ssh").("jump").("private_key_path"): Empty value: ` + isEmpty},
		"any key and known hosts": {withSSH(object{"insecure_ignore_host_key": true, "known_hosts_path": "known"}), h1 +
			`.("ssh").("insecure_ignore_host_key"): Invalid host: hosts["h1"].ssh.insecure_ignore_host_key: conflicts with known_hosts_path: set one of them.`},
		"jump without address": {withSSH(object{"jump": object{}}), h1 + `: Invalid host: hosts["h1"].ssh.jump.address: is required.`},
		"registry": {
			object{"hosts": object{}, "registry_auth": object{"ghcr.io": object{"username": "u"}}},
			`("registry_auth").("ghcr.io"): Invalid registry credentials: Both username and password are needed.`,
		},
		"jump": {withSSH(object{"jump": object{"address": "a b"}}), h1 + `.("ssh").("jump").("address"): Invalid host: ` +
			`hosts["h1"].ssh.jump.address: not a URL: invalid character " " in host name.`},
		"default key": {object{
			"hosts": object{"h1": object{"docker_host": "ssh://10.0.1.4"}, "h2": object{"docker_host": "ssh://10.0.1.5"}},
			"ssh":   object{"private_key": "s3cr3t"},
		}, `("ssh").("private_key"): Invalid host: ` +
			`ssh.private_key: is not a private key in PEM or OpenSSH format.`},
		"default CA": {
			object{"hosts": object{"h1": object{"docker_host": "tcp://10.0.1.4"}}, "tls": object{"ca_pem": "x"}},
			`("tls").("ca_pem"): Invalid host: tls.ca_pem: contains no certificate in PEM.`,
		},
		"timeout": {object{"connect_timeout": "soon"}, `("connect_timeout"): Invalid duration: "soon" is not a duration. ` +
			`The value must be a positive duration such as "30s", "5m" or "1h30m".`},
		"root token": {object{"anka_auth": object{"root_token": "s3cr3t"}}, `("anka_auth").("root_token"): Invalid root token: ` +
			`The root token has 6 characters. The value must be one line of at least 10 characters.`},
		"anka certificate": {object{"anka_auth": object{"ca_pem": "x"}}, `("anka_auth").("ca_pem"): Invalid credentials: ` +
			`The CA contains no certificate in PEM.`},
		"API key": {object{"anka_auth": object{"api_key": object{"id": "ci", "key": "s3cr3t!"}}}, `("anka_auth").("api_key"): Invalid credentials: ` +
			`The API key cannot be used: it is neither PEM nor base64.`},
		"API key of another kind": {object{"anka_auth": object{"api_key": object{"id": "ci", "key": privateKey(t, "")}}}, `("anka_auth").("api_key"): ` +
			`Invalid credentials: The API key cannot be used: it is not an RSA private key.`},
		"host partly known": {oneHost(object{"docker_host": "ftp://10.0.1.4", "address": unknown{}}), h1 + `.("docker_host"): ` +
			`Invalid host: hosts["h1"].docker_host: "ftp://10.0.1.4" does not begin with ssh://, tcp:// or unix://.`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := validated(t, c.config)
			if !slices.Equal(got, []string{c.want}) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), c.want)
			}
		})
	}
}

func TestValidate_leavesFilesToTheMachineThatApplies(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	missing := filepath.Join(t.TempDir(), "missing")
	config := object{
		"hosts": object{
			"h1": object{"docker_host": "ssh://10.0.1.4", "ssh": object{"private_key_path": missing}},
			"h2": object{"docker_host": "ssh://10.0.1.5", "ssh": object{"agent": true}},
		},
		"anka_auth": object{"ca_path": missing},
	}
	if got := validated(t, config); len(got) > 0 {
		t.Errorf("offline: %v", got)
	}
	_, details := configured(t, config)
	want := []string{
		`hosts["h1"].ssh.private_key_path: open ` + missing + ": no such file or directory.",
		`hosts["h2"].ssh.agent: is true, but SSH_AUTH_SOCK is not set: start an agent, or give a private key.`,
		"ca_path: the file cannot be read: no such file or directory.",
	}
	if !slices.Equal(details, want) {
		t.Errorf("at plan:\n%s", strings.Join(details, "\n"))
	}
}

func TestConfigure_unknownIsNeverAnError(t *testing.T) {
	key := privateKey(t, "")
	cases := map[string]struct {
		config object
		reach  map[string]topology.Reach
	}{
		"everything": {object{
			"hosts": unknown{}, "ssh": unknown{}, "tls": unknown{}, "registry_auth": unknown{}, "anka_auth": unknown{}, "connect_timeout": unknown{},
		}, map[string]topology.Reach{"h1": topology.Unknown, "any": topology.Unknown}},
		"a host": {
			object{"hosts": object{"h1": unknown{}, "h2": object{"docker_host": "ssh://10.0.1.5", "ssh": object{"private_key": key}}}},
			map[string]topology.Reach{"h1": topology.Unknown, "h2": topology.Reachable},
		},
		"parts of hosts": {object{"hosts": object{
			"h1": object{"address": unknown{}, "docker_host": "ssh://10.0.1.4"},
			"h2": object{"docker_host": unknown{}, "tls": object{"ca_pem": unknown{}}},
			"h3": object{"docker_host": "ssh://10.0.1.6", "ssh": object{"jump": unknown{}}},
		}}, map[string]topology.Reach{"h1": topology.Unknown, "h2": topology.Unknown, "h3": topology.Unknown}},
		"a default that only some use": {object{
			"ssh": object{"private_key": unknown{}},
			"hosts": object{
				"h1": object{"docker_host": "ssh://10.0.1.4"}, "h2": object{"docker_host": "tcp://10.0.1.5", "insecure": true},
			},
		}, map[string]topology.Reach{"h1": topology.Unknown, "h2": topology.Reachable}},
		"credentials": {object{
			"anka_auth":     object{"root_token": unknown{}, "client_cert_path": unknown{}, "api_key": object{"id": "x", "key": unknown{}}},
			"registry_auth": object{"ghcr.io": object{"username": "u", "password": unknown{}}, "quay.io": unknown{}},
		}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := validated(t, c.config); len(got) > 0 {
				t.Errorf("validate: %v", got)
			}
			data, details := configured(t, c.config)
			if len(details) > 0 || data == nil {
				t.Fatalf("configure: %v", details)
			}
			if unsettled := name == "everything" || name == "credentials"; data.CredentialsUnknown != unsettled {
				t.Errorf("CredentialsUnknown is %t", data.CredentialsUnknown)
			}
			for host, want := range c.reach {
				if got := data.Hosts.Reach(host); got != want {
					t.Errorf("%s is %s, want %s", host, got, want)
				}
			}
		})
	}
}

func TestConfigure_readsCredentialsFromTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}))
	err = os.WriteFile(file, []byte(key), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ANKA_ROOT_TOKEN", "from-the-environment")
	t.Setenv("ANKA_API_KEY_ID", "id-1")
	t.Setenv("ANKA_API_KEY", file)
	data, details := configured(t, object{})
	if len(details) > 0 {
		t.Fatal(details)
	}
	if c := data.Credentials; c.RootToken != "from-the-environment" || c.APIKeyID != "id-1" || c.APIKey != key {
		t.Errorf("got %+v", c)
	}
	data, _ = configured(t, object{"anka_auth": object{"root_token": "from-the-configuration"}})
	if data.Credentials.RootToken != "from-the-configuration" {
		t.Error("the environment wins over the configuration")
	}
	t.Setenv("ANKA_ROOT_TOKEN", "short")
	_, details = configured(t, object{})
	if len(details) != 1 || strings.Contains(details[0], "short.") || !strings.Contains(details[0], "has 5 characters") {
		t.Errorf("a short token in the environment gave %v", details)
	}
}

func TestConfigure_withoutHosts(t *testing.T) {
	data, details := configured(t, object{})
	if len(details) > 0 || data == nil {
		t.Fatal(details)
	}
	_, err := data.Hosts.Host("h1")
	if err == nil || err.Error() != `there is no host "h1"; the provider block has no hosts` {
		t.Error(err)
	}
}
