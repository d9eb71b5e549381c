// Package diags holds the wording of diagnostics that resources share, so that
// the same trouble reads the same everywhere. It belongs to the layer of the
// framework.
package diags

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

// HostUnreachable warns that a host did not answer while state was refreshed
// or a plan was made. What is in state is kept: silence is not absence.
func HostUnreachable(host string, err error) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		fmt.Sprintf("Host %s is unreachable", host),
		fmt.Sprintf("What runs on host %q is not known at the moment, so what the state says of it is kept and nothing on it "+
			"will be changed or removed. Bring the host back and plan again.\n\n%s", host, err),
	)
}

// PlannedSteps is the one warning that tells what apply is going to do, in
// order. The second result is false when there is nothing to tell.
func PlannedSteps(resource string, steps []topology.Step) (diag.Diagnostic, bool) {
	if len(steps) == 0 {
		return nil, false
	}
	var text strings.Builder
	for i, step := range steps {
		fmt.Fprintf(&text, "%d. %s", i+1, step)
		if cause := step.Cause(); cause != "" {
			fmt.Fprintf(&text, " (%s)", cause)
		}
		text.WriteByte('\n')
	}
	return diag.NewWarningDiagnostic("Planned steps for "+resource, text.String()), true
}

// UnknownHost is the attribute error for a key that names no host of the
// provider block. The second result is false when err is another error.
func UnknownHost(at path.Path, err error) (diag.Diagnostic, bool) {
	var missing *dockerhost.NoHostError
	if !errors.As(err, &missing) {
		return nil, false
	}
	known := "the provider block has no hosts"
	if len(missing.Known) > 0 {
		known = "the provider block has: " + strings.Join(missing.Known, ", ")
	}
	return diag.NewAttributeErrorDiagnostic(at, "Unknown host",
		fmt.Sprintf("There is no host %q; %s. Add it to hosts of the provider block, or name one that is there.", missing.Name, known)), true
}
