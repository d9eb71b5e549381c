package replication

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Defaults of what the configuration leaves open.
const (
	// DefaultImage is rclone's own image. Its tag is the release that the lab
	// builds (internal/testlab/rclone).
	DefaultImage = "rclone/rclone:1.75.1"
	// DefaultPort is where the source is published on the primary's host.
	DefaultPort = 8443
	// DefaultInterval is the pause between two passes of a continuous
	// replication, in seconds.
	DefaultInterval = 5
	// DefaultTransfers is how many files a follower fetches at a time.
	DefaultTransfers = 4
	// DefaultMaxDeletePercent is the part of templates, and of layers that
	// templates which stay name, which may go within an hour.
	DefaultMaxDeletePercent = 25
)

// Directories of a registry's storage that replicate unless told otherwise.
var (
	// DefaultLayerDirs hold the layers, which never change once written.
	DefaultLayerDirs = []string{"images_dir", "state_file_dir"}
	// DefaultMetadataDir holds what names them.
	DefaultMetadataDir = "vm_dir"
)

// Settings of the replication of one anka_registry. Zero values of numbers and
// lists mean the defaults above.
type Settings struct {
	// Owner is the name of the resource.
	Owner string
	// Image is the reference of rclone's image as written.
	Image string
	// RegistryID is what the marker file of every storage holds, see
	// [Sentinel]. Letters, digits and dashes.
	RegistryID string
	// Term counts the changes of the primary, from 1. What an earlier primary
	// listed is no reason to delete anything once the term is another.
	Term int
	// Port is published on the primary's host, BindIP the address it is
	// published on ("" for all).
	Port   int
	BindIP string
	// Interval (seconds), Every (a Go duration) and Cron (five fields, UTC):
	// at most one is given; none means [DefaultInterval].
	Interval int
	Every    string
	Cron     string
	// BandwidthLimit of each follower in bytes per second, 0 for none.
	BandwidthLimit int64
	// MaxDeletePercent is 1 to 100; 100 turns the guard off.
	MaxDeletePercent int
	// AllowDeletions is the ID of a blocked deletion that may be carried out.
	AllowDeletions string
	// Exclude are patterns as of find -name, or -path for those with a slash,
	// relative to the storage. What they match is neither copied nor deleted.
	Exclude []string
	// Transfers is how many files a follower fetches at a time.
	Transfers int
	// LayerDirs and MetadataDir are relative to the storage.
	LayerDirs   []string
	MetadataDir string
	// CredentialsVersion stands for the certificates in the containers' hash.
	CredentialsVersion string
	// Restart is Docker's restart policy, Log the rotation of the log.
	Restart string
	Log     container.Log
}

// Problem is a setting that cannot be, with the attribute of the replication
// block that is at fault.
type Problem struct {
	Attribute string
	Summary   string
	Detail    string
}

// Problems of the settings, all that can be found without a host.
func (s Settings) Problems() []Problem {
	var found []Problem
	add := func(attribute, summary, detail string) {
		found = append(found, Problem{Attribute: attribute, Summary: summary, Detail: detail})
	}
	var given []string
	for _, schedule := range []struct {
		attribute string
		set       bool
	}{{"interval", s.Interval != 0}, {"every", s.Every != ""}, {"cron", s.Cron != ""}} {
		if schedule.set {
			given = append(given, schedule.attribute)
		}
	}
	if len(given) > 1 {
		add(given[1], "Two schedules", "Only one of "+strings.Join(given, " and ")+" can be given.")
	}
	if s.Interval < 0 || s.Interval > 3600 {
		add("interval", "Invalid interval", fmt.Sprintf("%d is not between 1 and 3600 seconds. For longer pauses use every = \"3h\".", s.Interval))
	}
	if s.Every != "" {
		if d, err := time.ParseDuration(s.Every); err != nil || d < time.Minute || d%time.Second != 0 {
			add("every", "Invalid duration", strconv.Quote(s.Every)+` is not a duration of whole seconds from "1m" on, such as "3h". For shorter pauses use interval.`)
		}
	}
	if s.Cron != "" {
		if _, err := ParseCron(s.Cron); err != nil {
			add("cron", "Invalid cron expression", err.Error()+".")
		}
	}
	if s.BandwidthLimit != 0 && s.BandwidthLimit < 64<<10 {
		add("bandwidth_limit", "Bandwidth too low", fmt.Sprintf("%d bytes per second is below 65536; layers would never arrive.", s.BandwidthLimit))
	}
	if s.MaxDeletePercent < 0 || s.MaxDeletePercent > 100 {
		add("max_delete_percent", "Invalid percentage", fmt.Sprintf("%d is not between 1 and 100.", s.MaxDeletePercent))
	}
	if s.Transfers < 0 || s.Transfers > 32 {
		add("transfers", "Invalid number of transfers", fmt.Sprintf("%d is not between 1 and 32.", s.Transfers))
	}
	if s.Port < 0 || s.Port > 65535 {
		add("port", "Invalid port", fmt.Sprintf("%d is not between 1 and 65535.", s.Port))
	}
	for _, pattern := range s.Exclude {
		if why := badPattern(pattern); why != "" {
			add("exclude", "Invalid pattern", strconv.Quote(pattern)+" "+why+".")
		}
	}
	for _, dir := range append([]string{s.metadataDir()}, s.layerDirs()...) {
		if err := CheckDirectory(dir); err != nil {
			add("", "Directory cannot be replicated", err.Error()+".")
		}
	}
	return found
}

// CheckDirectory judges a directory of the storage, relative to it. Its name is
// a word of the scripts, so little is let through.
func CheckDirectory(dir string) error {
	if dir != path.Clean(dir) || strings.HasPrefix(dir, "/") || strings.HasPrefix(dir, ".") || strings.ContainsFunc(dir, notPlain) {
		return fmt.Errorf("%q is not a path of letters, digits and ._-/ below the storage", dir)
	}
	return nil
}

func notPlain(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/", r)
}

func badPattern(pattern string) string {
	switch {
	case strings.Trim(pattern, "*?/") == "":
		return "would exclude everything or nothing"
	case strings.ContainsFunc(pattern, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "has a control character"
	case strings.HasPrefix(pattern, "/") || strings.HasPrefix(pattern, "./"):
		return `is not relative to the storage; write "images_dir/x.ank" without a slash in front`
	case strings.HasSuffix(pattern, "/"):
		return "ends in a slash; a directory's name excludes all that is in it"
	default:
		return ""
	}
}

func (s Settings) layerDirs() []string {
	if len(s.LayerDirs) == 0 {
		return DefaultLayerDirs
	}
	return s.LayerDirs
}

func (s Settings) metadataDir() string {
	if s.MetadataDir == "" {
		return DefaultMetadataDir
	}
	return s.MetadataDir
}

func orDefault[T int | string](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
