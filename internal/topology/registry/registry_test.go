package registry_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

func TestDesired(t *testing.T) {
	s := registry.Settings{Settings: service.Settings{Owner: "anka", Image: "i", Authenticated: true}}
	spec := s.Desired([]service.Replica{{Host: "h1", Port: 9000}}).Replicas[0].Spec
	want := map[string]string{"ANKA_LISTEN_ADDR": ":8089", "ANKA_BASE_PATH": "/mnt/vol", "ANKA_ENABLE_AUTH": "true"}
	if !maps.Equal(spec.Env, want) {
		t.Errorf("got %v, want %v", spec.Env, want)
	}
	if got := spec.Ports[0]; got != (container.Port{HostPort: 9000, ContainerPort: 8089}) {
		t.Errorf("got port %+v", got)
	}
}

func TestOptions_tellSecrets(t *testing.T) {
	if token, ok := registry.Options.Lookup("ANKA_ROOT_TOKEN"); !ok || !token.Secret {
		t.Error("ANKA_ROOT_TOKEN is not known as a secret")
	}
}

// variables are those of the vendor's configuration reference for 1.50.
const variables = `
LISTEN_ADDR BASE_PATH IMAGE_DIR_PATH STATE_FILE_DIR_PATH VM_DIR_PATH VM_LIST_CACHE_TTL VM_LIST_CONCURRENCY
GRACEFUL_SHUTDOWN_TIMEOUT
V LOG_DIR LOG_MAX_DAYS LOG_MAX_MB CMD_LOG_MAX_DAYS ERROR_LOG_MAX_DAYS INFO_LOG_MAX_DAYS CMD_LOG_MAX_MB
ERROR_LOG_MAX_MB INFO_LOG_MAX_MB ENABLE_CENTRAL_LOGGING ENABLE_EVENT_LOGGING EVENT_LOG_URL ACCESS_LOGS FILES_DIR
LOGS_DIR KEEP_LOGS_FOR LOG_SERVER_ADDR LOG_SERVER_BACKEND_TYPE MAX_LOG_SIZE ROTATE_LOG_FILES_AT_MAX_FILE_SIZE
ROTATE_LOG_FILES_END_OF_DAY VMODULE
USE_HTTPS SERVER_CERT SERVER_KEY SKIP_TLS_VERIFICATION MIN_TLS_VERSION MAX_TLS_VERSION CIPHER_SUITES
ENABLE_AUTH ROOT_TOKEN CA_CERT ROOT_CERT CRL ENABLE_AUTHORIZATION ENABLE_RESOURCE_MANAGEMENT ENABLE_API_KEYS
API_KEYS_SESSION_TTL API_KEYS_CLEANING_INTERVAL ENABLE_INGRESS_NGINX
BACKEND_TYPE BACKEND_S3_BUCKET BACKEND_S3_ABORT_INCOMPLETE_MULTIPART_UPLOAD_DAYS BACKEND_S3_DOWNLOAD_BUFFER_SIZE
BACKEND_S3_LOG_REQUESTS BACKEND_S3_SKIP_TLS_VERIFICATION BACKEND_S3_UPLOAD_CONCURRENCY
BACKEND_S3_UPLOAD_PART_SIZE BACKEND_S3_USE_PATH_STYLE
ENABLE_METRICS METRICS_PATH METRICS_PORT`

// withoutRow are known and neither rows nor wired: what the registry inherits
// from the controller's program.
func withoutRow(name string) bool {
	return name == "ANKA_ENABLE_EVENT_LOGGING" || name == "ANKA_EVENT_LOG_URL"
}

func TestTable_coversTheReference(t *testing.T) {
	reference := map[string]bool{}
	for name := range strings.FieldsSeq(variables) {
		name = "ANKA_" + name
		reference[name] = true
		ways := 0
		if _, row := registry.Table.Lookup(name); row {
			ways++
		}
		if _, wired := registry.Wired[name]; wired {
			ways++
		}
		if withoutRow(name) {
			ways++
		}
		if _, known := registry.Options.Lookup(name); !known || ways != 1 {
			t.Errorf("%s: known %t, set in %d ways", name, known, ways)
		}
	}
	seen := map[string]bool{}
	for _, option := range registry.Options {
		if strings.HasPrefix(option.Name, "AWS_") {
			continue // of the library that speaks to object stores
		}
		if seen[option.Name] || !reference[option.Name] {
			t.Errorf("%s is known twice, or not in the reference", option.Name)
		}
		seen[option.Name] = true
	}
}
