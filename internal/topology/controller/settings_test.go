package controller_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// variables are those of the vendor's configuration reference for 1.50, without
// the built-in etcd's.
const variables = `
ANKA_REGISTRY LOCAL_ANKA_REGISTRY PUSH_REGISTRY ALLOW_EMPTY_REGISTRY ETCD_ENDPOINTS LISTEN_ADDR
CLEAN_MAC_ADDRESS_INTERVAL FILL_MAC_ADDRESS_RANGE_INTERVAL MANAGE_MAC_ADDRESSES MAC_ADDR_RANGE
MAC_ADDR_RANGE_MAX_RETRIES DEFRAG_DB_INTERVAL INSTANCE_TIME_OUT NUM_WORKERS NO_NODE_UPGRADES ALLOW_CORS VRAMTHRESHOLD
V LOG_DIR LOG_MAX_DAYS LOG_MAX_MB CMD_LOG_MAX_DAYS ERROR_LOG_MAX_DAYS INFO_LOG_MAX_DAYS CMD_LOG_MAX_MB
ERROR_LOG_MAX_MB INFO_LOG_MAX_MB ENABLE_CENTRAL_LOGGING ENABLE_EVENT_LOGGING EVENT_LOG_URL
USE_HTTPS SERVER_CERT SERVER_KEY SKIP_TLS_VERIFICATION MIN_TLS_VERSION MAX_TLS_VERSION CIPHER_SUITES
ENABLE_AUTH ROOT_TOKEN CA_CERT ROOT_CERT CRL ENABLE_API_KEYS API_KEYS_SESSION_TTL API_KEYS_CLEANING_INTERVAL
ENABLE_CONTROLLER_AUTHORIZATION ENABLE_RESOURCE_MANAGEMENT ENABLE_INGRESS_NGINX OIDC_CLIENT_ID OIDC_CLIENT_SECRET
OIDC_DISPLAY_NAME OIDC_PROVIDER_URL OIDC_SCOPES OIDC_USERNAME_CLAIM OIDC_USER_INFO OIDC_GROUPS_CLAIM
USE_ETCD_TLS ETCD_CA_CERT ETCD_CERT ETCD_CERT_KEY SKIP_ETCD_TLS_VERIFICATION USE_ETCD_LOGIN ETCD_USERNAME ETCD_PASSWORD
ETCD_REQUEST_TIMEOUT
QUEUE_ADDR USE_QUEUE_TLS ENABLE_QUEUE_AUTH QUEUE_SERVER_CERT QUEUE_SERVER_KEY QUEUE_CA_CERT QUEUE_CRL CLEAN_QUEUES_INTERVAL
BATCH_TASK_COUNT DIAL_TIMEOUT REQUEST_TIMEOUT TLS_HANDSHAKE_TIMEOUT GRACEFUL_SHUTDOWN_TIMEOUT INSTANCE_ACTIVE_TIMEOUT
NODE_ACTIVE_TIMEOUT MAX_IDLE_CONNECTION_PER_HOST NUM_HTTP_RETRIES QUERY_TASK_TIMEOUT RESERVE_TASK_TIMEOUT
SCHEDULER_INTERVAL UNKNOWN_VM_THRESHOLD
ENABLE_METRICS METRICS_PATH METRICS_PORT`

func TestTable_coversTheReference(t *testing.T) {
	missing := map[string]bool{}
	for name := range strings.FieldsSeq(variables) {
		name = "ANKA_" + name
		_, row := controller.Table.Lookup(name)
		_, wired := controller.Wired[name]
		if row == wired {
			t.Errorf("%s: has a row %t, is wired %t", name, row, wired)
		}
		if _, known := controller.Options.Lookup(name); !known {
			t.Errorf("%s is not known", name)
		}
		missing[name] = true
	}
	for _, s := range controller.Table {
		if !missing[s.Env] {
			t.Errorf("%s is not in the reference", s.Env)
		}
	}
	seen := map[string]bool{}
	for _, option := range controller.Options {
		if seen[option.Name] {
			t.Errorf("%s is known twice", option.Name)
		}
		seen[option.Name] = true
	}
}

func TestDesired_localRegistry(t *testing.T) {
	s := settings()
	s.LocalRegistryURLs = map[string]string{"h2": "http://registry:8089"}
	desired, err := s.Desired(replicas)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "http://registry:8089"} {
		if got := desired.Replicas[i].Spec.Env[controller.LocalRegistry]; got != want {
			t.Errorf("%s: got %q", desired.Replicas[i].Host, got)
		}
	}
}

func TestCheckEndpoints(t *testing.T) {
	plain, secure := []string{"https://10.0.1.4:2379", "http://10.0.1.5:2379"}, []string{"https://10.0.1.4:2379"}
	for name, c := range map[string]struct {
		values    service.Values
		endpoints []string
		want      string
	}{
		"no TLS":              {nil, plain, ""},
		"TLS":                 {service.Values{"ANKA_USE_ETCD_TLS": "true"}, secure, ""},
		"TLS, not known yet":  {service.Values{"ANKA_USE_ETCD_TLS": "true"}, nil, ""},
		"TLS and http":        {service.Values{"ANKA_USE_ETCD_TLS": "true"}, plain, "etcd_client.tls: it asks for TLS, and the etcd endpoint http://10.0.1.5:2379"},
		"authority and http":  {service.Values{"ANKA_ETCD_CA_CERT": service.Unknown}, plain, "etcd_client.ca_cert_wo: it asks for TLS"},
		"off, and http":       {service.Values{"ANKA_USE_ETCD_TLS": "false"}, plain, ""},
		"authority and off":   {service.Values{"ANKA_USE_ETCD_TLS": "false", "ANKA_ETCD_CA_CERT": "pem"}, plain, ""},
		"login without TLS":   {service.Values{"ANKA_ETCD_USERNAME": "a"}, plain, ""},
		"TLS may be, or not":  {service.Values{"ANKA_USE_ETCD_TLS": service.Unknown}, plain, ""},
		"TLS, said otherwise": {service.Values{"ANKA_ETCD_CERT": "pem"}, plain, "etcd_client.client_cert_wo: "},
	} {
		got := ""
		for _, p := range controller.CheckEndpoints(c.values, c.endpoints) {
			got += p.Setting.Path() + ": " + p.Err.Error()
		}
		if !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
