package replication

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

var (
	//go:embed script/prelude.sh
	prelude string
	//go:embed script/source.sh
	source string
	//go:embed script/compare.sh
	compare string
	//go:embed script/transfer.sh
	transfer string
	//go:embed script/publish.sh
	publish string
	//go:embed script/schedule.sh
	schedule string
	//go:embed script/follower.sh
	follower string
)

// SourceScript is the program of the source, for busybox's sh. Its argument is
// the path of its settings.
func SourceScript() string { return prelude + source }

// FollowerScript is the program of a follower, likewise.
func FollowerScript() string { return prelude + compare + transfer + publish + schedule + follower }

// Places are the paths that a script works with.
type Places struct {
	// Root holds data, the storage, and on the source snapshot.
	Root string
	// Run is for the status and for work that need not outlive a restart.
	Run string
	// TLS holds ca.pem, cert.pem and key.pem.
	TLS string
}

// inContainer are the places in both containers.
var inContainer = Places{Root: "/srv/anka", Run: "/run/anka", TLS: "/etc/anka/tls"}

// SourceSettings renders the settings file of the source, which listens on an
// address such as ":8443".
func (s Settings) SourceSettings(p Places, listen string) string {
	tick := 10.0
	if mode, interval := s.mode(); mode == "interval" {
		// Half the interval, so that a change is seen and fetched within two.
		tick = min(max(float64(interval)/2, 0.5), 5)
	}
	return s.shared(p) + assignments(
		"TICK", strconv.FormatFloat(tick, 'f', 1, 64),
		"LISTEN", listen,
	)
}

// FollowerSettings renders the settings file of a follower, which pulls from
// the source at url, such as "https://10.0.1.4:8443".
func (s Settings) FollowerSettings(p Places, url string) string {
	mode, interval := s.mode()
	rendered := s.shared(p) + assignments(
		"SOURCE_URL", url,
		"MODE", mode,
		"INTERVAL", strconv.Itoa(interval),
		"BANDWIDTH", strconv.FormatInt(s.BandwidthLimit, 10),
		"TRANSFERS", strconv.Itoa(orDefault(s.Transfers, DefaultTransfers)),
		"MAX_DELETE_PERCENT", strconv.Itoa(orDefault(s.MaxDeletePercent, DefaultMaxDeletePercent)),
		"ALLOW_DELETIONS", s.AllowDeletions,
		"RESUME_BYTES", strconv.Itoa(resumeBytes),
	)
	if cron, err := ParseCron(s.Cron); mode == "cron" && err == nil {
		days := "one"
		if cron.EitherDay {
			days = "both"
		}
		rendered += assignments(
			"CRON_MINUTES", spaced(cron.Minutes), "CRON_HOURS", spaced(cron.Hours), "CRON_DAYS", spaced(cron.Days),
			"CRON_MONTHS", spaced(cron.Months), "CRON_WEEKDAYS", spaced(cron.Weekdays), "CRON_DAYS_RESTRICTED", days,
		)
	}
	return rendered
}

// resumeBytes is the size from which a layer is fetched in a way that an
// interruption costs nothing of what was transferred.
const resumeBytes = 64 << 20

// mode is how passes are scheduled and the seconds between two of them.
func (s Settings) mode() (string, int) {
	if s.Cron != "" {
		return "cron", 0
	}
	if d, err := time.ParseDuration(s.Every); s.Every != "" && err == nil {
		return "every", int(d / time.Second)
	}
	return "interval", orDefault(s.Interval, DefaultInterval)
}

func (s Settings) shared(p Places) string {
	return assignments(
		"ROOT", p.Root,
		"RUN", p.Run,
		"TLS", p.TLS,
		"REGISTRY_ID", s.RegistryID,
		"TERM_NUMBER", strconv.Itoa(max(s.Term, 1)),
		"LAYER_DIRS", strings.Join(s.layerDirs(), " "),
		"METADATA_DIR", s.metadataDir(),
		"EXCLUDE", strings.Join(s.Exclude, "\n"),
	)
}

// assignments renders pairs of names and values for the shell. Nothing in a
// value can end the quotes.
func assignments(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%s='%s'\n", pairs[i], strings.ReplaceAll(pairs[i+1], "'", `'\''`))
	}
	return b.String()
}

// spaced is a list as the script searches it: " 0 15 30 ".
func spaced(values []int) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, " %d", v)
	}
	return b.String() + " "
}
