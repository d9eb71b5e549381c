package etcd

import (
	"fmt"
	"slices"
	"strings"
)

// managedFlags are set by the provider and must not come from extra_args or,
// as ETCD_…, from env: a flag given twice is silently the last one, and a name
// given both ways is fatal to etcd.
var managedFlags = []string{
	"name", "data-dir", "wal-dir", "listen-client-urls", "advertise-client-urls", "listen-peer-urls",
	"initial-advertise-peer-urls", "initial-cluster", "initial-cluster-state", "initial-cluster-token",
	"force-new-cluster", "config-file",
}

// managed flags are also those of all ways to discover other members.
func managed(flag string) bool {
	return slices.Contains(managedFlags, flag) || flag == "discovery" || strings.HasPrefix(flag, "discovery-")
}

// lifetime is which releases know a flag.
type lifetime struct{ from, until Version }

// lifetimes are those of the flags that not all releases from 3.5 on know. One
// that is not in here may be too new for this table, so it passes.
var lifetimes = func() map[string]lifetime {
	all := map[string]lifetime{}
	for _, group := range []struct {
		lifetime
		flags string
	}{
		{lifetime{until: v36}, `experimental-enable-v2v3 proxy proxy-dial-timeout proxy-failure-wait proxy-read-timeout
			proxy-refresh-interval proxy-write-timeout`},
		{lifetime{from: v36}, `bootstrap-defrag-threshold-megabytes compact-hash-check-time compaction-batch-limit
			compaction-sleep-interval corrupt-check-time distributed-tracing-address distributed-tracing-instance-id
			distributed-tracing-sampling-rate distributed-tracing-service-name downgrade-check-time
			enable-distributed-tracing feature-gates log-format max-learners memory-mlock
			peer-skip-client-san-verification snapshot-catchup-entries warning-apply-duration
			warning-unary-request-duration watch-progress-notify-interval`},
		{lifetime{from: v36, until: v37}, `experimental-warning-unary-request-duration`},
		{lifetime{until: v37}, `experimental-bootstrap-defrag-threshold-megabytes experimental-compact-hash-check-enabled
			experimental-compact-hash-check-time experimental-compaction-batch-limit experimental-compaction-sleep-interval
			experimental-corrupt-check-time experimental-distributed-tracing-address
			experimental-distributed-tracing-instance-id experimental-distributed-tracing-sampling-rate
			experimental-distributed-tracing-service-name experimental-downgrade-check-time
			experimental-enable-distributed-tracing experimental-enable-lease-checkpoint
			experimental-enable-lease-checkpoint-persist experimental-initial-corrupt-check experimental-memory-mlock
			experimental-peer-skip-client-san-verification experimental-snapshot-catchup-entries
			experimental-stop-grpc-service-on-defrag experimental-txn-mode-write-with-shared-buffer
			experimental-warning-apply-duration experimental-watch-progress-notify-interval`},
	} {
		for _, flag := range strings.Fields(group.flags) {
			all[flag] = group.lifetime
		}
	}
	return all
}()

// gateOf is the feature gate that took the place of a flag, where no flag did.
var gateOf = map[string]string{
	"experimental-enable-lease-checkpoint":           "LeaseCheckpoint",
	"experimental-enable-lease-checkpoint-persist":   "LeaseCheckpointPersist",
	"experimental-stop-grpc-service-on-defrag":       "StopGRPCServiceOnDefrag",
	"experimental-txn-mode-write-with-shared-buffer": "TxnModeWriteWithSharedBuffer",
}

// Argument is what is wrong with one of the extra arguments or variables.
type Argument struct {
	// Index is that of the argument, -1 when it is a variable.
	Index    int
	Variable string
	Summary  string
	Detail   string
}

// CheckArguments tells which extra arguments and variables fight with what the
// provider sets, or keep this version of etcd from starting. Empty arguments
// are not known yet and pass. env has the names of the variables.
func CheckArguments(args, env []string, v Version) []Argument {
	var found []Argument
	given := map[string]bool{}
	for i, arg := range args {
		if arg == "" {
			continue
		}
		flag, value, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		summary, detail := checkForm(arg, flag)
		if summary == "" {
			summary, detail = checkFlag(flag, value, v, given[flag])
		}
		given[flag] = true
		if summary != "" {
			found = append(found, Argument{Index: i, Summary: summary, Detail: detail})
		}
	}
	for _, name := range slices.Sorted(slices.Values(env)) {
		if summary, detail := checkVariable(name, v, given); summary != "" {
			found = append(found, Argument{Index: -1, Variable: name, Summary: summary, Detail: detail})
		}
	}
	return found
}

func checkForm(arg, flag string) (summary, detail string) {
	const invalid = "Invalid argument"
	switch {
	case !strings.HasPrefix(arg, "--"):
		return invalid, fmt.Sprintf("%q does not begin with two hyphens. Write a flag and its value as one element: \"--flag=value\".", arg)
	case flag == "" || strings.Trim(flag, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return invalid, fmt.Sprintf("%q is not a flag and its value. Write them as one element, with an equals sign between them: \"--flag=value\".", arg)
	}
	return "", ""
}

func checkFlag(flag, value string, v Version, again bool) (summary, detail string) {
	if managed(flag) {
		return "Argument is set by the provider", fmt.Sprintf("--%s is set by the provider. Use the resource's attributes instead.", flag)
	}
	if attribute := attributeOf(flag, value); attribute != "" {
		what := "--" + flag
		if flag == featureGates {
			what += "=" + value
		}
		return "Argument has an attribute", fmt.Sprintf("%s is what the attribute %s is for. Set that instead, so that it is checked and spelled as the version of etcd needs it.", what, attribute)
	}
	if reason := unknownTo(flag, v); reason != "" {
		return "Argument that etcd does not start with", reason
	}
	if again && flag != featureGates {
		return "Argument given twice", fmt.Sprintf("--%s is given before already, and etcd silently takes the last. Keep one.", flag)
	}
	return "", ""
}

func checkVariable(name string, v Version, given map[string]bool) (summary, detail string) {
	rest, isEtcd := strings.CutPrefix(name, "ETCD_")
	if !isEtcd {
		return "", ""
	}
	flag := strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
	if managed(flag) {
		return "Variable is set by the provider", fmt.Sprintf("%s says the same as --%s, which the provider sets, and etcd does not start when it is told something both ways. Use the resource's attributes instead.", name, flag)
	}
	if attribute := attributeOf(flag, ""); attribute != "" {
		return "Variable has an attribute", fmt.Sprintf("%s is what the attribute %s is for. Set that instead, so that it is checked and spelled as the version of etcd needs it.", name, attribute)
	}
	switch reason := unknownTo(flag, v); {
	case flag == featureGates || given[flag]:
		return "Variable fights with an argument", fmt.Sprintf("%s says the same as --%s, and etcd does not start when it is told something both ways. Write it into extra_args only.", name, flag)
	case reason != "":
		return "Variable without effect", reason + " As a variable it is silently ignored."
	}
	return "", ""
}

// attributeOf is the attribute that a flag is for, in any version; "" for a
// flag that has none. Of feature gates it depends on which ones are set.
func attributeOf(flag, value string) string {
	for _, t := range Tunables {
		for _, s := range t.spellings {
			if s.flag != flag {
				continue
			}
			if s.gate == "" || slices.ContainsFunc(strings.Split(value, ","), func(pair string) bool {
				gate, _, _ := strings.Cut(pair, "=")
				return strings.TrimSpace(gate) == s.gate
			}) {
				return t.Attribute
			}
		}
	}
	return ""
}

// unknownTo says why this version of etcd does not take a flag, and what it
// takes instead; "" when it does, or when nothing is known of it.
func unknownTo(flag string, v Version) string {
	if flag == "enable-v2" {
		// Fatal from 3.6 on, even when it is false, and with data of the v2 API
		// in a member there is no way up to 3.6.
		return "--enable-v2 turns on an API that etcd 3.6 does not have any more, and data written through it bars the way there. It is not supported."
	}
	if v.IsZero() {
		return ""
	}
	life := lifetimes[flag] // without bounds where the flag has none
	if strings.HasPrefix(flag, "experimental-") && life.until.IsZero() {
		life.until = v37 // none is left there
	}
	switch {
	case !life.until.IsZero() && !v.Before(life.until):
		return fmt.Sprintf("etcd %s does not have --%s any more.", v, flag) + instead(flag)
	case v.Before(life.from):
		experimental := "experimental-" + flag
		if former, had := lifetimes[experimental]; had && !v.Before(former.from) {
			return fmt.Sprintf("etcd %s does not have --%s yet. Use --%s.", v, flag, experimental)
		}
		return fmt.Sprintf("etcd %s does not have --%s yet.", v, flag)
	}
	return ""
}

// instead names what took the place of a flag, as a sentence.
func instead(flag string) string {
	plain := strings.TrimPrefix(flag, "experimental-")
	if _, is := lifetimes[plain]; is && plain != flag {
		return " Use --" + plain + "."
	}
	if gate, is := gateOf[flag]; is {
		return " Use --" + featureGates + "=" + gate + "=true."
	}
	return ""
}
