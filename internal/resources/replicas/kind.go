package replicas

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Kind is what makes one resource of the shared behaviour. M is its model,
// which embeds [Model].
type Kind[M any] struct {
	// Role is the kind of service.
	Role container.Role
	// Table has the settings that are attributes, and Groups gives the nested
	// attributes that hold them.
	Table  service.Table
	Groups func(*M) Groups
	// Options and Wired are the variables that the service reads, and those
	// that attributes set.
	Options service.Options
	Wired   map[string]string
	// Schema describes the resource.
	Schema func(context.Context) schema.Schema
	// Shared gives the embedded model.
	Shared func(*M) *Model
	// Validate checks what attributes say of each other, without a host.
	Validate func(context.Context, *M) diag.Diagnostics
	// Desired renders the containers, without secrets.
	Desired func(context.Context, *M, *providerdata.Data) (rollout.Desired, diag.Diagnostics)
	// Derive sets computed attributes that follow from urls and the
	// configuration.
	Derive func(*M)
	// Purge reports whether named volumes are deleted with the resource; nil
	// for services without data.
	Purge func(*M) bool
	// Deferred: the URL of a host on which something is going to change is
	// planned as unknown, so that who reads it waits for the change.
	Deferred bool
	// Wiring is what the service needs others for, which is checked before it
	// changes; nil for a service that others need.
	Wiring func(*M) Wiring
	// Companion is what runs beside the service; nil for nothing.
	Companion Companion[M]
	// Beside is the role of the companion's containers, which record what they
	// were made of as those of the service do.
	Beside container.Role
	// Passing are attributes that hold for one apply, and are not recorded.
	Passing []string
}

// Resource is the shared behaviour. It is stateless but for the provider's
// data.
type Resource[M any] struct {
	Kind[M]
	data *providerdata.Data
}

// Defaults of the operations' timeouts, used where timeouts says nothing.
const (
	createTimeout = 10 * time.Minute
	readTimeout   = time.Minute
	updateTimeout = 20 * time.Minute
	deleteTimeout = 10 * time.Minute
)

// New makes the resource of a kind.
func New[M any](kind Kind[M]) resource.Resource { return &Resource[M]{Kind: kind} }

// Metadata names the resource.
func (r *Resource[M]) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + string(r.Role)
}

// Schema describes the resource.
func (r *Resource[M]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.Kind.Schema(ctx)
}

// Configure takes the hosts over from the provider.
func (r *Resource[M]) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	data, diagnostics := providerdata.From(req.ProviderData)
	resp.Diagnostics.Append(diagnostics...)
	r.data = data
}

// settle is longer than the second for which an impatient client waits for one
// URL: one that has found a host in its change finds the next one up.
const settle = 1200 * time.Millisecond

// service binds what a model desires to the hosts. The secrets of config, when
// given, go into the containers.
func (r *Resource[M]) service(ctx context.Context, m, config *M) (*rolloutops.Service, diag.Diagnostics) {
	desired, diagnostics := r.Desired(ctx, m, r.data)
	s := &rolloutops.Service{
		Desired: desired, Fleet: r.data.Hosts, Credentials: r.data.Credentials,
		ReadyTimeout: r.Shared(m).readyTimeout(), Settle: settle,
		Log: func(ctx context.Context, step topology.Step) {
			tflog.Info(ctx, fmt.Sprintf("%s step", r.Role), map[string]any{
				"name": desired.Owner, "step": step.String(), "cause": step.Cause(),
			})
		},
	}
	if config == nil {
		return s, diagnostics
	}
	environment, t := r.Shared(config).secretEnvironment(), r.typed(config)
	s.Secrets = masked(t, environment)
	settings, files := t.table.Secrets(t.secret())
	if token := environment[service.RootToken]; token != "" && s.Credentials.RootToken == "" {
		// Only for asking whether it is ready, where that needs credentials.
		s.Credentials.RootToken = token
	}
	maps.Copy(environment, settings)
	for i := range s.Desired.Replicas {
		s.Desired.Replicas[i].Spec = service.WithSecrets(s.Desired.Replicas[i].Spec, environment, files...)
	}
	diagnostics.Append(r.remember(ctx, m, &s.Desired)...)
	return s, diagnostics
}
