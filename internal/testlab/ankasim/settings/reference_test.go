package settings

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// nonsense is a value of no kind but text.
const nonsense = "no such value"

// texts are the variables of each role that take any text: paths, names,
// secrets, and what belongs to the built-in etcd and registry.
var texts = map[string]string{
	"controller": `LOG_DIR SERVER_CERT SERVER_KEY ROOT_TOKEN CA_CERT ROOT_CERT CRL OIDC_CLIENT_ID OIDC_CLIENT_SECRET
		OIDC_DISPLAY_NAME OIDC_SCOPES OIDC_USERNAME_CLAIM OIDC_GROUPS_CLAIM ANKA_REGISTRY LOCAL_ANKA_REGISTRY ETCD_ENDPOINTS
		ETCD_CA_CERT ETCD_CERT ETCD_CERT_KEY ETCD_USERNAME ETCD_PASSWORD QUEUE_SERVER_CERT QUEUE_SERVER_KEY QUEUE_CA_CERT
		QUEUE_CRL ADVERTISE_CLIENT_URLS AUTO_COMPACTION_MODE AUTO_COMPACTION_RETENTION DATA_DIR INITIAL_ADVERTISE_PEER_URLS
		INITIAL_CLUSTER INITIAL_CLUSTER_STATE INITIAL_CLUSTER_TOKEN LISTEN_CLIENT_URLS LISTEN_PEER_URLS NAME
		QUEUE_ETCD_ENDPOINTS REGISTRY_BASE_PATH REGISTRY_LISTEN_ADDRESS`,
	"registry": `LOG_DIR SERVER_CERT SERVER_KEY ROOT_TOKEN CA_CERT ROOT_CERT CRL OIDC_CLIENT_ID OIDC_CLIENT_SECRET
		OIDC_DISPLAY_NAME OIDC_SCOPES OIDC_USERNAME_CLAIM OIDC_GROUPS_CLAIM BASE_PATH IMAGE_DIR_PATH STATE_FILE_DIR_PATH
		VM_DIR_PATH FILES_DIR LOGS_DIR LOG_SERVER_ADDR BACKEND_S3_BUCKET`,
}

func TestRead_refusesWhatIsNoValueOfItsKind(t *testing.T) {
	for role, test := range map[string]struct {
		references []map[string]kind
		read       func(Environment) error
	}{
		"controller": {[]map[string]kind{common, onlyController}, func(e Environment) error { _, err := ReadController(e); return err }},
		"registry":   {[]map[string]kind{common, onlyRegistry}, func(e Environment) error { _, err := ReadRegistry(e); return err }},
	} {
		var names []string
		for _, reference := range test.references {
			names = slices.AppendSeq(names, maps.Keys(reference))
		}
		for _, short := range names {
			name := "ANKA_" + short
			err := test.read(Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true", name: nonsense})
			refused := err != nil && strings.Contains(err.Error(), name+": ") && strings.Contains(err.Error(), nonsense)
			if isText := slices.Contains(strings.Fields(texts[role]), short); refused == isText {
				t.Errorf("%s of the %s: %v", name, role, err)
			}
		}
	}
}

func TestKinds(t *testing.T) {
	for name, test := range map[string]struct {
		of   kind
		good []string
		bad  []string
	}{
		"flag":     {flag, []string{"true", "false"}, []string{"1", "yes", "True"}},
		"duration": {duration, []string{"15s", "0", "1h0m0s"}, []string{"15", "-1s", "1d"}},
		"whole":    {whole(1, 40), []string{"1", "40"}, []string{"0", "41", "1.5", ""}},
		"count":    {count, []string{"0", "700"}, []string{"-1", "7 MB"}},
		"port":     {port, []string{"1", "65535"}, []string{"0", "65536"}},
		"fraction": {fraction, []string{"0", "0.75"}, []string{"-0.1", "75%"}},
		"address":  {address, []string{":80", "0.0.0.0:8089", "[::1]:80"}, []string{"80", "host", ":0", "::1:80", ":http"}},
		"url":      {webURL, []string{"http://10.0.1.4:8089", "https://id.example.com/x"}, []string{"10.0.1.4:8089", "ftp://a", "http://"}},
		"path":     {absolutePath, []string{"/metrics"}, []string{"metrics"}},
		"range": {
			macRange,
			[]string{"00:00:00:00:00:00-FF:FF:FF:FF:FF:FF", "0a:00:00:00:00:01-0A:00:00:00:00:01"},
			[]string{"00:00:00:00:00:00", "00:00:00:00:00-FF:FF:FF:FF:FF", "FF:00:00:00:00:00-00:00:00:00:00:00", "0g:00:00:00:00:00-FF:FF:FF:FF:FF:FF"},
		},
		"modules": {modules, []string{"0", "queue=5", "a/*=1,b=2"}, []string{"1", "queue", "queue=x"}},
		"suites": {
			listOf(cipherSuite),
			[]string{strings.Join(documentedSuites, ","), "tls_aes_128_gcm_sha256, tls_aes_256_gcm_sha384"},
			[]string{"TLS_AES_128_GCM_SHA256", "tls_rsa_with_rc4_128_sha", "tls_aes_128_gcm_sha256,rot13"},
		},
	} {
		for _, value := range test.good {
			if err := test.of(value); err != nil {
				t.Errorf("%s: %q is refused: %v", name, value, err)
			}
		}
		for _, value := range test.bad {
			if err := test.of(value); err == nil {
				t.Errorf("%s: %q is accepted", name, value)
			}
		}
	}
}

func TestRead_unknownNames(t *testing.T) {
	c, err := ReadController(Environment{
		"ANKA_ALLOW_EMPTY_REGISTRY": "true", "ANKA_REGISTRY_ADDR": "http://a:8089", "ANKA_BASE_PATH": "/mnt/vol",
		"ANKA_V": "5", "ANKASIM_LICENSE": "basic", "ANKA_ENABLE_METRICS": "",
	})
	if got := strings.Join(c.Server.Unknown, " "); err != nil || got != "ANKA_BASE_PATH ANKA_REGISTRY_ADDR" {
		t.Errorf("controller: %q %v", got, err)
	}
	g, err := ReadRegistry(Environment{"ANKA_BASE_PATH": "/mnt/vol", "ANKA_ETCD_ENDPOINTS": "a"})
	if got := strings.Join(g.Server.Unknown, " "); err != nil || got != "ANKA_ETCD_ENDPOINTS" {
		t.Errorf("registry: %q %v", got, err)
	}
}

func TestRead_whatGoesTogether(t *testing.T) {
	for name, test := range map[string]struct {
		env  Environment
		want []string
	}{
		"client without provider":   {Environment{"ANKA_OIDC_CLIENT_ID": "anka"}, []string{"ANKA_OIDC_PROVIDER_URL", "ANKA_OIDC_CLIENT_SECRET"}},
		"provider without client":   {Environment{"ANKA_OIDC_PROVIDER_URL": "https://id"}, []string{"ANKA_OIDC_CLIENT_ID"}},
		"queue TLS without pair":    {Environment{"ANKA_USE_QUEUE_TLS": "true"}, []string{"ANKA_QUEUE_SERVER_CERT", "ANKA_QUEUE_SERVER_KEY"}},
		"resources without ability": {Environment{"ANKA_ENABLE_RESOURCE_MANAGEMENT": "true"}, []string{"ANKA_ENABLE_RESOURCE_MANAGEMENT"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.env["ANKA_ALLOW_EMPTY_REGISTRY"] = "true"
			_, err := ReadController(test.env)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want+": ") {
					t.Errorf("got %v, want %s", err, want)
				}
			}
		})
	}
	whole, err := ReadController(Environment{
		"ANKA_ALLOW_EMPTY_REGISTRY": "true", "ANKA_OIDC_CLIENT_ID": "anka", "ANKA_OIDC_CLIENT_SECRET": "s",
		"ANKA_OIDC_PROVIDER_URL": "https://id", "ANKA_ENABLE_RESOURCE_MANAGEMENT": "true",
		"ANKA_ENABLE_CONTROLLER_AUTHORIZATION": "true", "ANKA_QUEUE_ADDR": ":8100", "ANKA_USE_QUEUE_TLS": "true",
		"ANKA_QUEUE_SERVER_CERT": "/c", "ANKA_QUEUE_SERVER_KEY": "/k", "ANKA_ENABLE_QUEUE_AUTH": "true",
		"ANKA_QUEUE_CA_CERT": "/a", "ANKA_QUEUE_CRL": "/r", "ANKA_MIN_TLS_VERSION": "tls_1.2",
	})
	if err != nil || whole.OIDC.UsernameClaim != "name" || whole.OIDC.GroupsClaim != "groups" {
		t.Errorf("%+v %v", whole.OIDC, err)
	}
	if q := whole.Queue; q.Addr != ":8100" || !q.TLS.Enabled || q.TLS.CertPath != "/c" || q.TLS.KeyPath != "/k" ||
		q.TLS.MinVersion != "tls_1.2" || !q.Auth.Enabled || q.Auth.Variable("CRL") != "ANKA_QUEUE_CRL" ||
		q.Auth.CACertPath != "/a" || q.Auth.CRLPath != "/r" {
		t.Errorf("queue: %+v", q)
	}
	if whole.Server.TLS.Enabled || whole.Server.Auth.Enabled {
		t.Errorf("the queue's settings reach the server: %+v", whole.Server)
	}
}

func TestFaults_only(t *testing.T) {
	all := Faults{Version: "v", License: "l", NeverReady: true, Exit: true}
	none := Faults{Version: "v", License: "l"}
	there := func(path string) bool { return path == "/here" }
	for name, test := range map[string]struct {
		host, file, registry string
		want                 bool
	}{
		"everywhere":         {"", "", "http://10.0.1.4:8089", true},
		"this host":          {"10.0.1.4", "", "http://10.0.1.4:8089", true},
		"another host":       {"10.0.1.5", "", "http://10.0.1.4:8089", false},
		"no registry":        {"10.0.1.4", "", "", false},
		"file is there":      {"", "/here", "", true},
		"file is not there":  {"", "/gone", "", false},
		"host without file":  {"10.0.1.4", "/gone", "http://10.0.1.4:8089", false},
		"file, another host": {"10.0.1.5", "/here", "http://10.0.1.4:8089", false},
	} {
		f, want := all, none
		f.Host, f.File = test.host, test.file
		if test.want {
			want = f
		}
		if got := f.Only(test.registry, there); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
