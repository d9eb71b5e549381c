package controllerstatus_test

import (
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/datasources/controllerstatus"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
)

const token = "canary-root-token"

// TestRead_everyCredential reads a locked controller with each kind of
// credentials of the provider block, and without.
func TestRead_everyCredential(t *testing.T) {
	authority := pki.NewAuthority(t, "authority")
	server, client := authority.Issue(t, "server"), authority.Issue(t, "client")
	registry := inprocess.Registry(t, inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": token})
	env := inprocess.Env{
		"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": token, "ANKA_ENABLE_API_KEYS": "true", "ANKA_ANKA_REGISTRY": registry,
	}
	store := inprocess.NewStore()
	plain := inprocess.Controller(t, store, env)
	env["ANKA_USE_HTTPS"], env["ANKA_SERVER_CERT"], env["ANKA_SERVER_KEY"] = "true", server.CertPath, server.KeyPath
	env["ANKA_CA_CERT"] = authority.Path
	secured := inprocess.Controller(t, store, env)
	read := func(name string) string {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	ca := read(authority.Path)
	key := inprocess.APIKey(t, plain, "ci")
	for name, c := range map[string]struct {
		url         string
		credentials ankaapi.Credentials
		refused     string // a part of the error, "" when all is well
	}{
		"root token":                {plain, ankaapi.Credentials{RootToken: token}, ""},
		"root token over HTTPS":     {secured, ankaapi.Credentials{RootToken: token, CA: ca}, ""},
		"API key":                   {plain, ankaapi.Credentials{APIKeyID: "ci", APIKey: key}, ""},
		"API key over HTTPS":        {secured, ankaapi.Credentials{APIKeyID: "ci", APIKey: key, CA: ca}, ""},
		"certificate":               {secured, ankaapi.Credentials{ClientCert: read(client.CertPath), ClientKey: read(client.KeyPath), CA: ca}, ""},
		"nothing":                   {plain, ankaapi.Credentials{}, "Controller refuses the credentials"},
		"authority that is unknown": {secured, ankaapi.Credentials{RootToken: token}, "TLS with the controller failed"},
	} {
		t.Run(name, func(t *testing.T) {
			data := &providerdata.Data{Hosts: dockerhost.NewFleet(), Credentials: c.credentials}
			resp := protocol.Read(t, controllerstatus.New(), data, protocol.Object{
				"url": c.url, "wait_for": protocol.Object{"ready": true, "registry_running": true, "timeout": "10s"},
			})
			if c.refused != "" {
				if resp.Diagnostics.ErrorsCount() != 1 || resp.Diagnostics[0].Summary() != c.refused {
					t.Errorf("got %v", resp.Diagnostics)
				}
				return
			}
			if resp.Diagnostics.HasError() {
				t.Fatal(resp.Diagnostics)
			}
			for attribute, want := range map[string]string{
				"status": "Running", "version": "1.50.1", "registry_address": registry, "registry_status": "Running", "license": "enterprise", "error": "",
			} {
				got := protocol.Get[string](t, resp, path.Root(attribute))
				if !strings.HasPrefix(got, want) || (want == "") != (got == "") {
					t.Errorf("%s: %q", attribute, got)
				}
			}
			if !protocol.Get[bool](t, resp, path.Root("ready")) || !protocol.Get[bool](t, resp, path.Root("reachable")) {
				t.Error("not ready")
			}
			if strings.Contains(resp.State.Raw.String(), "canary") {
				t.Error("the token is in the state")
			}
		})
	}
}

// TestRead_waitForDefaults: wait_for without anything waits for readiness.
func TestRead_waitForDefaults(t *testing.T) {
	url := inprocess.Controller(t, inprocess.NewStore(), inprocess.Env{"ANKASIM_READY_DELAY": "700ms"})
	data := &providerdata.Data{Hosts: dockerhost.NewFleet()}
	resp := protocol.Read(t, controllerstatus.New(), data, protocol.Object{"url": url})
	if resp.Diagnostics.HasError() || protocol.Get[bool](t, resp, path.Root("ready")) {
		t.Fatalf("without wait_for: %v", resp.Diagnostics)
	}
	resp = protocol.Read(t, controllerstatus.New(), data, protocol.Object{"url": url, "wait_for": protocol.Object{}})
	if resp.Diagnostics.HasError() || !protocol.Get[bool](t, resp, path.Root("ready")) {
		t.Errorf("with wait_for: %v", resp.Diagnostics)
	}
	never := inprocess.Controller(t, inprocess.NewStore(), inprocess.Env{"ANKASIM_NEVER_READY": "true"})
	short := protocol.Object{"timeout": "600ms"}
	resp = protocol.Read(t, controllerstatus.New(), data, protocol.Object{"url": never, "wait_for": short})
	if resp.Diagnostics.ErrorsCount() != 1 || resp.Diagnostics[0].Summary() != "Controller is not ready in time" ||
		!strings.Contains(resp.Diagnostics[0].Detail(), "allow_unreachable = true") {
		t.Errorf("got %v", resp.Diagnostics)
	}
	resp = protocol.Read(t, controllerstatus.New(), data, protocol.Object{"url": never, "wait_for": short, "allow_unreachable": true})
	if resp.Diagnostics.HasError() || !strings.Contains(protocol.Get[string](t, resp, path.Root("error")), "waited 600ms") ||
		protocol.Get[string](t, resp, path.Root("status")) != "Running" {
		t.Errorf("got %v\n%s", resp.Diagnostics, resp.State.Raw)
	}
}
