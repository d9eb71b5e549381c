package service_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/certificates"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// samples are a good and a bad value of every row whose kind does not tell
// them, see sample.
var samples = map[string][2]string{
	"ANKA_V":                            {"10", "11"},
	"ANKA_LOG_DIR":                      {"/var/log/anka", "var/log"},
	"ANKA_LOG_MAX_DAYS":                 {"14", "-1"},
	"ANKA_LOG_MAX_MB":                   {"1GB", "1024"},
	"ANKA_CMD_LOG_MAX_DAYS":             {"3", "three"},
	"ANKA_CMD_LOG_MAX_MB":               {"0MB", "1KB"},
	"ANKA_ERROR_LOG_MAX_DAYS":           {"0", "-1"},
	"ANKA_ERROR_LOG_MAX_MB":             {"100MB", "100M"},
	"ANKA_INFO_LOG_MAX_DAYS":            {"1", "1.5"},
	"ANKA_INFO_LOG_MAX_MB":              {"10MB", "-10MB"},
	"ANKA_EVENT_LOG_URL":                {"https://events.example.com/?source=anka", "events.example.com"},
	"ANKA_MIN_TLS_VERSION":              {"tls_1.2", "1.2"},
	"ANKA_MAX_TLS_VERSION":              {"tls_1.3", "tls_1.4"},
	"ANKA_CIPHER_SUITES":                {"tls_aes_256_gcm_sha384,tls_aes_128_gcm_sha256", "tls_null"},
	"ANKA_METRICS_PATH":                 {"/custom", "metrics"},
	"ANKA_METRICS_PORT":                 {"2113", "65536"},
	"ANKA_VRAMTHRESHOLD":                {"0.5", "half"},
	"ANKA_MAC_ADDR_RANGE":               {"02:00:00:00:00:00-02:00:00:00:ff:ff", "00:00:00:00:00:00-FF:FF:FF:FF:FF:FF"},
	"ANKA_MAC_ADDR_RANGE_MAX_RETRIES":   {"50", "-1"},
	"ANKA_OIDC_PROVIDER_URL":            {"https://tenant.example.com/", "https://user:secret@tenant.example.com"},
	"ANKA_OIDC_CLIENT_ID":               {"0oa1", "0oa1\n"},
	"ANKA_OIDC_CLIENT_SECRET":           {"canary-secret", "canary-secret\n"},
	"ANKA_OIDC_DISPLAY_NAME":            {"Our login", " Our login"},
	"ANKA_OIDC_SCOPES":                  {"openid,profile", "openid profile"},
	"ANKA_OIDC_USERNAME_CLAIM":          {"email", "e\tmail"},
	"ANKA_OIDC_GROUPS_CLAIM":            {"roles", " roles"},
	"ANKA_ETCD_USERNAME":                {"anka", "anka\n"},
	"ANKA_ETCD_PASSWORD":                {"canary-password", "canary-password\n"},
	"ANKA_QUEUE_ADDR":                   {":8090", ":80"},
	"ANKA_NUM_WORKERS":                  {"4", "0"},
	"ANKA_BATCH_TASK_COUNT":             {"40", "41"},
	"ANKA_MAX_IDLE_CONNECTION_PER_HOST": {"10", "-1"},
	"ANKA_NUM_HTTP_RETRIES":             {"3", "-1"},
	"ANKA_UNKNOWN_VM_THRESHOLD":         {"10", "0"},
	"ANKA_IMAGE_DIR_PATH":               {"images", "images\n"},
	"ANKA_STATE_FILE_DIR_PATH":          {"states", " states"},
	"ANKA_VM_DIR_PATH":                  {"vms", "v\x00ms"},
	"ANKA_VMODULE":                      {"upload=5,auth=2", "upload"},
	"ANKA_FILES_DIR":                    {"/extra", "extra"},
	"ANKA_LOGS_DIR":                     {"/logs", "/../logs"},
	"ANKA_LOG_SERVER_ADDR":              {"http://10.0.1.4:8089", "http://10.0.1.4:8089/"},
	"ANKA_LOG_SERVER_BACKEND_TYPE":      {"disk", "tape"},
	"ANKA_KEEP_LOGS_FOR":                {"30", "-30"},
	"ANKA_MAX_LOG_SIZE":                 {"512MB", "512"},
	"ANKA_VM_LIST_CONCURRENCY":          {"20", "0"},

	"ANKA_BACKEND_S3_BUCKET":                                 {"templates", "templates\n"},
	"ANKA_BACKEND_S3_UPLOAD_CONCURRENCY":                     {"8", "0"},
	"ANKA_BACKEND_S3_UPLOAD_PART_SIZE":                       {"500MB", "4MB"},
	"ANKA_BACKEND_S3_DOWNLOAD_BUFFER_SIZE":                   {"4KB", "4095B"},
	"ANKA_BACKEND_S3_ABORT_INCOMPLETE_MULTIPART_UPLOAD_DAYS": {"0", "-1"},

	"ANKA_API_KEYS_SESSION_TTL":            {"90s", "500ms"},
	"ANKA_API_KEYS_CLEANING_INTERVAL":      {"90s", "0s"},
	"ANKA_INSTANCE_TIME_OUT":               {"90s", "1ms"},
	"ANKA_CLEAN_MAC_ADDRESS_INTERVAL":      {"90s", "0s"},
	"ANKA_FILL_MAC_ADDRESS_RANGE_INTERVAL": {"90s", "90"},
	"ANKA_ETCD_REQUEST_TIMEOUT":            {"90s", "0s"},
	"ANKA_DEFRAG_DB_INTERVAL":              {"90s", "-1s"},
	"ANKA_CLEAN_QUEUES_INTERVAL":           {"90s", "90"},
	"ANKA_DIAL_TIMEOUT":                    {"90s", "0s"},
	"ANKA_REQUEST_TIMEOUT":                 {"90s", "1ns"},
	"ANKA_TLS_HANDSHAKE_TIMEOUT":           {"90s", "99ms"},
	"ANKA_GRACEFUL_SHUTDOWN_TIMEOUT":       {"90s", "876000h"},
	"ANKA_INSTANCE_ACTIVE_TIMEOUT":         {"90s", "0s"},
	"ANKA_NODE_ACTIVE_TIMEOUT":             {"90s", "876000h"},
	"ANKA_QUERY_TASK_TIMEOUT":              {"90s", "0s"},
	"ANKA_RESERVE_TASK_TIMEOUT":            {"90s", "25h"},
	"ANKA_SCHEDULER_INTERVAL":              {"90s", "0s"},
	"ANKA_VM_LIST_CACHE_TTL":               {"90s", "0s"},

	"AWS_ENDPOINT_URL":      {"https://minio.example.com:9000", "minio.example.com:9000"},
	"AWS_REGION":            {"eu-central-1", "eu-central-1\n"},
	"AWS_ACCESS_KEY_ID":     {"AKIAEXAMPLE", " AKIAEXAMPLE"},
	"AWS_SECRET_ACCESS_KEY": {"canary-key", "canary-key\n"},
}

// material is PEM text that belongs together.
type material struct{ ca, crl, leaf, key string }

func newMaterial(t testing.TB) material {
	t.Helper()
	ca, key := newAuthority(t, "Root"), newKey(t)
	return material{ca.text, ca.revoke(t), ca.issue(t, "leaf", key.Public()), pkcs8(t, key)}
}

// sample is a good and a bad value of a row.
func (m material) sample(t testing.TB, s service.Setting) (good, bad string) {
	t.Helper()
	switch s.Kind {
	case service.KindBool:
		return "true", "yes"
	case service.KindPrivateKey:
		return m.key, m.leaf
	case service.KindCRL:
		return m.crl, m.ca
	case service.KindCertificate:
		if strings.HasSuffix(s.Attribute, "ca_cert") {
			return m.ca, m.key
		}
		return m.leaf, m.key
	}
	pair, exists := samples[s.Env]
	if !exists {
		t.Fatalf("%s has no samples: add a good and a bad value", s.Env)
	}
	return pair[0], pair[1]
}

var tables = map[string]service.Table{"controller": controller.Table, "registry": registry.Table}

func TestTables_everyRowTakesTheGoodAndRefusesTheBad(t *testing.T) {
	m := newMaterial(t)
	unused := maps.Clone(samples)
	for name, table := range tables {
		good := service.Values{}
		for _, s := range table {
			value, bad := m.sample(t, s)
			good[s.Env] = value
			delete(unused, s.Env)
			if err := s.CheckValue(value, certificates.Reader{}); err != nil {
				t.Errorf("%s %s: %q was refused: %v", name, s.Env, value, err)
			}
			err := s.CheckValue(bad, certificates.Reader{})
			if err == nil {
				t.Errorf("%s %s: %q was taken", name, s.Env, bad)
				continue
			}
			if s.WriteOnly() && strings.Contains(err.Error(), strings.TrimSpace(bad)) {
				t.Errorf("%s %s: the error shows the value: %v", name, s.Env, err)
			}
			found := table.Check(service.Values{s.Env: bad}, nil, certificates.Reader{})
			if len(found) == 0 || found[0].Setting.Env != s.Env || found[0].Err.Error() != err.Error() {
				t.Errorf("%s %s: Check found %v", name, s.Env, found)
			}
		}
		for _, p := range table.Check(good, map[string]string{service.RootToken: service.Unknown}, certificates.Reader{}) {
			t.Errorf("%s: all good values at once: %s: %v", name, p.Setting.Path(), p.Err)
		}
	}
	for env := range unused {
		t.Errorf("%s is sampled and in no table", env)
	}
}

func TestTables_everythingAtOnceIsRendered(t *testing.T) {
	m := newMaterial(t)
	for name, table := range tables {
		plain, secrets := service.Values{}, service.Values{}
		var given []string
		for _, s := range table {
			value, _ := m.sample(t, s)
			if s.WriteOnly() {
				secrets[s.Env], given = value, append(given, s.Env)
			} else {
				plain[s.Env] = value
			}
		}
		env := table.Render(plain, given)
		secretEnv, files := table.Secrets(secrets)
		contents := map[string]string{}
		for _, f := range files {
			contents[f.Path] = string(f.Content)
			if f.Mode != 0o600 || !f.Secret {
				t.Errorf("%s: %s has mode %o, secret %t", name, f.Path, f.Mode, f.Secret)
			}
		}
		for _, s := range table {
			good, _ := m.sample(t, s)
			got := env[s.Env]
			switch {
			case s.Kind.PEM():
				if !strings.HasPrefix(got, "/etc/anka/") || contents[got] != good {
					t.Errorf("%s: %s is %q, with the content %q", name, s.Env, got, contents[got])
				}
				delete(contents, got)
			case s.Secret:
				if got != "" || secretEnv[s.Env] != good {
					t.Errorf("%s: %s is %q plain and %q secret", name, s.Env, got, secretEnv[s.Env])
				}
				delete(secretEnv, s.Env)
			case s.Kind == service.KindDuration:
				if got != "1m30s" {
					t.Errorf("%s: %s is %q", name, s.Env, got)
				}
			case s.Kind == service.KindSize:
				if want := map[string]string{"1GB": "1024", "0MB": "0", "100MB": "100", "10MB": "10", "512MB": "512", "500MB": "524288000", "4KB": "4096"}[good]; got != want {
					t.Errorf("%s: %s is %q for %s", name, s.Env, got, good)
				}
			case got != good:
				t.Errorf("%s: %s is %q, want %q", name, s.Env, got, good)
			}
			delete(env, s.Env)
		}
		if len(env)+len(secretEnv)+len(contents) > 0 {
			t.Errorf("%s: further variables %v, secrets %v or files", name, env, slices.Sorted(maps.Keys(secretEnv)))
		}
	}
}

var (
	attributeName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	versionText   = regexp.MustCompile(`^(\d+\.\d+\.\d+)?$`)
)

func TestTables_rowsAreSound(t *testing.T) {
	for name, table := range tables {
		seen := map[string]bool{}
		once := func(text string) {
			if text != "" && seen[text] {
				t.Errorf("%s: %s twice", name, text)
			}
			seen[text] = true
		}
		for _, s := range table {
			once(s.Env)
			once(s.Path())
			if s.WriteOnly() {
				once(s.Group + "." + s.Attribute)
			}
			if s.Kind.PEM() {
				once(service.FilePath(s))
			}
			for _, alias := range s.Aliases {
				once(alias)
			}
			complain := func(what string) { t.Errorf("%s %s: %s", name, s.Env, what) }
			if !attributeName.MatchString(s.Attribute) || strings.HasSuffix(s.Attribute, "_wo") || strings.HasSuffix(s.Attribute, "_version") && s.WriteOnly() {
				complain("attribute " + s.Attribute)
			}
			if !strings.HasPrefix(s.Env, service.Prefix) && !strings.HasPrefix(s.Env, "AWS_") || !versionText.MatchString(s.Since) {
				complain("name or version")
			}
			if !strings.HasSuffix(s.Description, ".") || strings.Contains(s.Description, "  ") {
				complain("description: " + s.Description)
			}
			if s.Default != "" && !strings.Contains(s.Description, s.Default) {
				complain("the description does not tell the default " + s.Default)
			}
			if s.Default != "" && s.CheckValue(s.Default, certificates.Reader{}) != nil {
				complain("the default is refused")
			}
			if (s.Kind == service.KindEnum) != (len(s.Allowed) > 0) && s.Kind != service.KindList {
				complain("allowed values")
			}
			if s.Kind == service.KindInt && s.Range == nil || (s.Kind == service.KindSize) != (s.Unit > 0) {
				complain("no range or unit")
			}
			// Zero and a century pass where there is no range.
			if s.Kind == service.KindDuration && s.Range == nil && !strings.Contains(s.Description, "`\"0s\"`") {
				complain("no range, and the description does not tell what 0s is")
			}
			if s.Turns != "" {
				if row, is := table.Lookup(s.Turns); !is || row.Kind != service.KindBool {
					complain("turns on no switch")
				}
			}
			for _, needed := range s.Needs {
				if _, is := table.Lookup(needed); !is && needed != service.RootToken {
					complain("needs " + needed + ", which does not exist")
				}
			}
			shared := slices.ContainsFunc(table, func(o service.Setting) bool {
				return o.Group == s.Group && o.Attribute == s.VersionBy && o.WriteOnly() && o.VersionBy == ""
			})
			if s.VersionBy != "" && (!shared || !s.WriteOnly()) {
				complain("version by " + s.VersionBy)
			}
		}
		for _, g := range table.Groups() {
			once(g.Name)
			if g.Description == "" || len(table.InGroup(g.Name)) == 0 {
				t.Errorf("%s: the group %s has no description or rows", name, g.Name)
			}
		}
	}
}
