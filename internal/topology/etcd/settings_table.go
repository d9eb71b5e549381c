package etcd

// Kind is what the value of a [Tunable] is.
type Kind int

// The kinds of values.
const (
	// Text is one of the tunable's values, or free text when it has none.
	Text Kind = iota
	// Number is a whole number.
	Number
	// Switch is true or false.
	Switch
	// Milliseconds is a duration that etcd takes as a number of milliseconds.
	Milliseconds
	// Interval is a duration that etcd takes with its unit; 0s is never.
	Interval
)

// Tunable is a setting of etcd that is an attribute of its own.
type Tunable struct {
	// Attribute is its name in the configuration: the name of etcd's newest
	// flag or feature gate, written with underscores.
	Attribute string
	Kind      Kind
	// Default is what the provider sets, "" to leave etcd's own.
	Default string
	// Values are all that a Text may be; none for free text.
	Values []string
	// Min and Max bound numbers, and durations in milliseconds. A Max of 0 is
	// no bound.
	Min, Max int64
	// Description is a Markdown sentence or more.
	Description string

	spellings []spelling
}

// spelling is how releases from one (inclusive) until another (exclusive)
// spell a setting; the zero version is no bound.
type spelling struct {
	flag        string
	from, until Version
	// gate is the feature gate, where it is one, and the flag [featureGates].
	gate string
}

// featureGates is the flag that takes feature gates. Given more than once its
// values add up, so that users can give further ones.
const featureGates = "feature-gates"

var (
	v355 = Version{Major: 3, Minor: 5, Patch: 5}
	v36  = Version{Major: 3, Minor: 6}
	v37  = Version{Major: 3, Minor: 7}
	v38  = Version{Major: 3, Minor: 8}
)

func always(flag string) []spelling { return []spelling{{flag: flag}} }

// Tunables is the one table of the settings that are attributes. Names and
// versions were read from etcd's configuration reference and changelogs and are
// tried on the binaries of 3.5, 3.6 and 3.7 by a test.
var Tunables = []Tunable{
	{
		Attribute: "auto_compaction_mode", Kind: Text, Default: "periodic", Values: []string{"periodic", "revision"},
		Description: "How the history is compacted: `periodic` or `revision`. Default `periodic`.",
		spellings:   always("auto-compaction-mode"),
	}, {
		Attribute: "auto_compaction_retention", Kind: Text, Default: "30m",
		Description: "How much history is kept: a duration for `periodic`, a number of revisions for `revision`. Default `30m`, as the vendor sets it.",
		spellings:   always("auto-compaction-retention"),
	}, {
		Attribute: "quota_backend_bytes", Kind: Number, Default: "6294967296", Min: 16 << 20,
		Description: "Size in bytes at which the database takes no more writes. Default `6294967296`, as in the vendor's Helm chart: etcd's own 2 GiB are what installations most often run into.",
		spellings:   always("quota-backend-bytes"),
	}, {
		Attribute: "snapshot_count", Kind: Number, Min: 10,
		Description: "How many transactions lie between two snapshots of the raft log. Fewer take less memory, more let a slow member catch up without a whole snapshot. etcd's own default is `100000` in 3.5 and `10000` from 3.6 on.",
		spellings:   always("snapshot-count"),
	}, {
		Attribute: "heartbeat_interval", Kind: Milliseconds, Min: 10, Max: 10000,
		Description: "How often the leader shows that it is there, such as `\"100ms\"`, etcd's own default: about the round trip between the hosts.",
		spellings:   always("heartbeat-interval"),
	}, {
		Attribute: "election_timeout", Kind: Milliseconds, Min: 50, Max: 50000,
		Description: "How long a follower hears nothing before it calls an election, such as `\"1s\"`, etcd's own default: at least five times `heartbeat_interval`, better ten times the round trip between the hosts.",
		spellings:   always("election-timeout"),
	}, {
		Attribute: "max_request_bytes", Kind: Number, Min: 64 << 10, Max: 100 << 20,
		Description: "Largest request in bytes that is taken from clients. etcd's own default is `1572864`.",
		spellings:   always("max-request-bytes"),
	}, {
		Attribute: "max_snapshots", Kind: Number,
		Description: "How many snapshot files are kept, `0` for all. etcd's own default is `5`; etcd 3.8 does not have it any more.",
		spellings:   []spelling{{flag: "max-snapshots", until: v38}},
	}, {
		Attribute: "max_wals", Kind: Number,
		Description: "How many files of the write-ahead log are kept, `0` for all. etcd's own default is `5`.",
		spellings:   always("max-wals"),
	}, {
		Attribute: "log_level", Kind: Text, Values: []string{"debug", "info", "warn", "error", "panic", "fatal"},
		Description: "What is logged: `debug`, `info`, `warn`, `error`, `panic` or `fatal`. etcd's own default is `info`.",
		spellings:   always("log-level"),
	}, {
		Attribute: "metrics", Kind: Text, Values: []string{"basic", "extensive"},
		Description: "How much `/metrics` tells: `basic`, or `extensive` with histograms of all calls. etcd's own default is `basic`.",
		spellings:   always("metrics"),
	}, {
		// etcd's operations guide, "Data corruption", advises all three checks;
		// its postmortem on 3.5 calls for the initial one by default.
		Attribute: "initial_corrupt_check", Kind: Switch, Default: "true",
		Description: "Whether a member compares its data with the others' before it serves anybody, and does not start when they differ. Default `true`.",
		spellings: []spelling{
			{flag: "experimental-initial-corrupt-check", until: v36},
			{flag: featureGates, gate: "InitialCorruptCheck", from: v36},
		},
	}, {
		Attribute: "compact_hash_check", Kind: Switch, Default: "true",
		Description: "Whether the leader compares, after compactions, what its members have: cheap, and finds a member whose data went astray. Default `true`; etcd has it from 3.5.5 on.",
		spellings: []spelling{
			{flag: "experimental-compact-hash-check-enabled", from: v355, until: v36},
			{flag: featureGates, gate: "CompactHashCheck", from: v36},
		},
	}, {
		Attribute: "corrupt_check_time", Kind: Interval, Default: "4h",
		Description: "How often the leader compares the whole data of all members, such as `\"4h\"`, the default; `\"0s\"` is never. It reads the whole database on all members.",
		spellings: []spelling{
			{flag: "experimental-corrupt-check-time", until: v36},
			{flag: "corrupt-check-time", from: v36},
		},
	},
}
