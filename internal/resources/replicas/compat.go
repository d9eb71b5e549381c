package replicas

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// compatTimeout bounds all that is asked for the check of compatibility; what
// has not answered by then is not known.
const compatTimeout = 5 * time.Second

// Wiring is what a service needs other components for, as far as it decides
// whether they work together.
type Wiring struct {
	// Skip leaves the check out.
	Skip types.Bool
	// RegistryURLs and LocalRegistryURLs are by host; RegistryURL is the one
	// registry for all.
	RegistryURLs, LocalRegistryURLs types.Map
	RegistryURL, PushRegistryURL    types.String
	EtcdEndpoints                   types.List
}

// SkipCompatibilityCheck is the attribute [compat.Override].
func SkipCompatibilityCheck() schema.BoolAttribute {
	return schema.BoolAttribute{
		Optional: true,
		MarkdownDescription: "Leaves out the check, before controllers are created or replaced, that they work with what they are connected to: " +
			"the minimum versions of registry and etcd, the same root token on the registry or none on both sides, and no local registry URL on port 8085 from 1.36.0 on. " +
			"Versions are taken from the tags of the images that the same configuration plans for registry and etcd, and else from what the running ones answer; " +
			"what is not known is not judged, and neither is what lies between: one apply that takes registries and controllers back to older versions has newer controllers on an older registry until it is done, " +
			"so take the controllers back in an apply of their own first. A registry that nothing is known of and that answers without credentials is only warned of, " +
			"as one that has a root token does that until a node with a license of the Enterprise tier has joined. The plan refuses what does not fit, and the apply looks once more before the first controller is touched. Default `false`.",
	}
}

// inquiry is what the check of compatibility is about.
type inquiry[M any] struct {
	plan, config *M
	// state is nil for a new resource.
	state *M
	// changing: controllers are going to be made or replaced. Without that
	// nothing is asked, and only announced changes of the others are judged.
	changing bool
	// applying: what is planned has happened by now, or will not happen before
	// the controllers, so only what runs counts.
	applying bool
}

// checkPlanned tells other resources what is planned here, and refuses what
// does not work together.
func (r *Resource[M]) checkPlanned(ctx context.Context, config tfsdk.Config, plan, state *M, ahead foreseen) diag.Diagnostics {
	var written M
	all := config.Get(ctx, &written)
	if all.HasError() {
		return all
	}
	q := inquiry[M]{
		plan: plan, config: &written, state: state,
		changing: state == nil || ahead.partial || !known(r.data, r.Shared(plan).Hosts()) || len(renewed(ahead.steps)) > 0,
	}
	mine, diagnostics := r.announce(ctx, q, renewed(ahead.steps))
	all.Append(diagnostics...)
	for _, problem := range compat.Collisions(mine, r.data.Announcements.All()) {
		if state != nil {
			problem.Detail += wayOut
		}
		all.AddAttributeError(problemPath(problem), problem.Summary, problem.Detail)
	}
	all.Append(r.checkCompatibility(ctx, q)...)
	return all
}

// checkApplied looks once more, before anything is touched. state is nil for a
// new resource.
func (r *Resource[M]) checkApplied(ctx context.Context, plan, config, state *M) diag.Diagnostics {
	q := inquiry[M]{plan: plan, config: config, state: state, changing: true, applying: true}
	// Terraform plans once more right before it applies.
	own := compat.Place{Owner: r.Shared(plan).Name.ValueString()}
	if planned, told := compat.Find(r.data.Announcements.All(), compat.Controllers, own); told {
		q.changing = planned.Changing
	}
	return r.checkCompatibility(ctx, q)
}

// checkCompatibility refuses controllers that will not work with what they are
// connected to.
func (r *Resource[M]) checkCompatibility(ctx context.Context, q inquiry[M]) diag.Diagnostics {
	if r.Wiring == nil {
		return nil
	}
	wiring := r.Wiring(q.plan)
	if wiring.Skip.ValueBool() || wiring.Skip.IsUnknown() {
		return nil
	}
	var all diag.Diagnostics
	for _, problem := range compat.Judge(r.deployment(ctx, q, wiring)) {
		at, detail := problemPath(problem), problem.Detail
		switch {
		case problem.Doubt && q.applying: // the plan has told
			continue
		case problem.Doubt:
			all.AddAttributeWarning(at, problem.Summary, detail)
			continue
		case q.applying:
			detail += "\n\nNo controller has been touched."
		case q.state != nil:
			detail += wayOut
		}
		all.AddAttributeError(at, problem.Summary, detail)
	}
	return all
}

// problemPath points at the attribute that a problem is about.
func problemPath(problem compat.Problem) path.Path {
	group, setting, nested := strings.Cut(problem.Attribute, ".")
	at := path.Root(group)
	if nested {
		at = at.AtName(setting)
	}
	if problem.Key != "" {
		at = at.AtMapKey(problem.Key)
	}
	return at
}

// renewed are the hosts that get another container.
func renewed(steps []topology.Step) []string {
	var hosts []string
	for _, step := range steps {
		switch s := step.(type) {
		case rollout.Create:
			hosts = append(hosts, s.Hosts...)
		case rollout.Replace:
			hosts = append(hosts, s.Hosts...)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// rootToken is what is known of the root token, and its value, "" while that is
// not known. Only a configuration has it.
func rootToken(config *Model) (compat.Token, string) {
	token := config.RootTokenWO
	switch {
	case token.IsNull():
		return compat.TokenAbsent, ""
	case !token.IsUnknown():
		return compat.TokenGiven, token.ValueString()
	case config.RootTokenWOVersion.IsNull():
		return compat.TokenUnknown, ""
	default:
		return compat.TokenGiven, ""
	}
}

// announce tells the controllers' plan what registries are planned, the apply
// of controllers whether there is anything to do, and everyone what ports are
// going to be taken. It gives what it has announced.
func (r *Resource[M]) announce(ctx context.Context, q inquiry[M], renewed []string) ([]compat.Planned, diag.Diagnostics) {
	shared := r.Shared(q.plan)
	owner := shared.Name.ValueString()
	if shared.Name.IsUnknown() || shared.Replicas.IsUnknown() {
		return nil, nil
	}
	urls, diagnostics := r.addresses(ctx, q.plan)
	ports := r.ports(ctx, q.plan)
	component := compat.Registry
	if r.Wiring != nil {
		component = compat.Controllers
	}
	release, source := compat.Tagged(shared.Image.ValueString())
	token, secret := rootToken(r.Shared(q.config))
	everywhere := q.changing && len(renewed) == 0 // which hosts is not known
	var planned []compat.Planned
	for _, host := range shared.Hosts() {
		p := compat.Planned{
			Component: component, Owner: owner, Host: host, URL: urls[host],
			Release: release, Source: source, Changing: q.changing, Token: token, Secret: secret, Ports: ports[host],
		}
		if component == compat.Registry {
			// Controllers are changed one after the other, and asked for together.
			p.Changing = q.state == nil || everywhere || slices.Contains(renewed, host)
		}
		planned = append(planned, p)
	}
	r.data.Announcements.Announce(component, owner, planned)
	return planned, diagnostics
}

// ports are those that the replicas are going to publish, by host; none as long
// as not all is known that decides it.
func (r *Resource[M]) ports(ctx context.Context, of *M) map[string][]compat.Port {
	m, t := r.Shared(of), r.typed(of)
	if m.BindIP.IsUnknown() {
		return nil
	}
	for _, s := range t.table {
		for _, env := range append([]string{s.Env}, s.Needs...) {
			if s.Taken != nil && !t.decided(env, r.otherwise(m)) {
				return nil
			}
		}
	}
	desired, diagnostics := r.Desired(ctx, of, r.data)
	if diagnostics.HasError() {
		return nil // told when the hosts were looked at
	}
	ports := map[string][]compat.Port{}
	for _, replica := range desired.Replicas {
		for i, p := range replica.Spec.Ports {
			port := compat.Port{Address: p.HostIP, Number: p.HostPort}
			if i > 0 { // the first is the service's own
				port.Attribute = replica.PortAttributes[p.HostPort]
			}
			ports[replica.Host] = append(ports[replica.Host], port)
		}
	}
	return ports
}
