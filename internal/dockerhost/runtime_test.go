package dockerhost

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// TestCreate_runtime: what the daemon is told of memory, CPUs, health, names
// and name servers; nothing when nothing is asked for.
func TestCreate_runtime(t *testing.T) {
	type told struct {
		Healthcheck map[string]any
		HostConfig  struct {
			Memory, NanoCpus int64
			ExtraHosts       []string
			DNS              []string `json:"Dns"`
		}
	}
	var everything, off told
	everything.Healthcheck = map[string]any{
		"Test": []any{"CMD", "check", "-q"}, "Interval": 1e9, "Timeout": 2e9, "StartPeriod": 3e9, "Retries": 4.0,
	}
	everything.HostConfig.Memory, everything.HostConfig.NanoCpus = 512<<20, 1_500_000_000
	everything.HostConfig.ExtraHosts = []string{"a:10.0.0.1", "b:fd00::1"}
	everything.HostConfig.DNS = []string{"10.0.0.3", "10.0.0.2"}
	off.Healthcheck = map[string]any{"Test": []any{"NONE"}}
	for name, c := range map[string]struct {
		runtime container.Runtime
		want    told
	}{
		"nothing": {},
		"off":     {container.Runtime{Healthcheck: &container.Healthcheck{Disabled: true}}, off},
		"everything": {container.Runtime{
			Memory: 512 << 20, CPUs: 1_500_000_000, ExtraHosts: map[string]string{"b": "fd00::1", "a": "10.0.0.1"}, DNS: []string{"10.0.0.3", "10.0.0.2"},
			Healthcheck: &container.Healthcheck{
				Command: []string{"check", "-q"}, Interval: time.Second, Timeout: 2 * time.Second, StartPeriod: 3 * time.Second, Retries: 4,
			},
		}, everything},
	} {
		t.Run(name, func(t *testing.T) {
			d := newFakeDaemon(t)
			var got told
			d.on("POST /containers/create", func(w http.ResponseWriter, r *http.Request) {
				if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
					t.Error(err)
				}
				reply(w, http.StatusCreated, map[string]any{"Id": "the-id"})
			})
			spec := ownedSpec()
			spec.Runtime = c.runtime
			if _, err := d.plainHost(t).CreateContainer(testContext(t), spec); err != nil {
				t.Fatal(err)
			}
			if len(got.HostConfig.DNS) == 0 {
				got.HostConfig.DNS = nil // null and [] are one to the daemon
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("the daemon was told %+v, want %+v", got, c.want)
			}
		})
	}
}
