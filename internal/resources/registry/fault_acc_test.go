package registry_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// watch looks at what a replica has, again and again, and keeps the first time
// that it has lost a file, or had one of a layer that was not whole.
type watch struct {
	mu    sync.Mutex
	fault string
	looks int
	end   func()
}

// watches starts looking at a host, which may go down meanwhile.
func watches(t *testing.T, host *testlab.Host, dir string) *watch {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	w := &watch{end: func() { cancel(); <-done }}
	t.Cleanup(w.end)
	go func() {
		defer close(done)
		had := map[string]string{}
		ticker := time.NewTicker(250 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			// Names and sizes: what is in them is compared in the end.
			output, err := host.Run(ctx, "cd "+dir+" && test -f .anka-registry && { find vm_dir images_dir state_file_dir -type f ! -name '*.upload' -printf '%p %s\n' 2>/dev/null; echo whole; }")
			if err != nil || !strings.HasSuffix(output, "whole\n") {
				continue // it is down, or going down
			}
			w.judge(had, output)
		}
	}()
	return w
}

func (w *watch) judge(had map[string]string, output string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	has := map[string]string{}
	for line := range strings.Lines(output) {
		path, size, _ := strings.Cut(strings.TrimSpace(line), " ")
		has[path] = size
	}
	for path, size := range had {
		now, there := has[path]
		if layer := strings.HasSuffix(path, ".ank"); w.fault == "" && (!there || layer && now != size) {
			w.fault = fmt.Sprintf("%s had %q bytes and has %q", path, size, now)
		}
	}
	for path, size := range has {
		had[path] = size
	}
}

// TestAccRegistry_faults: the link breaks while a large layer comes, the
// replica's storage is full, then the whole disk of a host, and a host is down
// while others are pushed to. Nothing that was there ever goes, nothing is
// there before it is whole, a broken transfer goes on where it was, and in the
// two intervals all are equal again without an apply. A replication by a cron
// expression makes its passes when it says.
func TestAccRegistry_faults(t *testing.T) {
	s := newStorages(t)
	const (
		mebibyte = 1 << 20
		interval = 15 * time.Second
		storage  = `storage = { path = "/srv/registry" }`
		// Its packets are answered by a reset, so that the follower notices at once.
		cut = "iptables %s FORWARD -p tcp -d %s --dport 8443 -j REJECT --reject-with tcp-reset"
	)
	shell(t, s.lab, "h2", "mount -t tmpfs -o size=250m tmpfs /srv/registry")
	t.Cleanup(func() { shell(t, s.lab, "h2", "while mountpoint -q /srv/registry; do umount -l /srv/registry; done") })
	// Beside it one whose passes come each minute, and which has directories of its own.
	beside := strings.NewReplacer(`"test"`, `"minutely"`, `"acc"`, `"minutely"`).Replace(
		replicated(s.target, "h1 h2", "h1", fmt.Sprintf("port = 8090\nenv = { ANKA_VM_DIR_PATH = \"vms\", ANKA_IMAGE_DIR_PATH = \"images\" }\nreplication = {\n cron = \"* * * * *\"\n port = 8444\n image = %q\n}", images.Rclone)))
	prove := func(*terraform.State) error {
		byMinute := minutely{s, "h2"}.pushes()
		heals := func(fault, host string, heal func()) {
			t.Helper()
			heal()
			began := time.Now()
			s.equal("h1", host)
			took := time.Since(began).Round(100 * time.Millisecond)
			t.Logf("%s: all was equal %s after it was healed", fault, took)
			if took > 2*interval {
				t.Errorf("%s: all was equal %s after it was healed, the interval is %s", fault, took, interval)
			}
		}
		push(t, s.lab, "h1", "small", "v1")
		s.equal("h1", "h2", "h3")
		watching := map[string]*watch{"h2": watches(t, s.lab.Host("h2"), "/srv/registry"), "h3": watches(t, s.lab.Host("h3"), "/srv/registry")}

		layer := s.pushLarge("h1", "large", 100*mebibyte)
		parts := func() string {
			return shell(t, s.lab, "h3", "cd /srv/registry/.anka-replication && stat -c '%i %s' parts/* 2>/dev/null || true")
		}
		awaitLook(t, "the middle of the transfer", func(got string) bool {
			var inode, size int
			_, err := fmt.Sscan(got, &inode, &size)
			return err == nil && size > 10*mebibyte
		}, parts)
		shell(t, s.lab, "h3", fmt.Sprintf(cut, "-I", s.lab.Host("h1").Address))
		t.Cleanup(func() { shell(t, s.lab, "h3", fmt.Sprintf(cut, "-D", s.lab.Host("h1").Address)+" 2>/dev/null || true") })
		s.awaitStatus("h3", `"last_error":"cannot `)
		var inode, size int
		if _, err := fmt.Sscan(parts(), &inode, &size); err != nil || size >= 100*mebibyte {
			return fmt.Errorf("the transfer had ended, or its part is gone: %s, %w", parts(), err)
		}
		s.equal("h1", "h2")
		heals("link cut", "h3", func() { shell(t, s.lab, "h3", fmt.Sprintf(cut, "-D", s.lab.Host("h1").Address)) })
		if got := shell(t, s.lab, "h3", "stat -c %i /srv/registry/images_dir/"+layer); got != fmt.Sprint(inode) {
			t.Errorf("the layer is not the part, of %d bytes, that was there when the link broke", size)
		}

		// The storage of h2 has no room for this one.
		had := s.list("h2")
		shell(t, s.lab, "h2", "dd if=/dev/zero of=/srv/registry/other bs=1M count=50 2>/dev/null")
		s.pushLarge("h1", "larger", 48*mebibyte)
		s.awaitStatus("h2", "the replica's disk is full")
		s.equal("h1", "h3")
		if got := s.list("h2"); got != had {
			t.Errorf("h2 had\n%s\nand has\n%s", had, got)
		}
		heals("storage full", "h2", func() { shell(t, s.lab, "h2", "rm /srv/registry/other") })

		// The host's whole disk is full, containers and logs included.
		must(t, s.lab.Host("h3").FillDisk(s.ctx))
		s.pushLarge("h1", "medium", 4*mebibyte)
		s.equal("h1", "h2")
		push(t, s.lab, "h1", "small", "v2")
		s.equal("h1", "h2")
		if got := fetch(t, registryURL(s.lab, "h3")+"/registry/v2/vm?id=large"); !strings.Contains(got, layer) {
			t.Errorf("the registry on the full disk says %s", got)
		}
		heals("disk full", "h3", func() { must(t, s.lab.Host("h3").FreeDisk(s.ctx)) })

		must(t, s.lab.Host("h3").PowerOff(s.ctx))
		push(t, s.lab, "h1", "small", "v3")
		push(t, s.lab, "h1", "other", "v1")
		s.equal("h1", "h2")
		heals("host down", "h3", func() { must(t, s.lab.Host("h3").PowerOn(s.ctx)) })
		byMinute()
		for host, w := range watching {
			w.end()
			if w.fault != "" || w.looks < 20 {
				t.Errorf("%s, in %d looks: %s", host, w.looks, w.fault)
			}
		}
		return nil
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config: acctest.Provider(t, s.target, "ssh") + replicated(s.target, threeHosts, "h1", every(interval, "bandwidth_limit = 50000000"), storage) + beside,
			Check:  prove,
		}},
	})
}

// A minutely replication is the one by a cron expression, in a volume and with
// directories of its own.
type minutely struct {
	*scenario
	host string
}

func (m minutely) run(command string) string {
	return shell(m.T, m.lab, m.host, "docker exec anka-minutely-registry-replication-"+m.host+" "+command)
}

// succeeded waits until the last pass that succeeded is good, and gives it with
// its minute.
func (m minutely) succeeded(good func(minute int64) bool) (status replication.Status, minute int64) {
	m.Helper()
	awaitLook(m.T, "a pass that succeeded", func(got string) bool {
		var err error
		if status, err = replication.ParseStatus([]byte(got)); err != nil || status.LastSuccess == "" {
			return false
		}
		at, err := time.Parse(time.RFC3339, status.LastSuccess)
		must(m, err)
		minute = at.Unix() / 60
		return good(minute)
	}, func() string { return m.run("cat /run/anka/status.json") })
	return status, minute
}

// looksAgain is how often a pass looks at once where what it was told of changed.
const looksAgain = 5

// pushes a template after a pass that succeeded, and gives what waits until it
// is there: there are no more passes than one in each minute, and its looks.
func (m minutely) pushes() (arrives func()) {
	m.Helper()
	before, first := m.succeeded(func(int64) bool { return true })
	pushAt(m.T, m.lab.Host("h1").Address+":8090", "template", "v1")
	return func() {
		m.Helper()
		after, last := m.succeeded(func(minute int64) bool { return minute > first })
		if passes, minutes := after.Passes-before.Passes, last-first; passes > looksAgain*minutes {
			m.Errorf("%d passes in %d minutes", passes, minutes)
		}
		awaitLook(m.T, "a template by the minute", func(got string) bool {
			return strings.Contains(got, "images/template-v1.ank") && strings.Contains(got, "vms/template")
		}, func() string { return m.run("find /srv/anka/data -type f") })
	}
}

// The watch sees what goes and what is not whole, and nothing else.
func TestWatch(t *testing.T) {
	const before = "vm_dir/a/tag 10\nimages_dir/a.ank 100\n"
	for after, want := range map[string]string{
		before: "",
		"vm_dir/a/tag 12\nimages_dir/a.ank 100\nimages_dir/b.ank 1\n": "",
		"vm_dir/a/tag 10\n":                       `images_dir/a.ank had "100" bytes and has ""`,
		"images_dir/a.ank 100\n":                  `vm_dir/a/tag had "10" bytes and has ""`,
		"vm_dir/a/tag 10\nimages_dir/a.ank 120\n": `images_dir/a.ank had "100" bytes and has "120"`,
	} {
		w, had := &watch{}, map[string]string{}
		w.judge(had, before)
		w.judge(had, after)
		if w.fault != want {
			t.Errorf("after %q: got %q, want %q", after, w.fault, want)
		}
	}
}
