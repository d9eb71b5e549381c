package service_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

var inside = service.Inside{Table: controller.Table, Port: 80, StopGrace: 15 * time.Second}

func TestSpec_whoWins(t *testing.T) {
	settings := service.Settings{
		Env:    map[string]string{"ANKA_V": "1", "ANKA_WIRED": "env", "OTHER": "env", "ANKA_USE_HTTPS": "true"},
		Values: service.Values{"ANKA_V": "2", "ANKA_DIAL_TIMEOUT": "60s", "ANKA_REQUEST_TIMEOUT": unknown},
		Given:  []string{"ANKA_SERVER_CERT", "ANKA_SERVER_KEY", "ANKA_OIDC_CLIENT_SECRET"},
	}
	in := inside
	in.Wired = map[string]string{"ANKA_WIRED": "wiring"}
	want := map[string]string{
		"ANKA_V": "2", "ANKA_WIRED": "wiring", "OTHER": "env", "ANKA_DIAL_TIMEOUT": "1m0s", "ANKA_USE_HTTPS": "true",
		"ANKA_SERVER_CERT": "/etc/anka/server_cert.pem", "ANKA_SERVER_KEY": "/etc/anka/server_key.pem", "ANKA_LISTEN_ADDR": ":80",
	}
	if got := settings.Spec(service.Replica{Port: 443}, in).Env; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSpec_sameMeaningSameContainer(t *testing.T) {
	hash := func(values service.Values) string {
		return service.Settings{Values: values}.Spec(service.Replica{Port: 80}, inside).Hash()
	}
	a := hash(service.Values{"ANKA_DIAL_TIMEOUT": "60s", "ANKA_LOG_MAX_MB": "1GB"})
	if b := hash(service.Values{"ANKA_DIAL_TIMEOUT": "1m", "ANKA_LOG_MAX_MB": "1024MB"}); a != b {
		t.Error("another way to write a value changes the container")
	}
	if b := hash(service.Values{"ANKA_DIAL_TIMEOUT": "61s", "ANKA_LOG_MAX_MB": "1GB"}); a == b {
		t.Error("another value does not change the container")
	}
}

func TestSpec_switchesTurn(t *testing.T) {
	for given, turned := range map[string]string{
		"ANKA_SERVER_CERT": "ANKA_USE_HTTPS", "ANKA_CA_CERT": "ANKA_ENABLE_AUTH", "ANKA_ETCD_CA_CERT": "ANKA_USE_ETCD_TLS",
		"ANKA_ETCD_CERT": "ANKA_USE_ETCD_TLS", "ANKA_ETCD_PASSWORD": "ANKA_USE_ETCD_LOGIN",
		"ANKA_QUEUE_SERVER_CERT": "ANKA_USE_QUEUE_TLS", "ANKA_QUEUE_CA_CERT": "ANKA_ENABLE_QUEUE_AUTH",
	} {
		if env := controller.Table.Render(nil, []string{given}); env[turned] != "true" {
			t.Errorf("%s does not turn %s on: %v", given, turned, env)
		}
		if env := controller.Table.Render(service.Values{turned: "false"}, []string{given}); env[turned] != "false" {
			t.Errorf("%s overrides %s", given, turned)
		}
		// What a plan does not know must not turn anything.
		if env := controller.Table.Render(service.Values{given: "text"}, nil); len(env) != 0 {
			t.Errorf("the value of %s, without its version, gives %v", given, env)
		}
	}
	if env := controller.Table.Render(service.Values{"ANKA_ETCD_USERNAME": "anka"}, nil); env["ANKA_USE_ETCD_LOGIN"] != "true" {
		t.Errorf("a username does not turn the login on: %v", env)
	}
}

func TestScheme(t *testing.T) {
	for name, c := range map[string]struct {
		settings service.Settings
		want     string
	}{
		"nothing":      {service.Settings{}, "http"},
		"env":          {service.Settings{Env: map[string]string{"ANKA_USE_HTTPS": "true"}}, "https"},
		"env, as one":  {service.Settings{Env: map[string]string{"ANKA_USE_HTTPS": "1"}}, "https"},
		"env, off":     {service.Settings{Env: map[string]string{"ANKA_USE_HTTPS": "false"}}, "http"},
		"typed":        {service.Settings{Values: service.Values{"ANKA_USE_HTTPS": "true"}}, "https"},
		"typed, wins":  {service.Settings{Values: service.Values{"ANKA_USE_HTTPS": "false"}, Env: map[string]string{"ANKA_USE_HTTPS": "true"}}, "http"},
		"certificate":  {service.Settings{Given: []string{"ANKA_SERVER_CERT"}}, "https"},
		"another cert": {service.Settings{Given: []string{"ANKA_CA_CERT"}}, "http"},
	} {
		if got := c.settings.Scheme(controller.Table); got != c.want {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestSpec_publishesWhatListens(t *testing.T) {
	main := container.Port{HostIP: "10.0.1.4", HostPort: 8080, ContainerPort: 80}
	extra := func(port int) container.Port {
		return container.Port{HostIP: "10.0.1.4", HostPort: port, ContainerPort: port}
	}
	for name, c := range map[string]struct {
		values service.Values
		want   []container.Port
	}{
		"nothing":       {nil, []container.Port{main}},
		"metrics":       {service.Values{"ANKA_ENABLE_METRICS": "true"}, []container.Port{main, extra(2112)}},
		"metrics, port": {service.Values{"ANKA_ENABLE_METRICS": "true", "ANKA_METRICS_PORT": "9100"}, []container.Port{main, extra(9100)}},
		"metrics, off":  {service.Values{"ANKA_ENABLE_METRICS": "false", "ANKA_METRICS_PORT": "9100"}, []container.Port{main}},
		"queue":         {service.Values{"ANKA_QUEUE_ADDR": "0.0.0.0:8090"}, []container.Port{main, extra(8090)}},
	} {
		settings := service.Settings{BindIP: "10.0.1.4", Values: c.values}
		if got := settings.Spec(service.Replica{Port: 8080}, inside).Ports; !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	// Each is asked for by its own attribute.
	got := controller.Table.PortAttributes(map[string]string{"ANKA_ENABLE_METRICS": "true", "ANKA_QUEUE_ADDR": ":8080"})
	if want := map[int]string{2112: "monitoring.port", 8080: "queue.address"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSpec_stopsNoSoonerThanTheServiceDoes(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 15 * time.Second, "2s": 15 * time.Second, "10s": 15 * time.Second, "1m": 65 * time.Second} {
		settings := service.Settings{}
		if value != "" {
			settings.Values = service.Values{service.GracefulShutdown: value}
		}
		if got := settings.Spec(service.Replica{}, inside).StopGrace; got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
}

func TestOptions_ofATable(t *testing.T) {
	for name, secret := range map[string]bool{
		"ANKA_OIDC_CLIENT_SECRET": true, "ANKA_ETCD_PASSWORD": true, "ANKA_ROOT_TOKEN": true,
		"ANKA_SERVER_KEY": false, "ANKA_ROOT_CERT": false, "ANKA_V": false, // paths in env are no secrets
	} {
		option, known := controller.Options.Lookup(name)
		if !known || option.Secret != secret {
			t.Errorf("%s: known %t, secret %t", name, known, option.Secret)
		}
	}
	if got := controller.Options.Nearest("ANKA_BATCH_TASKS_COUNT"); got != "ANKA_BATCH_TASK_COUNT" {
		t.Errorf("got %q", got)
	}
	if row, known := controller.Table.Lookup("ANKA_ROOT_CERT"); !known || row.Path() != "authentication.ca_cert_wo" {
		t.Errorf("got %v", row.Path())
	}
}

func TestSetting_names(t *testing.T) {
	row, _ := controller.Table.Lookup("ANKA_SERVER_KEY")
	if row.Written() != "server_key_wo" || row.Version() != "server_cert_wo_version" || row.Path() != "https.server_key_wo" {
		t.Errorf("got %s, %s, %s", row.Written(), row.Version(), row.Path())
	}
	row, _ = controller.Table.Lookup("ANKA_MIN_TLS_VERSION")
	if row.Written() != "min_tls_version" || row.Version() != "" {
		t.Errorf("got %s, %s", row.Written(), row.Version())
	}
	want := "Oldest version of TLS that clients may use. Allowed: `tls_1.0`, `tls_1.1`, `tls_1.2`, `tls_1.3`. From version 1.12.0 on."
	if got := row.Doc(); got != want {
		t.Errorf("got %s", got)
	}
}
