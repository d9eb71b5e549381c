package settings

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReadController_documentedDefaults(t *testing.T) {
	c, err := ReadController(Environment{"ANKA_ANKA_REGISTRY": "http://10.0.1.4:8089"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.ListenAddr != ":80" || c.Server.GracefulShutdown != 10*time.Second || c.Server.Auth.Enabled ||
		c.Server.TLS.Enabled || c.Server.Metrics != (Metrics{Path: "/metrics", Port: 2112}) {
		t.Errorf("server: %+v", c.Server)
	}
	if len(c.Etcd.Endpoints) != 1 || c.Etcd.Endpoints[0] != "127.0.0.1:2379" || c.Etcd.RequestTimeout != 20*time.Second {
		t.Errorf("etcd: %+v", c.Etcd)
	}
	if c.DialTimeout != 5*time.Second || c.RequestTimeout != 15*time.Second || c.NodeActiveTimeout != 2*time.Minute ||
		c.SessionTTL != 5*time.Minute {
		t.Errorf("timeouts: %+v", c)
	}
	if c.Server.Faults.Version != "1.50.1-5e3c3f5b" || c.Server.Faults.License != "enterprise plus" {
		t.Errorf("faults: %+v", c.Server.Faults)
	}
}

func TestReadController_readsLists(t *testing.T) {
	c, err := ReadController(Environment{
		"ANKA_ANKA_REGISTRY": "http://a:8089", "ANKA_LOCAL_ANKA_REGISTRY": "http://b:8089",
		"ANKA_ETCD_ENDPOINTS": "http://a:2379, http://b:2379,", "ANKA_PUSH_REGISTRY": "http://p:8089",
		"ANKA_ROOT_CERT": "/old/spelling.pem",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Etcd.Endpoints, "|"); got != "http://a:2379|http://b:2379" {
		t.Errorf("endpoints: %s", got)
	}
	if c.RegistryURL() != "http://b:8089" || c.Registry != "http://a:8089" {
		t.Errorf("registry: asks %s, reports %s", c.RegistryURL(), c.Registry)
	}
	if c.Server.Auth.CACertPath != "/old/spelling.pem" {
		t.Errorf("ANKA_ROOT_CERT is ignored")
	}
}

func TestReadController_namesEveryBadVariable(t *testing.T) {
	for name, test := range map[string]struct {
		env  Environment
		want []string
	}{
		"no registry":    {Environment{}, []string{"ANKA_ANKA_REGISTRY"}},
		"2019 spelling":  {Environment{"ANKA_REGISTRY_ADDR": "http://a:8089"}, []string{"ANKA_ANKA_REGISTRY"}},
		"short token":    {Environment{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": "123456789"}, []string{"ANKA_ROOT_TOKEN"}},
		"https, no pair": {Environment{"ANKA_USE_HTTPS": "true"}, []string{"ANKA_SERVER_CERT", "ANKA_SERVER_KEY"}},
		"etcd login":     {Environment{"ANKA_USE_ETCD_LOGIN": "true"}, []string{"ANKA_USE_ETCD_LOGIN"}},
		"standalone":     {Environment{"ANKA_STANDALONE": "true"}, []string{"ANKA_STANDALONE"}},
		"bad values": {
			Environment{"ANKA_ENABLE_AUTH": "yes", "ANKA_REQUEST_TIMEOUT": "15", "ANKA_METRICS_PORT": "x", "ANKA_MIN_TLS_VERSION": "1.2"},
			[]string{"ANKA_ENABLE_AUTH", "ANKA_REQUEST_TIMEOUT", "ANKA_METRICS_PORT", "ANKA_MIN_TLS_VERSION"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadController(test.env)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, variable := range test.want {
				if !strings.Contains(err.Error(), variable+":") {
					t.Errorf("%s is not named in %q", variable, err)
				}
			}
			if token := test.env["ANKA_ROOT_TOKEN"]; token != "" && strings.Contains(err.Error(), token) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
	if _, err := ReadController(Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true"}); err != nil {
		t.Errorf("ANKA_ALLOW_EMPTY_REGISTRY: %v", err)
	}
}

func TestReadRegistry_layout(t *testing.T) {
	bare, err := ReadRegistry(Environment{})
	if err != nil {
		t.Fatal(err)
	}
	if bare.Server.ListenAddr != ":8089" || bare.BaseDir != "." || bare.ImageDir != "images_dir" || bare.ListCacheTTL != 30*time.Second {
		t.Errorf("reference defaults: %+v", bare)
	}
	set, err := ReadRegistry(Environment{"ANKA_BASE_PATH": "/mnt/vol", "ANKA_VM_DIR_PATH": "/elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		set.ImageDir: "/mnt/vol/images_dir", set.StateFileDir: "/mnt/vol/state_file_dir",
		set.VMDir: "/elsewhere", set.CentralLogsDir: "/mnt/vol/files/central-logs",
	} {
		if filepath.Clean(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	set, err = ReadRegistry(Environment{"ANKA_BACKEND_TYPE": "s3", "ANKA_BACKEND_S3_UPLOAD_PART_SIZE": "5242880"})
	if want := (S3{Bucket: "anka-registry", PartSize: 5 << 20, Concurrency: 2}); err != nil || set.S3 == nil || *set.S3 != want {
		t.Errorf("got %+v, %v", set.S3, err)
	}
}

func TestFaults_probesFollowTheVersion(t *testing.T) {
	for version, want := range map[string]bool{
		"": true, "1.41.1": true, "1.50.1-abcdef01": true, "2.0.0": true, "1.42": true,
		"1.41.0": false, "1.40.0": false, "1.11.0-59d63cca": false, "1.41": false,
	} {
		r := &reader{env: Environment{"ANKASIM_VERSION": version}}
		if f := r.faults(); f.HasProbes() != want {
			t.Errorf("%q (%s): probes %t, want %t", version, f.Version, !want, want)
		}
	}
}

func TestFromOS_keepsOnlyItsOwn(t *testing.T) {
	env := FromOS([]string{"PATH=/bin", "ANKA_A=1=2", "ANKASIM_EXIT=3", "ANKARA=x", "ANKA_EMPTY="})
	if len(env) != 3 || env["ANKA_A"] != "1=2" || env["ANKASIM_EXIT"] != "3" {
		t.Errorf("%v", env)
	}
	if anka := env.Anka(); len(anka) != 2 || anka["ANKASIM_EXIT"] != "" {
		t.Errorf("reported: %v", anka)
	}
}
