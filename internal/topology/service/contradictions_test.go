package service_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/certificates"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

const unknown = service.Unknown

// TestCheck_emptyVariableIsNotGiven, whichever of its names comes first.
func TestCheck_emptyVariableIsNotGiven(t *testing.T) {
	crl := newMaterial(t).crl
	env := map[string]string{service.RootToken: unknown, "ANKA_CA_CERT": "/ca.pem", "ANKA_ROOT_CERT": ""}
	for range 50 { // maps have no order
		if found := controller.Table.Check(service.Values{"ANKA_CRL": crl}, env, certificates.Reader{}); len(found) > 0 {
			t.Fatalf("got %v", found)
		}
	}
}

// token stands for a root token that is given.
var token = map[string]string{service.RootToken: unknown}

func TestCheck_contradictions(t *testing.T) {
	m, other := newMaterial(t), newMaterial(t)
	foreign := newAuthority(t, "Another root")
	type values = service.Values
	for name, c := range map[string]struct {
		values values
		env    map[string]string
		// want is attribute: part of the text, for each problem.
		want []string
	}{
		"nothing": {},
		"HTTPS":   {values: values{"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key}},
		"HTTPS, said twice": {
			values: values{"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key, "ANKA_USE_HTTPS": "true"},
		},
		"HTTPS, not known yet": {values: values{"ANKA_SERVER_CERT": unknown, "ANKA_SERVER_KEY": unknown}},
		"suites of the newest version": {values: values{
			"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key, "ANKA_CIPHER_SUITES": "tls_aes_128_gcm_sha256", "ANKA_MAX_TLS_VERSION": "tls_1.3",
		}},
		"suites, one of which works": {values: values{
			"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key, "ANKA_MAX_TLS_VERSION": "tls_1.1",
			"ANKA_CIPHER_SUITES": "tls_ecdhe_rsa_with_aes_128_gcm_sha256,tls_ecdhe_rsa_with_aes_128_cbc_sha",
		}},
		"suites, one of which is not known yet": {values: values{
			"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key, "ANKA_MAX_TLS_VERSION": "tls_1.2", "ANKA_CIPHER_SUITES": "tls_aes_128_gcm_sha256," + unknown,
		}},
		"suites, newest version not known yet": {values: values{
			"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key, "ANKA_MAX_TLS_VERSION": unknown, "ANKA_CIPHER_SUITES": "tls_aes_128_gcm_sha256",
		}},
		"suites of TLS 1.3 only, and no TLS 1.3": {
			values: values{
				"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key, "ANKA_MAX_TLS_VERSION": "tls_1.2",
				"ANKA_CIPHER_SUITES": "tls_aes_128_gcm_sha256,tls_chacha20_poly1305_sha256",
			},
			want: []string{`https.cipher_suites: none of these exists in "tls_1.2", the newest version that https.max_tls_version allows: no client could connect`},
		},
		"suites of TLS 1.2 only, and no TLS 1.2": {
			values: values{
				"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key,
				"ANKA_CIPHER_SUITES": "tls_ecdhe_rsa_with_aes_128_gcm_sha256,tls_ecdhe_rsa_with_chacha20_poly1305_sha256,tls_aes_128_gcm_sha256",
			},
			env:  map[string]string{"ANKA_MAX_TLS_VERSION": "tls_1.1"},
			want: []string{`https.cipher_suites: none of these exists in "tls_1.1"`},
		},
		"HTTPS by mounted files": {
			values: values{"ANKA_MIN_TLS_VERSION": "tls_1.2"},
			env:    map[string]string{"ANKA_USE_HTTPS": "1", "ANKA_SERVER_CERT": "/mnt/cert.pem", "ANKA_SERVER_KEY": "/mnt/key.pem"},
		},
		"HTTPS without material": {
			values: values{"ANKA_USE_HTTPS": "true"}, want: []string{"https.enabled: it needs https.server_cert_wo: set that too, or remove https.enabled"},
		},
		"certificate without key": {
			values: values{"ANKA_SERVER_CERT": m.leaf}, want: []string{"https.server_cert_wo: it belongs together with https.server_key_wo"},
		},
		"certificate and switched off": {
			values: values{"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key, "ANKA_USE_HTTPS": "false"},
			want:   []string{"https.enabled: it is false although https.server_cert_wo is given"},
		},
		"certificate and switched off in env": {
			values: values{"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key},
			env:    map[string]string{"ANKA_USE_HTTPS": "false"},
			want: []string{
				"https.server_cert_wo: ANKA_USE_HTTPS is false in the environment, so this is not used",
				"https.server_key_wo: ANKA_USE_HTTPS is false in the environment",
			},
		},
		"key of another certificate": {
			values: values{"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": other.key},
			want:   []string{"https.server_key_wo: it is not the key of the certificate (CN=leaf)"},
		},
		"chain in the wrong order": {
			values: values{"ANKA_SERVER_CERT": m.ca + m.leaf, "ANKA_SERVER_KEY": m.key},
			want:   []string{"https.server_key_wo: it is the key of certificate 2 (CN=leaf)"},
		},
		"TLS versions the wrong way round": {
			values: values{"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key, "ANKA_MIN_TLS_VERSION": "tls_1.3", "ANKA_MAX_TLS_VERSION": "tls_1.2"},
			want:   []string{`https.max_tls_version: "tls_1.2" is older than https.min_tls_version, which is "tls_1.3"`},
		},
		"an unknown TLS version is told once, and does not hide others": {
			values: values{"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": other.key, "ANKA_MIN_TLS_VERSION": "tls_1.2", "ANKA_MAX_TLS_VERSION": "tls_2"},
			want:   []string{`https.max_tls_version: "tls_2" is not allowed`, "https.server_key_wo: it is not the key"},
		},
		"one TLS version": {
			values: values{"ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key, "ANKA_MIN_TLS_VERSION": "tls_1.3", "ANKA_MAX_TLS_VERSION": "tls_1.3"},
		},
		"TLS versions without HTTPS": {
			values: values{"ANKA_MIN_TLS_VERSION": "tls_1.2"},
			want:   []string{"https.min_tls_version: it has no effect without https.enabled = true, which giving https.server_cert_wo or https.server_key_wo turns on"},
		},
		"authentication": {values: values{"ANKA_ENABLE_AUTH": "true"}, env: token},
		"authentication without root token": {
			values: values{"ANKA_ENABLE_AUTH": "true"}, want: []string{"authentication.enabled: it needs root_token_wo"},
		},
		"root token and switched off": {
			values: values{"ANKA_ENABLE_AUTH": "false"}, env: token,
			want: []string{"authentication.enabled: it is false although root_token_wo is given"},
		},
		"client certificates": {
			values: values{"ANKA_CA_CERT": m.ca, "ANKA_CRL": m.crl, "ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key}, env: token,
		},
		"client certificates without root token": {
			values: values{"ANKA_CA_CERT": m.ca, "ANKA_SERVER_CERT": m.leaf, "ANKA_SERVER_KEY": m.key},
			want:   []string{"authentication.ca_cert_wo: it needs root_token_wo"},
		},
		"client certificates without HTTPS": {
			values: values{"ANKA_CA_CERT": m.ca}, env: token,
			want: []string{"authentication.ca_cert_wo: client certificates are only seen over HTTPS: give https.server_cert_wo"},
		},
		"client certificates behind an ingress": {values: values{"ANKA_CA_CERT": m.ca, "ANKA_ENABLE_INGRESS_NGINX": "true"}, env: token},
		"no authority": {
			values: values{"ANKA_CA_CERT": m.leaf, "ANKA_ENABLE_INGRESS_NGINX": "true"}, env: token,
			want: []string{"authentication.ca_cert_wo: it contains no certificate of an authority, only CN=leaf"},
		},
		"revocation list without authority": {
			values: values{"ANKA_CRL": m.crl}, env: token, want: []string{"authentication.crl_wo: it needs authentication.ca_cert_wo"},
		},
		"revocation list of another authority": {
			values: values{"ANKA_CRL": foreign.revoke(t), "ANKA_CA_CERT": m.ca, "ANKA_ENABLE_INGRESS_NGINX": "true"}, env: token,
			want: []string{"authentication.crl_wo: the list of CN=Another root is of none of the authorities in authentication.ca_cert_wo"},
		},
		"revocation list and the authority's former name": {
			values: values{"ANKA_CRL": m.crl}, env: map[string]string{service.RootToken: unknown, "ANKA_ROOT_CERT": "/mnt/ca.pem"},
		},
		"API keys without authentication": {
			values: values{"ANKA_ENABLE_API_KEYS": "true"},
			want:   []string{"authentication.api_keys: it has no effect without authentication.enabled = true, which giving root_token_wo or authentication.ca_cert_wo turns on"},
		},
		"no API keys without authentication": {values: values{"ANKA_ENABLE_API_KEYS": "false"}},
		"sessions without API keys": {
			values: values{"ANKA_API_KEYS_SESSION_TTL": "5m"}, env: token,
			want: []string{"authentication.api_key_session_ttl: it has no effect without authentication.api_keys = true: set that too"},
		},
		"sessions, API keys not known yet": {values: values{"ANKA_API_KEYS_SESSION_TTL": "5m", "ANKA_ENABLE_API_KEYS": unknown}},
		"resources without authorization": {
			values: values{"ANKA_ENABLE_RESOURCE_MANAGEMENT": "true"}, env: token,
			want: []string{"authentication.resource_management: it has no effect without authentication.authorization = true"},
		},
		"OIDC": {values: values{"ANKA_OIDC_CLIENT_ID": "a", "ANKA_OIDC_PROVIDER_URL": "https://a.example.com"}, env: token},
		"OIDC without provider": {
			values: values{"ANKA_OIDC_CLIENT_ID": "a", "ANKA_OIDC_CLIENT_SECRET": "canary"}, env: token,
			want: []string{
				"authentication.oidc_client_id: it needs authentication.oidc_provider_url",
				"authentication.oidc_client_secret_wo: it needs authentication.oidc_provider_url",
			},
		},
		"OIDC without authentication": {
			values: values{"ANKA_OIDC_CLIENT_ID": "a", "ANKA_OIDC_PROVIDER_URL": "https://a.example.com"},
			want: []string{
				"authentication.oidc_provider_url: it has no effect without authentication.enabled = true",
				"authentication.oidc_client_id: it has no effect without authentication.enabled = true",
			},
		},
		"etcd login": {values: values{"ANKA_ETCD_USERNAME": "a", "ANKA_ETCD_PASSWORD": "canary"}},
		"etcd login without password": {
			values: values{"ANKA_ETCD_USERNAME": "a"}, want: []string{"etcd_client.username: it needs etcd_client.password_wo"},
		},
		"etcd login without username": {
			values: values{"ANKA_ETCD_PASSWORD": "canary"}, want: []string{"etcd_client.password_wo: it needs etcd_client.username"},
		},
		"etcd login switched on alone": {
			values: values{"ANKA_USE_ETCD_LOGIN": "true"}, want: []string{"etcd_client.login: it needs etcd_client.username"},
		},
		"etcd TLS by a mounted key": {
			values: values{"ANKA_ETCD_CERT": m.leaf}, env: map[string]string{"ANKA_ETCD_CERT_KEY": "/mnt/key.pem"},
		},
		"etcd TLS not verified without TLS": {
			values: values{"ANKA_SKIP_ETCD_TLS_VERIFICATION": "true"},
			want:   []string{"etcd_client.skip_tls_verification: it has no effect without etcd_client.tls = true"},
		},
		"events without logging": {
			values: values{"ANKA_EVENT_LOG_URL": "https://a.example.com"},
			want:   []string{"logging.event_log_url: it has no effect without logging.event_logging = true: set that too, or remove logging.event_log_url"},
		},
		"queue": {
			values: values{"ANKA_QUEUE_ADDR": ":8090", "ANKA_QUEUE_SERVER_CERT": m.leaf, "ANKA_QUEUE_SERVER_KEY": m.key, "ANKA_QUEUE_CA_CERT": m.ca},
		},
		"queue authentication without TLS": {
			values: values{"ANKA_QUEUE_ADDR": ":8090", "ANKA_QUEUE_CA_CERT": m.ca},
			want:   []string{"queue.ca_cert_wo: it has no effect without queue.tls = true, which giving queue.server_cert_wo"},
		},
		"queue authentication alone": {
			values: values{"ANKA_QUEUE_ADDR": ":8090", "ANKA_ENABLE_QUEUE_AUTH": "true"},
			want:   []string{"queue.authentication: it has no effect without queue.tls = true"},
		},
		"queue without address": {
			values: values{"ANKA_QUEUE_SERVER_CERT": m.leaf, "ANKA_QUEUE_SERVER_KEY": m.key},
			want:   []string{"queue.server_cert_wo: it needs queue.address", "queue.server_key_wo: it needs queue.address"},
		},
		"MAC addresses without management": {
			values: values{"ANKA_MAC_ADDR_RANGE": "02:00:00:00:00:00-02:00:00:00:00:ff"},
			want:   []string{"general.mac_address_range: it has no effect without general.manage_mac_addresses = true"},
		},
		"metrics and queue on one port": {
			values: values{"ANKA_QUEUE_ADDR": ":2113", "ANKA_ENABLE_METRICS": "true", "ANKA_METRICS_PORT": "2113"},
			want:   []string{"monitoring.port: port 2113 is that of queue.address"},
		},
		"queue on the default port of metrics": {
			values: values{"ANKA_QUEUE_ADDR": ":2112", "ANKA_ENABLE_METRICS": "true"},
			want:   []string{"queue.address: port 2112 is that of monitoring.port"},
		},
		"queue on the port of no metrics": {values: values{"ANKA_QUEUE_ADDR": ":2112"}},
		"metrics on the service's port": {
			values: values{"ANKA_ENABLE_METRICS": "true", "ANKA_METRICS_PORT": "80"},
			want:   []string{"monitoring.port: port 80 is where the service itself listens"},
		},
		"metrics port that may turn out to be none": {values: values{"ANKA_METRICS_PORT": unknown}},
		"metrics port without metrics": {
			values: values{"ANKA_METRICS_PORT": "2113"}, want: []string{"monitoring.port: it has no effect without monitoring.enabled = true"},
		},
	} {
		var got []string
		for _, p := range controller.Table.Check(c.values, c.env, certificates.Reader{}) {
			got = append(got, p.Setting.Path()+": "+p.Err.Error())
			if _, given := c.values[p.Setting.Env]; !given {
				t.Errorf("%s: told at %s, which is not in the configuration", name, p.Setting.Path())
			}
		}
		fits := slices.EqualFunc(got, c.want, strings.HasPrefix)
		if !fits || strings.Contains(strings.Join(got, ""), "canary") {
			t.Errorf("%s: got\n\t%s\nwant\n\t%s", name, strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
		}
	}
}

func TestTooNew(t *testing.T) {
	values := service.Values{"ANKA_CRL": unknown, "ANKA_V": "5", "ANKA_BATCH_TASK_COUNT": "4", "ANKA_OIDC_USER_INFO": "false"}
	for version, want := range map[string][]string{
		"1.50.1": nil, "v1.50.1-5e3c3f5b": nil, "latest": nil, "": nil, "1.32.0": nil, "2.0.0": nil,
		"1.31.1": {"ANKA_CRL"}, "1.22.0": {"ANKA_BATCH_TASK_COUNT", "ANKA_CRL"}, "v1.9.0": {"ANKA_BATCH_TASK_COUNT", "ANKA_CRL"},
	} {
		found := map[string]string{}
		for _, p := range controller.Table.TooNew(values, version) {
			found[p.Setting.Env] = p.Err.Error()
		}
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", version, got, want)
		}
		if text := found["ANKA_CRL"]; text != "" && !strings.Contains(text, "which came with 1.32.0") {
			t.Errorf("%s: %s", version, text)
		}
	}
}
