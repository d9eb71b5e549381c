package replicas

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/dockerattr"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// DefaultName is that of a deployment that needs no other.
const DefaultName = "anka"

// Described is what the shared attributes say of a service.
type Described struct {
	Role  container.Role
	Image string
	Port  int64
	// Table has the settings that are attributes.
	Table service.Table
	// Replica are further attributes of a single replica.
	Replica map[string]schema.Attribute
}

// Attributes are those of [Model].
func Attributes(ctx context.Context, d Described) map[string]schema.Attribute {
	role := string(d.Role)
	attributes := map[string]schema.Attribute{
		"id": schema.StringAttribute{
			Computed: true, MarkdownDescription: "The name.",
			PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		},
		"name": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(DefaultName),
			MarkdownDescription: fmt.Sprintf("Name of the deployment, part of the names of containers: `anka-<name>-%s-<host>`. Default `%s`. "+
				"Changing it replaces the resource.", role, DefaultName),
			Validators:    []validator.String{validate.Name()},
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
		},
		"image": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(d.Image),
			MarkdownDescription: fmt.Sprintf("Image of the %s. Default `%s`. An image that a host already has is not pulled, so a local name works too.", role, d.Image),
			Validators:          []validator.String{validate.Image()},
		},
		"replicas": replicasAttribute(role, d.Replica),
		"port": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(d.Port),
			MarkdownDescription: fmt.Sprintf("Port on the hosts. Default `%d`.", d.Port),
			Validators:          []validator.Int64{validate.Port()},
		},
		"bind_ip": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Address of the hosts to publish the port on. Default: all addresses.",
			Validators:          []validator.String{validate.IP()},
		},
		"restart_policy": dockerattr.RestartPolicy(""),
		"log":            dockerattr.Log(""),
		"ready_timeout": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(rollout.ReadyTimeout.String()),
			MarkdownDescription: fmt.Sprintf("How long a started %s may take until it answers as ready. In an update the old container is put back after that: "+
				"with the defaults it serves again within %.0f s of being told to end, and a longer `ready_timeout` or `graceful_shutdown_timeout` adds to that. Default `%s`.",
				role, rollout.Outage.Seconds(), rollout.ReadyTimeout),
			Validators: []validator.String{validate.Duration()},
		},
		"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
			Create: true, Read: true, Update: true, Delete: true,
			CreateDescription: within("Pulling the image and making everything", createTimeout),
			ReadDescription:   within("Looking at all hosts", readTimeout),
			UpdateDescription: within("Going through all hosts, one after the other,", updateTimeout),
			DeleteDescription: within("Removing everything", deleteTimeout),
		}),
		"urls": schema.MapAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: fmt.Sprintf("URL of each host's %s, by host. The keys are known from the first plan on, so that `for_each` can use them.", role),
		},
		"ready": schema.BoolAttribute{
			Computed: true,
			MarkdownDescription: fmt.Sprintf("Whether every %s answers as ready. While it is `false` the next plan proposes the steps that finish the work. "+
				"Hosts that cannot be reached leave it as it was, unless another is seen not to be ready.", role),
		},
	}
	addEnvironment(attributes, role)
	addSettings(attributes, d.Table)
	maps.Copy(attributes, dockerattr.RuntimeAttributes(role))
	return attributes
}

// within describes a timeout.
func within(act string, limit time.Duration) string {
	return fmt.Sprintf("%s may take this long, such as `90s` or `1h30m`. Default `%dm`.", act, int(limit.Minutes()))
}

func replicasAttribute(role string, further map[string]schema.Attribute) schema.MapNestedAttribute {
	attributes := map[string]schema.Attribute{
		"address": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "IP or DNS name in the URL that others use for this host, instead of the host's `address`.",
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"port": schema.Int64Attribute{
			Optional: true, MarkdownDescription: "Port on this host, instead of the resource's `port`.",
			Validators: []validator.Int64{validate.Port()},
		},
	}
	maps.Copy(attributes, further)
	return schema.MapNestedAttribute{
		Required: true,
		MarkdownDescription: fmt.Sprintf("The hosts that run a %s, by their key in the provider's `hosts`. A value may be empty: `{ h1 = {}, h2 = {} }`. "+
			"Adding and removing hosts touches only those.\n\n"+
			"A host that cannot be reached is left out, with a warning, as long as nothing has to change on it or on another whose %[1]s serves: "+
			"nothing that serves is taken down while nobody knows whether the rest does. Otherwise the plan is refused before anything is touched. "+
			"When the host comes back, the next plan goes on. When it is lost for good, point its key in `hosts` to a machine that takes its place, and the %[1]s is made there; "+
			"a key cannot be removed from `replicas` while its host does not answer.", role),
		Validators:   append(validate.Names(), validate.NoNulls()),
		NestedObject: schema.NestedAttributeObject{Attributes: attributes},
	}
}

func addEnvironment(attributes map[string]schema.Attribute, role string) {
	attributes["env"] = dockerattr.Env(fmt.Sprintf("Further environment of every %s, for what has no attribute. "+
		"Variables that attributes of this resource set are refused, and so are secrets, which belong into `env_wo`.", role))
	attributes["env_wo"] = schema.MapAttribute{
		Optional: true, Sensitive: true, WriteOnly: true, ElementType: types.StringType,
		MarkdownDescription: "Secret part of the environment, such as `AWS_SECRET_ACCESS_KEY`, for what has no attribute. It is never kept in state; change `env_wo_version` with it." + inspected +
			" Switches and ports that shape the container are refused here: they belong to their attributes, or into `env`.",
		Validators: []validator.Map{
			mapvalidator.KeysAre(validate.EnvName()), validate.NoNulls(), mapvalidator.AlsoRequires(path.MatchRoot("env_wo_version")),
		},
	}
	attributes["env_wo_version"] = schema.Int64Attribute{
		Optional: true, MarkdownDescription: "Version of `env_wo`. Containers are replaced, one after the other, when it changes.",
		Validators: []validator.Int64{int64validator.AlsoRequires(path.MatchRoot("env_wo"))},
	}
	attributes["root_token_wo"] = schema.StringAttribute{
		Optional: true, Sensitive: true, WriteOnly: true,
		MarkdownDescription: "Token of the user root, at least 10 characters. It turns authentication on (`ANKA_ENABLE_AUTH`). Controllers and registries need the same one, and so does `anka_auth.root_token` of the provider block: " +
			"with it `anka_controller_status` asks, which cannot know it from here. See `examples/topologies/three-host-ha-auth`. " +
			"It is never kept in state; change `root_token_wo_version` with it." + inspected + "\n\n" +
			"Authentication begins when the first node with a license of the Enterprise tier has joined. From then on nodes and clients without credentials are cut off: " +
			"before setting it on a cloud in use, let the nodes join again with an API key or a certificate, see the function `join_command`.",
		Validators: []validator.String{validate.RootToken(), stringvalidator.AlsoRequires(path.MatchRoot("root_token_wo_version"))},
	}
	attributes["root_token_wo_version"] = schema.Int64Attribute{
		Optional: true, MarkdownDescription: "Version of `root_token_wo`. Containers are replaced, one after the other, when it changes. " +
			"In one apply the registries get a new token before the controllers do: until the last controller has it, `registry_status` of those with the old one is `FAIL`, and they can neither list nor push templates.",
		Validators: []validator.Int64{int64validator.AlsoRequires(path.MatchRoot("root_token_wo"))},
	}
}
