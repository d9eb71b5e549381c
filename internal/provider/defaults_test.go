package provider

import (
	"context"
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// decoded gives the block's and the only host's settings of a configuration.
func decoded(t *testing.T, config object) (model, host) {
	t.Helper()
	ctx := context.Background()
	var schema provider.SchemaResponse
	New("test")().Schema(ctx, provider.SchemaRequest{}, &schema)
	var m model
	diags := tfsdk.Config{Raw: value(t, schemaType(t), config), Schema: schema.Schema}.Get(ctx, &m)
	hosts := map[string]host{}
	diags.Append(m.Hosts.ElementsAs(ctx, &hosts, false)...)
	if diags.HasError() {
		t.Fatal(diags)
	}
	return m, hosts["h1"]
}

func TestMergeSSH_takesOverWhatBelongsTogether(t *testing.T) {
	yes := true
	block := object{
		"user": "ops", "private_key": "block-key", "known_hosts_path": "block-known", "insecure_ignore_host_key": false,
		"jump": object{"address": "jump", "host_key": "jump-key"},
	}
	jump := &dockerhost.JumpConfig{Address: "jump", SSH: dockerhost.SSHConfig{HostKey: "jump-key"}}
	cases := map[string]struct {
		block, own any
		want       *dockerhost.SSHConfig
	}{
		"neither": {nil, nil, nil},
		"block only": {block, nil, &dockerhost.SSHConfig{
			User: "ops", PrivateKey: "block-key", KnownHostsPath: "block-known", Jump: jump,
		}},
		"own agent": {block, object{"agent": true}, &dockerhost.SSHConfig{
			User: "ops", Agent: &yes, KnownHostsPath: "block-known", Jump: jump,
		}},
		"own key": {block, object{"private_key_path": "own"}, &dockerhost.SSHConfig{
			User: "ops", PrivateKeyPath: "own", KnownHostsPath: "block-known", Jump: jump,
		}},
		"own pinned key": {
			object{"insecure_ignore_host_key": true, "user": "ops"},
			object{"host_key": "pinned", "user": "root"},
			&dockerhost.SSHConfig{User: "root", HostKey: "pinned"},
		},
		"own only": {nil, object{"known_hosts": "text"}, &dockerhost.SSHConfig{KnownHosts: "text"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m, h := decoded(t, object{"ssh": c.block, "hosts": object{"h1": object{"ssh": c.own}}})
			var diags diag.Diagnostics
			got := mergeSSH(context.Background(), h.SSH, m.SSH, &diags)
			if diags.HasError() || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v, %v", got, c.want, diags)
			}
		})
	}
}

func TestMergeTLS_replacesTextAndPathTogether(t *testing.T) {
	m, h := decoded(t, object{
		"tls":   object{"ca_pem": "block-ca", "cert_path": "block-cert", "key_path": "block-key", "server_name": "block"},
		"hosts": object{"h1": object{"tls": object{"ca_path": "own-ca", "cert_pem": "own-cert"}}},
	})
	var diags diag.Diagnostics
	got := mergeTLS(context.Background(), h.TLS, m.TLS, &diags)
	want := &dockerhost.TLSConfig{CAPath: "own-ca", Cert: "own-cert", KeyPath: "block-key", ServerName: "block"}
	if diags.HasError() || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, diags)
	}
}
