// Package providerdata is what the provider block becomes once it is
// configured: the hosts and the credentials that resources and data sources
// share. It belongs to the layer of the framework.
package providerdata

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// Data is handed to every resource and data source.
type Data struct {
	// Hosts are the hosts of the provider block, dialled on first use and
	// shared by everything in one run.
	Hosts *dockerhost.Fleet
	// Credentials are used for talking to controllers and registries.
	Credentials ankaapi.Credentials
	// CredentialsUnknown: parts of anka_auth depend on what the same apply
	// makes, so Credentials may lack them.
	CredentialsUnknown bool
	// Announcements are what resources plan, for those that depend on them.
	Announcements Announcements
}

// From reads what the framework hands to Configure. It is nil, without a
// diagnostic, as long as the provider itself has not been configured.
func From(providerData any) (*Data, diag.Diagnostics) {
	var diags diag.Diagnostics
	if providerData == nil {
		return nil, diags
	}
	data, ok := providerData.(*Data)
	if !ok {
		diags.AddError("Unexpected provider data",
			fmt.Sprintf("Expected *providerdata.Data, got %T. This is a defect of the provider.", providerData))
	}
	return data, diags
}
