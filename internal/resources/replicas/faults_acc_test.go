package replicas_test

import (
	"crypto/tls"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
)

// TestAccController_badChanges: images that do not exist, never get ready or
// exit at once, a taken port, and a host that is cut off while it is changed.
// At most one host is affected, and serves again within a minute; a correct
// configuration converges.
func TestAccController_badChanges(t *testing.T) {
	lab, target := labAndTarget(t)
	r := newRolling(t, lab, "http", nil)
	provider := acctest.Provider(t, target, "ssh", `connect_timeout = "3s"`)
	// Not on h1, which is going to be cut off.
	endpoint := plainEtcd(t, lab, "h3")
	config := func(attributes ...string) string { return provider + loneControllers(target, endpoint, attributes...) }
	good := config(`ready_timeout = "8s"`)
	r.write(good)
	r.converges()
	before := ids(t, lab, "controller")

	docker(t, lab, "h1", "run", "-d", "--network", "host", "--name", "squatter",
		"-e", "ANKA_LISTEN_ADDR=:8123", "-e", "ANKA_BASE_PATH=/tmp", target.RegistryImage)
	for _, bad := range []struct {
		what, config string
		// felt: the controller of h1 goes away for a moment.
		felt  bool
		wants []string
	}{
		{
			"image that does not exist", strings.Replace(good, target.ControllerImage, "anka-lab/no-such-image:v1", 1), false,
			[]string{"Unable to update controller", `no image "anka-lab/no-such-image:v1"`, "h1"},
		},
		{
			"never ready", config(`ready_timeout = "3s"`, `env = { ANKASIM_NEVER_READY = "true" }`), true,
			[]string{"not ready within 3s on host h1", "HTTP 503", "last lines of its log", "The old container on h1 has been put back and started; it answers as ready"},
		},
		{
			"exits at once", config(`ready_timeout = "60s"`, `env = { ANKASIM_EXIT = "3" }`), true,
			[]string{"the container on host h1 keeps ending", "exit code 3", "The old container on h1 has been put back and started; it answers as ready"},
		},
		{
			"port taken", config(`ready_timeout = "8s"`, "port = 8123"), true,
			[]string{`host "h1"`, "8123", "is already in use", "The old container on h1 has been put back and started; it answers as ready"},
		},
	} {
		r.write(bad.config)
		report := r.watched(bad.what, func() { r.fails(bad.wants...) })
		if felt := report.Hosts["h1"].NotReady > 0; felt != bad.felt || report.Hosts["h2"].NotReady+report.Hosts["h3"].NotReady > 0 {
			t.Errorf("%s: h1 was affected: %v, want %v, and no other host: %s", bad.what, felt, bad.felt, report)
		}
		r.settled()
		if after := ids(t, lab, "controller"); !maps.Equal(before, after) {
			t.Errorf("%s: containers were %v and are %v", bad.what, before, after)
		}
	}

	changed := config(`ready_timeout = "8s"`, `env = { ANKASIM_READY_DELAY = "3s" }`)
	r.write(changed)
	var cut sync.WaitGroup
	cut.Go(func() { cutOffInMidRoll(t, lab, "controller") })
	r.watched("cut off", func() {
		r.fails("Unable to update controller", "Host h1 cannot be reached any more, so nothing was put back there, and no other host was touched")
		cut.Wait()
		must(t, lab.Host("h1").Restore(t.Context()))
		back := time.Now()
		r.awaitReady("h1")
		t.Logf("h1 serves %s after it came back", time.Since(back).Round(time.Millisecond))
	})
	if after := ids(t, lab, "controller"); after["h2"] != before["h2"] || after["h3"] != before["h3"] {
		t.Errorf("cut off: containers were %v and are %v", before, after)
	}
	r.watched("converging", r.converges)
	if after := ids(t, lab, "controller"); after["h2"] == before["h2"] || after["h3"] == before["h3"] {
		t.Errorf("converging: containers were %v and are %v", before, after)
	}
	r.destroy()
}

// awaitReady waits until the controller of a host is ready.
func (r *rolling) awaitReady(host string) {
	r.t.Helper()
	deadline := time.After(servesAgainWithin)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		if code, err := get(r.watch.URLs[host] + "/readyz"); err == nil && code == 200 {
			return
		}
		select {
		case <-deadline:
			r.t.Errorf("%s does not serve within %s", host, servesAgainWithin)
			return
		case <-ticker.C:
		}
	}
}

// TestAccController_interruptedRoll kills terraform, with the provider or
// without, at random moments of rolling updates. At most one host is without a
// controller until the next apply, which converges, has an empty second plan
// and leaves nothing behind.
func TestAccController_interruptedRoll(t *testing.T) {
	lab, target := labAndTarget(t)
	c := newChaos(t)
	authority := pki.NewAuthority(t, "web-ca")
	var addresses []string
	for _, host := range lab.Hosts {
		addresses = append(addresses, host.Address)
	}
	r := newRolling(t, lab, "https", &tls.Config{RootCAs: authority.Pool})
	endpoint := plainEtcd(t, lab, "h3")
	// Containers with files are made in more steps than others, and every round
	// has another certificate.
	config := func(round int) string {
		server := authority.Issue(t, "server", addresses...)
		return acctest.Provider(t, target, "ssh") + loneControllers(target, endpoint, "port = 443", httpsWith(server, round),
			`env = { ANKASIM_READY_DELAY = "500ms" }`)
	}
	r.write(config(0))
	r.converges()
	r.write(config(1))
	began := time.Now()
	if _, err := r.apply(); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(began)
	var longest time.Duration
	least, killed := len(lab.Hosts), 0
	for round := 2; killed < c.rounds; round++ {
		if round > 4*c.rounds {
			t.Fatalf("%d of %d applies ended before they were killed", round-2-killed, round-2)
		}
		r.write(config(round))
		after, group := c.draw(killed, whole)
		what := fmt.Sprintf("round %d of seed %d: SIGKILL after %s of about %s, provider too: %v", killed, c.seed, after.Round(time.Millisecond), whole.Round(time.Millisecond), group)
		left := ""
		report := r.watched(what, func() {
			finish, inTime := r.kill(after, group)
			defer finish()
			if inTime {
				left = r.leftovers()
			} else {
				whole = after
			}
			r.converges()
		})
		r.settled()
		if left != "" {
			killed++
			t.Logf("the kill has left %s", left)
		}
		longest, least = max(longest, report.Longest()), min(least, report.Minimum)
	}
	t.Logf("%d rounds: at least %d controllers were ready, no host was without one for more than %s", c.rounds, least, longest.Round(time.Millisecond))
	r.destroy()
}
