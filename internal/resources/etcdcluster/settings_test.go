package etcdcluster_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/etcdcluster"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// TestValidateSettings asserts path and text of what is said about settings,
// before any host is asked.
func TestValidateSettings(t *testing.T) {
	cases := map[string]struct {
		set  object
		want string
	}{
		"everything": {object{
			"image": "etcd:v3.6.16", "auto_compaction_mode": "revision", "auto_compaction_retention": "1000", "quota_backend_bytes": 1 << 30,
			"snapshot_count": 5000, "heartbeat_interval": "200ms", "election_timeout": "2s", "max_request_bytes": 2 << 20, "max_snapshots": 0,
			"max_wals": 0, "log_level": "warn", "metrics": "extensive", "initial_corrupt_check": false, "compact_hash_check": false,
			"corrupt_check_time": "0s", "extra_args": []string{"--feature-gates=LeaseCheckpoint=true"},
		}, ""},
		"unknown settings": {object{
			"heartbeat_interval": "900ms", "election_timeout": protocol.Unknown{}, "etcd_version": protocol.Unknown{},
			"auto_compaction_mode": "revision", "auto_compaction_retention": protocol.Unknown{},
		}, ""},
		"election timeout": {
			object{"heartbeat_interval": "500ms", "election_timeout": "2s"},
			`error ("election_timeout"): Election timeout too short: election_timeout (2s) must be at least five times heartbeat_interval (500ms), ` +
				`or members depose a leader whose heartbeats are merely late. Without a value election_timeout is 1s and heartbeat_interval 100ms.`,
		},
		"heartbeat without unit": {
			object{"heartbeat_interval": "100"},
			`error ("heartbeat_interval"): Invalid duration: heartbeat_interval: "100" is not a duration such as "100ms" or "4h".`,
		},
		"election timeout too long": {
			object{"election_timeout": "1m"},
			`error ("election_timeout"): Invalid duration: election_timeout: "1m" is not between 50ms and 50s.`,
		},
		"retention of revisions by default": {
			object{"auto_compaction_mode": "revision"},
			`error ("auto_compaction_retention"): Invalid retention: "30m" is not a number of revisions, which auto_compaction_mode = "revision" needs.`,
		},
		"log level": {
			object{"log_level": "loud"},
			`error ("log_level"): Invalid Attribute Value Match: Attribute log_level value must be one of: ["debug" "info" "warn" "error" "panic" "fatal"], got: "loud"`,
		},
		"snapshot count": {
			object{"snapshot_count": 1},
			`error ("snapshot_count"): Invalid Attribute Value: Attribute snapshot_count value must be at least 10, got: 1`,
		},
		"quota": {
			object{"quota_backend_bytes": 1},
			`error ("quota_backend_bytes"): Invalid Attribute Value: Attribute quota_backend_bytes value must be at least 16777216, got: 1`,
		},
		"request size": {
			object{"max_request_bytes": 1 << 40},
			`error ("max_request_bytes"): Invalid Attribute Value: Attribute max_request_bytes value must be between 65536 and 104857600, got: 1099511627776`,
		},
		"argument with attribute": {
			object{"extra_args": []string{"--snapshot-count=1000"}},
			`error ("extra_args").(0): Argument has an attribute: --snapshot-count is what the attribute snapshot_count is for. ` +
				`Set that instead, so that it is checked and spelled as the version of etcd needs it.`,
		},
		"argument of a later version": {
			object{"extra_args": []string{"--memory-mlock"}},
			`error ("extra_args").(0): Argument that etcd does not start with: etcd 3.5.35 does not have --memory-mlock yet. Use --experimental-memory-mlock.`,
		},
		"argument of an earlier version": {
			object{"image": "etcd:latest", "etcd_version": "3.7.3", "extra_args": []string{"--experimental-memory-mlock"}},
			`error ("extra_args").(0): Argument that etcd does not start with: etcd 3.7.3 does not have --experimental-memory-mlock any more. Use --memory-mlock.`,
		},
		"empty argument": {
			object{"extra_args": []string{""}},
			`error ("extra_args").(0): Invalid argument: The argument is empty. Remove it.`,
		},
		"variable with attribute": {
			object{"env": object{"ETCD_METRICS": "extensive"}},
			`error ("env").("ETCD_METRICS"): Variable has an attribute: ETCD_METRICS is what the attribute metrics is for. ` +
				`Set that instead, so that it is checked and spelled as the version of etcd needs it.`,
		},
		"version that is bad": {
			object{"image": "etcd:v3.5.2"},
			`error ("image"): Unsafe version of etcd: etcd 3.5.2 can corrupt data when a member is killed under load (fixed in 3.5.3). Use 3.5.35. Nothing was changed.`,
		},
		"version with a hole": {
			object{"image": "etcd:v3.6.8"},
			`warning ("image"): Version of etcd: etcd 3.6.8 lets anybody who reaches it list members, raise alarms and use leases even when authentication is on ` +
				`(CVE-2026-33413, fixed in 3.5.28 and 3.6.9).`,
		},
		"version that nobody tells":                {object{"image": "etcd:latest"}, ""},
		"version that is none":                     {object{"image": "etcd:latest", "etcd_version": "3.6"}, `error ("etcd_version"): Invalid version of etcd: "3.6" is not a version of etcd such as 3.5.35. Write all three numbers, as etcd --version does.`},
		"version that contradicts the default one": {object{"etcd_version": "3.6.16"}, `error ("etcd_version"): Version contradicts the image: etcd_version says 3.6.16 where the tag of the image quay.io/coreos/etcd:v3.5.35 says 3.5.35. Remove etcd_version, which is only for images whose tag does not tell.`},
		"check whose spelling nobody knows": {
			object{"image": "etcd:latest", "corrupt_check_time": "1h"},
			`warning ("corrupt_check_time"): Setting without effect: How etcd is told of corrupt_check_time depends on its version, which the tag of the image does not tell, so it is left out. Tell the version with etcd_version.`,
		},
	}
	server := protocol.Serve(t, "anka_etcd_cluster", dockerhost.NewFleet(), etcdcluster.New)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := server.Validate(valid(func(config object) { maps.Copy(config, c.set) })); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestTunablesAreAttributes: every row of the table is an attribute, with the
// row's default, and a value for it is taken.
func TestTunablesAreAttributes(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.SetUnknown()
	server := protocol.Serve(t, "anka_etcd_cluster", fleet, etcdcluster.New)
	planned, told := server.Plan(nil, valid(func(object) {}))
	if told != "" {
		t.Fatal(told)
	}
	for _, row := range etcd.Tunables {
		value, exists := planned[row.Attribute]
		if !exists {
			t.Errorf("%s is no attribute", row.Attribute)
			continue
		}
		if got := strings.Trim(strings.TrimSuffix(value.String(), ">"), `"`); value.IsNull() != (row.Default == "") || row.Default != "" && !strings.Contains(got, row.Default) {
			t.Errorf("%s is planned as %s, its default is %q", row.Attribute, value, row.Default)
		}
	}
	if names := slices.Sorted(maps.Keys(planned)); len(names) < len(etcd.Tunables) {
		t.Errorf("attributes: %q", names)
	}
}
