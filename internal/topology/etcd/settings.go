package etcd

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Settings are what the user can tune. Zero values leave etcd's own default,
// where there is one.
type Settings struct {
	// CompactionMode is periodic or revision, CompactionRetention a duration
	// or a number of revisions.
	CompactionMode      string
	CompactionRetention string
	// QuotaBytes bounds the database's size.
	QuotaBytes int64
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
	if d.Settings.CompactionMode != "" {
		flags = append(flags, "--auto-compaction-mode="+d.Settings.CompactionMode)
	}
	if d.Settings.CompactionRetention != "" {
		flags = append(flags, "--auto-compaction-retention="+d.Settings.CompactionRetention)
	}
	if d.Settings.QuotaBytes != 0 {
		flags = append(flags, "--quota-backend-bytes="+strconv.FormatInt(d.Settings.QuotaBytes, 10))
	}
	return append(flags, d.Settings.ExtraArgs...)
}

// managedFlags are set by the provider and must not come from extra_args or,
// as ETCD_…, from env: a flag given twice is silently the last one, and a name
// given both ways is fatal to etcd.
var managedFlags = []string{
	"name", "data-dir", "wal-dir", "listen-client-urls", "advertise-client-urls", "listen-peer-urls",
	"initial-advertise-peer-urls", "initial-cluster", "initial-cluster-state", "initial-cluster-token",
	"auto-compaction-mode", "auto-compaction-retention", "quota-backend-bytes",
	"force-new-cluster", "config-file", "discovery", "discovery-srv", "discovery-token", "discovery-endpoints",
}

// ManagedFlag names the managed flag that an argument such as --name=x sets;
// ok is false for a flag that is the user's to set.
func ManagedFlag(arg string) (flag string, ok bool) {
	flag, _, _ = strings.Cut(strings.TrimLeft(arg, "-"), "=")
	return flag, slices.Contains(managedFlags, flag)
}

// ManagedEnv is [ManagedFlag] for a variable such as ETCD_NAME.
func ManagedEnv(variable string) (flag string, ok bool) {
	rest, isEtcd := strings.CutPrefix(variable, "ETCD_")
	if !isEtcd {
		return "", false
	}
	return ManagedFlag(strings.ToLower(strings.ReplaceAll(rest, "_", "-")))
}

