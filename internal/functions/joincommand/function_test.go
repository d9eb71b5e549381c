package joincommand_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/provider"
)

// call speaks the protocol as Terraform does when it evaluates the function.
func call(t *testing.T, urls []string, options tftypes.Value) (string, *tfprotov6.FunctionError) {
	t.Helper()
	list := tftypes.List{ElementType: tftypes.String}
	values := make([]tftypes.Value, len(urls))
	for i, url := range urls {
		values[i] = tftypes.NewValue(tftypes.String, url)
		if url == "null" {
			values[i] = tftypes.NewValue(tftypes.String, nil)
		}
	}
	var arguments []*tfprotov6.DynamicValue
	for _, argument := range []struct {
		of tftypes.Type
		v  tftypes.Value
	}{{list, tftypes.NewValue(list, values)}, {tftypes.DynamicPseudoType, options}} {
		encoded, err := tfprotov6.NewDynamicValue(argument.of, argument.v)
		if err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, &encoded)
	}
	server := providerserver.NewProtocol6(provider.New("test")())()
	resp, err := server.CallFunction(t.Context(), &tfprotov6.CallFunctionRequest{Name: "join_command", Arguments: arguments})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Error != nil {
		return "", resp.Error
	}
	result, err := resp.Result.Unmarshal(tftypes.String)
	if err != nil {
		t.Fatal(err)
	}
	var command string
	if err := result.As(&command); err != nil {
		t.Fatal(err)
	}
	return command, nil
}

// object is an HCL object: text is a string, lists are tuples.
func object(attributes map[string]any) tftypes.Value {
	typeOf, values := map[string]tftypes.Type{}, map[string]tftypes.Value{}
	for name, v := range attributes {
		switch v := v.(type) {
		case nil:
			values[name] = tftypes.NewValue(tftypes.String, nil)
		case string:
			values[name] = tftypes.NewValue(tftypes.String, v)
		case bool:
			values[name] = tftypes.NewValue(tftypes.Bool, v)
		case int, float64:
			values[name] = tftypes.NewValue(tftypes.Number, v)
		case []string:
			tuple, elements := tftypes.Tuple{}, []tftypes.Value{}
			for _, e := range v {
				tuple.ElementTypes = append(tuple.ElementTypes, tftypes.String)
				elements = append(elements, tftypes.NewValue(tftypes.String, e))
			}
			values[name] = tftypes.NewValue(tuple, elements)
		case tftypes.Value:
			values[name] = v
		}
		typeOf[name] = values[name].Type()
	}
	return tftypes.NewValue(tftypes.Object{AttributeTypes: typeOf}, values)
}

var three = []string{"http://10.0.1.4", "http://10.0.1.5", "http://10.0.1.6"}

func TestJoinCommand(t *testing.T) {
	stringMap, numbers := tftypes.Map{ElementType: tftypes.String}, tftypes.Set{ElementType: tftypes.String}
	const all = "sudo ankacluster join http://10.0.1.4,http://10.0.1.5,http://10.0.1.6"
	for name, c := range map[string]struct {
		options tftypes.Value
		want    string
	}{
		"none": {object(nil), all},
		"null": {tftypes.NewValue(tftypes.DynamicPseudoType, nil), all},
		"every kind of value": {
			object(map[string]any{
				"groups": []string{"iOS builds", "b"}, "max_vm_count": 2, "tls": true, "name": nil, "cacert": "/etc/anka/ca.pem", "reserve_space": "10GB",
			}),
			all + " --groups 'iOS builds,b' --max-vm-count 2 --reserve-space 10GB --tls --cacert /etc/anka/ca.pem",
		},
		"map": {
			tftypes.NewValue(stringMap, map[string]tftypes.Value{"max_vm_count": tftypes.NewValue(tftypes.String, "3"), "tls": tftypes.NewValue(tftypes.String, "true")}),
			all + " --max-vm-count 3 --tls",
		},
		"set": {object(map[string]any{"groups": tftypes.NewValue(numbers, []tftypes.Value{tftypes.NewValue(tftypes.String, "a")})}), all + " --groups a"},
	} {
		t.Run(name, func(t *testing.T) {
			got, fault := call(t, three, c.options)
			if fault != nil || got != c.want {
				t.Errorf("got  %s, %+v\nwant %s", got, fault, c.want)
			}
		})
	}
}

// TestJoinCommand_faults: each names the argument and never the value.
func TestJoinCommand_faults(t *testing.T) {
	for name, c := range map[string]struct {
		urls     []string
		options  tftypes.Value
		argument int64
		says     string
	}{
		"no URL":         {nil, object(nil), 0, "There are no URLs"},
		"null URL":       {[]string{"http://a", "null"}, object(nil), 0, "URL 2 of the list"},
		"credentials":    {[]string{"http://root:canary@a"}, object(nil), 0, "it contains credentials"},
		"unknown option": {three, object(map[string]any{"group": "a"}), 1, `Option "group": there is no such option; there are: api_key_file`},
		"key inlined":    {three, object(map[string]any{"api_key_id": "ci", "api_key_file": "-----BEGIN RSA PRIVATE KEY-----\ncanary"}), 1, "looks like the secret"},
		"key as string":  {three, object(map[string]any{"api_key_string": "canary"}), 1, "Option api_key_string: it would put a secret"},
		"fraction":       {three, object(map[string]any{"max_vm_count": 1.5}), 1, "whole number"},
		"number in list": {three, object(map[string]any{"groups": object(nil)}), 1, "a list of strings"},
		"no object":      {three, tftypes.NewValue(tftypes.String, "canary"), 1, "Options is not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			got, fault := call(t, c.urls, c.options)
			if fault == nil {
				t.Fatalf("got %s", got)
			}
			if fault.FunctionArgument == nil || *fault.FunctionArgument != c.argument || !strings.Contains(fault.Text, c.says) || strings.Contains(fault.Text, "canary") {
				t.Errorf("got %+v, %q", fault.FunctionArgument, fault.Text)
			}
		})
	}
}
