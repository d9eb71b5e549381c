package replicas_test

import (
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// imported is what an import by name gives, read again as Terraform does, and
// the diagnostics of the import.
func imported(t *testing.T, s *protocol.Server, resource, name string) (map[string]tftypes.Value, string) {
	t.Helper()
	resp, err := s.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: resource, ID: name})
	if err != nil {
		t.Fatal(err)
	}
	said := protocol.Lines(resp.Diagnostics)
	if len(resp.ImportedResources) == 0 {
		return nil, said
	}
	one := resp.ImportedResources[0]
	read, err := s.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: resource, CurrentState: one.State, Private: one.Private})
	if err != nil {
		t.Fatal(err)
	}
	state, err := read.NewState.Unmarshal(s.Type)
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]tftypes.Value
	if err := state.As(&values); err != nil {
		t.Fatal(err)
	}
	return values, said
}

// fully is a configuration of two hosts with everything that can be set.
func fully(t *testing.T, resource string, h1, h2 *recorder) object {
	t.Helper()
	config, _, _ := everything(t, resource, newMaterial(t))
	if resource == "anka_controller" {
		config["skip_compatibility_check"] = true
	}
	third, _, err := big.ParseFloat("0.3", 10, 512, big.ToNearestEven) // as Terraform reads it
	if err != nil {
		t.Fatal(err)
	}
	return with(config, object{
		"name": "anka2", "ready_timeout": "5s", "restart_policy": "unless-stopped", "bind_ip": "127.0.0.1",
		"replicas": object{"h1": object{"port": listen(t, h1)}, "h2": object{"port": listen(t, h2), "address": "localhost"}},
		"env":      object{"TZ": "Europe/Berlin"}, "env_wo": object{"AWS_SESSION_TOKEN": "canary-session"}, "env_wo_version": 7,
		"log": object{"max_size": "1m"}, "memory": "512m", "cpus": tftypes.NewValue(tftypes.Number, third), "dns": []string{"10.0.0.3", "10.0.0.2"},
		"extra_hosts": object{"a": "10.0.0.1"}, "healthcheck": object{"command": []string{"check"}, "retries": 2},
		"timeouts": object{"update": "1h"},
	})
}

// created applies a configuration of a new resource.
func created(t *testing.T, s *protocol.Server, config object) map[string]tftypes.Value {
	t.Helper()
	planned, said := s.Plan(nil, config)
	if refusals(said) != "" {
		t.Fatal(said)
	}
	state, said := s.Apply(nil, planned, config)
	if state == nil || refusals(said) != "" {
		t.Fatal(said)
	}
	return state
}

// TestImport_everyAttribute: what was created comes back from the labels of its
// containers, all of it but secrets, and there is nothing left to plan.
func TestImport_everyAttribute(t *testing.T) {
	for resource := range tables {
		t.Run(resource, func(t *testing.T) {
			fleet := dockerhost.NewFleet()
			h1, h2 := record(t, fleet, "h1"), record(t, fleet, "h2")
			config := fully(t, resource, h1, h2)
			s := serve(t, resource, fleet)
			state := created(t, s, config)
			got, said := imported(t, serve(t, resource, fleet), resource, "anka2")
			if said != "" {
				t.Errorf("got %s", said)
			}
			for _, name := range slices.Sorted(maps.Keys(state)) {
				if !got[name].Equal(state[name]) {
					t.Errorf("%s: imported is\n%s, created was\n%s", name, got[name], state[name])
				}
			}
			if !got["ready"].Equal(tftypes.NewValue(tftypes.Bool, true)) {
				t.Error("it is not ready")
			}
			planned, said := s.Plan(got, config)
			if said != "" {
				t.Errorf("planning afterwards gave %s", said)
			}
			for name := range got {
				if !planned[name].Equal(got[name]) {
					t.Errorf("%s is planned to change from %s to %s", name, got[name], planned[name])
				}
			}
			resp, err := s.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: resource, ID: "anka2"})
			var private map[string][]byte
			if err != nil || json.Unmarshal(resp.ImportedResources[0].Private, &private) != nil {
				t.Fatalf("%v, %s", err, resp.ImportedResources[0].Private)
			}
			for _, c := range h1.made {
				// What decides whether a host that is silent later has to change.
				if want := `"h1":"` + c.Labels[container.LabelHash] + `"`; !strings.Contains(string(private["applied"]), want) {
					t.Errorf("recorded is %s, want %s", private["applied"], want)
				}
				if strings.Contains(c.Labels[container.LabelRecord], "canary") {
					t.Errorf("a secret is in the label: %s", c.Labels[container.LabelRecord])
				}
			}
		})
	}
}

// silent is a host that nothing answers on.
func silent(t *testing.T, fleet *dockerhost.Fleet, name string) {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	address := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	host, err := dockerhost.New(dockerhost.Config{Name: name, Address: "127.0.0.1", DockerHost: "tcp://" + address, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	fleet.Add(host)
	t.Cleanup(func() { _ = host.Close() })
}

// TestImport_whatIsNotAsItShouldBe: what was made on two hosts is imported
// after something has happened to their containers or the provider block.
func TestImport_whatIsNotAsItShouldBe(t *testing.T) {
	edit := func(c *made, change func(map[string]any)) {
		var record map[string]any
		if err := json.Unmarshal([]byte(c.Labels[container.LabelRecord]), &record); err != nil {
			t.Fatal(err)
		}
		change(record)
		text, _ := json.Marshal(record)
		c.Labels[container.LabelRecord] = string(text)
	}
	only := func(d *recorder) *made { return d.made[slices.Sorted(maps.Keys(d.made))[0]] }
	for name, c := range map[string]struct {
		id    string
		after func(t *testing.T, fleet *dockerhost.Fleet, h1, h2 *recorder)
		want  []string // parts of what is said
		hosts []string // the replicas that are imported, nil for none
	}{
		"no name":       {id: "a b", want: []string{`"a b" is not the name of a controller`, "terraform import anka_controller.this anka"}},
		"another name":  {id: "other", want: []string{`no container of controller "other" on any host of the provider block: h1, h2`}},
		"nothing wrong": {hosts: []string{"h1", "h2"}},
		"another host that is silent": {
			after: func(t *testing.T, fleet *dockerhost.Fleet, _, _ *recorder) { silent(t, fleet, "h3") },
			want:  []string{"warning", "Host h3 did not answer", "there is no replica on h3, and none is imported"}, hosts: []string{"h1", "h2"},
		},
		"one of its hosts is silent": {
			after: func(t *testing.T, fleet *dockerhost.Fleet, _, _ *recorder) { silent(t, fleet, "h2") },
			want:  []string{"warning", "Host h2 did not answer", "there is a replica on h2. It is imported"}, hosts: []string{"h1", "h2"},
		},
		"nothing found, one silent": {
			id: "other", after: func(t *testing.T, fleet *dockerhost.Fleet, _, _ *recorder) { silent(t, fleet, "h2") },
			want: []string{`no container of controller "other" on h1, and other hosts do not answer: h2`, `Host "h2"`},
		},
		"all silent": {
			after: func(t *testing.T, fleet *dockerhost.Fleet, _, _ *recorder) {
				silent(t, fleet, "h1")
				silent(t, fleet, "h2")
			},
			want: []string{"No host of the provider block answers"},
		},
		"host not known yet": {
			after: func(_ *testing.T, fleet *dockerhost.Fleet, _, _ *recorder) { fleet.AddUnknown("h3") },
			want:  []string{"depend on resources that have not been created yet: h3"},
		},
		"container gone": {
			after: func(_ *testing.T, _ *dockerhost.Fleet, _, h2 *recorder) { clear(h2.made) }, hosts: []string{"h1"},
		},
		"made by an older version": {
			after: func(_ *testing.T, _ *dockerhost.Fleet, h1, h2 *recorder) {
				delete(only(h1).Labels, container.LabelRecord)
				delete(only(h2).Labels, container.LabelRecord)
			},
			want: []string{"on h1, h2 were made by a version of this provider that did not record", "without importing: a new resource of the same name takes over"},
		},
		"one of them made by an older version": {
			after: func(_ *testing.T, _ *dockerhost.Fleet, h1, _ *recorder) {
				delete(only(h1).Labels, container.LabelRecord)
			},
			hosts: []string{"h1", "h2"},
		},
		"record is broken": {
			after: func(_ *testing.T, _ *dockerhost.Fleet, _, h2 *recorder) { only(h2).Labels[container.LabelRecord] = "{" },
			want:  []string{`Host "h2": the label io.github.anka-ha.configuration of container anka-anka-controller-h2 is not what this provider writes`},
		},
		"record of another shape": {
			after: func(_ *testing.T, _ *dockerhost.Fleet, h1, h2 *recorder) {
				for _, c := range []*made{only(h1), only(h2)} {
					edit(c, func(e map[string]any) { e["attributes"].(map[string]any)["port"] = "eighty" })
				}
			},
			want: []string{"does not fit this version of the provider: port:"},
		},
		"host was called otherwise": {
			after: func(_ *testing.T, _ *dockerhost.Fleet, _, h2 *recorder) {
				c := only(h2)
				c.Name, c.Labels[container.LabelInstance] = strings.Replace(c.Name, "h2", "web2", 1), "web2"
			},
			want: []string{`Host "h2" has the container anka-anka-controller-web2, which was made for a host called "web2"`},
		},
		"update was interrupted": {
			after: func(_ *testing.T, _ *dockerhost.Fleet, h1, _ *recorder) {
				edit(only(h1), func(e map[string]any) {
					e["made"] = "2999-01-01T00:00:00Z"
					e["attributes"].(map[string]any)["image"] = "x:2"
				})
				only(h1).Labels[container.LabelHash] = "the one of x:2"
			},
			want: []string{"warning", "made of different configurations", "The containers on h1, h2 were made of another one"}, hosts: []string{"h1", "h2"},
		},
		"a replica has joined since": {
			after: func(_ *testing.T, _ *dockerhost.Fleet, h1, _ *recorder) {
				edit(only(h1), func(e map[string]any) {
					e["made"] = "2001-01-01T00:00:00Z"
					delete(e["attributes"].(map[string]any)["replicas"].(map[string]any), "h2")
				})
			},
			hosts: []string{"h1", "h2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := dockerhost.NewFleet()
			h1, h2 := record(t, fleet, "h1"), record(t, fleet, "h2")
			config := with(minimal("anka_controller", "h1", "h2"), object{
				"ready_timeout": "1ms", "skip_compatibility_check": true, "replicas": object{"h1": object{"port": 81}, "h2": object{"port": 82}},
			})
			created(t, serve(t, "anka_controller", fleet), config)
			if c.after != nil {
				c.after(t, fleet, h1, h2)
			}
			if c.id == "" {
				c.id = "anka"
			}
			state, said := imported(t, serve(t, "anka_controller", fleet), "anka_controller", c.id)
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("got %s\nwant %s", said, want)
				}
			}
			if len(c.want) == 0 && said != "" {
				t.Errorf("got %s", said)
			}
			var replicas map[string]tftypes.Value
			if state != nil {
				if err := state["replicas"].As(&replicas); err != nil {
					t.Fatal(err)
				}
			}
			if got := slices.Sorted(maps.Keys(replicas)); !slices.Equal(got, c.hosts) {
				t.Errorf("imported %v, want %v", got, c.hosts)
			}
			if one, is := replicas["h2"]; is {
				want := protocol.Value(t, one.Type(), object{"port": 82})
				if !one.Equal(want) {
					t.Errorf("h2 is %s, want %s", one, want)
				}
			}
		})
	}
}
