package replicas

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// addSettings adds the nested attribute of every group of a table that is at
// the top; the resource itself puts the others where they belong.
func addSettings(attributes map[string]schema.Attribute, table service.Table) {
	for _, group := range table.Groups() {
		if !strings.Contains(group.Name, ".") {
			attributes[group.Name] = SettingsAttribute(table, group.Name)
		}
	}
}

// SettingsAttribute is the nested attribute of a group of a table. Values are
// checked all together, by the table, and not by validators of the attributes.
func SettingsAttribute(table service.Table, group string) schema.SingleNestedAttribute {
	rows := table.InGroup(group)
	nested := map[string]schema.Attribute{}
	for _, s := range rows {
		nested[s.Written()] = settingAttribute(s)
		if s.WriteOnly() {
			nested[s.Version()] = versionAttribute(s.Version(), rows)
		}
	}
	description := ""
	for _, g := range table.Groups() {
		if g.Name == group {
			description = g.Description
		}
	}
	return schema.SingleNestedAttribute{Optional: true, MarkdownDescription: description, Attributes: nested}
}

// settingAttribute is the attribute that holds the value of a row.
func settingAttribute(s service.Setting) schema.Attribute {
	description := s.Doc()
	if s.WriteOnly() {
		return schema.StringAttribute{
			Optional: true, Sensitive: true, WriteOnly: true,
			MarkdownDescription: fmt.Sprintf("%s It is never kept in state; change `%s` with it.%s", description, s.Version(), whereabouts(s)),
		}
	}
	switch s.Kind {
	case service.KindBool:
		return schema.BoolAttribute{Optional: true, MarkdownDescription: description}
	case service.KindInt:
		return schema.Int64Attribute{Optional: true, MarkdownDescription: description}
	case service.KindFloat:
		return schema.Float64Attribute{Optional: true, MarkdownDescription: description}
	case service.KindList, service.KindLevelList, service.KindURLList:
		return schema.ListAttribute{
			Optional: true, ElementType: types.StringType, MarkdownDescription: description,
			Validators: []validator.List{listvalidator.SizeAtLeast(1), validate.NoNulls(), listvalidator.ValueStringsAre(listElement{})},
		}
	default:
		return schema.StringAttribute{Optional: true, MarkdownDescription: description}
	}
}

// whereabouts says where a secret is on the hosts, "" for what is none.
func whereabouts(s service.Setting) string {
	switch {
	case s.Kind == service.KindPrivateKey:
		return " On the hosts it is a file in the container that only root may read (mode 0600), so the service has to run as root in it, as it does in the vendor's images."
	case s.Secret:
		return inspected
	default:
		return ""
	}
}

// inspected is said of secrets in the environment.
const inspected = " On the hosts it is in the environment of the container, where `docker inspect` shows it to everybody who may use Docker there."

// versionAttribute is the version of all rows that share it.
func versionAttribute(name string, rows []service.Setting) schema.Attribute {
	var of []string
	for _, s := range rows {
		if s.Version() == name {
			of = append(of, "`"+s.Written()+"`")
		}
	}
	return schema.Int64Attribute{
		Optional: true,
		MarkdownDescription: fmt.Sprintf("Version of %s. Containers are replaced, one after the other, when it changes.",
			strings.Join(of, " and ")),
	}
}

// listElement refuses elements that would be taken for none or for two once
// they are joined.
type listElement struct{}

func (listElement) Description(context.Context) string         { return "text without commas" }
func (listElement) MarkdownDescription(context.Context) string { return "text without commas" }

// ValidateString judges what is known; nulls are the list's matter.
func (listElement) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := checkElement(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid element", diags.Sentence(err)+".")
	}
}

func checkElement(element string) error {
	switch {
	case element == "":
		return errors.New("the element is empty: remove it")
	case strings.Contains(element, ","):
		return fmt.Errorf("%q contains a comma, which the service reads as the end of an element: make it several elements", element)
	}
	return nil
}
