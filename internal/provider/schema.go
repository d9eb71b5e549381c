package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
)

// Schema describes the provider block. No nested attribute is required: the
// framework would report it as missing when the object around it is not known
// yet, which must never be an error.
func (p *ankaProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Builds the high-availability topology of the Anka Build Cloud on remote Docker hosts: an etcd cluster, " +
			"registries and controllers. Hosts are dialled on first use, once each, and shared by all resources. Everything in this block " +
			"may depend on resources of the same configuration, such as servers that are created in the same apply.",
		Attributes: map[string]schema.Attribute{
			"hosts": schema.MapNestedAttribute{
				Optional: true,
				MarkdownDescription: "The Docker hosts by name. Resources refer to hosts by these names: 1 to 32 lower-case letters, digits and " +
					"inner hyphens.",
				Validators:   []validator.Map{mapvalidator.KeysAre(validate.Name())},
				NestedObject: schema.NestedAttributeObject{Attributes: hostAttributes()},
			},
			"ssh": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "Defaults for all hosts with `ssh://`. Three groups are taken over or replaced as a whole: who we are " +
					"(`private_key`, `private_key_path`, `agent`), who the server is (`known_hosts`, `known_hosts_path`, `host_key`, " +
					"`insecure_ignore_host_key`), and `user` and `jump`, each by itself.",
				Attributes: sshAttributes(true),
			},
			"tls": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "Defaults for all hosts with `tcp://`, except those with `insecure = true`. A host's own attribute replaces " +
					"the default together with its `_pem` or `_path` counterpart.",
				Attributes: tlsAttributes(),
			},
			"registry_auth": schema.MapNestedAttribute{
				Optional:            true,
				MarkdownDescription: "Credentials for pulling images, by registry host such as `ghcr.io` or `docker.io`.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"username": schema.StringAttribute{Optional: true, MarkdownDescription: "Name of the user. Needed."},
					"password": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Password or access token. Needed."},
				}},
			},
			"anka_auth": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "Credentials for talking to controllers and registries that have authentication enabled. They are given " +
					"here and not to data sources, because arguments of a data source are kept in state. Each attribute falls back to an " +
					"environment variable.",
				Attributes: ankaAuthAttributes(),
			},
			"connect_timeout": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("How long dialling a host and shaking hands with it may take, such as `5s`. Default `%s`. "+
					"A host that did not answer is not tried again for a while, so a plan with a dead host takes little longer than this.",
					dockerhost.DefaultConnectTimeout),
				Validators: []validator.String{validate.Duration()},
			},
		},
	}
}

func hostAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"address": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "IP address or DNS name under which the other hosts and the Anka nodes reach the services of this host. " +
				"Default: the host part of `docker_host`. Required with `unix://`.",
			Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"docker_host": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Where the Docker daemon is: `ssh://[user@]host[:port][/path/to/docker.sock]`, `tcp://host[:port]` or " +
				"`unix:///path`. Default: the environment variable `DOCKER_HOST`, then the local socket `unix:///var/run/docker.sock`, " +
				"which is refused when `address` is not of the machine that runs Terraform. Every host needs a daemon of its own. " +
				"Docker 20.10 (API 1.41) or newer is needed.",
		},
		"ssh": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "How to log in with `ssh://`. Only port 22 of the host needs to be open to the machine that runs Terraform.",
			Attributes:          sshAttributes(true),
		},
		"tls": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "Certificates for `tcp://`.",
			Attributes:          tlsAttributes(),
		},
		"insecure": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Allows `tcp://` without TLS. Everyone who can reach the port of such a daemon is root on the host. " +
				"Default `false`.",
		},
		"service_access": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "How the provider reaches etcd, controllers and registries on this host: `tunnel` goes through the ssh " +
				"connection, `direct` connects to `address`. Default: `tunnel` for `ssh://`, `direct` otherwise.",
			Validators: []validator.String{stringvalidator.OneOf(string(dockerhost.Tunnel), string(dockerhost.Direct))},
		},
	}
}

func sshAttributes(withJump bool) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{
		"user": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "User to log in as, when the URL has none. Default: the local user. It must be allowed to use Docker, " +
				"usually by being in the group `docker`.",
		},
		"private_key": schema.StringAttribute{
			Optional: true, Sensitive: true,
			MarkdownDescription: "Private key without passphrase, in PEM or OpenSSH format.",
			Validators:          []validator.String{validate.NotEmpty()},
		},
		"private_key_path": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "File with the private key; `~` is the home directory.",
			Validators:          []validator.String{validate.NotEmpty()},
		},
		"agent": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Whether to use the ssh agent at `SSH_AUTH_SOCK`. Default: only when no private key is given, together with " +
				"the unencrypted keys among `~/.ssh/id_ed25519`, `id_ecdsa` and `id_rsa`.",
		},
		"known_hosts": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Known hosts as text, in the format of `known_hosts`.",
			Validators:          []validator.String{validate.NotEmpty()},
		},
		"known_hosts_path": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "File with known hosts. Default: `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`.",
			Validators:          []validator.String{validate.NotEmpty()},
		},
		"host_key": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "The server's public key, such as `ssh-ed25519 AAAA…`. It is then the only one accepted, and known hosts are " +
				"not looked at.",
			Validators: []validator.String{validate.NotEmpty()},
		},
		"insecure_ignore_host_key": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Accepts any server, and with it anyone in between. For throw-away hosts only. It cannot be combined with what would " +
				"be checked: `host_key`, `known_hosts` and `known_hosts_path`. Default `false`.",
		},
	}
	if withJump {
		jump := sshAttributes(false)
		jump["address"] = schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "`[user@]host[:port]` of the jump host. Needed.",
		}
		attributes["jump"] = schema.SingleNestedAttribute{
			Optional: true,
			MarkdownDescription: "A host to go through. What is left open here of user, key, agent and known hosts is taken from around it; " +
				"`host_key` and `insecure_ignore_host_key` are not. The jump host must allow TCP forwarding.",
			Attributes: jump,
		}
	}
	return attributes
}

func tlsAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"ca_pem": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Certificates, in PEM, of the authorities that may have signed the daemon's. Default: those of the system.",
		},
		"ca_path":   schema.StringAttribute{Optional: true, MarkdownDescription: "File with `ca_pem`."},
		"cert_pem":  schema.StringAttribute{Optional: true, MarkdownDescription: "Our certificate in PEM."},
		"cert_path": schema.StringAttribute{Optional: true, MarkdownDescription: "File with `cert_pem`."},
		"key_pem":   schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Our private key in PEM."},
		"key_path":  schema.StringAttribute{Optional: true, MarkdownDescription: "File with `key_pem`."},
		"server_name": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Name that the daemon's certificate must have. Default: the host part of `docker_host`.",
		},
	}
}

func ankaAuthAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"root_token": schema.StringAttribute{
			Optional: true, Sensitive: true,
			MarkdownDescription: "Token of the user root, at least 10 characters. Environment: `ANKA_ROOT_TOKEN`.",
			Validators:          []validator.String{validate.RootToken()},
		},
		"client_cert_pem": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Client certificate in PEM. Environment: `ANKA_CLIENT_CERT`, PEM or the path of a file.",
		},
		"client_cert_path": schema.StringAttribute{Optional: true, MarkdownDescription: "File with `client_cert_pem`."},
		"client_key_pem": schema.StringAttribute{
			Optional: true, Sensitive: true,
			MarkdownDescription: "Key of the client certificate in PEM. Environment: `ANKA_CLIENT_KEY`, PEM or the path of a file.",
		},
		"client_key_path": schema.StringAttribute{Optional: true, MarkdownDescription: "File with `client_key_pem`."},
		"ca_pem": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Certificates, in PEM, of the authorities that may have signed those of controllers and registries. " +
				"Default: those of the system. Environment: `ANKA_CA_CERT`, PEM or the path of a file.",
		},
		"ca_path": schema.StringAttribute{Optional: true, MarkdownDescription: "File with `ca_pem`."},
		"api_key": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "A user's API key. Environment: `ANKA_API_KEY_ID` and `ANKA_API_KEY`, the latter as PEM or the path of a file.",
			Attributes: map[string]schema.Attribute{
				"id":  schema.StringAttribute{Optional: true, MarkdownDescription: "ID of the key. Needed."},
				"key": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "The private key in PEM. Needed."},
			},
		},
	}
}
