package etcd

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// TestPlan runs the cases under testdata/plan. A case is a cluster, what was
// observed, and the steps or the refusal that must come of it:
//
//	plan
//	member etcd-1 h1 [client=2379 peer=2380 incarnation=x]
//	born                          an earlier apply proved the cluster
//	proven                        and nothing has changed since
//	silent h2                     the host does not answer
//	image h1                      the host has the image
//	data etcd-1                   the member's data directory has a log
//	volume h1 name                a volume of the cluster
//	container h1 etcd-1 running [token=t birth=bootstrap image=other owner=x port=2379]
//	----
//	1. … (cause)
//
// Run with -rewrite to accept what the planner says.
func TestPlan(t *testing.T) {
	files, err := filepath.Glob("testdata/plan/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases found: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			datadriven.RunTest(t, file, func(t *testing.T, td *datadriven.TestData) string {
				d, o := parseCase(t, td)
				var steps []topology.Step
				var err error
				switch td.Cmd {
				case "plan":
					steps, err = Plan(d, o)
				case "destroy", "purge":
					steps, err = PlanDestroy(d, o, td.Cmd == "purge")
				default:
					td.Fatalf(t, "unknown command %q", td.Cmd)
				}
				return render(steps, err)
			})
		})
	}
}

func render(steps []topology.Step, err error) string {
	var out strings.Builder
	for i, s := range steps {
		fmt.Fprintf(&out, "%d. %s (%s)\n", i+1, s, s.Cause())
	}
	if err != nil {
		fmt.Fprintf(&out, "refused: %v\n", err)
	}
	if out.Len() == 0 {
		return "nothing to do\n"
	}
	return out.String()
}

func parseCase(t *testing.T, td *datadriven.TestData) (Desired, Observed) {
	d := Desired{Cluster: "anka", Image: "etcd:v3.5.35", Token: "fresh-token", Settings: Settings{Restart: "always"}}
	o := Observed{
		Hosts: map[string]topology.Reach{}, Containers: map[string][]container.Found{},
		Images: map[string]bool{}, Data: map[string]bool{}, Volumes: map[string][]string{},
	}
	for _, line := range strings.Split(td.Input, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		options := map[string]string{}
		for _, w := range words {
			if k, v, ok := strings.Cut(w, "="); ok {
				options[k] = v
			}
		}
		switch words[0] {
		case "member":
			m := Member{Name: words[1], Host: words[2], Address: "10.0.0." + words[2][1:], ClientPort: 2379, PeerPort: 2380, Incarnation: options["incarnation"]}
			d.Members = append(d.Members, m)
			if _, set := o.Hosts[m.Host]; !set {
				o.Hosts[m.Host] = topology.Reachable
			}
		case "born":
			d.Born = true
		case "proven":
			o.Proven = true
		case "data-path":
			d.DataPath = words[1]
		case "silent":
			o.Hosts[words[1]] = topology.Unreachable
		case "image":
			o.Images[words[1]] = true
		case "data":
			o.Data[words[1]] = true
		case "volume":
			o.Volumes[words[1]] = append(o.Volumes[words[1]], words[2])
		case "container":
			o.put(words[1], parseContainer(t, d, words, options))
		default:
			td.Fatalf(t, "unknown line %q", line)
		}
	}
	return d, o
}

// parseContainer makes a container as the desired cluster would, but for what
// the options change. It must come after the members.
func parseContainer(t *testing.T, d Desired, words []string, options map[string]string) container.Found {
	host, instance := words[1], words[2]
	m := Member{Name: instance, Host: host}
	for _, known := range d.Members {
		if known.Name == instance {
			m = known
		}
	}
	if image := options["image"]; image != "" {
		d.Image = image
	}
	birth, token := Bootstrap, "fresh-token"
	if options["birth"] != "" {
		birth = Birth(options["birth"])
	}
	if options["token"] != "" {
		token = options["token"]
	}
	found := createdFrom(d.Spec(m, birth, token))
	found.ID = host + "-" + instance
	found.Status = container.Status(words[3])
	if owner, set := options["owner"]; set {
		found.Labels = map[string]string{}
		if owner != "nobody" {
			found.Labels = container.Selector(owner, container.Etcd)
			found.Labels[container.LabelInstance] = instance
		}
	}
	if port := options["port"]; port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		found.Ports = append(found.Ports, container.Port{HostPort: n})
	}
	return found
}
