package registry_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestAccRegistry_markers: data that nobody has said to belong to a registry,
// and that of another one, is refused; a copied disk that is announced is
// taken, and nothing of it transferred again. Where the marker file is gone
// replication stops and says so, and the ways back that are told are ways. A
// container of somebody else under the name of one of replication's is left
// alone.
func TestAccRegistry_markers(t *testing.T) {
	s := newScenario(t)
	const storage = `storage = { path = "/srv/registry" }`
	s.write("h1 h2", everySecond(""), storage)
	s.apply()
	for i := range 3 {
		push(t, s.lab, "h1", "template", fmt.Sprint("v", i))
	}
	s.equal("h1", "h2")

	// A registry of another configuration, for its host "replication-h3", has the name.
	const taken = "anka-acc-registry-replication-h3"
	s.write(threeHosts, everySecond(""), storage)
	shell(t, s.lab, "h3", "docker create --name "+taken+" --label io.github.anka-ha.owner=acc --label io.github.anka-ha.role=registry "+
		"--label io.github.anka-ha.instance=replication-h3 "+s.target.RegistryImage)
	s.refused(taken, "did not create")
	if got := shell(t, s.lab, "h3", "docker ps -a --format '{{.Names}}'"); got != taken {
		t.Errorf("h3 has the containers %s", got)
	}
	shell(t, s.lab, "h3", "docker rm "+taken)

	s.copyStorage("h1", "h3")
	before := s.inodes("h3")
	s.refused("storage of the new replica on h3 (/srv/registry) has data and no file .anka-registry", "Add the host to replication.seeded")
	shell(t, s.lab, "h3", "echo 0123456789abcdef0123456789abcdef >/srv/registry/.anka-registry")
	seeded := everySecond(`seeded = ["h3"]`)
	s.write(threeHosts, seeded, storage)
	s.refused("storage on host h3 (/srv/registry) belongs to another registry", "0123456789abcdef0123456789abcdef", "or an empty one", "remove that file")
	if got := shell(t, s.lab, "h3", "cat /srv/registry/.anka-registry"); got != "0123456789abcdef0123456789abcdef" {
		t.Errorf("the marker of the other registry is now %q", got)
	}
	if got := s.inodes("h3"); got != before {
		t.Errorf("layers on h3 were\n%s\nand are\n%s", before, got)
	}
	shell(t, s.lab, "h3", "rm /srv/registry/.anka-registry")
	s.apply()
	s.awaitStatus("h3", `"in_sync":true`)
	s.equal("h1", "h3")
	if got := s.inodes("h3"); got != before {
		t.Errorf("layers were transferred again: they were\n%s\nand are\n%s", before, got)
	}
	marker := shell(t, s.lab, "h1", "cat /srv/registry/.anka-registry")
	if got := shell(t, s.lab, "h3", "cat /srv/registry/.anka-registry"); got != marker || marker == "" {
		t.Errorf("h3 has the marker %q and h1 %q", got, marker)
	}
	s.settled()

	// The file is lost, and nothing else.
	shell(t, s.lab, "h2", "rm /srv/registry/.anka-registry")
	s.awaitStatus("h2", "its marker file .anka-registry is missing")
	had := s.list("h2")
	push(t, s.lab, "h1", "template", "v3")
	s.equal("h1", "h3")
	s.says(s.settled(), "Replication of registries does not go on", "h2: the storage is not the registry's", "copy the file from another replica")
	s.write(threeHosts, everySecond(`seeded = ["h3"]`+"\nbandwidth_limit = 50000000"), storage)
	s.says(s.apply(), "Disk not mounted?", "the registry on h2, /srv/registry, had the file .anka-registry", "copy the file from another replica")
	if got := shell(t, s.lab, "h2", "ls -A /srv/registry"); strings.Contains(got, ".anka-registry") || s.list("h2") != had {
		t.Errorf("h2 has %s\nwith\n%s\nand had\n%s", got, s.list("h2"), had)
	}
	shell(t, s.lab, "h2", "echo "+marker+" >/srv/registry/.anka-registry")
	s.equal("h1", "h2")

	// The data is lost for good.
	shell(t, s.lab, "h2", "find /srv/registry -mindepth 1 -delete")
	s.awaitStatus("h2", "its marker file .anka-registry is missing")
	s.equal("h1", "h3")
	s.write("h1 h3", seeded, storage)
	s.apply()
	s.write(threeHosts, seeded, storage)
	s.apply()
	s.equal("h1", "h2", "h3")
	s.settled()
	s.destroy()
	if s.list("h1") == "" || s.list("h1") != s.list("h2") {
		t.Errorf("after destroying h1 has\n%s\nand h2\n%s", s.list("h1"), s.list("h2"))
	}
}
