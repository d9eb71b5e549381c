package dockerattr

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

var memorySize = regexp.MustCompile(`^([1-9][0-9]*)([bkmgBKMG])$`)

// minMemory is Docker's least limit, 6 MiB.
const minMemory = 6 << 20

// parseMemory converts a size such as 512m to bytes.
func parseMemory(text string) (int64, error) {
	match := memorySize.FindStringSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("%q is not a whole number followed by b, k, m or g", text)
	}
	shift := map[string]uint{"b": 0, "k": 10, "m": 20, "g": 30}[string(match[2][0]|0x20)]
	number, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil || number > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is more than any host has", text)
	}
	if number<<shift < minMemory {
		return 0, fmt.Errorf("%q is less than 6m, the least that Docker accepts", text)
	}
	return number << shift, nil
}

type memory struct{}

func (memory) Description(context.Context) string {
	return `a size of at least 6m, such as "512m" or "2g"`
}
func (v memory) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString accepts what parseMemory does.
func (v memory) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := parseMemory(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid size", fmt.Sprintf("%v. Expected: %s.", err, v.Description(ctx)))
	}
}

// Names in a hosts file: DNS names and the underscores that people use.
var name = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$`)

type hostName struct{}

func (hostName) Description(context.Context) string               { return `a host name such as "registry.internal"` }
func (v hostName) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString accepts host names.
func (v hostName) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if value := req.ConfigValue; !value.IsNull() && !value.IsUnknown() && !name.MatchString(value.ValueString()) {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid host name", fmt.Sprintf("%q is not a host name. Expected: %s.", value.ValueString(), v.Description(ctx)))
	}
}

// hostGateway is Docker's word for the host's own address.
const hostGateway = "host-gateway"

type hostAddress struct{}

func (hostAddress) Description(context.Context) string {
	return `an IP address such as "10.0.1.4", or "` + hostGateway + `"`
}
func (v hostAddress) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString accepts addresses without a zone.
func (v hostAddress) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	value := req.ConfigValue
	if value.IsNull() || value.IsUnknown() || value.ValueString() == hostGateway {
		return
	}
	if ip, err := netip.ParseAddr(value.ValueString()); err != nil || ip.Zone() != "" {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid address", fmt.Sprintf("%q is not an IP address. Expected: %s.", value.ValueString(), v.Description(ctx)))
	}
}

// wholeHealthcheck refuses a check without a command, and one that is turned
// off and described at the same time.
type wholeHealthcheck struct{}

func (wholeHealthcheck) Description(context.Context) string {
	return "either command, or enabled = false and nothing else"
}

func (v wholeHealthcheck) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateObject judges what is known.
func (wholeHealthcheck) ValidateObject(ctx context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	var m healthcheckModel
	resp.Diagnostics.Append(req.ConfigValue.As(ctx, &m, basetypes.ObjectAsOptions{})...)
	switch {
	case resp.Diagnostics.HasError() || m.Enabled.IsUnknown():
	case m.disabled() && given(m.Command, m.Interval, m.Timeout, m.StartPeriod, m.Retries):
		resp.Diagnostics.AddAttributeError(req.Path, "Contradicting healthcheck",
			"The check is turned off with enabled = false, and described at the same time. Remove either.")
	case !m.disabled() && m.Command.IsNull():
		resp.Diagnostics.AddAttributeError(req.Path.AtName("command"), "Missing command",
			"A healthcheck needs the command that is run. To turn off the image's own check, set enabled = false and nothing else.")
	}
	for attribute, value := range map[string]types.String{"interval": m.Interval, "timeout": m.Timeout, "start_period": m.StartPeriod} {
		if d := length(value); d > 0 && d < time.Millisecond {
			resp.Diagnostics.AddAttributeError(req.Path.AtName(attribute), "Invalid duration", fmt.Sprintf("%s is less than 1ms, the least that Docker accepts.", d))
		}
	}
}
