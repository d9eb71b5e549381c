package replicas

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// recordedKey is the place in the private state of the fingerprints that were
// last applied, by host. They decide whether a host that cannot be reached has
// to change.
const recordedKey = "applied"

type privateReader interface {
	GetKey(context.Context, string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(context.Context, string, []byte) diag.Diagnostics
}

// recorded reads the fingerprints; hosts of the state without one get "".
func recorded(ctx context.Context, private privateReader, hosts []string) (map[string]string, diag.Diagnostics) {
	known := map[string]string{}
	content, diagnostics := private.GetKey(ctx, recordedKey)
	if len(content) > 0 {
		if err := json.Unmarshal(content, &known); err != nil {
			known = map[string]string{}
		}
	}
	hashes := map[string]string{}
	for _, host := range hosts {
		hashes[host] = known[host]
	}
	return hashes, diagnostics
}

// record saves the fingerprints.
func record(ctx context.Context, private privateWriter, hashes map[string]string) diag.Diagnostics {
	content, _ := json.Marshal(hashes) // a map of strings cannot fail
	return private.SetKey(ctx, recordedKey, content)
}
