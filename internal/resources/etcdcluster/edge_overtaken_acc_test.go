package etcdcluster_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// overtaken: all members have run 3.7 when the container of one is put back to
// 3.6, as a replacement does that fails at its end. It cannot start any more. The
// next apply brings it up to the others on its data.
func (p *proof) overtaken() {
	p.t.Helper()
	victim := p.follower()
	host, name := p.members[victim], "anka-acc-etcd-"+victim
	before := p.state().Members[victim]
	var made []map[string]any
	inspected := docker(p.t, p.lab, host, "inspect", name)
	must(p.t, json.Unmarshal([]byte(inspected), &made))
	p.image = images.Etcd37
	p.changes(change{what: "3.6 to 3.7"})
	p.runs("3.7.3")

	// What Docker tells of a container is what it takes for making one.
	asked, _ := made[0]["Config"].(map[string]any)
	asked["HostConfig"] = made[0]["HostConfig"]
	body, err := json.Marshal(asked)
	must(p.t, err)
	docker(p.t, p.lab, host, "rm", "-f", name)
	script := fmt.Sprintf("curl -fsS --unix-socket /var/run/docker.sock -H 'Content-Type: application/json' --data-binary @- 'http://docker/containers/create?name=%s' <<'JSON'\n%s\nJSON\n",
		name, body)
	if out, err := p.lab.Host(host).Run(p.t.Context(), script); err != nil {
		p.t.Fatalf("make the container of 3.6 again: %v\n%s", err, out)
	}
	docker(p.t, p.lab, host, "start", name)
	o := p.changes(change{what: "a member was put back to 3.6", involuntary: true})
	p.inOrder(o, "replace the container of "+victim)
	if text := strings.Join(append(o.planned, o.done...), "\n"); strings.Contains(text, "flush") {
		p.t.Errorf("its log cannot be flushed, and there was:\n%s", text)
	}
	p.runs("3.7.3")
	if after := p.state().Members[victim]; after.ID != before.ID || after.Data != before.Data {
		p.t.Errorf("the member was replaced: %+v, before %+v", after, before)
	}
}
