package etcd

import (
	"slices"
	"strings"
	"testing"
)

// allTuned sets every tunable: to its default, or to something else than
// etcd's own.
func allTuned() map[string]string {
	tuned := map[string]string{
		"snapshot_count": "5000", "heartbeat_interval": "200ms", "election_timeout": "2s", "max_request_bytes": "2097152",
		"max_snapshots": "3", "max_wals": "4", "log_level": "warn", "metrics": "extensive",
	}
	for _, t := range Tunables {
		if t.Default != "" {
			tuned[t.Attribute] = t.Default
		}
	}
	return tuned
}

func TestFlagsPerVersion(t *testing.T) {
	common := "--auto-compaction-mode=periodic --auto-compaction-retention=30m --quota-backend-bytes=6294967296 --snapshot-count=5000 " +
		"--heartbeat-interval=200 --election-timeout=2000 --max-request-bytes=2097152 --max-snapshots=3 --max-wals=4 --log-level=warn --metrics=extensive"
	newer := " --corrupt-check-time=4h0m0s --feature-gates=InitialCorruptCheck=true,CompactHashCheck=true"
	for text, want := range map[string]string{
		"":       common,
		"3.5.4":  common + " --experimental-initial-corrupt-check=true --experimental-corrupt-check-time=4h0m0s",
		"3.5.5":  common + " --experimental-initial-corrupt-check=true --experimental-compact-hash-check-enabled=true --experimental-corrupt-check-time=4h0m0s",
		"3.5.35": common + " --experimental-initial-corrupt-check=true --experimental-compact-hash-check-enabled=true --experimental-corrupt-check-time=4h0m0s",
		"3.6.0":  common + newer,
		"3.7.3":  common + newer,
		"3.8.0":  strings.Replace(common, " --max-snapshots=3", "", 1) + newer,
	} {
		var v Version
		if text != "" {
			v = parse(t, text)
		}
		settings := Settings{Tuned: allTuned()}
		if got := strings.Join(settings.Flags(v), " "); got != want {
			t.Errorf("%q: got\n%s\nwant\n%s", text, got, want)
		}
	}
}

func TestFlagsLeaveOutWhatIsNotSet(t *testing.T) {
	if got := (Settings{}).Flags(parse(t, "3.5.35")); len(got) != 0 {
		t.Errorf("nothing set: %q", got)
	}
	got := Settings{Tuned: map[string]string{"max_wals": "0", "initial_corrupt_check": "false", "corrupt_check_time": "0s"}}.Flags(parse(t, "3.6.16"))
	if want := []string{"--max-wals=0", "--corrupt-check-time=0s", "--feature-gates=InitialCorruptCheck=false"}; !slices.Equal(got, want) {
		t.Errorf("zero values: %q, want %q", got, want)
	}
}

func TestSameSettingIsTheSameFlag(t *testing.T) {
	v := parse(t, "3.5.35")
	a := Settings{Tuned: map[string]string{"heartbeat_interval": "1s", "corrupt_check_time": "4h"}}.Flags(v)
	b := Settings{Tuned: map[string]string{"heartbeat_interval": "1000ms", "corrupt_check_time": "240m"}}.Flags(v)
	if !slices.Equal(a, b) {
		t.Errorf("%q and %q", a, b)
	}
}

func TestSettingsProblems(t *testing.T) {
	const short = "five times heartbeat_interval ("
	for name, c := range map[string]struct {
		version string
		tuned   map[string]string
		want    string
	}{
		"nothing":                {"3.5.35", nil, ""},
		"everything":             {"3.7.3", allTuned(), ""},
		"exactly five times":     {"3.5.35", map[string]string{"heartbeat_interval": "300ms", "election_timeout": "1500ms"}, ""},
		"less than five times":   {"3.5.35", map[string]string{"heartbeat_interval": "300ms", "election_timeout": "1499ms"}, "error election_timeout: election_timeout (1.499s) must be at least " + short + "300ms)"},
		"default election":       {"3.5.35", map[string]string{"heartbeat_interval": "300ms"}, "error heartbeat_interval: election_timeout (1s) must be at least " + short + "300ms)"},
		"default heartbeat":      {"3.5.35", map[string]string{"election_timeout": "400ms"}, "error election_timeout: election_timeout (400ms) must be at least " + short + "100ms)"},
		"unknown election":       {"3.5.35", map[string]string{"heartbeat_interval": "300ms", "election_timeout": ""}, ""},
		"revisions":              {"3.5.35", map[string]string{"auto_compaction_mode": "revision", "auto_compaction_retention": "1000"}, ""},
		"revisions by default":   {"3.5.35", map[string]string{"auto_compaction_mode": "revision"}, `error auto_compaction_retention: "30m" is not a number of revisions`},
		"revisions not known":    {"3.5.35", map[string]string{"auto_compaction_mode": "revision", "auto_compaction_retention": ""}, ""},
		"mode not known":         {"3.5.35", map[string]string{"auto_compaction_mode": "", "auto_compaction_retention": "1000"}, ""},
		"retention in hours":     {"3.5.35", map[string]string{"auto_compaction_retention": "1"}, `error auto_compaction_retention: "1" is not a duration`},
		"negative retention":     {"3.5.35", map[string]string{"auto_compaction_retention": "-1h"}, `error auto_compaction_retention: "-1h" is not a duration`},
		"check that 3.5.4 lacks": {"3.5.4", map[string]string{"compact_hash_check": "true"}, "error compact_hash_check: etcd 3.5.4 has no setting for compact_hash_check"},
		"check that is off":      {"3.5.4", map[string]string{"compact_hash_check": "false"}, ""},
		"setting that 3.8 lacks": {"3.8.0", map[string]string{"max_snapshots": "3"}, "error max_snapshots: etcd 3.8.0 has no setting for max_snapshots"},
		"version not told":       {"", map[string]string{"corrupt_check_time": "1h", "max_wals": "3"}, "warning corrupt_check_time: How etcd is told of corrupt_check_time depends on its version"},
	} {
		t.Run(name, func(t *testing.T) {
			var v Version
			if c.version != "" {
				v = parse(t, c.version)
			}
			var got []string
			for _, p := range (Settings{Tuned: c.tuned}).Problems(v) {
				severity := "error"
				if p.Warning {
					severity = "warning"
				}
				got = append(got, severity+" "+p.Attribute+": "+p.Detail)
			}
			one := strings.Join(got, "\n")
			if c.want == "" && one != "" || len(got) > 1 || !strings.HasPrefix(one, c.want) {
				t.Errorf("got\n%s\nwant\n%s…", one, c.want)
			}
		})
	}
}

func TestCheckDurations(t *testing.T) {
	for _, c := range []struct {
		attribute, value string
		valid            bool
	}{
		{"heartbeat_interval", "100ms", true},
		{"heartbeat_interval", "0.1s", true},
		{"heartbeat_interval", "100", false},
		{"heartbeat_interval", "9ms", false},
		{"heartbeat_interval", "10s", true},
		{"heartbeat_interval", "10001ms", false},
		{"heartbeat_interval", "100.5ms", false},
		{"heartbeat_interval", "", false},
		{"heartbeat_interval", "-100ms", false},
		{"election_timeout", "50s", true},
		{"election_timeout", "50001ms", false},
		{"corrupt_check_time", "4h", true},
		{"corrupt_check_time", "0s", true},
		{"corrupt_check_time", "59s", false},
		{"corrupt_check_time", "-4h", false},
	} {
		at := slices.IndexFunc(Tunables, func(t Tunable) bool { return t.Attribute == c.attribute })
		if err := Tunables[at].Check(c.value); (err == nil) != c.valid {
			t.Errorf("%s = %q: %v", c.attribute, c.value, err)
		}
	}
}

// TestTable holds what the code relies on: unique names, defaults that are
// valid values, every setting spelled in all versions that are known.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range Tunables {
		if seen[row.Attribute] || row.Description == "" {
			t.Errorf("%s: given twice or without description", row.Attribute)
		}
		seen[row.Attribute] = true
		for _, v := range newestPatches {
			if !row.Has(v) {
				t.Errorf("%s has no spelling for %s", row.Attribute, v)
			}
		}
		switch {
		case row.Kind == Interval || row.Kind == Milliseconds:
			if row.Default != "" && row.Check(row.Default) != nil || row.Kind == Milliseconds && row.Max == 0 {
				t.Errorf("%s: default %q, max %d", row.Attribute, row.Default, row.Max)
			}
		case row.Kind == Switch:
			if row.Default != "true" && row.Default != "false" {
				t.Errorf("%s: default %q", row.Attribute, row.Default)
			}
		case row.Default != "" && len(row.Values) > 0 && !slices.Contains(row.Values, row.Default):
			t.Errorf("%s: default %q is none of %q", row.Attribute, row.Default, row.Values)
		}
	}
}

func TestCheckArguments(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		args    []string
		env     []string
		want    string
	}{
		"free":                               {"3.5.35", []string{"--max-txn-ops=256", "--pre-vote", ""}, []string{"GOGC", "ETCD_MAX_TXN_OPS"}, "ETCD_MAX_TXN_OPS Variable fights with an argument"},
		"nothing wrong":                      {"3.5.35", []string{"--max-txn-ops=256", "--pre-vote", ""}, []string{"GOGC", "ETCD_STRICT_RECONFIG_CHECK", "NAME"}, ""},
		"no flag":                            {"3.5.35", []string{"debug", "-pre-vote", "--", "--max-txn-ops 5", "--PRE-VOTE"}, nil, "0 Invalid argument, 1 Invalid argument, 2 Invalid argument, 3 Invalid argument, 4 Invalid argument"},
		"managed":                            {"3.5.35", []string{"--pre-vote", "--name=x", "--initial-cluster-token=t"}, nil, "1 Argument is set by the provider, 2 Argument is set by the provider"},
		"managed variable":                   {"3.5.35", nil, []string{"ETCD_NAME", "ETCD_INITIAL_CLUSTER"}, "ETCD_INITIAL_CLUSTER Variable is set by the provider, ETCD_NAME Variable is set by the provider"},
		"typed":                              {"3.5.35", []string{"--snapshot-count=1", "--quota-backend-bytes=1"}, nil, "0 Argument has an attribute, 1 Argument has an attribute"},
		"typed in another spelling":          {"3.5.35", []string{"--corrupt-check-time=1h", "--experimental-corrupt-check-time=1h"}, nil, "0 Argument has an attribute, 1 Argument has an attribute"},
		"typed variable":                     {"3.6.16", nil, []string{"ETCD_LOG_LEVEL", "ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK"}, "ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK Variable has an attribute, ETCD_LOG_LEVEL Variable has an attribute"},
		"typed gate":                         {"3.6.16", []string{"--feature-gates=LeaseCheckpoint=true, CompactHashCheck=false"}, nil, "0 Argument has an attribute"},
		"other gates":                        {"3.6.16", []string{"--feature-gates=LeaseCheckpoint=true", "--feature-gates=LeaseCheckpointPersist=true"}, nil, ""},
		"gates as variable":                  {"3.6.16", nil, []string{"ETCD_FEATURE_GATES"}, "ETCD_FEATURE_GATES Variable fights with an argument"},
		"gates on 3.5":                       {"3.5.35", []string{"--feature-gates=LeaseCheckpoint=true"}, nil, "0 Argument that etcd does not start with"},
		"twice":                              {"3.5.35", []string{"--max-txn-ops=256", "--max-txn-ops=128"}, nil, "1 Argument given twice"},
		"v2":                                 {"3.5.35", []string{"--enable-v2=false"}, []string{"ETCD_ENABLE_V2"}, "0 Argument that etcd does not start with, ETCD_ENABLE_V2 Variable fights with an argument"},
		"v2 of unknown version":              {"", []string{"--enable-v2"}, nil, "0 Argument that etcd does not start with"},
		"experimental on 3.6":                {"3.6.16", []string{"--experimental-memory-mlock"}, nil, ""},
		"experimental on 3.7":                {"3.7.3", []string{"--experimental-memory-mlock"}, []string{"ETCD_EXPERIMENTAL_MEMORY_MLOCK"}, "0 Argument that etcd does not start with, ETCD_EXPERIMENTAL_MEMORY_MLOCK Variable fights with an argument"},
		"experimental in 3.7's environment":  {"3.7.3", nil, []string{"ETCD_EXPERIMENTAL_MEMORY_MLOCK"}, "ETCD_EXPERIMENTAL_MEMORY_MLOCK Variable without effect"},
		"experimental on an unknown version": {"", []string{"--experimental-memory-mlock"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var v Version
			if c.version != "" {
				v = parse(t, c.version)
			}
			var got []string
			for _, a := range CheckArguments(c.args, c.env, v) {
				at := a.Variable
				if a.Index >= 0 {
					at = string(rune('0' + a.Index))
				}
				got = append(got, at+" "+a.Summary)
			}
			if one := strings.Join(got, ", "); one != c.want {
				t.Errorf("got\n%s\nwant\n%s", one, c.want)
			}
		})
	}
}

func TestArgumentsNameWhatToUse(t *testing.T) {
	for _, c := range []struct{ version, arg, want string }{
		{"3.7.3", "--experimental-memory-mlock", "etcd 3.7.3 does not have --experimental-memory-mlock any more. Use --memory-mlock."},
		{"3.7.3", "--experimental-enable-lease-checkpoint", "etcd 3.7.3 does not have --experimental-enable-lease-checkpoint any more. Use --feature-gates=LeaseCheckpoint=true."},
		{"3.7.3", "--experimental-whatever=1", "etcd 3.7.3 does not have --experimental-whatever any more."},
		{"3.6.16", "--proxy=on", "etcd 3.6.16 does not have --proxy any more."},
		{"3.5.35", "--memory-mlock", "etcd 3.5.35 does not have --memory-mlock yet. Use --experimental-memory-mlock."},
		{"3.5.35", "--warning-unary-request-duration=1s", "etcd 3.5.35 does not have --warning-unary-request-duration yet."},
		{"3.5.35", "--discovery-srv=x", "--discovery-srv is set by the provider. Use the resource's attributes instead."},
		{"3.5.35", "--log-format=json", "etcd 3.5.35 does not have --log-format yet."},
		{"3.6.16", "--experimental-corrupt-check-time=1h", "--experimental-corrupt-check-time is what the attribute corrupt_check_time is for. Set that instead, so that it is checked and spelled as the version of etcd needs it."},
	} {
		found := CheckArguments([]string{c.arg}, nil, parse(t, c.version))
		if len(found) != 1 || found[0].Detail != c.want {
			t.Errorf("%s on %s: got %+v, want %s", c.arg, c.version, found, c.want)
		}
	}
}
