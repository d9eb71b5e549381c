package controllerstatus

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
)

// Read asks the controller.
func (d *statusDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	host, pending, diagnostics := d.host(m)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	m.Ready, m.Reachable = types.BoolValue(false), types.BoolValue(false)
	if pending {
		// Not an error: this apply makes the host, and the next read sees it.
		resp.Diagnostics.AddAttributeWarning(path.Root("host"), "Host is not known yet",
			"The provider block does not know this host yet, so the controller was not asked. Refresh when the host is there.")
		m.Error = types.StringValue("the host is not known yet")
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		return
	}
	client, err := d.client(m, host)
	if err != nil {
		resp.Diagnostics.AddError("Unable to ask the controller", err.Error())
		return
	}
	defer client.Close()
	if err := m.ask(ctx, client); err != nil {
		resp.Diagnostics.Append(failure(err))
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// host finds the host to go through, nil for none. pending says that the
// provider block does not know it yet.
func (d *statusDataSource) host(m model) (host *dockerhost.Host, pending bool, all diag.Diagnostics) {
	if m.Host.IsNull() {
		return nil, false, nil
	}
	name := m.Host.ValueString()
	if declared, known := d.data.Hosts.Declares(name); declared && !known {
		return nil, true, nil
	}
	host, err := d.data.Hosts.Host(name)
	if unknown, is := diags.UnknownHost(path.Root("host"), err); is {
		all.Append(unknown)
	} else if err != nil {
		all.AddAttributeError(path.Root("host"), "Unable to use host", err.Error())
	}
	return host, false, all
}

func (d *statusDataSource) client(m model, host *dockerhost.Host) (*ankaapi.Client, error) {
	timeout := defaultTimeout
	if given, err := time.ParseDuration(m.Timeout.ValueString()); err == nil {
		timeout = given
	}
	cfg := ankaapi.Config{URL: m.URL.ValueString(), Credentials: d.data.Credentials, Timeout: timeout}
	if host != nil {
		cfg.Dial = host.DialService
	}
	return ankaapi.New(cfg)
}

// ask fills in what the controller answers. The error is what is not to be
// taken as data.
func (m *model) ask(ctx context.Context, client *ankaapi.Client) error {
	status, err := client.Status(ctx)
	if err != nil {
		tolerated := ankaapi.Is(err, ankaapi.Unreachable, ankaapi.Timeout, ankaapi.TLSFailure, ankaapi.Unauthorized, ankaapi.Failed)
		if !m.AllowUnreachable.ValueBool() || !tolerated || ctx.Err() != nil {
			return err
		}
		m.Error = types.StringValue(err.Error())
		m.Reachable = types.BoolValue(ankaapi.Is(err, ankaapi.Unauthorized, ankaapi.Failed))
	} else {
		m.Reachable = types.BoolValue(true)
		m.Status, m.Version = types.StringValue(status.Status), types.StringValue(status.Version)
		m.RegistryAddress, m.RegistryStatus = types.StringValue(status.RegistryAddress), types.StringValue(status.RegistryStatus)
		m.License = types.StringValue(status.License)
	}
	if m.Reachable.ValueBool() {
		m.Ready = types.BoolValue(client.Ready(ctx, ankaapi.Controller) == nil)
	}
	return nil
}

// summaries say what failed, by kind.
var summaries = map[ankaapi.Kind]string{
	ankaapi.Unreachable:  "Controller is unreachable",
	ankaapi.Timeout:      "Controller does not answer",
	ankaapi.TLSFailure:   "TLS with the controller failed",
	ankaapi.Unauthorized: "Controller refuses the credentials",
	ankaapi.NotAnka:      "Not a controller",
	ankaapi.WrongService: "Not a controller",
	ankaapi.Failed:       "Controller failed",
}

func failure(err error) diag.Diagnostic {
	summary := "Unable to ask the controller"
	var failed *ankaapi.Error
	if errors.As(err, &failed) {
		summary = summaries[failed.Kind]
	}
	detail := err.Error()
	if ankaapi.Is(err, ankaapi.Unreachable, ankaapi.Timeout, ankaapi.Unauthorized, ankaapi.Failed) {
		detail += "\n\nSet allow_unreachable = true to have this as data instead of an error."
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("url"), summary, detail)
}
