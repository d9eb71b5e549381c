package etcdcluster_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/etcdcluster"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
)

type object = protocol.Object

// valid is a configuration without fault; change makes one.
func valid(change func(object)) object {
	config := object{"name": "anka", "members": object{
		"etcd-1": object{"host": "h1"}, "etcd-2": object{"host": "h2"}, "etcd-3": object{"host": "h3"},
	}}
	change(config)
	return config
}

func member(config object, name string) object { return config["members"].(object)[name].(object) }

// TestValidate asserts path and text of what is said about a bad
// configuration, before any host is asked.
func TestValidate(t *testing.T) {
	cases := map[string]struct {
		change func(object)
		want   string
	}{
		"nothing":         {func(object) {}, ""},
		"unknown members": {func(c object) { c["members"] = protocol.Unknown{} }, ""},
		"unknown everything": {func(c object) {
			for _, name := range []string{"name", "image", "data_path", "auto_compaction_mode", "auto_compaction_retention", "quota_backend_bytes", "env", "extra_args", "bind_ip", "log"} {
				c[name] = protocol.Unknown{}
			}
			member(c, "etcd-1")["host"] = protocol.Unknown{}
			member(c, "etcd-1")["client_port"] = protocol.Unknown{}
		}, ""},
		"name": {
			func(c object) { c["name"] = "a;rm -rf /" },
			`error ("name"): Invalid name: "a;rm -rf /" is not a valid name. The value must be 1 to 32 lower-case letters, digits and inner hyphens.`,
		},
		"member's name": {
			func(c object) {
				c["members"].(object)["a,b="] = object{"host": "h4"}
				delete(c["members"].(object), "etcd-1")
			},
			`error ("members").("a,b="): Invalid name: "a,b=" is not a valid name. The value must be 1 to 32 lower-case letters, digits and inner hyphens.`,
		},
		"unknown member": {func(c object) { c["members"].(object)["etcd-1"] = protocol.Unknown{} }, ""},
		"null member": {
			func(c object) { c["members"].(object)["etcd-1"] = nil },
			`error ("members").("etcd-1"): Missing member: The member is null. Leave it out, or give it a host.`,
		},
		"no host": {
			func(c object) { c["members"].(object)["etcd-1"] = object{} },
			`error ("members").("etcd-1").("host"): Missing host: A member needs a host: the key of one of the provider's hosts.`,
		},
		"null argument": {
			func(c object) { c["extra_args"] = []any{nil} },
			`error ("extra_args").(0): Invalid argument: The argument is empty. Remove it.` + "\n" +
				`error ("extra_args"): Null List Value: This attribute contains a null value.`,
		},
		"no members": {
			func(c object) { c["members"] = object{} },
			`error ("members"): Invalid Attribute Value: Attribute members map must contain at least 1 elements, got: 0`,
		},
		"even members": {
			func(c object) { delete(c["members"].(object), "etcd-3") },
			`warning ("members"): Even number of etcd members: With 2 members a quorum is 2, so the cluster survives the loss of 0: as many as with 1, with more that can go wrong.`,
		},
		"members on one host": {func(c object) {
			member(c, "etcd-2")["host"], member(c, "etcd-2")["client_port"], member(c, "etcd-2")["peer_port"] = "h1", 3379, 3380
		}, `warning ("members"): Several etcd members on one host: etcd-1, etcd-2 are all on host h1: when it fails, they all fail together, which a cluster of 3 members does not survive (1 of 3 left, a quorum is 2).`},
		"port used twice": {
			func(c object) { member(c, "etcd-1")["peer_port"] = 2379 },
			`error ("members").("etcd-1").("peer_port"): Port used twice: client_port of etcd-1 and peer_port of etcd-1 are both host h1 port 2379. Give each its own port.`,
		},
		"port out of range": {
			func(c object) { member(c, "etcd-1")["client_port"] = 70000 },
			`error ("members").("etcd-1").("client_port"): Invalid Attribute Value: Attribute members["etcd-1"].client_port value must be between 1 and 65535, got: 70000`,
		},
		"relative path": {
			func(c object) { c["data_path"] = "data" },
			`error ("data_path"): Invalid host path: "data" is not absolute. The value must be an absolute path of its own, such as "/opt/registry-storage".`,
		},
		"dangerous path": {
			func(c object) { c["data_path"] = "/etc" },
			`error ("data_path"): Invalid host path: "/etc" belongs to the operating system. The value must be an absolute path of its own, such as "/opt/registry-storage".`,
		},
		"image": {
			func(c object) { c["image"] = "No Image" },
			`error ("image"): Invalid image: "No Image" is not an image reference. The value must be an image reference such as "quay.io/coreos/etcd:v3.5.35".`,
		},
		"retention without unit": {
			func(c object) { c["auto_compaction_retention"] = "1" },
			`error ("auto_compaction_retention"): Invalid retention: "1" is not a duration such as "30m" or "1h". A plain number means hours to etcd; write the unit.`,
		},
		"retention of revisions": {
			func(c object) { c["auto_compaction_mode"], c["auto_compaction_retention"] = "revision", "30m" },
			`error ("auto_compaction_retention"): Invalid retention: "30m" is not a number of revisions, which auto_compaction_mode = "revision" needs.`,
		},
		"managed argument": {
			func(c object) { c["extra_args"] = []string{"--max-txn-ops=256", "--name=x"} },
			`error ("extra_args").(1): Argument is set by the provider: --name is set by the provider. Use the resource's attributes instead.`,
		},
		"not an argument": {
			func(c object) { c["extra_args"] = []string{"debug"} },
			`error ("extra_args").(0): Invalid argument: "debug" does not begin with two hyphens. Write a flag and its value as one element: "--flag=value".`,
		},
		"managed variable": {
			func(c object) { c["env"] = object{"ETCD_NAME": "x"} },
			`error ("env").("ETCD_NAME"): Variable is set by the provider: ETCD_NAME says the same as --name, which the provider sets, and etcd does not start when it is told something both ways. Use the resource's attributes instead.`,
		},
		"bind IP": {
			func(c object) { c["bind_ip"] = "h1" },
			`error ("bind_ip"): Invalid IP address: "h1" is not an IP address. The value must be an IP address such as "10.0.1.4" or "0.0.0.0".`,
		},
		"timeout": {
			func(c object) { c["timeouts"] = object{"create": "soon"} },
			`error ("timeouts").("create"): Invalid Attribute Value Time Duration: "soon" must be a string containing a sequence of decimal numbers, each with optional fraction and a unit suffix, such as "300ms", "-1.5h" or "2h45m". Valid time units are "ns", "us" (or "µs"), "ms", "s", "m", "h".`,
		},
	}
	server := protocol.Serve(t, "anka_etcd_cluster", dockerhost.NewFleet(), etcdcluster.New)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := server.Validate(valid(c.change)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestPlanWithoutHosts: hosts that are not in the provider block are refused
// with those that are; hosts that are not known yet are no error.
func TestPlanWithoutHosts(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.AddUnknown("h1")
	fleet.AddUnknown("h2")
	server := protocol.Serve(t, "anka_etcd_cluster", fleet, etcdcluster.New)
	_, got := server.Plan(nil, valid(func(object) {}))
	want := `error ("members").("etcd-3").("host"): Unknown host: There is no host "h3"; the provider block has: h1, h2. ` +
		`Add it to hosts of the provider block, or name one that is there.`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	fleet.AddUnknown("h3")
	planned, got := server.Plan(nil, valid(func(object) {}))
	if got != "" || planned["endpoints"].IsKnown() {
		t.Errorf("with hosts that are not known yet: %s, endpoints %s", got, planned["endpoints"])
	}
	unknown := dockerhost.NewFleet()
	unknown.SetUnknown()
	server = protocol.Serve(t, "anka_etcd_cluster", unknown, etcdcluster.New)
	if _, got := server.Plan(nil, valid(func(object) {})); got != "" {
		t.Errorf("with an unknown map of hosts: %s", got)
	}
}

// existing is the state of a cluster that an earlier apply made.
func existing() object {
	state := valid(func(object) {})
	for name, v := range state["members"].(object) {
		m := v.(object)
		m["client_port"], m["peer_port"], m["id"], m["data"] = 2379, 2380, "abc", "anka-anka-etcd-"+name+"-12345678"
		m["client_url"], m["peer_url"] = "http://x:2379", "http://x:2380"
	}
	for name, v := range (object{
		"id": "anka", "image": etcdcluster.DefaultImage, "auto_compaction_mode": "periodic", "auto_compaction_retention": "30m",
		"quota_backend_bytes": 6294967296, "initial_corrupt_check": true, "compact_hash_check": true, "corrupt_check_time": "4h", "restart_policy": "always", "log": object{"max_size": "50m", "max_file": 5},
		"purge_data_on_destroy": false, "endpoints": []string{"http://x:2379"}, "cluster_id": "abc", "version": "3.5.35", "ready": true,
	}) {
		state[name] = v
	}
	return state
}

// TestPlanRefusesChanges: what cannot be changed in place is refused at its
// path, and the cluster is never replaced for it.
func TestPlanRefusesChanges(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.SetUnknown()
	server := protocol.Serve(t, "anka_etcd_cluster", fleet, etcdcluster.New)
	cases := map[string]struct {
		change func(object)
		at     string
	}{
		"data_path": {func(c object) { c["data_path"] = "/data/etcd" }, `("data_path")`},
		"peer_port": {func(c object) { member(c, "etcd-1")["peer_port"] = 9 }, `("members").("etcd-1").("peer_port")`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, got := server.Plan(existing(), valid(c.change))
			if want := "error " + c.at + ": Change of a running etcd cluster: "; !strings.Contains(got, want) {
				t.Errorf("got\n%s\nwant\n%s…", got, want)
			}
		})
	}
	for name, change := range map[string]func(object){
		"nothing":     func(object) {},
		"purge":       func(c object) { c["purge_data_on_destroy"] = true },
		"image":       func(c object) { c["image"] = "etcd:v3.5.36" },
		"added":       func(c object) { c["members"].(object)["etcd-4"] = object{"host": "h4"} },
		"client_port": func(c object) { member(c, "etcd-1")["client_port"] = 9 },
	} {
		if _, got := server.Plan(existing(), valid(change)); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
