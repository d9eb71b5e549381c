package etcdcluster

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

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
	resp.Diagnostics.Append(problems(configured(members))...)
	resp.Diagnostics.Append(checkRetention(config)...)
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

func checkRetention(config model) diag.Diagnostics {
	var all diag.Diagnostics
	if config.AutoCompactionRetention.IsNull() || config.AutoCompactionRetention.IsUnknown() || config.AutoCompactionMode.IsUnknown() {
		return all
	}
	at, retention := path.Root("auto_compaction_retention"), config.AutoCompactionRetention.ValueString()
	if config.AutoCompactionMode.ValueString() == "revision" {
		if n, err := strconv.Atoi(retention); err != nil || n < 0 {
			all.AddAttributeError(at, "Invalid retention", fmt.Sprintf("%q is not a number of revisions, which auto_compaction_mode = \"revision\" needs.", retention))
		}
		return all
	}
	if d, err := time.ParseDuration(retention); err != nil || d < 0 {
		all.AddAttributeError(at, "Invalid retention",
			fmt.Sprintf("%q is not a duration such as \"30m\" or \"1h\". A plain number means hours to etcd; write the unit.", retention))
	}
	return all
}

// checkArguments refuses arguments and variables that would fight with those
// that the provider sets.
func checkArguments(ctx context.Context, config model) diag.Diagnostics {
	var all diag.Diagnostics
	if !config.ExtraArgs.IsNull() && !config.ExtraArgs.IsUnknown() {
		var args []types.String
		all.Append(config.ExtraArgs.ElementsAs(ctx, &args, false)...)
		for i, arg := range args {
			at := path.Root("extra_args").AtListIndex(i)
			text := arg.ValueString()
			if arg.IsUnknown() {
				continue
			}
			if !strings.HasPrefix(text, "--") {
				all.AddAttributeError(at, "Invalid argument", fmt.Sprintf("%q does not begin with two hyphens. Write a flag and its value as one element: \"--flag=value\".", text))
			}
			if flag, managed := etcd.ManagedFlag(text); managed {
				all.AddAttributeError(at, "Argument is set by the provider", fmt.Sprintf("--%s is set by the provider. Use the resource's attributes instead.", flag))
			}
		}
	}
	for name := range config.Env.Elements() {
		if flag, managed := etcd.ManagedEnv(name); managed {
			all.AddAttributeError(path.Root("env").AtMapKey(name), "Variable is set by the provider",
				fmt.Sprintf("%s says the same as --%s, which the provider sets, and etcd does not start when it is told something both ways. Use the resource's attributes instead.", name, flag))
		}
	}
	return all
}
