// Package joincommand is the provider function join_command. It belongs to the
// layer of the framework: it converts, and internal/topology/join decides.
package joincommand

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/join"
)

// The positions of the parameters.
const (
	urlsParameter = iota
	optionsParameter
)

type joinCommand struct{}

// New makes the function for the provider.
func New() function.Function { return joinCommand{} }

// Metadata names the function.
func (joinCommand) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "join_command"
}

// Definition describes the function.
func (joinCommand) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	var options strings.Builder
	for _, o := range join.Options() {
		fmt.Fprintf(&options, "- `%s`: %s\n", o.Name, o.Description)
	}
	resp.Definition = function.Definition{
		Summary: "The command that joins a node to the controllers",
		MarkdownDescription: "Renders the `ankacluster join` line to run on a node, quoted for its shell. The node tries the URLs in the order given and " +
			"so balances by itself: with the URLs of all controllers it works as long as one of them does.\n\n" +
			"No secret can be in it, since the command is kept in the state: keys and certificates are named by the path of their file on the node, " +
			"and what looks like a key or a token is refused. A root token is not for nodes.\n\n" +
			"The options are those of `ankacluster join --help` " +
			"([documentation](https://docs.veertu.com/anka/anka-build-cloud/getting-started/preparing-and-joining-your-nodes/)), with underscores:\n\n" + options.String(),
		Parameters: []function.Parameter{
			function.ListParameter{
				Name: "urls", ElementType: types.StringType,
				MarkdownDescription: "URLs of the controllers, such as `anka_controller.this.join_urls`, or the one of a load balancer before them.",
			},
			function.DynamicParameter{
				Name: "options", AllowNullValue: true,
				MarkdownDescription: "Object with any of the options above, `{}` for none. One that is null counts as left out, one that does not exist is an error.",
			},
		},
		Return: function.StringReturn{},
	}
}

// Run renders the command.
func (joinCommand) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var (
		given   []types.String
		dynamic types.Dynamic
	)
	if resp.Error = req.Arguments.Get(ctx, &given, &dynamic); resp.Error != nil {
		return
	}
	urls := make([]string, 0, len(given))
	for _, url := range given {
		urls = append(urls, url.ValueString()) // null is refused as an empty URL
	}
	options, err := optionsOf(dynamic)
	if err == nil {
		var command string
		if command, err = join.Command(urls, options); err == nil {
			resp.Error = resp.Result.Set(ctx, command)
			return
		}
	}
	resp.Error = function.NewArgumentFuncError(position(err), sentence(err))
}

// position is the parameter that err is about.
func position(err error) int64 {
	var url *join.URLError
	if errors.As(err, &url) {
		return urlsParameter
	}
	return optionsParameter
}

// sentence is the text as Terraform shows it, which ends it with a period.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// optionsOf takes an object or a map apart, without what is null.
func optionsOf(dynamic types.Dynamic) (map[string]any, error) {
	if dynamic.IsNull() || dynamic.IsUnderlyingValueNull() {
		return nil, nil
	}
	var attributes map[string]attr.Value
	switch v := dynamic.UnderlyingValue().(type) {
	case types.Object:
		attributes = v.Attributes()
	case types.Map:
		attributes = v.Elements()
	default:
		return nil, errors.New("options is not an object, such as { groups = [\"iOS\"] }")
	}
	options := map[string]any{}
	for name, v := range attributes {
		if v.IsNull() {
			continue
		}
		options[name] = goValue(v)
	}
	return options, nil
}

// goValue is v as [join.Command] takes it; nil, which it refuses everywhere,
// for what no option is.
func goValue(v attr.Value) any {
	switch v := v.(type) {
	case types.Dynamic:
		return goValue(v.UnderlyingValue())
	case types.String:
		return v.ValueString()
	case types.Bool:
		return v.ValueBool()
	case types.Number:
		if n, accuracy := v.ValueBigFloat().Int64(); accuracy == big.Exact {
			return n
		}
	case types.List:
		return texts(v.Elements())
	case types.Set:
		return texts(v.Elements())
	case types.Tuple:
		return texts(v.Elements())
	}
	return nil
}

// texts is a list of strings; nil when something else is in it.
func texts(elements []attr.Value) any {
	all := make([]string, 0, len(elements))
	for _, e := range elements {
		s, is := goValue(e).(string)
		if !is || e.IsNull() {
			return nil
		}
		all = append(all, s)
	}
	return all
}
