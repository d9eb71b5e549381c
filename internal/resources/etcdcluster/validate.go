package etcdcluster

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// ValidateConfig checks what attributes say of each other, without a host.
func (r *clusterResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config model
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	members, diagnostics := config.members(ctx)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	for name, member := range members {
		if member.Host.IsNull() {
			resp.Diagnostics.AddAttributeError(memberPath(name, "host"), "Missing host", "A member needs a host: the key of one of the provider's hosts.")
		}
	}
	resp.Diagnostics.Append(problems(configured(members))...)
	resp.Diagnostics.Append(checkSettings(config)...)
	resp.Diagnostics.Append(checkArguments(ctx, config)...)
}

// configured are the members as the configuration has them, without what only
// the hosts know. Unknown values are left empty, which the checks pass over.
func configured(members map[string]memberModel) etcd.Desired {
	var d etcd.Desired
	for name, m := range members {
		d.Members = append(d.Members, etcd.Member{
			Name: name, Host: m.Host.ValueString(),
			ClientPort: portOr(m.ClientPort, etcd.ClientPort), PeerPort: portOr(m.PeerPort, etcd.PeerPort),
		})
	}
	return d
}

func portOr(port types.Int64, fallback int) int {
	switch {
	case port.IsUnknown():
		return 0
	case port.IsNull():
		return fallback
	default:
		return int(port.ValueInt64())
	}
}

// problems turns the findings of the pure check into diagnostics.
func problems(d etcd.Desired) diag.Diagnostics {
	var all diag.Diagnostics
	for _, p := range d.Problems() {
		at := memberPath(p.Member, p.Attribute)
		if p.Warning {
			all.AddAttributeWarning(at, p.Summary, p.Detail)
		} else {
			all.AddAttributeError(at, p.Summary, p.Detail)
		}
	}
	return all
}

// checkSettings checks the settings against each other and against the version
// of etcd that the image runs.
func checkSettings(config model) diag.Diagnostics {
	version, all := config.imageVersion()
	if config.Image.IsUnknown() || config.EtcdVersion.IsUnknown() || all.HasError() {
		return all
	}
	warnings, err := etcd.CheckVersion(version)
	var refusal *etcd.Refusal
	if errors.As(err, &refusal) {
		all.AddAttributeError(path.Root(refusal.Attribute), refusal.Summary, refusal.Detail)
	}
	for _, warning := range warnings {
		all.AddAttributeWarning(path.Root("image"), "Version of etcd", warning)
	}
	for _, p := range (etcd.Settings{Tuned: config.tuned()}).Problems(version) {
		if p.Warning {
			all.AddAttributeWarning(path.Root(p.Attribute), p.Summary, p.Detail)
		} else {
			all.AddAttributeError(path.Root(p.Attribute), p.Summary, p.Detail)
		}
	}
	return all
}

// checkArguments refuses arguments and variables that would fight with those
// that the provider sets, or that the version of etcd does not start with.
func checkArguments(ctx context.Context, config model) diag.Diagnostics {
	version, _ := config.imageVersion() // its faults were told by checkSettings
	var all diag.Diagnostics
	var args, env []string
	if !config.ExtraArgs.IsNull() && !config.ExtraArgs.IsUnknown() {
		var values []types.String
		all.Append(config.ExtraArgs.ElementsAs(ctx, &values, false)...)
		for i, value := range values {
			if !value.IsUnknown() && value.ValueString() == "" {
				all.AddAttributeError(path.Root("extra_args").AtListIndex(i), "Invalid argument", "The argument is empty. Remove it.")
			}
			args = append(args, value.ValueString())
		}
	}
	for name := range config.Env.Elements() {
		env = append(env, name)
	}
	for _, found := range etcd.CheckArguments(args, env, version) {
		at := path.Root("env").AtMapKey(found.Variable)
		if found.Variable == "" {
			at = path.Root("extra_args").AtListIndex(found.Index)
		}
		all.AddAttributeError(at, found.Summary, found.Detail)
	}
	return all
}
