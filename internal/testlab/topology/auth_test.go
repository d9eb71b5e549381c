package topology

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// TestAccTopology_exampleWithAuthentication applies the example with one root
// token for controllers, registries and the data source, and finds the token
// neither in the state nor in the second plan, which is empty.
func TestAccTopology_exampleWithAuthentication(t *testing.T) {
	target := testlab.ForTest(t)
	w := exampleWorkspace(t, target)
	repository, err := tfcli.Repository(t.Context())
	must(t, err)
	must(t, os.Remove(filepath.Join(w.Dir, "outputs.tf")))
	files, err := filepath.Glob(filepath.Join(repository, example+"-auth", "*.tf"))
	must(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		must(t, err)
		must(t, w.Write(filepath.Base(file), string(content)))
	}
	const token = "canary-root-token"
	w.Env = append(w.Env, "TF_VAR_root_token="+token)
	ctx := withinMinutes(t, 6)
	_, err = w.Apply(ctx)
	must(t, err)
	var controllers map[string]string
	must(t, w.Output(ctx, "controllers", &controllers))
	for host, status := range controllers {
		if status != "Running" {
			t.Errorf("the controller on %s is %q: the data source has no access", host, status)
		}
	}
	if len(controllers) != 3 {
		t.Errorf("got %v", controllers)
	}
	empty, plan, err := w.PlanIsEmpty(ctx)
	if err != nil || !empty {
		t.Errorf("second plan: %v\n%s", err, plan)
	}
	state, err := os.ReadFile(filepath.Join(w.Dir, "terraform.tfstate"))
	must(t, err)
	for where, text := range map[string]string{"state": string(state), "plan": plan} {
		if strings.Contains(text, token) {
			t.Errorf("the token is in the %s", where)
		}
	}
	_, err = w.Destroy(ctx)
	must(t, err)
}
