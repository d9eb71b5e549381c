package provider

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// depth is how far the block is checked.
type depth int

const (
	// offline leaves out what depends on the machine: files and the agent.
	offline depth = iota
	// complete is what a plan and an apply need.
	complete
)

// host is one entry of hosts.
type host struct {
	Address       types.String `tfsdk:"address"`
	DockerHost    types.String `tfsdk:"docker_host"`
	SSH           types.Object `tfsdk:"ssh"`
	TLS           types.Object `tfsdk:"tls"`
	Insecure      types.Bool   `tfsdk:"insecure"`
	ServiceAccess types.String `tfsdk:"service_access"`
}

// fleet makes the hosts that are known, and declares those that are not known
// yet. Diagnostics carry the path of the attribute at fault.
func fleet(ctx context.Context, m model, how depth) (*dockerhost.Fleet, diag.Diagnostics) {
	var diags diag.Diagnostics
	f := dockerhost.NewFleet()
	if m.Hosts.IsUnknown() {
		f.SetUnknown()
		return f, diags
	}
	auth := registryAuth(ctx, m.RegistryAuth, &diags)
	daemons := daemons{}
	elements := m.Hosts.Elements()
	for _, name := range slices.Sorted(maps.Keys(elements)) {
		object, isObject := elements[name].(basetypes.ObjectValue)
		if !isObject || object.IsUnknown() {
			f.AddUnknown(name)
			continue
		}
		if object.IsNull() {
			diags.AddAttributeError(hostPath(name), "Missing host", "The host is null. Describe it, or leave its name out of the map.")
			continue
		}
		built, hostDiags := build(ctx, m, entry{name, object, auth, how})
		if !hostDiags.HasError() {
			hostDiags.Append(daemons.check(ctx, m, entry{name, object, auth, how})...)
		}
		diags.Append(hostDiags...)
		switch {
		case built != nil && !hostDiags.HasError():
			f.Add(built)
			tflog.Debug(ctx, "declared host", map[string]any{"host": name, "address": built.Address(), "tunnelled": built.Tunnelled()})
		case !hostDiags.HasError():
			f.AddUnknown(name)
		}
	}
	return f, diags
}

func hostPath(name string) path.Path { return path.Root("hosts").AtMapKey(name) }

// trace logs an act on a daemon. Acts name containers, images and paths and
// hold no values of the configuration.
func trace(ctx context.Context, act dockerhost.Act) {
	tflog.Trace(ctx, "docker", map[string]any{
		"host": act.Host, "act": act.Tried, "milliseconds": act.Took.Milliseconds(), "failed": act.Failed,
	})
}

// entry is one element of hosts with what is the same for all of them.
type entry struct {
	name   string
	object basetypes.ObjectValue
	auth   map[string]dockerhost.RegistryAuth
	how    depth
}

// build makes one host. Nil without errors means that it is not known yet.
func build(ctx context.Context, m model, e entry) (*dockerhost.Host, diag.Diagnostics) {
	var h host
	name := e.name
	diags := e.object.As(ctx, &h, basetypes.ObjectAsOptions{})
	if diags.HasError() || h.DockerHost.IsUnknown() {
		return nil, diags
	}
	diags.Append(implied(e, h)...)
	if diags.HasError() {
		return nil, diags
	}
	cfg := dockerhost.Config{
		Name: name, Address: h.Address.ValueString(), DockerHost: h.DockerHost.ValueString(), Insecure: h.Insecure.ValueBool(),
		ServiceAccess:  dockerhost.ServiceAccess(h.ServiceAccess.ValueString()),
		ConnectTimeout: connectTimeout(m.ConnectTimeout),
		RegistryAuth:   e.auth,
		Trace:          trace,
	}
	scheme := dockerhost.SchemeOf(cfg.DockerHost)
	// Only the part that a host uses can keep it from being known.
	ssh, tls := types.ObjectNull(nil), types.ObjectNull(nil)
	if scheme == dockerhost.SchemeSSH {
		ssh = m.SSH
	}
	if scheme == dockerhost.SchemeTCP && !h.Insecure.ValueBool() {
		tls = m.TLS
	}
	if !known(ctx, e.object) || !known(ctx, ssh) || !known(ctx, tls) || m.ConnectTimeout.IsUnknown() {
		if _, err := dockerhost.ParseDockerHost(cfg.DockerHost); err != nil && cfg.DockerHost != "" {
			diags.AddAttributeError(hostPath(name).AtName("docker_host"), invalidHost, fmt.Sprintf("%s: %v.", hostPath(name).AtName("docker_host"), err))
		}
		return nil, diags
	}
	cfg.SSH = mergeSSH(ctx, h.SSH, ssh, &diags)
	cfg.TLS = mergeTLS(ctx, h.TLS, tls, &diags)
	if cfg.Insecure && cfg.TLS != nil {
		diags.AddAttributeError(hostPath(name).AtName("insecure"), invalidHost,
			fmt.Sprintf("%s: conflicts with tls: leave one of them out.", hostPath(name).AtName("insecure")))
	}
	if diags.HasError() {
		return nil, diags
	}
	built, err := dockerhost.New(cfg)
	if err != nil {
		if e.how == offline && local(err) {
			return nil, diags
		}
		diags.Append(faultOf(err, m, name, h))
		return nil, diags
	}
	return built, diags
}

// known reports whether a value and all in it are known.
func known(ctx context.Context, value attr.Value) bool {
	if value.IsNull() {
		return true
	}
	raw, err := value.ToTerraformValue(ctx)
	return err == nil && raw.IsFullyKnown()
}

// local reports whether an error may be gone on the machine that applies.
func local(err error) bool {
	var file *fs.PathError
	var fault *dockerhost.ConfigError
	return errors.As(err, &file) || errors.As(err, &fault) && fault.Field == "ssh.agent"
}

const invalidHost = "Invalid host"

// faultOf is the diagnostic for a host that cannot be made, at the attribute
// at fault: the host's own, or the block's default for it.
func faultOf(err error, m model, name string, h host) diag.Diagnostic {
	var fault *dockerhost.ConfigError
	if !errors.As(err, &fault) {
		return diag.NewAttributeErrorDiagnostic(hostPath(name), invalidHost, err.Error())
	}
	at, what := locate(fault.Field, m, name, h), fault.Field
	if first, _ := at.Steps().NextStep(); first.Equal(path.PathStepAttributeName("hosts")) {
		// The path may end above the attribute, where nothing is set.
		what = fmt.Sprintf("%s.%s", hostPath(name), fault.Field)
	}
	return diag.NewAttributeErrorDiagnostic(at, invalidHost, fmt.Sprintf("%s: %v.", what, fault.Err))
}

func registryAuth(ctx context.Context, value types.Map, diags *diag.Diagnostics) map[string]dockerhost.RegistryAuth {
	if value.IsNull() || value.IsUnknown() {
		return nil
	}
	all := map[string]dockerhost.RegistryAuth{}
	for registry, element := range value.Elements() {
		object, isObject := element.(basetypes.ObjectValue)
		if !isObject || object.IsNull() || object.IsUnknown() {
			continue
		}
		var auth struct {
			Username types.String `tfsdk:"username"`
			Password types.String `tfsdk:"password"`
		}
		diags.Append(object.As(ctx, &auth, basetypes.ObjectAsOptions{})...)
		if auth.Username.IsNull() || auth.Password.IsNull() {
			diags.AddAttributeError(path.Root("registry_auth").AtMapKey(registry), "Invalid registry credentials",
				"Both username and password are needed.")
		}
		all[registry] = dockerhost.RegistryAuth{Username: auth.Username.ValueString(), Password: auth.Password.ValueString()}
	}
	return all
}
