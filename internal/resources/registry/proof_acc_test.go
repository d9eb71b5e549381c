package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

const (
	// How many templates and tags of each are pushed, and how many clients
	// push at the same time.
	proofTemplates, proofTags, proofClients = 52, 10, 4
	// proofPace is the time from one push to the next: faster than templates of
	// gigabytes come, and slow enough for a machine that is three hosts, clients
	// and readers at the same time.
	proofPace = 100 * time.Millisecond
	// proofInterval is that of the three-host examples, in seconds.
	proofInterval = 30
	// proofDeleted templates, of one tag, are deleted while others are pushed.
	proofDeleted = 2
)

// pushTags pushes some tags of templates, one tag of all after the other, at
// the pace of proofPace, and calls event with how many have begun, before each.
func pushTags(t *testing.T, url string, tags, templates [2]int, event func(n int)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	queue := make(chan [2]int)
	errs := make(chan error, proofClients)
	for range proofClients {
		go func() {
			for next := range queue {
				if err := pushWhole(ctx, url, name(next[1]), fmt.Sprint("v", next[0])); err != nil {
					cancel()
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	pace := time.NewTicker(proofPace)
	defer pace.Stop()
	n := 0
	for tag := tags[0]; tag < tags[1]; tag++ {
		for template := templates[0]; template < templates[1] && ctx.Err() == nil; template++ {
			n++
			event(n)
			<-pace.C
			select {
			case queue <- [2]int{tag, template}:
			case <-ctx.Done():
			}
		}
	}
	close(queue)
	for range proofClients {
		if err := <-errs; err != nil {
			t.Fatalf("push: %v", err)
		}
	}
}

// listing is the sum of all replicated files below a directory of a host, by
// path. What goes while it looks is left out.
func listing(t *testing.T, lab *testlab.Lab, host, dir string) string {
	t.Helper()
	return shell(t, lab, host, "cd "+dir+" && { find vm_dir images_dir state_file_dir -type f ! -name '*.upload' | sort | xargs -r sha256sum; } 2>/dev/null || true")
}

// awaitLook looks again and again until what it sees is good.
func awaitLook(t *testing.T, what string, good func(string) bool, look func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*timeout)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for got := look(); !good(got); got = look() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s is still awaited, and there is\n%s", what, got)
		}
	}
}

// replicasHold waits until replicas hold the same files as h1, and so many.
func replicasHold(t *testing.T, lab *testlab.Lab, files int, replicas ...string) {
	t.Helper()
	for _, host := range replicas {
		awaitLook(t, fmt.Sprintf("%d files on %s", files, host), func(s string) bool {
			return strings.Count(s, "\n")+1 == files && s == listing(t, lab, "h1", data("h1"))
		}, func() string { return listing(t, lab, host, data(host)) })
	}
}

func name(template int) string { return fmt.Sprintf("t%02d", template) }

// killed ends a container's program with SIGKILL, as a crash does: its restart
// policy brings it back.
func killed(t *testing.T, lab *testlab.Lab, host string) {
	t.Helper()
	shell(t, lab, host, "docker kill -s KILL anka-acc-registry-replication-"+host+" >/dev/null; docker start anka-acc-registry-replication-"+host)
}

// TestAccRegistry_readersSeeOnlyWholeVersions pushes 502 versions while readers
// on both replicas list and verify what is there, a follower and the source are
// killed, the link of a replica is cut in mid-transfer, and templates are
// deleted: no tag without all its layers is ever seen, none is lost, and the
// replicas hold what the primary does two intervals after the last push.
func TestAccRegistry_readersSeeOnlyWholeVersions(t *testing.T) {
	lab, target := labAndTarget(t)
	config := acctest.Provider(t, target, "ssh") + replicated(target, threeHosts, "h1", fmt.Sprintf("replication = {\n interval = %d\n image = %q\n}", proofInterval, images.Rclone), `env = { ANKA_VM_LIST_CACHE_TTL = "1s" }`)
	url := func(host string) string { return "http://" + lab.Host(host).Address + ":8089" }
	prove := func(*terraform.State) error {
		var deleted sync.Map
		readers := map[string]*reader{"h2": reads(t, url("h2"), &deleted), "h3": reads(t, url("h3"), &deleted)}
		ctx := t.Context()
		pushTags(t, url("h1"), [2]int{0, 1}, [2]int{0, proofTemplates}, func(int) {})
		pushTags(t, url("h1"), [2]int{1, proofTags}, [2]int{proofDeleted, proofTemplates}, func(n int) {
			switch n {
			case 100:
				killed(t, lab, "h2")
			case 150:
				must(t, lab.Host("h3").Block(ctx, lab.Host("h1").Address))
			case 200:
				for gone := range proofDeleted {
					deleted.Store(name(gone), true)
					_, err := ask(ctx, http.MethodDelete, url("h1")+"/registry/vm?id="+name(gone), nil)
					must(t, err)
				}
			case 250:
				killed(t, lab, "h1")
			case 350:
				must(t, lab.Host("h3").Unblock(ctx))
			}
		})
		pushed := time.Now()
		files := (proofTemplates-proofDeleted)*proofTags*4 + proofTemplates - proofDeleted
		replicasHold(t, lab, files, "h2", "h3")
		took := time.Since(pushed).Round(100 * time.Millisecond)
		t.Logf("%d versions were equal %s after the last push", (proofTemplates-proofDeleted)*proofTags+proofDeleted, took)
		if limit := 2 * proofInterval * time.Second; took > limit {
			t.Errorf("the replicas were equal only %s after the last push, want %s", took, limit)
		}
		for host, r := range readers {
			r.end()
			if r.fault != nil {
				t.Errorf("%s, after %d looks: %v", host, r.looks, r.fault)
			}
			seen := len(r.verified)
			// Once more, and all of it.
			r.verified = map[string]bool{}
			must(t, r.look(ctx))
			if want := (proofTemplates - proofDeleted) * proofTags; len(r.verified) != want || r.looks < 10 || seen < want*9/10 {
				t.Errorf("%s: %d versions, want %d; the reader saw %d of them in %d looks", host, len(r.verified), want, seen, r.looks)
			}
		}
		return nil
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps:                    []resource.TestStep{{Config: config, Check: prove}},
	})
}

// TestAccRegistry_unmountedPrimary: the primary comes back without its disk,
// which looks like a storage without templates. Nothing is deleted anywhere,
// the status says why, and with the disk replication goes on.
func TestAccRegistry_unmountedPrimary(t *testing.T) {
	lab, target := labAndTarget(t)
	const storage = "/opt/registry-storage"
	for _, host := range lab.Hosts {
		shell(t, lab, host.Name, "mkdir -p "+storage)
	}
	// The disk of h1 is mounted where its storage is.
	mount := "mkdir -p /data/disk && mount --bind /data/disk " + storage
	unmount := "while mountpoint -q " + storage + "; do umount " + storage + "; done"
	shell(t, lab, "h1", mount)
	t.Cleanup(func() { shell(t, lab, "h1", unmount) })
	around := func(script string) {
		const names = "anka-acc-registry-h1 anka-acc-registry-replication-h1"
		shell(t, lab, "h1", "docker stop -t 2 "+names+" >/dev/null && "+script+" && docker start "+names)
	}
	list := func(host string) string { return listing(t, lab, host, storage) }
	says := func(host, text string) {
		t.Helper()
		awaitLook(t, host+" to say "+text, func(s string) bool { return strings.Contains(s, text) }, func() string {
			return shell(t, lab, host, "docker exec anka-acc-registry-replication-"+host+" cat /run/anka/status.json 2>&1 || true")
		})
	}
	same := func(host string) {
		t.Helper()
		awaitLook(t, "what the primary has on "+host, func(s string) bool { return s != "" && s == list("h1") }, func() string { return list(host) })
	}
	prove := func(*terraform.State) error {
		for i := range 4 {
			push(t, lab, "h1", "template", fmt.Sprint("v", i))
		}
		same("h2")
		same("h3")
		before := list("h2")
		around(unmount)
		says("h1", "marker file .anka-registry is missing")
		says("h2", "the primary stopped replication")
		says("h3", "the primary stopped replication")
		if list("h1") != "" {
			return fmt.Errorf("the disk of h1 is still mounted")
		}
		// Pushes to the wrong disk are no reason either.
		push(t, lab, "h1", "stray", "v1")
		says("h2", "the primary stopped replication")
		if list("h2") != before || list("h3") != before {
			return fmt.Errorf("the replicas' data changed:\n%s\n%s\nit was\n%s", list("h2"), list("h3"), before)
		}
		around(mount)
		push(t, lab, "h1", "template", "v9")
		same("h2")
		same("h3")
		return nil
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config: acctest.Provider(t, target, "ssh") + replicated(target, threeHosts, "h1", every2s(""), fmt.Sprintf("storage = { path = %q }", storage)),
			Check:  prove,
		}},
	})
}
