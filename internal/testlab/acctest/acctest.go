// Package acctest is what acceptance tests of all resources share: the
// provider, its configuration for the lab, what is run on the hosts of the lab,
// and checks of plans. It belongs to the lab.
package acctest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/anka-ha/terraform-provider-anka/internal/provider"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// Factories make the provider inside the test's process.
func Factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"anka": providerserver.NewProtocol6WithError(provider.New("test")()),
	}
}

// Provider is a provider block with the target's hosts over a transport of the
// lab (testlab.Transports), and with further attributes as HCL.
func Provider(t testing.TB, target *testlab.Target, transport string, attributes ...string) string {
	t.Helper()
	hosts, err := target.HostsJSON(transport)
	if err != nil {
		t.Fatal(err)
	}
	return ProviderFor(hosts, attributes...)
}

// ProviderFor is a provider block with these hosts, given as JSON.
func ProviderFor(hosts string, attributes ...string) string {
	return fmt.Sprintf("provider \"anka\" {\n  hosts = jsondecode(<<-JSON\n%s\nJSON\n  )\n%s\n}\n", hosts, indent(attributes))
}

func indent(attributes []string) string {
	var out strings.Builder
	for _, a := range attributes {
		out.WriteString("  " + a + "\n")
	}
	return out.String()
}

// Image is the attribute image, or nothing where the provider's default is to
// be used.
func Image(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("image = %q", name)
}

// Workspace is an empty folder for terraform with the provider built as a
// process of its own, for tests that kill it or run it like a user.
func Workspace(t testing.TB) *tfcli.Workspace {
	t.Helper()
	plugins := t.TempDir()
	err := tfcli.BuildProvider(t.Context(), plugins)
	if err != nil {
		t.Fatal(err)
	}
	workspace, err := tfcli.New(t.TempDir(), plugins)
	if err != nil {
		t.Fatal(err)
	}
	return workspace
}

// Required is the terraform block of a configuration in a Workspace.
const Required = `
terraform {
  required_providers {
    anka = { source = "anka-ha/anka" }
  }
}
`
