package replicas_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

var controllers = object{
	"replicas":       object{"h1": object{}, "h2": object{}},
	"etcd_endpoints": []string{"http://10.0.1.4:2379"},
	"registry_urls":  object{"h1": "http://10.0.1.4:8089", "h2": "http://10.0.1.5:8089"},
}

var registries = object{"replicas": object{"h1": object{}, "h2": object{}}, "primary": "h1"}

// with is a configuration with further or other attributes.
func with(base, more object) object {
	all := maps.Clone(base)
	maps.Copy(all, more)
	return all
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		resource string
		config   object
		want     string // the beginning of the only diagnostic, "" for none
		text     string // a part of it
	}{
		"controllers":    {"anka_controller", controllers, "", ""},
		"registries":     {"anka_registry", registries, "", ""},
		"one registry":   {"anka_registry", object{"replicas": object{"h1": object{}}}, "", ""},
		"no replicas":    {"anka_registry", object{"replicas": object{}, "primary": nil}, `error ("replicas")`, "at least 1"},
		"bad host key":   {"anka_registry", object{"replicas": object{"a;rm -rf /": object{}}}, `error ("replicas").("a;rm -rf /")`, "not a valid name"},
		"bad name":       {"anka_registry", with(registries, object{"name": "../.."}), `error ("name")`, "not a valid name"},
		"no primary":     {"anka_registry", with(registries, object{"primary": nil}), `error ("primary"): Missing primary`, "one of: h1, h2."},
		"other primary":  {"anka_registry", with(registries, object{"primary": "h3"}), `error ("primary"): Primary is not a replica`, `host "h3"`},
		"dangerous path": {"anka_registry", with(registries, object{"storage": object{"path": "/etc"}}), `error ("storage").("path")`, "operating system"},
		"relative path":  {"anka_registry", with(registries, object{"storage": object{"path": "data/../x"}}), `error ("storage").("path")`, "not absolute"},
		"port":           {"anka_registry", with(registries, object{"port": 70000}), `error ("port")`, "65535"},
		"ready timeout":  {"anka_registry", with(registries, object{"ready_timeout": "soon"}), `error ("ready_timeout")`, "not a duration"},
		"address": {
			"anka_registry", with(registries, object{"replicas": object{"h1": object{"address": "10.0.1.4/x"}, "h2": object{}}}),
			`error ("replicas").("h1").("address"): Invalid address`, "neither an IP address",
		},
		"same address": {
			"anka_registry", with(registries, object{"port": 8089, "replicas": object{"h1": object{"address": "10.0.1.4"}, "h2": object{"address": "10.0.1.4"}}}),
			`error ("replicas").("h2").("address"): Duplicate address`, "h1 and h2",
		},
		"same address, default port": {
			"anka_registry", with(registries, object{"replicas": object{"h1": object{"address": "LB"}, "h2": object{"address": "lb"}}}),
			`error ("replicas").("h2").("address"): Duplicate address`, "h1 and h2",
		},
		"trailing slash": {
			"anka_controller", with(controllers, object{"registry_urls": object{"h1": "http://10.0.1.4:8089/", "h2": "http://10.0.1.5:8089"}}),
			`error ("registry_urls").("h1")`, "ends with a slash",
		},
		"push trailing slash": {
			"anka_controller", with(controllers, object{"push_registry_url": "http://10.0.1.4:8089/"}),
			`error ("push_registry_url")`, "ends with a slash",
		},
		"registry of one host missing": {
			"anka_controller", with(controllers, object{"registry_urls": object{"h1": "http://10.0.1.4:8089"}}),
			`error ("registry_urls"): Missing registry URL`, `"h2"`,
		},
		"no registry": {"anka_controller", with(controllers, object{"registry_urls": nil}), `error ("registry_urls"): No registry`, "general.allow_empty_registry = true"},
		"no registry on purpose": {
			"anka_controller", with(controllers, object{"registry_urls": nil, "env": object{"ANKA_ALLOW_EMPTY_REGISTRY": "true"}}), "", "",
		},
		"no etcd":      {"anka_controller", with(controllers, object{"etcd_endpoints": []string{}}), `error ("etcd_endpoints")`, "at least 1"},
		"bad endpoint": {"anka_controller", with(controllers, object{"etcd_endpoints": []string{"10.0.1.4:2379"}}), `error ("etcd_endpoints").(0)`, ""},
		"wired name": {
			"anka_controller", with(controllers, object{"env": object{"ANKA_ETCD_ENDPOINTS": "x"}}),
			`error ("env").("ANKA_ETCD_ENDPOINTS"): Variable is set by an attribute`, "etcd_endpoints",
		},
		"secret in env": {
			"anka_controller", with(controllers, object{"env": object{"ANKA_OIDC_CLIENT_SECRET": "canary"}}),
			`error ("env").("ANKA_OIDC_CLIENT_SECRET"): Secret in plain environment`, "authentication.oidc_client_secret_wo,",
		},
		"credentials of an object store": {
			"anka_registry", with(registries, object{"env": object{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "canary"}}),
			`error ("env").("AWS_SECRET_ACCESS_KEY"): Secret in plain environment`, "storage.s3.secret_access_key_wo,",
		},
		"session of an object store": {
			"anka_registry", with(registries, object{"env": object{"AWS_SESSION_TOKEN": "canary"}}),
			`error ("env").("AWS_SESSION_TOKEN"): Secret in plain environment`, "env_wo",
		},
		"credentials write-only": {
			"anka_registry", with(registries, object{"env_wo": object{"AWS_SECRET_ACCESS_KEY": "canary"}, "env_wo_version": 1}), "", "",
		},
		"without prefix": {
			"anka_controller", with(controllers, object{"env": object{"ENABLE_AUTH": "true"}}),
			`warning ("env").("ENABLE_AUTH"): Unknown variable`, "Did you mean ANKA_ENABLE_AUTH, for which there is the attribute authentication.enabled?",
		},
		"wired without prefix": {
			"anka_controller", with(controllers, object{"env": object{"ETCD_ENDPOINTS": "x"}}),
			`warning ("env").("ETCD_ENDPOINTS"): Unknown variable`, "Did you mean the attribute etcd_endpoints?",
		},
		"secret without prefix": {
			"anka_controller", with(controllers, object{"env": object{"OIDC_CLIENT_SECRET": "canary"}}),
			`error ("env").("OIDC_CLIENT_SECRET"): Secret in plain environment`, "authentication.oidc_client_secret_wo,",
		},
		"root token in env": {
			"anka_registry", with(registries, object{"env": object{"ANKA_ROOT_TOKEN": "canary-canary"}}),
			`error ("env").("ANKA_ROOT_TOKEN"): Variable is set by an attribute`, "root_token_wo",
		},
		"misspelled": {
			"anka_controller", with(controllers, object{"env": object{"ANKA_ENABLE_METRIC": "true"}}),
			`warning ("env").("ANKA_ENABLE_METRIC"): Unknown variable`, "Did you mean ANKA_ENABLE_METRICS, for which there is the attribute monitoring.enabled?",
		},
		"name of 2019": {
			"anka_controller", with(controllers, object{"env": object{"ANKA_REGISTRY_ADDR": "x"}}),
			`warning ("env").("ANKA_REGISTRY_ADDR"): Unknown variable`, "Did you mean the attribute registry_urls or registry_url?",
		},
		"not anka's name": {"anka_controller", with(controllers, object{"env": object{"TZ": "UTC"}}), "", ""},
		"set twice": {
			"anka_controller", with(controllers, object{"env": object{"ANKA_V": "1"}, "env_wo": object{"ANKA_V": "canary"}, "env_wo_version": 1}),
			`error ("env").("ANKA_V"): Variable set twice`, "",
		},
		"wired secret name": {
			"anka_controller", with(controllers, object{"env_wo": object{"ANKA_ROOT_TOKEN": "canary"}, "env_wo_version": 1}),
			`error ("env_wo"): Variable is set by an attribute`, "root_token_wo",
		},
		"switch in the secret environment": {
			"anka_controller", with(controllers, object{"env_wo": object{"ANKA_USE_HTTPS": "canary"}, "env_wo_version": 1}),
			`error ("env_wo"): Variable in secret environment: ANKA_USE_HTTPS is no secret`, "Use https.enabled, or env.",
		},
		"port in the secret environment": {
			"anka_registry", with(registries, object{"env_wo": object{"ANKA_METRICS_PORT": "canary"}, "env_wo_version": 1}),
			`error ("env_wo"): Variable in secret environment: ANKA_METRICS_PORT is no secret`, "Use monitoring.port, or env.",
		},
		"harmless in the secret environment": {
			"anka_controller", with(controllers, object{"env_wo": object{"ANKA_OIDC_CLIENT_ID": "canary"}, "env_wo_version": 1}), "", "",
		},
		"short token": {
			"anka_controller", with(controllers, object{"root_token_wo": "canary", "root_token_wo_version": 1}),
			`error ("root_token_wo")`, "6 characters",
		},
		"token without version": {"anka_controller", with(controllers, object{"root_token_wo": "canary-canary"}), `error ("root_token_wo")`, "root_token_wo_version"},
		"token":                 {"anka_controller", with(controllers, object{"root_token_wo": "canary-canary", "root_token_wo_version": 1}), "", ""},
		"auth twice": {
			"anka_controller", with(controllers, object{"root_token_wo": "canary-canary", "root_token_wo_version": 1, "env": object{"ANKA_ENABLE_AUTH": "false"}}),
			`error ("env").("ANKA_ENABLE_AUTH"): Variable is set by an attribute`, "root_token_wo",
		},
		"etcd of its own": {
			"anka_controller", with(controllers, object{"env": object{"ANKA_STANDALONE": "true"}}),
			`error ("env").("ANKA_STANDALONE"): Variable is not supported`, "gone with the next replacement",
		},
		"etcd of its own, write-only": {
			"anka_controller", with(controllers, object{"env_wo": object{"ANKA_STANDALONE": "canary"}, "env_wo_version": 1}),
			`error ("env_wo"): Variable is not supported`, "etcd_endpoints",
		},
		"null host":     {"anka_registry", with(registries, object{"replicas": object{"h1": nil, "h2": object{}}}), `error ("replicas").("h1"): Null element`, "leave it out"},
		"null endpoint": {"anka_controller", with(controllers, object{"etcd_endpoints": []any{nil}}), `error ("etcd_endpoints").(0): Null element`, ""},
		"null URL": {
			"anka_controller", with(controllers, object{"registry_urls": object{"h1": nil, "h2": "http://10.0.1.5:8089"}}),
			`error ("registry_urls").("h1"): Null element`, "",
		},
		"null variable": {"anka_registry", with(registries, object{"env": object{"TZ": nil}}), `error ("env").("TZ"): Null element`, ""},
		"null secret": {
			"anka_registry", with(registries, object{"env_wo": object{"TOKEN": nil}, "env_wo_version": 1}),
			`error ("env_wo").("TOKEN"): Null element`, "",
		},
		"all unknown": {
			"anka_controller", object{
				"name": unknown{}, "replicas": unknown{}, "etcd_endpoints": unknown{}, "registry_urls": unknown{}, "env": unknown{}, "port": unknown{},
				"env_wo": unknown{}, "env_wo_version": unknown{}, "push_registry_url": unknown{},
			}, "", "",
		},
		"values unknown": {
			"anka_registry", with(registries, object{"replicas": object{"h1": unknown{}, "h2": object{"address": unknown{}, "port": unknown{}}}, "env": object{"ANKA_V": unknown{}}}), "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := serve(t, c.resource, dockerhost.NewFleet()).Validate(c.config)
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
