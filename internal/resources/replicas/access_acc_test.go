package replicas_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/secureetcd"
)

// identities is an OpenID Connect provider that the hosts of the lab reach.
type identities struct {
	url string
	key *rsa.PrivateKey
}

func startIdentities(t *testing.T, lab *testlab.Lab) identities {
	t.Helper()
	key, _ := newAPIKey(t)
	provider := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: oidc.RS256}}}
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", net.JoinHostPort(lab.Gateway, "0"))
	must(t, err)
	server := httptest.NewUnstartedServer(provider)
	must(t, server.Listener.Close())
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	provider.SetIssuer(server.URL)
	return identities{server.URL, key}
}

// token is what a user of the audience has after the login.
func (i identities) token(audience string) string {
	now := time.Now()
	return oidctest.SignIDToken(i.key, "k", oidc.RS256, fmt.Sprintf(
		`{"iss": %q, "aud": %q, "sub": "u1", "iat": %d, "exp": %d, "name": "user", "groups": ["ci"]}`,
		i.url, audience, now.Unix(), now.Add(time.Hour).Unix()))
}

// newAPIKey is a key, and its private half as PEM.
func newAPIKey(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// TestAccController_access: HTTPS, root token, client certificates with a
// revocation list, API keys, OpenID Connect, and an etcd with TLS and logins,
// all at once. Each kind of credentials opens the door, wrong ones have an
// error of their own, and the controller can be imported as it is.
func TestAccController_access(t *testing.T) {
	lab, target := labAndTarget(t)
	etcd := secureetcd.Start(t, lab.Host("h1"), "canary-of-etcd")
	authority := pki.NewAuthority(t, "web-ca")
	host := lab.Host("h2")
	url := "https://" + host.Address
	server, user, revoked := authority.Issue(t, "server", host.Address), authority.Issue(t, "user"), authority.Issue(t, "revoked")
	crl, err := os.ReadFile(authority.Revoke(t, revoked))
	must(t, err)
	users := startIdentities(t, lab)
	key, privateKey := newAPIKey(t)
	_, otherKey := newAPIKey(t)

	with := func(auth string, attributes ...string) string {
		return acctest.Provider(t, target, "ssh", fmt.Sprintf("anka_auth = {\n    ca_pem = %q\n    %s\n  }", authority.PEM, auth)) + fmt.Sprintf(`
resource "anka_controller" "test" {
  name           = "acc"
  replicas       = { h2 = {} }
  port           = 443
  etcd_endpoints = [%q]
  general        = { allow_empty_registry = true, instance_timeout = "90s" }
  logging        = { verbosity = 4 }
  root_token_wo         = "canary-root-token"
  root_token_wo_version = 3
  %s
  authentication = {
    ca_cert_wo                    = %q
    ca_cert_wo_version            = 1
    crl_wo                        = %q
    crl_wo_version                = 2
    api_keys                      = true
    oidc_provider_url             = %q
    oidc_client_id                = "anka"
    oidc_client_secret_wo         = "canary-of-the-client"
    oidc_client_secret_wo_version = 1
  }
  etcd_client = {
    ca_cert_wo             = %q
    ca_cert_wo_version     = 1
    client_cert_wo         = %q
    client_key_wo          = %q
    client_cert_wo_version = 1
    username               = %q
    password_wo            = %q
    password_wo_version    = 1
  }
  %s
  %s
}
`, etcd.Endpoint, httpsWith(server, 1), authority.PEM, crl, users.url, etcd.CA, etcd.Cert, etcd.Key, etcd.Username, etcd.Password,
			acctest.Image(target.ControllerImage), strings.Join(attributes, "\n  "))
	}
	status := fmt.Sprintf("data \"anka_controller_status\" \"test\" {\n  host = \"h2\"\n  url = %q\n  depends_on = [anka_controller.test]\n}\n", url)
	now := strings.Replace(status, "depends_on", "# depends_on", 1)
	certificate := func(p pki.Pair) string {
		return fmt.Sprintf("client_cert_pem = %q\n    client_key_pem = %q", p.CertPEM, p.KeyPEM)
	}
	apiKey := func(private string) string { return fmt.Sprintf("api_key = { id = \"ci\", key = %q }", private) }
	runs := []statecheck.StateCheck{
		ready(controllerAddress, true),
		statecheck.ExpectKnownValue("data.anka_controller_status.test", tfjsonpath.New("status"), knownvalue.StringExact("Running")),
	}
	steps := []resource.TestStep{
		{Config: with(`root_token = "canary-root-token"`) + status, ConfigStateChecks: runs, Check: resource.ComposeAggregateTestCheckFunc(noSecret, func(*terraform.State) error {
			if err := register(url, authority.Pool, key); err != nil {
				return err
			}
			for token, want := range map[string]int{users.token("anka"): http.StatusOK, users.token("another"): http.StatusUnauthorized} {
				if code, err := login(url, authority.Pool, token); err != nil || code != want {
					return fmt.Errorf("OpenID Connect: HTTP %d, want %d: %w", code, want, err)
				}
			}
			return nil
		})},
		{Config: with(certificate(user)) + status, ConfigStateChecks: runs},
		{Config: with(apiKey(privateKey)) + status, ConfigStateChecks: runs},
	}
	for _, refused := range []struct{ auth, want string }{
		{certificate(revoked), `(?s)TLS failed.*does\s+not\s+accept\s+the\s+client\s+certificate\s+of\s+anka_auth`},
		{apiKey(otherKey), `(?s)private\s+key\s+in\s+anka_auth\s+is\s+not\s+the\s+one\s+of\s+the\s+API\s+key\s+"ci"`},
		{`root_token = "canary-of-another"`, `(?s)the\s+root\s+token\s+of\s+anka_auth`},
		{"", `(?s)the\s+service\s+wants\s+credentials,\s+and\s+none\s+were\s+sent`},
	} {
		steps = append(steps, resource.TestStep{Config: with(refused.auth) + now, ExpectError: regexp.MustCompile(refused.want)})
	}
	good := with(certificate(user))
	steps = append(steps,
		resource.TestStep{
			Config: good, ResourceName: controllerAddress, ImportState: true, ImportStateId: "acc", ImportStateVerify: true,
		},
		// Expects that the plan with the import changes nothing.
		resource.TestStep{
			Config: good, ResourceName: controllerAddress, ImportState: true, ImportStateId: "acc", ImportStateKind: resource.ImportBlockWithID,
		},
		resource.TestStep{
			Config: good, ResourceName: controllerAddress, ImportState: true, ImportStateId: "nowhere",
			ExpectError: regexp.MustCompile(`(?s)no container of controller "nowhere" on any host.*h1, h2, h3`),
		},
		resource.TestStep{Config: good, ConfigPlanChecks: emptyPlan()},
	)
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: acctest.Factories(), Steps: steps})
}

func trusting(roots *x509.CertPool) *http.Client {
	return &http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

// register gives the controller the public half of an API key.
func register(url string, roots *x509.CertPool, key *rsa.PrivateKey) error {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{
		"id": "ci", "user_name": "builder", "public_key": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
	})
	if err != nil {
		return err
	}
	resp, err := trusting(roots).Post(url+"/ankasim/apikey", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("registering an API key: HTTP %d", resp.StatusCode)
	}
	return resp.Body.Close()
}

// login asks with the token of a user.
func login(url string, roots *x509.CertPool, token string) (int, error) {
	req, err := http.NewRequest(http.MethodGet, url+nodesAsk, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := trusting(roots).Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
