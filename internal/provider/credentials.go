package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/validate"
)

// ankaAuth is the attribute anka_auth.
type ankaAuth struct {
	RootToken  types.String `tfsdk:"root_token"`
	ClientCert types.String `tfsdk:"client_cert_pem"`
	CertPath   types.String `tfsdk:"client_cert_path"`
	ClientKey  types.String `tfsdk:"client_key_pem"`
	KeyPath    types.String `tfsdk:"client_key_path"`
	CA         types.String `tfsdk:"ca_pem"`
	CAPath     types.String `tfsdk:"ca_path"`
	APIKey     types.Object `tfsdk:"api_key"`
}

// source collects credentials from configuration, files and environment, with
// diagnostics that never repeat a value.
type source struct {
	how   depth
	diags *diag.Diagnostics
}

const invalidCredentials = "Invalid credentials"

// credentials reads anka_auth and, for what it leaves open, the environment.
// What is not known yet is left out.
func credentials(ctx context.Context, value types.Object, how depth) (ankaapi.Credentials, diag.Diagnostics) {
	var diags diag.Diagnostics
	var auth ankaAuth
	if !value.IsNull() && !value.IsUnknown() {
		diags.Append(value.As(ctx, &auth, basetypes.ObjectAsOptions{})...)
		if diags.HasError() {
			return ankaapi.Credentials{}, diags
		}
	}
	var key struct {
		ID  types.String `tfsdk:"id"`
		Key types.String `tfsdk:"key"`
	}
	if !auth.APIKey.IsNull() && !auth.APIKey.IsUnknown() {
		diags.Append(auth.APIKey.As(ctx, &key, basetypes.ObjectAsOptions{})...)
	}
	s := source{how, &diags}
	c := ankaapi.Credentials{
		RootToken:  s.plain(auth.RootToken, "ANKA_ROOT_TOKEN"),
		ClientCert: s.pem(pemSource{auth.ClientCert, auth.CertPath, "client_cert_pem", "client_cert_path", "ANKA_CLIENT_CERT"}),
		ClientKey:  s.pem(pemSource{auth.ClientKey, auth.KeyPath, "client_key_pem", "client_key_path", "ANKA_CLIENT_KEY"}),
		CA:         s.pem(pemSource{auth.CA, auth.CAPath, "ca_pem", "ca_path", "ANKA_CA_CERT"}),
		APIKeyID:   s.plain(key.ID, "ANKA_API_KEY_ID"),
		APIKey:     s.pem(pemSource{key.Key, types.StringNull(), "api_key", "", "ANKA_API_KEY"}),
	}
	if !known(ctx, value) || diags.HasError() {
		return c, diags
	}
	s.check(ctx, c)
	return c, diags
}

// check looks at what belongs together.
func (s source) check(ctx context.Context, c ankaapi.Credentials) {
	at := path.Root("anka_auth")
	if c.RootToken != "" {
		// One from the environment has passed no validator of the schema.
		token := validator.StringRequest{Path: at.AtName("root_token"), ConfigValue: types.StringValue(c.RootToken)}
		judged := &validator.StringResponse{}
		validate.RootToken().ValidateString(ctx, token, judged)
		s.diags.Append(judged.Diagnostics...)
	}
	switch {
	case c.ClientCert == "" && c.ClientKey == "":
	case c.ClientCert == "" || c.ClientKey == "":
		if s.how == complete {
			s.diags.AddAttributeError(at, invalidCredentials, "A client certificate and its key are needed together: only one of "+
				"client_cert_pem and client_key_pem (or their paths, or ANKA_CLIENT_CERT and ANKA_CLIENT_KEY) is set.")
		}
	default:
		if _, err := tls.X509KeyPair([]byte(c.ClientCert), []byte(c.ClientKey)); err != nil {
			s.diags.AddAttributeError(at.AtName("client_cert_pem"), invalidCredentials,
				fmt.Sprintf("The client certificate and its key do not make a pair: %v.", err))
		}
	}
	if c.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(c.CA)) {
		s.diags.AddAttributeError(at.AtName("ca_pem"), invalidCredentials, "The CA contains no certificate in PEM.")
	}
	if (c.APIKeyID == "") != (c.APIKey == "") && s.how == complete {
		s.diags.AddAttributeError(at.AtName("api_key"), invalidCredentials,
			"An API key needs both its ID and its private key: only one of them (or of ANKA_API_KEY_ID and ANKA_API_KEY) is set.")
	}
	if err := c.CheckAPIKey(); err != nil {
		s.diags.AddAttributeError(at.AtName("api_key"), invalidCredentials, fmt.Sprintf("The API key cannot be used: %v.", err))
	}
}

func (s source) plain(value types.String, env string) string {
	if value.IsNull() {
		return os.Getenv(env)
	}
	return value.ValueString()
}

// pemSource is a PEM text that can come from three places.
type pemSource struct {
	text, path         types.String
	textName, pathName string
	env                string
}

func (s source) pem(p pemSource) string {
	at := path.Root("anka_auth")
	switch {
	case !p.text.IsNull() && !p.path.IsNull():
		s.diags.AddAttributeError(at.AtName(p.pathName), invalidCredentials,
			fmt.Sprintf("%s: conflicts with %s: set one of them.", p.pathName, p.textName))
		return ""
	case !p.text.IsNull():
		return p.text.ValueString()
	case p.path.IsUnknown():
		return ""
	case !p.path.IsNull():
		return s.file(p.path.ValueString(), at.AtName(p.pathName), p.pathName)
	}
	value := os.Getenv(p.env)
	if value == "" || strings.Contains(value, "-----BEGIN") {
		return value
	}
	return s.file(value, at.AtName(p.textName), "environment variable "+p.env)
}

func (s source) file(name string, at path.Path, what string) string {
	content, err := dockerhost.ReadFile(name)
	if err == nil {
		return string(content)
	}
	var file *fs.PathError
	if s.how == offline && errors.As(err, &file) {
		return ""
	}
	// The name is not repeated: a key may have been given where a path belongs.
	if errors.As(err, &file) {
		err = file.Err
	}
	s.diags.AddAttributeError(at, invalidCredentials, fmt.Sprintf("%s: the file cannot be read: %v.", what, err))
	return ""
}
