package etcdcluster_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// edges are combinations that an operator comes to sooner or later. The first
// usualEdges are tried in every acceptance run, all of them by make chaos.
const usualEdges = 3

type edge struct {
	name string
	try  func(*proof)
}

var edges = []edge{
	{"interrupted scaling taken back", func(p *proof) {
		p.members["etcd-4"], p.members["etcd-5"] = "h4", "h5"
		p.write()
		p.interrupt(interruption{after: 4 * time.Second, signal: syscall.SIGINT})()
		p.members = three()
		p.changes(change{what: "an interrupted scaling is taken back", involuntary: true})
	}},
	{"killed scaling taken back", func(p *proof) {
		// No state knows what was added; where it is, its labels tell.
		p.write()
		for _, after := range []time.Duration{6000, 9000} {
			p.members = map[string]string{"etcd-1": "h1", "etcd-2": "h2", "etcd-3": "h3", "etcd-4": "h4", "etcd-5": "h5"}
			p.write()
			p.interrupt(interruption{after: after * time.Millisecond, signal: syscall.SIGKILL, group: true})()
			p.members = three()
			p.changes(change{what: "a killed scaling is taken back", involuntary: true})
			for _, host := range []string{"h4", "h5"} {
				if left := docker(p.t, p.lab, host, "ps", "-aq"); left != "" {
					p.t.Errorf("containers on %s: %s", host, left)
				}
			}
		}
	}},
	{"container removed and settings changed", func(p *proof) {
		docker(p.t, p.lab, "h2", "rm", "-f", "anka-acc-etcd-etcd-2")
		p.attributes = []string{"snapshot_count = 5000"}
		p.changes(change{what: "container removed and settings changed"})
	}},
	{"container removed after data was gone", func(p *proof) {
		p.dataGone()
		p.attributes = []string{"snapshot_count = 5000"}
		p.changes(change{what: "settings"})
		// Only where the provider knows which data the members use now are the
		// steps those that were planned.
		for name, host := range p.members {
			docker(p.t, p.lab, host, "rm", "-f", "anka-acc-etcd-"+name)
			p.changes(change{what: "the container of " + name + " is removed", involuntary: true})
		}
	}},
	{"client port changes", func(p *proof) {
		// The writer knows the new port only afterwards.
		leads := p.leader()
		p.clientPorts = map[string]int{leads: 12379}
		p.changes(change{what: "the client port of the leader", involuntary: true})
		p.clientPorts = nil
		p.changes(change{what: "the client port of the former leader", involuntary: true})
	}},
	{"data of the leader gone", func(p *proof) {
		leads := p.leader()
		data := p.state().Members[leads].Data
		docker(p.t, p.lab, p.members[leads], "rm", "-f", "anka-acc-etcd-"+leads)
		docker(p.t, p.lab, p.members[leads], "volume", "rm", data)
		p.changes(change{what: "the data of the leader is gone", involuntary: true})
	}},
	{"data deleted under a stopped container", (*proof).wiped},
	{"member that ends again and again", (*proof).mended},
	{"stopped and settings changed", (*proof).stopped},
	{"other key of a host", (*proof).otherKey},
	{"renamed on its host", func(p *proof) {
		p.members = map[string]string{"etcd-1": "h1", "etcd-2": "h2", "etcd-9": "h3"}
		p.changes(change{what: "a member gets another name"})
	}},
	{"two swap hosts", func(p *proof) {
		p.members = map[string]string{"etcd-1": "h2", "etcd-2": "h1", "etcd-3": "h3"}
		p.changes(change{what: "two members swap hosts"})
	}},
	{"two dead of five", func(p *proof) {
		p.members["etcd-4"], p.members["etcd-5"] = "h4", "h5"
		p.changes(change{what: "3 to 5"})
		must(p.t, p.lab.Host("h4").PowerOff(p.t.Context()))
		must(p.t, p.lab.Host("h5").PowerOff(p.t.Context()))
		p.members = three()
		p.changes(change{what: "two dead ones are taken out", involuntary: true})
		must(p.t, p.lab.Host("h4").PowerOn(p.t.Context()))
		must(p.t, p.lab.Host("h5").PowerOn(p.t.Context()))
		p.changes(change{what: "their hosts are back", involuntary: true})
	}},
	{"one alone", func(p *proof) {
		p.members = map[string]string{"etcd-1": "h1"}
		p.changes(change{what: "3 to 1"})
		p.attributes = []string{"snapshot_count = 5000"}
		p.changes(change{what: "the settings of the only member", involuntary: true})
		// The writer knows the new host only afterwards.
		p.members = map[string]string{"etcd-1": "h2"}
		p.changes(change{what: "the only member moves", involuntary: true})
	}},
}

// TestAccEtcdCluster_edges: nothing that was acknowledged is missing after any
// of the edges, and the cluster is whole.
func TestAccEtcdCluster_edges(t *testing.T) {
	lab := testlab.LabForTest(t, 5)
	try := func(image string, tried []edge) {
		for _, edge := range tried {
			t.Run(edge.name, func(t *testing.T) {
				must(t, lab.Reset(t.Context()))
				edge.try(newProof(t, lab, proof{image: image, transport: "tcp", members: three()}))
			})
		}
	}
	if os.Getenv(envChaos) != "1" {
		try(images.Etcd35, edges[:usualEdges])
		return
	}
	try(images.Etcd35, edges)
	must(t, lab.LoadImages(t.Context(), images.Etcd36, images.Etcd37))
	try(images.Etcd36, upEdges)
	try(images.Etcd37, downEdges)
}
