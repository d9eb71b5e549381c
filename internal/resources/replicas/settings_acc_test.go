package replicas_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/secureetcd"
)

// adjusted is a value of a row that has to fit the lab, and what the service
// reads.
type adjusted struct {
	group, attribute string
	value            any
	env, read        string
}

// adjust changes values of what everything gave.
func adjust(config object, env map[string]string, changes ...adjusted) object {
	for _, c := range changes {
		config = set(config, c.group, c.attribute, c.value)
		if c.env != "" {
			env[c.env] = c.read
		}
	}
	return config
}

// hcl is a configuration as the body of a resource.
func hcl(t *testing.T, resource string, config object) string {
	t.Helper()
	var body strings.Builder
	for _, name := range slices.Sorted(maps.Keys(config)) {
		value, err := json.Marshal(config[name])
		if err != nil {
			t.Fatal(err)
		}
		text := string(value)
		if reference, is := config[name].(reference); is {
			text = string(reference)
		}
		fmt.Fprintf(&body, "  %s = %s\n", name, text)
	}
	return fmt.Sprintf("resource %q \"test\" {\n%s}\n", resource, &body)
}

// reference is an expression.
type reference string

// TestAccSettings_everyRowAtOnce gives both services every setting there is,
// with HTTPS, client certificates, and an etcd with TLS and logins, and asks
// the services what environment they have. Then the certificate is renewed.
func TestAccSettings_everyRowAtOnce(t *testing.T) {
	lab, target := labAndTarget(t)
	etcd := secureetcd.Start(t, lab.Host("h1"), "canary-of-etcd")
	authority := pki.NewAuthority(t, "web-ca")
	var addresses []string
	hosts := object{}
	for _, host := range lab.Hosts {
		addresses = append(addresses, host.Address)
		hosts[host.Name] = object{}
	}
	issue := func() material {
		server := authority.Issue(t, "server", addresses...)
		revoked, err := os.ReadFile(authority.Revoke(t, authority.Issue(t, "client")))
		must(t, err)
		return material{authority.PEM, server.CertPEM, server.KeyPEM, string(revoked)}
	}
	first, second := issue(), issue()
	const suite = "tls_ecdhe_ecdsa_with_aes_128_gcm_sha256" // without it Go does not serve HTTP/2
	tlsSettings := []adjusted{
		{"https", "cipher_suites", []string{suite}, "ANKA_CIPHER_SUITES", suite},
		{"https", "min_tls_version", "tls_1.2", "ANKA_MIN_TLS_VERSION", "tls_1.2"},
		{"https", "max_tls_version", "tls_1.3", "ANKA_MAX_TLS_VERSION", "tls_1.3"},
	}
	want := map[string]map[string]string{}
	config := func(made material, version int) string {
		registry, env, _ := everything(t, "anka_registry", made)
		registry = adjust(registry, env, append(tlsSettings, adjusted{"monitoring", "port", 2113, "ANKA_METRICS_PORT", "2113"},
			adjusted{"https", "server_cert_wo_version", version, "", ""})...)
		// An object store needs one that is there: TestAccStorage_objectStore.
		delete(registry, "storage")
		maps.DeleteFunc(env, func(name, _ string) bool {
			return strings.HasPrefix(name, "ANKA_BACKEND_") || strings.HasPrefix(name, "AWS_")
		})
		want["anka_registry"] = env
		controller, env, _ := everything(t, "anka_controller", made)
		controller = adjust(controller, env, append(tlsSettings,
			adjusted{"monitoring", "port", 2112, "ANKA_METRICS_PORT", "2112"}, adjusted{"https", "server_cert_wo_version", version, "", ""},
			adjusted{"etcd_client", "ca_cert_wo", etcd.CA, "", ""}, adjusted{"etcd_client", "client_cert_wo", etcd.Cert, "", ""},
			adjusted{"etcd_client", "client_key_wo", etcd.Key, "", ""}, adjusted{"etcd_client", "username", etcd.Username, "ANKA_ETCD_USERNAME", etcd.Username},
			adjusted{"etcd_client", "password_wo", etcd.Password, "ANKA_ETCD_PASSWORD", etcd.Password})...)
		want["anka_controller"] = env
		return acctest.Provider(t, target, "ssh") +
			hcl(t, "anka_registry", with(registry, object{"name": "acc", "replicas": hosts, "image": target.RegistryImage, "primary": "h1"})) +
			hcl(t, "anka_controller", with(controller, object{
				"name": "acc", "replicas": hosts, "image": target.ControllerImage, "port": 443, "etcd_endpoints": []string{etcd.Endpoint},
				"registry_url": nil, "registry_urls": reference("anka_registry.test.urls"),
			}))
	}
	begin, renewed := config(first, 1), config(second, 2)
	serving := func(made material) resource.TestCheckFunc {
		return func(*terraform.State) error {
			for _, host := range lab.Hosts {
				controller, registry := "https://"+host.Address, "https://"+host.Address+":8089"
				wiring := map[string]map[string]string{
					"anka_controller": {"ANKA_LISTEN_ADDR": ":80", "ANKA_ETCD_ENDPOINTS": etcd.Endpoint, "ANKA_ANKA_REGISTRY": registry},
					"anka_registry":   {"ANKA_LISTEN_ADDR": ":8089", "ANKA_BASE_PATH": "/mnt/vol"},
				}
				for name, url := range map[string]string{"anka_controller": controller, "anka_registry": registry} {
					whole := wiring[name]
					maps.Copy(whole, want[name])
					if err := reports(url, authority.Pool, made, whole); err != nil {
						return fmt.Errorf("%s on %s: %w\n%s", name, host.Name, err, lab.Report())
					}
				}
			}
			return nil
		}
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: begin, Check: resource.ComposeAggregateTestCheckFunc(serving(first), noSecret),
				ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true), ready(controllerAddress, true)},
			},
			{Config: begin, ConfigPlanChecks: emptyPlan()},
			{
				Config: renewed, Check: serving(second),
				ConfigPlanChecks:  action(controllerAddress, plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{ready(registryAddress, true), ready(controllerAddress, true)},
			},
			{Config: renewed, ConfigPlanChecks: emptyPlan()},
		},
	})
}

// noSecret looks for secrets in the state.
func noSecret(s *terraform.State) error {
	if text := fmt.Sprint(s); strings.Contains(text, "canary") || strings.Contains(text, "BEGIN") {
		return fmt.Errorf("the state has a secret or PEM text:\n%s", text)
	}
	return nil
}

// reports asks the stand-in for its environment and files, and compares the
// certificate that it shows.
func reports(url string, roots *x509.CertPool, made material, want map[string]string) error {
	client := http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	var env map[string]string
	shown, err := read(&client, url+"/ankasim/env", &env)
	if err != nil {
		return err
	}
	if shown != made.certificate {
		return fmt.Errorf("it shows another certificate than the one it was given")
	}
	if different := differences(env, want); len(different) > 0 {
		return fmt.Errorf("the environment differs:\n%s", strings.Join(different, "\n"))
	}
	var files map[string]struct{ Mode, Error string }
	if _, err := read(&client, url+"/ankasim/files", &files); err != nil {
		return err
	}
	for name, file := range files {
		if file.Mode != "0600" || file.Error != "" {
			return fmt.Errorf("%s has mode %s: %s", name, file.Mode, file.Error)
		}
	}
	if len(files) < 4 {
		return fmt.Errorf("it has the files %v", files)
	}
	return nil
}

// read decodes an answer, and gives the certificate of who gave it.
func read(client *http.Client, url string, into any) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	shown := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: resp.TLS.PeerCertificates[0].Raw})
	return string(shown), json.NewDecoder(resp.Body).Decode(into)
}
