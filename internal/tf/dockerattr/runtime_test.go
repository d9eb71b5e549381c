package dockerattr

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// thing is a resource that has nothing but the attributes.
type thing struct{ resource.Resource }

var described = schema.Schema{Attributes: RuntimeAttributes("thing")}

func (thing) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "anka_thing"
}

func (thing) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = described
}

func TestRuntime_converted(t *testing.T) {
	for name, c := range map[string]struct {
		config protocol.Object
		want   container.Runtime
	}{
		"nothing": {nil, container.Runtime{}},
		"everything": {
			protocol.Object{
				"memory": "512m", "cpus": 1.5, "extra_hosts": protocol.Object{"registry": "10.0.1.4"}, "dns": []string{"10.0.0.3", "10.0.0.2"},
				"healthcheck": protocol.Object{
					"command": []string{"check", "-q"}, "interval": "1m", "timeout": "5s", "start_period": "20s", "retries": 2,
				},
			},
			container.Runtime{
				Memory: 512 << 20, CPUs: 1_500_000_000, ExtraHosts: map[string]string{"registry": "10.0.1.4"}, DNS: []string{"10.0.0.3", "10.0.0.2"},
				Healthcheck: &container.Healthcheck{
					Command: []string{"check", "-q"}, Interval: time.Minute, Timeout: 5 * time.Second, StartPeriod: 20 * time.Second, Retries: 2,
				},
			},
		},
		"gigabytes, a third of a CPU": {
			protocol.Object{"memory": "2G", "cpus": 0.333}, container.Runtime{Memory: 2 << 30, CPUs: 333_000_000},
		},
		"no healthcheck": {
			protocol.Object{"healthcheck": protocol.Object{"enabled": false}}, container.Runtime{Healthcheck: &container.Healthcheck{Disabled: true}},
		},
		"not known yet": {
			protocol.Object{
				"memory": protocol.Unknown{}, "cpus": protocol.Unknown{}, "extra_hosts": protocol.Unknown{}, "dns": protocol.Unknown{},
				"healthcheck": protocol.Unknown{},
			},
			container.Runtime{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			kind := described.Type().TerraformType(t.Context())
			var r Runtime
			if diags := (tfsdk.Config{Schema: described, Raw: protocol.Value(t, kind, c.config)}).Get(t.Context(), &r); diags.HasError() {
				t.Fatal(diags)
			}
			got, diags := r.Container(t.Context())
			if diags.HasError() || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v, want %+v", got, diags, c.want)
			}
		})
	}
}

func TestRuntime_validated(t *testing.T) {
	server := protocol.Serve(t, "anka_thing", nil, func() resource.Resource { return thing{} })
	command := []string{"check"}
	for name, c := range map[string]struct {
		config protocol.Object
		want   string // part of the one diagnostic, "" for none
	}{
		"good": {config: protocol.Object{
			"memory": "6m", "cpus": 0.01, "extra_hosts": protocol.Object{"a_b.c-d": "fd00::1", "this": "host-gateway"}, "dns": []string{"fd00::2"},
			"healthcheck": protocol.Object{"command": command, "enabled": true},
		}},
		"not known yet": {config: protocol.Object{"healthcheck": protocol.Object{"enabled": protocol.Unknown{}, "command": protocol.Unknown{}}}},
		"turned off":    {config: protocol.Object{"healthcheck": protocol.Object{"enabled": false}}},
		"little memory": {protocol.Object{"memory": "4m"}, "(memory): Invalid size: 4m is less than 6m"},
		"much memory":   {protocol.Object{"memory": "99999999999999g"}, "(memory): Invalid size: 99999999999999g is more than"},
		"no unit":       {protocol.Object{"memory": "1048576000"}, "(memory): Invalid size: 1048576000 is not a whole number followed by"},
		"half":          {protocol.Object{"memory": "1.5g"}, "(memory): Invalid size: 1.5g is not"},
		"no CPU":        {protocol.Object{"cpus": 0}, "(cpus)"},
		"name":          {protocol.Object{"extra_hosts": protocol.Object{"a:b": "10.0.0.1"}}, "Invalid host name: a:b"},
		"address":       {protocol.Object{"extra_hosts": protocol.Object{"a": "b"}}, "(extra_hosts).(a): Invalid address: b"},
		"zone":          {protocol.Object{"extra_hosts": protocol.Object{"a": "fe80::1%eth0"}}, "(extra_hosts).(a): Invalid address"},
		"server":        {protocol.Object{"dns": []string{"10.0.0.1", "ns.example.com"}}, "(dns).(1): Invalid IP address"},
		"twice":         {protocol.Object{"dns": []string{"10.0.0.1", "10.0.0.1"}}, "(dns)"},
		"no server":     {protocol.Object{"dns": []string{}}, "(dns)"},
		"no command":    {protocol.Object{"healthcheck": protocol.Object{"interval": "5s"}}, "(healthcheck).(command): Missing command"},
		"empty command": {protocol.Object{"healthcheck": protocol.Object{"command": []string{}}}, "(healthcheck).(command)"},
		"off and on":    {protocol.Object{"healthcheck": protocol.Object{"enabled": false, "retries": 1}}, "(healthcheck): Contradicting healthcheck"},
		"no time":       {protocol.Object{"healthcheck": protocol.Object{"command": command, "timeout": "10us"}}, "(healthcheck).(timeout): Invalid duration: 10µs is less"},
		"no retries":    {protocol.Object{"healthcheck": protocol.Object{"command": command, "retries": 0}}, "(healthcheck).(retries)"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.ReplaceAll(server.Validate(c.config), `"`, "")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
