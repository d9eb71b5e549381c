package provider

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// Login is what ssh settings and those of a jump host have in common.
type Login struct {
	User           types.String `tfsdk:"user"`
	PrivateKey     types.String `tfsdk:"private_key"`
	PrivateKeyPath types.String `tfsdk:"private_key_path"`
	Agent          types.Bool   `tfsdk:"agent"`
	KnownHosts     types.String `tfsdk:"known_hosts"`
	KnownHostsPath types.String `tfsdk:"known_hosts_path"`
	HostKey        types.String `tfsdk:"host_key"`
	IgnoreHostKey  types.Bool   `tfsdk:"insecure_ignore_host_key"`
}

type sshModel struct {
	Login
	Jump types.Object `tfsdk:"jump"`
}

type jumpModel struct {
	Login
	Address types.String `tfsdk:"address"`
}

type tlsModel struct {
	CA         types.String `tfsdk:"ca_pem"`
	CAPath     types.String `tfsdk:"ca_path"`
	Cert       types.String `tfsdk:"cert_pem"`
	CertPath   types.String `tfsdk:"cert_path"`
	Key        types.String `tfsdk:"key_pem"`
	KeyPath    types.String `tfsdk:"key_path"`
	ServerName types.String `tfsdk:"server_name"`
}

// mergeSSH takes from the block's ssh what the host's leaves open. Attributes
// that only make sense together are taken over together: a host with a key of
// its own does not also get the block's agent, and one with a pinned key does
// not get the permission to ignore keys.
func mergeSSH(ctx context.Context, own, shared types.Object, diags *diag.Diagnostics) *dockerhost.SSHConfig {
	if own.IsNull() && shared.IsNull() {
		return nil
	}
	mine, base := decodeSSH(ctx, own, diags), decodeSSH(ctx, shared, diags)
	if mine.User.IsNull() {
		mine.User = base.User
	}
	if allNull(mine.PrivateKey, mine.PrivateKeyPath, mine.Agent) {
		mine.PrivateKey, mine.PrivateKeyPath, mine.Agent = base.PrivateKey, base.PrivateKeyPath, base.Agent
	}
	if allNull(mine.KnownHosts, mine.KnownHostsPath, mine.HostKey, mine.IgnoreHostKey) {
		mine.KnownHosts, mine.KnownHostsPath = base.KnownHosts, base.KnownHostsPath
		mine.HostKey, mine.IgnoreHostKey = base.HostKey, base.IgnoreHostKey
	}
	if mine.Jump.IsNull() {
		mine.Jump = base.Jump
	}
	config := mine.config()
	if !mine.Jump.IsNull() {
		var jump jumpModel
		diags.Append(mine.Jump.As(ctx, &jump, basetypes.ObjectAsOptions{})...)
		config.Jump = &dockerhost.JumpConfig{Address: jump.Address.ValueString(), SSH: jump.config()}
	}
	return &config
}

func decodeSSH(ctx context.Context, object types.Object, diags *diag.Diagnostics) sshModel {
	var m sshModel
	if !object.IsNull() {
		diags.Append(object.As(ctx, &m, basetypes.ObjectAsOptions{})...)
	}
	return m
}

func (l Login) config() dockerhost.SSHConfig {
	config := dockerhost.SSHConfig{
		User: l.User.ValueString(), PrivateKey: l.PrivateKey.ValueString(), PrivateKeyPath: l.PrivateKeyPath.ValueString(),
		KnownHosts: l.KnownHosts.ValueString(), KnownHostsPath: l.KnownHostsPath.ValueString(),
		HostKey: l.HostKey.ValueString(), InsecureIgnoreHostKey: l.IgnoreHostKey.ValueBool(),
	}
	if !l.Agent.IsNull() {
		config.Agent = l.Agent.ValueBoolPointer()
	}
	return config
}

// mergeTLS takes from the block's tls what the host's leaves open; text and
// path of the same thing are replaced together.
func mergeTLS(ctx context.Context, own, shared types.Object, diags *diag.Diagnostics) *dockerhost.TLSConfig {
	if own.IsNull() && shared.IsNull() {
		return nil
	}
	var mine, base tlsModel
	if !own.IsNull() {
		diags.Append(own.As(ctx, &mine, basetypes.ObjectAsOptions{})...)
	}
	if !shared.IsNull() {
		diags.Append(shared.As(ctx, &base, basetypes.ObjectAsOptions{})...)
	}
	if allNull(mine.CA, mine.CAPath) {
		mine.CA, mine.CAPath = base.CA, base.CAPath
	}
	if allNull(mine.Cert, mine.CertPath) {
		mine.Cert, mine.CertPath = base.Cert, base.CertPath
	}
	if allNull(mine.Key, mine.KeyPath) {
		mine.Key, mine.KeyPath = base.Key, base.KeyPath
	}
	if mine.ServerName.IsNull() {
		mine.ServerName = base.ServerName
	}
	return &dockerhost.TLSConfig{
		CA: mine.CA.ValueString(), CAPath: mine.CAPath.ValueString(),
		Cert: mine.Cert.ValueString(), CertPath: mine.CertPath.ValueString(),
		Key: mine.Key.ValueString(), KeyPath: mine.KeyPath.ValueString(),
		ServerName: mine.ServerName.ValueString(),
	}
}

func allNull(values ...attr.Value) bool {
	for _, v := range values {
		if !v.IsNull() {
			return false
		}
	}
	return true
}

func connectTimeout(value types.String) time.Duration {
	// The schema's validator reports what does not parse.
	timeout, err := time.ParseDuration(value.ValueString())
	if err != nil {
		return 0
	}
	return timeout
}

// locate turns a field of a host's configuration, such as ssh.host_key, into
// the path of the attribute that holds it: the host's own, or the block's
// default for it.
func locate(field string, m model, name string, h host) path.Path {
	parts := strings.Split(field, ".")
	at := hostPath(name)
	if len(parts) == 1 {
		return at.AtName(parts[0])
	}
	own, shared := h.SSH, m.SSH
	if parts[0] == "tls" {
		own, shared = h.TLS, m.TLS
	}
	switch {
	case holds(own, parts[1:]):
	case holds(shared, parts[1:]):
		at = path.Empty()
	default:
		return at
	}
	for _, part := range parts {
		at = at.AtName(part)
	}
	return at
}

// holds reports whether an object has a value at the names.
func holds(object types.Object, names []string) bool {
	if object.IsNull() || object.IsUnknown() {
		return false
	}
	value, exists := object.Attributes()[names[0]]
	if !exists || value.IsNull() {
		return false
	}
	if len(names) == 1 {
		return true
	}
	inner, isObject := value.(basetypes.ObjectValue)
	return isObject && holds(inner, names[1:])
}
