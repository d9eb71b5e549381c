package etcd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Settings are what the user can tune. Zero values leave etcd's own default,
// where there is one.
type Settings struct {
	// Tuned are the values of [Tunables] by attribute, written as in the
	// configuration: decimal numbers, durations such as 100ms, true or false.
	// What is missing keeps etcd's own default.
	Tuned map[string]string
	// BindIP is the address of the host that ports are published on; empty
	// means all. A member's own overrides it.
	BindIP string
	// Env and ExtraArgs are handed to etcd as they are.
	Env       map[string]string
	ExtraArgs []string
	Restart   string
	Log       container.Log
	StopGrace time.Duration
}

// flags are etcd's flags that shape a running member.
func (d Desired) flags(m Member) []string {
	flags := []string{
		"--name=" + m.Name,
		"--data-dir=" + DataTarget,
		"--listen-client-urls=http://0.0.0.0:" + strconv.Itoa(ClientPort),
		"--advertise-client-urls=" + m.ClientURL(),
		"--listen-peer-urls=http://0.0.0.0:" + strconv.Itoa(PeerPort),
		"--initial-advertise-peer-urls=" + m.PeerURL(),
	}
	v, _ := ParseVersion(d.Version) // one that nobody told is the zero version
	flags = append(flags, d.Settings.Flags(v)...)
	return append(flags, d.Settings.ExtraArgs...)
}

// Flags are the tuned settings as this version of etcd spells them, in the
// order of [Tunables]. What the version does not have is left out: a flag that
// it does not know is fatal to etcd. Of a version that is not known (zero) only
// what all versions spell alike is given.
func (s Settings) Flags(v Version) []string {
	var flags, gates []string
	for _, t := range Tunables {
		value, set := s.Tuned[t.Attribute]
		if !set {
			continue
		}
		spelled, has := t.spelling(v)
		switch {
		case !has:
		case spelled.gate != "":
			gates = append(gates, spelled.gate+"="+value)
		default:
			flags = append(flags, "--"+spelled.flag+"="+t.render(value))
		}
	}
	if len(gates) > 0 {
		flags = append(flags, "--"+featureGates+"="+strings.Join(gates, ","))
	}
	return flags
}

// render is the value as etcd takes it.
func (t Tunable) render(value string) string {
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		return value // a number or text; a wrong duration was refused by Check
	case t.Kind == Milliseconds:
		return strconv.FormatInt(d.Milliseconds(), 10)
	case t.Kind == Interval:
		return d.String() // 240m and 4h are the same setting
	}
	return value
}

// Has reports whether this version of etcd has the setting.
func (t Tunable) Has(v Version) bool {
	_, has := t.spelling(v)
	return has
}

// spelling is how this version of etcd spells the setting; ok is false where
// it has none, or when the version is not known and it is not always the same.
func (t Tunable) spelling(v Version) (spelled spelling, ok bool) {
	for _, s := range t.spellings {
		switch {
		case v.IsZero():
			if s.from.IsZero() && (s.until.IsZero() || newest.Before(s.until)) {
				return s, true
			}
		case !v.Before(s.from) && (s.until.IsZero() || v.Before(s.until)):
			return s, true
		}
	}
	return spelling{}, false
}

// Problems are the settings that make no sense together, or that this version
// of etcd does not have. Attributes that are missing are taken to be the
// defaults; those that are empty are not known yet and pass.
func (s Settings) Problems(v Version) []Problem {
	var found []Problem
	heartbeat, errHeartbeat := time.ParseDuration(s.tuned("heartbeat_interval", "100ms"))
	election, errElection := time.ParseDuration(s.tuned("election_timeout", "1s"))
	if errHeartbeat == nil && errElection == nil && election < 5*heartbeat {
		at := "election_timeout"
		if _, set := s.Tuned[at]; !set {
			at = "heartbeat_interval"
		}
		// etcd refuses to start with less (Config.Validate of package embed).
		found = append(found, Problem{
			Attribute: at, Summary: "Election timeout too short",
			Detail: "election_timeout (" + election.String() + ") must be at least five times heartbeat_interval (" + heartbeat.String() +
				"), or members depose a leader whose heartbeats are merely late. Without a value election_timeout is 1s and heartbeat_interval 100ms.",
		})
	}
	found = append(found, s.retentionProblem()...)
	for _, t := range Tunables {
		value, set := s.Tuned[t.Attribute]
		if !set || value == "" || t.Has(v) || slices.Contains([]string{"false", "0s"}, value) {
			continue
		}
		p := Problem{
			Attribute: t.Attribute, Summary: "Setting that this version of etcd does not have",
			Detail: "etcd " + v.String() + " has no setting for " + t.Attribute + ". Remove it, or use another version.",
		}
		if v.IsZero() {
			p.Warning, p.Summary = true, "Setting without effect"
			p.Detail = "How etcd is told of " + t.Attribute + " depends on its version, which the tag of the image does not tell, so it is left out. Tell the version with etcd_version."
		}
		found = append(found, p)
	}
	return found
}

func (s Settings) tuned(attribute, otherwise string) string {
	if value, set := s.Tuned[attribute]; set {
		return value
	}
	return otherwise
}

// retentionProblem checks the retention against its mode.
func (s Settings) retentionProblem() []Problem {
	const at, summary = "auto_compaction_retention", "Invalid retention"
	mode, retention := s.tuned("auto_compaction_mode", "periodic"), s.tuned(at, "30m")
	if mode == "" || retention == "" {
		return nil
	}
	if mode == "revision" {
		if n, err := strconv.Atoi(retention); err != nil || n < 0 {
			return []Problem{{Attribute: at, Summary: summary, Detail: strconv.Quote(retention) + ` is not a number of revisions, which auto_compaction_mode = "revision" needs.`}}
		}
		return nil
	}
	if d, err := time.ParseDuration(retention); err != nil || d < 0 {
		return []Problem{{Attribute: at, Summary: summary, Detail: strconv.Quote(retention) + ` is not a duration such as "30m" or "1h". A plain number means hours to etcd; write the unit.`}}
	}
	return nil
}

// Check refuses a duration that cannot be parsed or is out of bounds. Other
// kinds are for the caller to check against Values, Min and Max.
func (t Tunable) Check(value string) error {
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a duration such as \"100ms\" or \"4h\"", value)
	case t.Kind == Interval && d < 0:
		return fmt.Errorf("%q is negative", value)
	case t.Kind == Interval && d != 0 && d < minInterval:
		return fmt.Errorf("%q is shorter than %s, and each check reads the whole database", value, minInterval)
	case t.Kind != Milliseconds:
		return nil
	case d%time.Millisecond != 0:
		return fmt.Errorf("%q is not a whole number of milliseconds", value)
	case d.Milliseconds() < t.Min || d.Milliseconds() > t.Max:
		return fmt.Errorf("%q is not between %s and %s", value, time.Duration(t.Min)*time.Millisecond, time.Duration(t.Max)*time.Millisecond)
	}
	return nil
}

// minInterval is the shortest time between two checks of the whole data.
const minInterval = time.Minute
