package replicas_test

import (
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// TestAccRegistry_hangingContainers: with the timeouts that nobody has changed,
// a registry that does not end and a successor that does not answer leave their
// host without a registry for a minute at most, and the others untouched.
func TestAccRegistry_hangingContainers(t *testing.T) {
	lab, target := labAndTarget(t)
	r := newRolling(t, lab, "http", nil)
	r.watch.Path, r.watch.Join = "/registry/status", nil
	for host, url := range r.watch.URLs {
		r.watch.URLs[host] = url + ":8089"
	}
	provider := acctest.Provider(t, target, "ssh")
	r.write(provider + registryOn(target, threeHosts, `env = { ANKASIM_NEVER_ENDS = "true" }`))
	if _, err := r.apply(); err != nil {
		t.Fatal(err)
	}
	before := ids(t, lab, "registry")
	r.write(provider + registryOn(target, threeHosts, `env = { ANKASIM_NEVER_ENDS = "true", ANKASIM_READY_HANG = "true" }`))
	report := r.watched("hanging containers", func() {
		r.fails("Unable to update registry", "not ready within 30s on host h1", "The old container on h1 has been put back and started; it answers as ready")
	})
	if longest := report.Hosts["h1"].Longest; longest > rollout.Outage || longest < rollout.StopGrace+rollout.ReadyTimeout {
		t.Errorf("h1 had no registry for %s, want %s at most, and as long as both hang", longest, rollout.Outage)
	}
	for host, id := range ids(t, lab, "registry") {
		if id != before[host] {
			t.Errorf("%s had container %s and has %s", host, before[host], id)
		}
		docker(t, lab, host, "kill", id) // which is faster than waiting for its end
	}
	r.destroy()
}
