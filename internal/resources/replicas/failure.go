package replicas

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// failure turns an error of ops into a diagnostic: at the attribute that is at
// fault where there is one, and with what silent hosts had to say.
func (r *Resource[M]) failure(act string, view rolloutops.View, err error) diag.Diagnostic {
	summary, detail := fmt.Sprintf("Unable to %s %s", act, r.Role), diags.Sentence(err)
	var reasons []string
	for _, host := range view.SilentHosts() {
		reasons = append(reasons, diags.Sentence(view.Silent[host]))
	}
	var unreachable *rollout.UnreachableError
	if errors.As(err, &unreachable) && len(reasons) > 0 {
		detail += "\n\n" + strings.Join(reasons, "\n\n")
	}
	if act == "plan" {
		detail += "\n\nNothing has been changed on any host."
	}
	fault, found := rolloutops.FaultOf(err)
	switch {
	case !found:
		return diag.NewErrorDiagnostic(summary, detail)
	case fault.Host != "":
		return diag.NewAttributeErrorDiagnostic(replicaPath(fault.Host).AtName(fault.Attribute), summary, detail)
	default:
		names := strings.Split(fault.Attribute, ".")
		at := path.Root(names[0])
		for _, name := range names[1:] {
			at = at.AtName(name)
		}
		return diag.NewAttributeErrorDiagnostic(at, summary, detail)
	}
}
