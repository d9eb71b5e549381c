package replicas

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// failure turns an error of ops into a diagnostic: at the attribute that is at
// fault where there is one, and with what silent hosts had to say.
func (r *Resource[M]) failure(act string, view rolloutops.View, err error) diag.Diagnostic {
	summary, detail := fmt.Sprintf("Unable to %s %s", act, r.Role), err.Error()
	var reasons []string
	for _, host := range view.SilentHosts() {
		reasons = append(reasons, view.Silent[host].Error())
	}
	var unreachable *rollout.UnreachableError
	if errors.As(err, &unreachable) && len(reasons) > 0 {
		detail += "\n\n" + strings.Join(reasons, "\n\n")
	}
	if at, found := faulty(err); found {
		return diag.NewAttributeErrorDiagnostic(at, summary, detail)
	}
	return diag.NewErrorDiagnostic(summary, detail)
}

// faulty finds the attribute that would have to change.
func faulty(err error) (path.Path, bool) {
	var (
		foreign *rollout.ForeignError
		name    *dockerhost.NameTakenError
		planned *rollout.PortTakenError
		taken   *dockerhost.PortTakenError
		image   *dockerhost.ImageError
	)
	switch {
	case errors.As(err, &foreign):
		return path.Root("name"), true
	case errors.As(err, &name):
		return path.Root("name"), true
	case errors.As(err, &planned):
		return replicaPath(planned.Host).AtName("port"), true
	case errors.As(err, &taken):
		return replicaPath(taken.Host).AtName("port"), true
	case errors.As(err, &image):
		return path.Root("image"), true
	}
	return path.Empty(), false
}
