package replicas_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// https is a configuration of HTTPS with a version of the pair.
func https(config object, made material, version any) object {
	return with(config, object{"https": object{
		"server_cert_wo": made.certificate, "server_key_wo": made.key, "server_cert_wo_version": version,
	}})
}

// TestSettings_versionsAndOtherWays: what is write-only comes with a version,
// nothing is set twice, and the image has what is set.
func TestSettings_versionsAndOtherWays(t *testing.T) {
	made := newMaterial(t)
	base := minimal("anka_controller", "h1")
	group := func(name string, attributes object) object { return with(base, object{name: attributes}) }
	env := func(config object, name string, value any) object {
		return with(config, object{"env": object{name: value}})
	}
	suites := func(list any) object { return set(https(base, made, 1), "https", "cipher_suites", list) }
	for name, c := range map[string]struct {
		config object
		want   string // the beginning of the only diagnostic, "" for none
		text   string // a part of it
	}{
		"certificate with key": {https(base, made, 1), "", ""},
		"pair without version": {
			group("https", object{"server_cert_wo": made.certificate, "server_key_wo": made.key, "server_cert_wo_version": nil}),
			`error ("https").("server_cert_wo"): Missing version`, "Set https.server_cert_wo_version, and change it with the value.",
		},
		"version without pair": {
			group("https", object{"server_cert_wo_version": 1}), `error ("https").("server_cert_wo_version"): Version without a value`,
			"Set https.server_cert_wo too",
		},
		"certificate without key": {
			group("https", object{"server_cert_wo": made.certificate, "server_cert_wo_version": 1}),
			`error ("https").("server_key_wo"): Missing value`, "It belongs to https.server_cert_wo_version",
		},
		"secret without version": {
			group("authentication", object{"oidc_client_secret_wo": "canary"}),
			`error ("authentication").("oidc_client_secret_wo"): Missing version`, "authentication.oidc_client_secret_wo_version",
		},
		"version not known yet": {https(base, made, unknown{}), "", ""},
		"in env, too": {
			env(group("logging", object{"verbosity": 3}), "ANKA_V", "3"), `error ("env").("ANKA_V"): Variable is set by an attribute`, "follows from logging.verbosity.",
		},
		"in env only":       {env(base, "ANKA_V", "3"), "", ""},
		"group without row": {env(group("logging", object{"max_days": 3}), "ANKA_V", "3"), "", ""},
		"in env by its other name": {
			env(with(https(base, made, 1), object{
				"authentication": object{"ca_cert_wo": made.authority, "ca_cert_wo_version": 1}, "root_token_wo": "canary-canary", "root_token_wo_version": 1,
			}), "ANKA_ROOT_CERT", "/a.pem"),
			`error ("env").("ANKA_ROOT_CERT"): Variable is set by an attribute`, "authentication.ca_cert_wo",
		},
		"in env_wo, too": {
			with(group("etcd_client", object{"username": "u", "password_wo": "canary", "password_wo_version": 1}),
				object{"env_wo": object{"ANKA_ETCD_PASSWORD": "canary"}, "env_wo_version": 1}),
			`error ("env_wo"): Variable is set by an attribute`, "etcd_client.password_wo",
		},
		"path of a certificate in the image": {env(base, "ANKA_ETCD_CA_CERT", "/ca.pem"), "", ""},
		"off although it is turned on": {
			env(group("etcd_client", object{"ca_cert_wo": made.authority, "ca_cert_wo_version": 1}), "ANKA_USE_ETCD_TLS", "false"),
			`error ("etcd_client").("ca_cert_wo"): Invalid setting`, "ANKA_USE_ETCD_TLS is false",
		},
		"on although it is turned on": {
			env(group("etcd_client", object{"ca_cert_wo": made.authority, "ca_cert_wo_version": 1}), "ANKA_USE_ETCD_TLS", "true"),
			`error ("env").("ANKA_USE_ETCD_TLS"): Variable is set by an attribute`, "follows from etcd_client.ca_cert_wo.",
		},
		"HTTPS, said again": {
			env(https(base, made, 1), "ANKA_USE_HTTPS", "1"), `error ("env").("ANKA_USE_HTTPS"): Variable is set by an attribute`, "https.server_cert_wo",
		},
		"HTTPS, perhaps said again": {
			env(https(base, made, 1), "ANKA_USE_HTTPS", unknown{}), `error ("env").("ANKA_USE_HTTPS"): Variable is set by an attribute`, "https.server_cert_wo",
		},
		"token, and authentication off": {
			with(group("authentication", object{"enabled": false}), object{"root_token_wo": "canary-canary", "root_token_wo_version": 1}),
			`error ("authentication").("enabled"): Invalid setting`, "root_token_wo",
		},
		"too new for the image": {
			with(group("performance", object{"task_batch_size": 4}), object{"image": "registry.example.com:5000/controller:v1.22.0-abc"}),
			`error ("performance").("task_batch_size"): Setting is too new for the image`, "1.23.0",
		},
		"image without version": {with(group("performance", object{"task_batch_size": 4}), object{"image": "controller@sha256:" + strings.Repeat("0", 64)}), "", ""},
		"comma in an element":   {suites([]string{"a,b"}), `error ("https").("cipher_suites").(0): Invalid element: "a,b" contains a comma`, ""},
		"empty list":            {suites([]string{}), `error ("https").("cipher_suites")`, "at least 1"},
		"null element":          {suites([]any{nil}), `error ("https").("cipher_suites").(0): Null element`, ""},
		"no registry on purpose": {
			with(group("general", object{"allow_empty_registry": true}), object{"registry_url": nil}), "", "",
		},
		"local registry with a slash": {
			with(base, object{"local_registry_urls": object{"h1": "http://r/"}}), `error ("local_registry_urls").("h1"): Invalid URL`, "slash",
		},
		"healthcheck without a command": {with(base, object{"healthcheck": object{"retries": 3}}), `error ("healthcheck").("command"): Missing command`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := serve(t, "anka_controller", dockerhost.NewFleet()).Validate(c.config)
			if c.want == "" && got == "" {
				return
			}
			if c.want == "" || !strings.HasPrefix(got, c.want) || !strings.Contains(got, c.text) || strings.Contains(got, "\n") {
				t.Errorf("got %s\nwant %s … %s", got, c.want, c.text)
			}
			if strings.Contains(got, "canary") {
				t.Errorf("a secret is shown: %s", got)
			}
		})
	}
}

func TestRegistry_memoryWarns(t *testing.T) {
	got := serve(t, "anka_registry", dockerhost.NewFleet()).Validate(with(registries, object{"memory": "1g"}))
	if !strings.HasPrefix(got, `warning ("memory"): Memory limit on registries: The page cache`) || strings.Contains(got, "\n") {
		t.Errorf("got %s", got)
	}
}

// TestURLs_followTheScheme: URLs are https as soon as a certificate is given,
// without its own port, and not known while that is not.
func TestURLs_followTheScheme(t *testing.T) {
	made := newMaterial(t)
	base := with(minimal("anka_registry", "h1"), object{"port": 443, "ready_timeout": "1ms"})
	for name, c := range map[string]struct {
		config object
		want   string // "" for unknown
	}{
		"http":                {base, "http://127.0.0.1:443"},
		"https":               {https(base, made, 1), "https://127.0.0.1"},
		"https on port 80":    {with(https(base, made, 1), object{"port": 80}), "https://127.0.0.1:80"},
		"https by env":        {with(base, object{"env": object{"ANKA_USE_HTTPS": "true"}}), "https://127.0.0.1"},
		"version not known":   {https(base, made, unknown{}), ""},
		"switch not known":    {set(base, "https", "enabled", unknown{}), ""},
		"env value not known": {with(base, object{"env": object{"ANKA_USE_HTTPS": unknown{}}}), ""},
		"group not known":     {with(base, object{"https": unknown{}}), ""},
		"others not known":    {set(with(base, object{"env": object{"A": unknown{}}}), "logging", "verbosity", unknown{}), "http://127.0.0.1:443"},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := dockerhost.NewFleet()
			record(t, fleet, "h1")
			s := serve(t, "anka_registry", fleet)
			// What the state says of a URL stays only where it is still right.
			before := []string{c.want}
			if c.want == "" {
				before = []string{"http://127.0.0.1:443", "https://127.0.0.1"}
			}
			for _, url := range before {
				state := with(base, object{"name": "anka", "port": c.config["port"], "urls": object{"h1": url}, "primary_url": url})
				planned, said := s.Plan(state, c.config)
				var urls map[string]tftypes.Value
				if err := planned["urls"].As(&urls); err != nil {
					t.Fatal(err, said)
				}
				want := tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
				if c.want != "" {
					want = tftypes.NewValue(tftypes.String, c.want)
				}
				if !urls["h1"].Equal(want) || !planned["primary_url"].Equal(want) {
					t.Errorf("it was %s: got %s and primary_url %s, want %s\n%s", url, urls["h1"], planned["primary_url"], want, said)
				}
			}
		})
	}
}

// listen answers as a service of the containers that d runs would, over TLS
// with the certificate that the running one was given. It gives the port.
func listen(t *testing.T, d *recorder) int {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	// Not GetCertificate, which is not asked by clients that give no name.
	server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c := d.running()
		if c == nil {
			return nil, errors.New("no container runs")
		}
		pair, err := tls.X509KeyPair([]byte(c.Files["/etc/anka/server_cert.pem"]), []byte(c.Files["/etc/anka/server_key.pem"]))
		return &tls.Config{Certificates: []tls.Certificate{pair}}, err
	}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // containers that do not run yet are asked, too
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().(*net.TCPAddr).Port
}

// TestRotation: a certificate with another version is rolled, one host after
// the other, each proven with its new certificate; without another version
// nothing is seen of it.
func TestRotation(t *testing.T) {
	fleet := dockerhost.NewFleet()
	h1, h2 := record(t, fleet, "h1"), record(t, fleet, "h2")
	first, second := newMaterial(t), newMaterial(t)
	config := func(made material, version int) object {
		return https(object{
			"primary": "h1", "storage": object{"path": "/opt/templates"}, "ready_timeout": "5s",
			"replicas": object{"h1": object{"port": listen(t, h1)}, "h2": object{"port": listen(t, h2)}},
		}, made, version)
	}
	before := config(first, 1)
	s := serve(t, "anka_registry", fleet)
	planned, said := s.Plan(nil, before)
	if strings.HasPrefix(said, "error") {
		t.Fatal(said)
	}
	state, said := s.Apply(nil, planned, before)
	if said != "" || !state["ready"].Equal(tftypes.NewValue(tftypes.Bool, true)) {
		t.Fatalf("ready %s: %s", state["ready"], said)
	}
	again := with(before, object{"https": https(object{}, second, 1)["https"]})
	if _, said := s.Plan(state, again); said != "" {
		t.Errorf("the version is the same, and got %s", said)
	}
	next := with(before, object{"https": https(object{}, second, 2)["https"]})
	planned, said = s.Plan(state, next)
	one, two := strings.Index(said, "h1"), strings.Index(said, "h2")
	if one < 0 || two < one {
		t.Errorf("got the steps %s", said)
	}
	state, said = s.Apply(state, planned, next)
	if said != "" || !state["ready"].Equal(tftypes.NewValue(tftypes.Bool, true)) {
		t.Fatalf("ready %s: %s", state["ready"], said)
	}
	for name, d := range map[string]*recorder{"h1": h1, "h2": h2} {
		if c := d.running(); c == nil || c.Files["/etc/anka/server_cert.pem"] != second.certificate || len(d.made) != 1 {
			t.Errorf("%s does not have the new certificate alone: %v", name, d.made)
		}
	}
	if _, said := s.Plan(state, next); said != "" {
		t.Errorf("all is done, and got %s", said)
	}
}

// TestCreate_secretsKnownAtLast: secrets that only apply knows are checked
// before anything is made.
func TestCreate_secretsKnownAtLast(t *testing.T) {
	made, other := newMaterial(t), newMaterial(t)
	config := https(minimal("anka_registry", "h1"), made, 1)
	fleet := dockerhost.NewFleet()
	daemon := record(t, fleet, "h1")
	s := serve(t, "anka_registry", fleet)
	planned, said := s.Plan(nil, set(config, "https", "server_key_wo", unknown{}))
	if strings.HasPrefix(said, "error") {
		t.Fatal(said)
	}
	_, said = s.Apply(nil, planned, set(config, "https", "server_key_wo", other.key))
	want := `error ("https").("server_key_wo"): Invalid setting: https.server_key_wo: `
	if !strings.HasPrefix(said, want) || len(daemon.made) > 0 || strings.Contains(said, keyLine(other)) {
		t.Errorf("made %v and said %s\nwant %s", daemon.made, said, want)
	}
}
