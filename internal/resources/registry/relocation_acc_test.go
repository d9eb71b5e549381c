package registry_test

import (
	"strings"
	"testing"
)

// TestAccStorage_relocation: other storage of replicas that exist. The plan
// tells what changes; nothing is moved and nothing deleted, neither at the old
// places nor on the other replicas when the primary's new place is empty, which
// then say that they have more. What was copied beforehand is not transferred
// again.
func TestAccStorage_relocation(t *testing.T) {
	s := newScenario(t)
	volumes := func() string {
		var all strings.Builder
		for _, host := range []string{"h1", "h2", "h3"} {
			all.WriteString(listing(t, s.lab, host, data(host)) + "\n")
		}
		return all.String()
	}
	s.write(threeHosts, everySecond(""))
	s.apply()
	push(t, s.lab, "h1", "template-a", "v1")
	push(t, s.lab, "h1", "template-b", "v1")
	equal(t, s.lab, 6, "h1", "h2", "h3")

	// The whole storage was copied on h1, and without what replication keeps on h3.
	shell(t, s.lab, "h1", "cp -a "+data("h1")+"/. /srv/registry")
	shell(t, s.lab, "h3", "cd "+data("h3")+" && cp -a images_dir vm_dir /srv/registry")
	old, before := volumes(), s.inodes("h3")
	const storage = `storage = { path = "/srv/registry" }`
	s.write(threeHosts, everySecond(""), storage)
	plan, err := s.workspace.Run(s.ctx, "plan", "-input=false", "-no-color")
	must(t, err)
	s.says(plainText(plan), "Storage of the registry changes", "The data stays where it was and is not moved",
		"h1: from volume anka-acc-registry-h1 to /srv/registry", "h2: from volume anka-acc-registry-h2 to /srv/registry", "h3: from volume anka-acc-registry-h3 to /srv/registry")
	s.refused("storage of the new replica on h3 (/srv/registry) has data and no file .anka-registry", "replication.seeded", "Nothing is replicated")
	for host, id := range containers(t, s.lab, "registry-replication") {
		if id != "" {
			t.Errorf("%s still replicates what was left", host)
		}
	}
	s.write(threeHosts, everySecond(`seeded = ["h3"]`), storage)
	s.apply()
	s.equal("h1", "h2", "h3")
	if got := s.inodes("h3"); got != before {
		t.Errorf("layers were transferred again: they were\n%s\nand are\n%s", before, got)
	}
	if got := volumes(); got != old {
		t.Errorf("the volumes had\n%s\nand have\n%s", old, got)
	}
	push(t, s.lab, "h1", "template-c", "v1")
	s.equal("h1", "h2", "h3")
	s.settled()

	// The primary gets an empty disk.
	held := s.list("h1")
	shell(t, s.lab, "h1", "mkdir -p /srv/empty")
	s.dir["h1"] = "/srv/empty"
	empty := strings.Replace(s.config(threeHosts, everySecond(`seeded = ["h3"]`), storage), "host => {}", `host => { storage_path = host == "h1" ? "/srv/empty" : null }`, 1)
	must(t, s.workspace.Write("main.tf", empty))
	s.says(s.apply(), "Storage of the registry changes", "h1: from /srv/registry to /srv/empty")
	s.awaitStatus("h2", `"ahead_count":9`)
	s.awaitStatus("h3", `"ahead_count":9`)
	push(t, s.lab, "h1", "template-d", "v1")
	for _, host := range []string{"h2", "h3"} {
		awaitLook(t, "template-d on "+host, func(got string) bool { return strings.Contains(got, "template-d-v1.ank") }, func() string { return s.list(host) })
	}
	s.says(s.settled(), "Replicas are ahead of the primary", "h2: 9 files", "h3: 9 files")
	for _, host := range []string{"h2", "h3"} {
		for line := range strings.Lines(held) {
			if !strings.Contains(s.list(host), strings.TrimSpace(line)) {
				t.Errorf("%s has lost %s", host, line)
			}
		}
	}

	// What the others have is all there is: one of them becomes the primary.
	must(t, s.workspace.Write("main.tf", strings.Replace(empty, `primary  = "h1"`, `primary  = "h2"`, 1)))
	s.apply()
	s.equal("h2", "h1")
	if got := shell(t, s.lab, "h1", "ls /srv/registry/vm_dir"); got != "template-a\ntemplate-b\ntemplate-c" {
		t.Errorf("the former storage of h1 has the templates %s", got)
	}
	s.settled()
	s.destroy()
}
