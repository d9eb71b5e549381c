package settings

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	defaultVersion = "1.50.1"
	buildHash      = "5e3c3f5b"
	defaultLicense = "enterprise plus"
)

// Faults makes a stand-in misbehave on purpose. The names are the stand-in's
// own (ANKASIM_*), so that no test mistakes them for documented settings.
type Faults struct {
	Version    string        // ANKASIM_VERSION, reported as VERSION-HASH; below 1.41.1 there is no /livez and /readyz
	License    string        // ANKASIM_LICENSE
	NeverReady bool          // ANKASIM_NEVER_READY, /readyz answers 503 forever
	ReadyDelay time.Duration // ANKASIM_READY_DELAY, /readyz answers 503 this long after start
	ReadyHang  bool          // ANKASIM_READY_HANG, /readyz never answers
	LogEnv     bool          // ANKASIM_LOG_ENV, the log begins with the environment, secrets included
	Exit       bool          // ANKASIM_EXIT is set: end instead of serving
	ExitCode   int           // the value of ANKASIM_EXIT
	ExitDelay  time.Duration // ANKASIM_EXIT_DELAY, serve this long before ending
	NeverEnds  bool          // ANKASIM_NEVER_ENDS, SIGTERM ends the service and not the process

	// Host and File limit the misbehaviour, not version and license, to some of
	// the containers with one environment; see Only.
	Host string // ANKASIM_FAULT_HOST, host of the registry's URL in the settings
	File string // ANKASIM_FAULT_FILE, path of a file that is there
}

func (r *reader) faults() Faults {
	f := Faults{
		Version:    r.text("ANKASIM_VERSION", defaultVersion),
		License:    r.text("ANKASIM_LICENSE", defaultLicense),
		NeverReady: r.flag("ANKASIM_NEVER_READY"),
		ReadyDelay: r.duration("ANKASIM_READY_DELAY", 0),
		ReadyHang:  r.flag("ANKASIM_READY_HANG"),
		LogEnv:     r.flag("ANKASIM_LOG_ENV"),
		Exit:       r.text("ANKASIM_EXIT", "") != "",
		ExitCode:   r.number("ANKASIM_EXIT", 0),
		ExitDelay:  r.duration("ANKASIM_EXIT_DELAY", 0),
		NeverEnds:  r.flag("ANKASIM_NEVER_ENDS"),
		Host:       r.text("ANKASIM_FAULT_HOST", ""),
		File:       r.text("ANKASIM_FAULT_FILE", ""),
	}
	if !strings.Contains(f.Version, "-") {
		f.Version += "-" + buildHash
	}
	return f
}

// Only returns f where its misbehaviour is meant for this container, and else
// just version and license. All replicas have one environment, but each names
// the registry of its own host: that is how a controller knows where it runs. A
// registry does not, so a test marks a host by a file, such as one in the
// storage. exists reports whether a path is there.
func (f Faults) Only(registryURL string, exists func(path string) bool) Faults {
	elsewhere := f.File != "" && !exists(f.File)
	if f.Host != "" {
		parsed, err := url.Parse(registryURL)
		elsewhere = elsewhere || err != nil || parsed.Hostname() != f.Host
	}
	if elsewhere {
		return Faults{Version: f.Version, License: f.License}
	}
	return f
}

// HasProbes reports whether the claimed version serves /livez and /readyz,
// which the real ones do from 1.41.1 on.
func (f Faults) HasProbes() bool {
	release, _, _ := strings.Cut(f.Version, "-")
	have := strings.Split(release, ".")
	for i, want := range []int{1, 41, 1} {
		n := 0
		if i < len(have) {
			n, _ = strconv.Atoi(have[i])
		}
		if n != want {
			return n > want
		}
	}
	return true
}
