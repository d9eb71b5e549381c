package replicas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// entry is what the label [container.LabelRecord] of a container holds, as
// JSON: the configuration that it was made of. A container is not made anew for
// an attribute that shapes no container, or for a host that joins or leaves, so
// the records of one service differ, and the newest counts.
type entry struct {
	// Made is when the apply began that made the container.
	Made time.Time `json:"made"`
	// Attributes are those that a configuration sets, without secrets.
	Attributes map[string]any `json:"attributes"`
}

// remember labels the containers of d with what they are made of.
func (r *Resource[M]) remember(ctx context.Context, m *M, d *rollout.Desired) diag.Diagnostics {
	s := r.Kind.Schema(ctx)
	state := tfsdk.State{Schema: s, Raw: tftypes.NewValue(s.Type().TerraformType(ctx), nil)}
	all := state.Set(ctx, m)
	if all.HasError() {
		return all
	}
	attributes, err := encodeObject(s.Attributes, state.Raw)
	if err == nil {
		for _, name := range r.Passing {
			delete(attributes, name)
		}
		var content []byte
		content, err = json.Marshal(entry{Made: time.Now().UTC(), Attributes: attributes})
		for i, replica := range d.Replicas {
			labels := maps.Clone(replica.Spec.Labels)
			labels[container.LabelRecord] = string(content)
			d.Replicas[i].Spec.Labels = labels
		}
	}
	if err != nil {
		all.AddError("Unable to record the configuration", fmt.Sprintf("What the containers are made of could not be written into their labels: %v. "+
			"This is a defect of the provider.", err))
	}
	return all
}

// kept reports whether an attribute is recorded: what a configuration sets and
// may be seen.
func kept(a schema.Attribute) bool {
	return (a.IsRequired() || a.IsOptional()) && !a.IsWriteOnly() && !a.IsSensitive()
}

// encodeObject leaves out what is null and what is not recorded.
func encodeObject(attributes map[string]schema.Attribute, value tftypes.Value) (map[string]any, error) {
	var fields map[string]tftypes.Value
	if err := value.As(&fields); err != nil {
		return nil, err
	}
	encoded := map[string]any{}
	for name, a := range attributes {
		field, given := fields[name]
		if !given || field.IsNull() || !kept(a) {
			continue
		}
		var err error
		if nested, is := a.(schema.SingleNestedAttribute); is {
			encoded[name], err = encodeObject(nested.Attributes, field)
		} else if nested, is := a.(schema.MapNestedAttribute); is {
			encoded[name], err = encodeMap(nested.NestedObject.Attributes, field)
		} else {
			encoded[name], err = encode(field)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return encoded, nil
}

func encodeMap(attributes map[string]schema.Attribute, value tftypes.Value) (map[string]any, error) {
	var elements map[string]tftypes.Value
	if err := value.As(&elements); err != nil {
		return nil, err
	}
	encoded := map[string]any{}
	for key, element := range elements {
		object, err := encodeObject(attributes, element)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		encoded[key] = object
	}
	return encoded, nil
}

func encode(value tftypes.Value) (any, error) {
	switch of := value.Type(); {
	case value.IsNull():
		return nil, nil
	case of.Is(tftypes.String):
		var text string
		err := value.As(&text)
		return text, err
	case of.Is(tftypes.Bool):
		var b bool
		err := value.As(&b)
		return b, err
	case of.Is(tftypes.Number):
		var number big.Float
		err := value.As(&number)
		return json.Number(number.Text('g', -1)), err
	case of.Is(tftypes.List{}), of.Is(tftypes.Set{}):
		var elements []tftypes.Value
		if err := value.As(&elements); err != nil {
			return nil, err
		}
		list := make([]any, 0, len(elements))
		for _, element := range elements {
			encoded, err := encode(element)
			if err != nil {
				return nil, err
			}
			list = append(list, encoded)
		}
		return list, nil
	default: // a map or an object
		var elements map[string]tftypes.Value
		if err := value.As(&elements); err != nil {
			return nil, err
		}
		object := map[string]any{}
		for key, element := range elements {
			encoded, err := encode(element)
			if err != nil {
				return nil, err
			}
			object[key] = encoded
		}
		return object, nil
	}
}

// recall reads the label of a container. ok is false when it has none, because
// an older version of the provider made it.
func recall(found container.Found) (e entry, ok bool, err error) {
	text, labelled := found.Labels[container.LabelRecord]
	if !labelled {
		return e, false, nil
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	err = decoder.Decode(&e)
	if err == nil && e.Attributes == nil {
		err = errors.New("it has no attributes")
	}
	if err != nil {
		return e, false, fmt.Errorf("the label %s of container %s is not what this provider writes: %w", container.LabelRecord, found.Name, err)
	}
	return e, true, nil
}

// decode is the reverse of encode: what is not there is null. What this version
// of the provider does not have is left out.
func decode(of tftypes.Type, v any) (tftypes.Value, error) {
	if v == nil {
		return tftypes.NewValue(of, nil), nil
	}
	switch v := v.(type) {
	case json.Number:
		number, _, err := big.ParseFloat(v.String(), 10, 512, big.ToNearestEven)
		if err != nil || !of.Is(tftypes.Number) {
			return tftypes.Value{}, fmt.Errorf("%s is no %s", v, of)
		}
		return tftypes.NewValue(of, number), nil
	case []any:
		return decodeList(of, v)
	case map[string]any:
		return decodeFields(of, v)
	default:
		if err := tftypes.ValidateValue(of, v); err != nil {
			return tftypes.Value{}, err
		}
		return tftypes.NewValue(of, v), nil
	}
}

func decodeList(of tftypes.Type, list []any) (tftypes.Value, error) {
	var element tftypes.Type
	switch of := of.(type) {
	case tftypes.List:
		element = of.ElementType
	case tftypes.Set:
		element = of.ElementType
	default:
		return tftypes.Value{}, fmt.Errorf("a list is no %s", of)
	}
	values := make([]tftypes.Value, 0, len(list))
	for _, v := range list {
		value, err := decode(element, v)
		if err != nil {
			return tftypes.Value{}, err
		}
		values = append(values, value)
	}
	return tftypes.NewValue(of, values), nil
}

func decodeFields(of tftypes.Type, fields map[string]any) (tftypes.Value, error) {
	types := map[string]tftypes.Type{}
	switch of := of.(type) {
	case tftypes.Object:
		types = of.AttributeTypes
	case tftypes.Map:
		for key := range fields {
			types[key] = of.ElementType
		}
	default:
		return tftypes.Value{}, fmt.Errorf("an object is no %s", of)
	}
	values := map[string]tftypes.Value{}
	for name, field := range types {
		value, err := decode(field, fields[name])
		if err != nil {
			return tftypes.Value{}, fmt.Errorf("%s: %w", name, err)
		}
		values[name] = value
	}
	return tftypes.NewValue(of, values), nil
}
