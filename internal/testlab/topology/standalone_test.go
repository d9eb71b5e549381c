package topology

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// TestAccTopology_standaloneRegistry applies the example of a registry without
// controllers and etcd: refused while its disk is not there, then pushed to and
// pulled from, and destroyed without its data.
func TestAccTopology_standaloneRegistry(t *testing.T) {
	target := testlab.ForTest(t)
	lab := target.Lab
	if lab == nil {
		t.Fatalf("this test looks at the disk of a host and runs on the lab only: unset %s and run as root", testlab.EnvHosts)
	}
	w, ctx := workspace(t), withinMinutes(t, 4)
	repository, err := tfcli.Repository(ctx)
	must(t, err)
	files, err := filepath.Glob(filepath.Join(repository, "examples/topologies/standalone-registry", "*.tf"))
	must(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		must(t, err)
		must(t, w.Write(filepath.Base(file), string(content)))
	}
	all, err := target.HostsJSON("ssh")
	must(t, err)
	var hosts map[string]json.RawMessage
	must(t, json.Unmarshal([]byte(all), &hosts))
	variables, err := json.Marshal(map[string]any{"host": hosts["h1"], "image": target.RegistryImage, "storage_path": "/srv/disk"})
	must(t, err)
	must(t, w.Write("test.auto.tfvars.json", string(variables)))
	if said, err := w.Apply(ctx); err == nil || !strings.Contains(strings.Join(strings.Fields(err.Error()+said), " "), "/srv/disk on registry") {
		t.Errorf("without the disk: %v %s", err, said)
	}
	_, err = lab.Host("h1").Run(ctx, "mkdir -p /srv/disk")
	must(t, err)
	_, err = w.Apply(ctx)
	must(t, err)
	var add string
	must(t, w.Output(ctx, "add", &add))
	url := strings.TrimPrefix(add, "anka registry add standalone ")
	send := func(method, path, body string) {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, method, url+path, strings.NewReader(body))
		must(t, err)
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: HTTP %d", method, path, response.StatusCode)
		}
	}
	send(http.MethodPut, "/registry/v2/image/a.ank", "layer")
	send(http.MethodPost, "/registry/v2/vm", `{"id":"t1","name":"x","version":{"tag":"v1","images":["a.ank"]}}`)
	if got := get(ctx, t, url+"/registry/v2/image/a.ank"); got != "layer" {
		t.Errorf("pulled %q", got)
	}
	expectEmptyPlan(ctx, t, w)
	_, err = w.Destroy(ctx)
	must(t, err)
	kept, err := lab.Host("h1").Run(ctx, "cat /srv/disk/images_dir/a.ank")
	if err != nil || strings.TrimSpace(kept) != "layer" {
		t.Errorf("after destroying, the disk has %q, %v", kept, err)
	}
}
