package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// spelling is said wherever a docker_host is missing: an object with a
// misspelt attribute is converted to the type of hosts without an error.
const spelling = "Terraform drops attributes that it does not know without a word, so check the spelling of docker_host, " +
	"and that it is part of the type when hosts comes from a variable."

// implied refuses a host whose docker_host is left out although it is not this
// machine: all that is meant for the host would go to the local daemon.
func implied(e entry, h host) diag.Diagnostics {
	var diags diag.Diagnostics
	if !h.DockerHost.IsNull() || h.Address.IsUnknown() || dockerhost.DefaultDaemon() != "" {
		return diags
	}
	at, address := hostPath(e.name).AtName("docker_host"), h.Address.ValueString()
	switch {
	case address == "":
		diags.AddAttributeError(at, invalidHost, fmt.Sprintf("%s: is not set, and neither is address. "+
			"Set docker_host, such as \"ssh://user@10.0.1.4\". %s", at, spelling))
	case e.how == complete && !dockerhost.IsThisMachine(address):
		// What this machine is called says nothing about the one that applies.
		diags.AddAttributeError(at, invalidHost, fmt.Sprintf("%s: is not set, which means the Docker daemon of this machine, "+
			"and %s is not an address of this machine. Set docker_host, such as \"ssh://user@%s\", or \"unix://%s\" if the host is "+
			"this machine nevertheless. %s", at, address, address, dockerhost.DefaultSocket, spelling))
	}
	return diags
}

// daemons has, by what [dockerhost.DaemonOf] says, the host that came first.
type daemons map[string]string

// check refuses a second host on the same daemon: the two would be one machine
// that is taken for two, and the loss of it would be the loss of both.
func (d daemons) check(ctx context.Context, m model, e entry) diag.Diagnostics {
	var h host
	diags := e.object.As(ctx, &h, basetypes.ObjectAsOptions{})
	if diags.HasError() || h.DockerHost.IsUnknown() {
		return diags
	}
	jump, isKnown := jumpAddress(h.SSH, m.SSH)
	if !isKnown {
		return diags
	}
	const left = "the default"
	daemon := dockerhost.DaemonOf(h.DockerHost.ValueString(), jump, h.Insecure.ValueBool())
	if h.DockerHost.IsNull() {
		daemon = left
		if e.how == complete && dockerhost.DefaultDaemon() != "" {
			daemon = dockerhost.DaemonOf(dockerhost.DefaultDaemon(), jump, h.Insecure.ValueBool())
		}
	}
	first, taken := d[daemon]
	switch {
	case daemon == "":
	case !taken:
		d[daemon] = e.name
	case daemon == left:
		at := hostPath(e.name).AtName("docker_host")
		diags.AddAttributeError(at, invalidHost, fmt.Sprintf("%s: is not set, and neither is that of host %q, so both would be the "+
			"Docker daemon that DOCKER_HOST names, or that of this machine. Every host needs a daemon of its own. %s", at, first, spelling))
	default:
		at := hostPath(e.name).AtName("docker_host")
		diags.AddAttributeError(at, invalidHost, fmt.Sprintf("%s: is the same Docker daemon as that of host %q, %s. Two hosts on one machine "+
			"would fail together. Every host needs a daemon of its own.", at, first, daemon))
	}
	return diags
}

// jumpAddress is that of the jump host, the host's own or the block's; false
// when it is not known yet.
func jumpAddress(own, shared types.Object) (string, bool) {
	for _, ssh := range []types.Object{own, shared} {
		if ssh.IsUnknown() {
			return "", false
		}
		jump, isObject := ssh.Attributes()["jump"].(basetypes.ObjectValue)
		if !isObject || jump.IsNull() {
			continue
		}
		address, isString := jump.Attributes()["address"].(types.String)
		return address.ValueString(), isString && !address.IsUnknown() && !jump.IsUnknown()
	}
	return "", true
}
