package registry

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
)

// failed turns an error of the replication into a diagnostic, at the attribute
// that is at fault where there is one.
func failed(act string, err error) diag.Diagnostic {
	summary, detail := "Unable to "+act+" the replication of registries", diags.Sentence(err)+
		"\n\nThe registries are not affected by this. Followers delete nothing that the primary has not deleted, whatever state they are in."
	fault, found := rolloutops.FaultOf(err)
	switch {
	case found && (fault.Attribute == "port" || fault.Attribute == "image"):
		return diag.NewAttributeErrorDiagnostic(path.Root("replication").AtName(fault.Attribute), summary, detail)
	case found:
		return diag.NewAttributeErrorDiagnostic(path.Root(fault.Attribute), summary, detail)
	default:
		return diag.NewErrorDiagnostic(summary, detail)
	}
}
