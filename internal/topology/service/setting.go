package service

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Kind is what the value of a [Setting] is, and with that how it is checked
// and rendered.
type Kind int

// The kinds of values.
const (
	// KindBool is true or false.
	KindBool Kind = iota + 1
	// KindInt is a whole number within [Setting.Range].
	KindInt
	// KindFloat is a number within [Setting.Range].
	KindFloat
	// KindText is one line of any text.
	KindText
	// KindPath is an absolute path inside the container, or of a URL.
	KindPath
	// KindDuration is a duration with its unit, such as 15s, within
	// [Setting.Range] in seconds, from 0 on unless that says otherwise.
	KindDuration
	// KindEnum is one of [Setting.Allowed].
	KindEnum
	// KindList is texts separated by commas, each one of [Setting.Allowed]
	// when there are any.
	KindList
	// KindLevelList is levels of names separated by commas, each PATTERN=LEVEL
	// with a level within [Setting.Range].
	KindLevelList
	// KindURL is the address of an HTTP service, without a trailing slash
	// unless [Setting.Verbatim].
	KindURL
	// KindURLList is URLs separated by commas.
	KindURLList
	// KindAddress is what a service listens on: :8090 or 10.0.1.4:8090.
	KindAddress
	// KindMACRange is two MAC addresses, FROM-TO.
	KindMACRange
	// KindSize is a size such as 700MB, in powers of 1024. The service reads
	// it as a number of [Setting.Unit] bytes.
	KindSize
	// KindCertificate is PEM text with a certificate and its chain.
	KindCertificate
	// KindPrivateKey is PEM text with a PKCS#8 key that has no password.
	KindPrivateKey
	// KindCRL is PEM text with a list of revoked certificates.
	KindCRL
)

// PEM reports whether values are PEM text, which goes into the container as a
// file and is always write-only.
func (k Kind) PEM() bool { return k == KindCertificate || k == KindPrivateKey || k == KindCRL }

// Range bounds a number, both ends included.
type Range struct{ Min, Max float64 }

// Setting is a variable of a service that is an attribute of the resource: one
// row of its table.
type Setting struct {
	// Group and Attribute are the path in the configuration: https and
	// min_tls_version, or storage.s3 and bucket. A write-only row has the attributes [Setting.Written]
	// and [Setting.Version] instead.
	Group, Attribute string
	// Env is the full name of the variable.
	Env  string
	Kind Kind
	// Allowed are all values of a [KindEnum], or elements of a [KindList]; an
	// order of rank, lowest first, where there is one.
	Allowed []string
	// Range bounds a number or duration; nil is no bound but 0 for durations.
	Range *Range
	// Verbatim URLs may end with a slash: to some services it makes a
	// difference.
	Verbatim bool
	// Taken are ports that a port or address must not have, because something
	// else listens there inside the container. Nil when nothing will listen.
	Taken []int
	// Unit of a [KindSize] in bytes.
	Unit int64
	// Since is the first version that has the setting, such as 1.12.0; "" when
	// all versions that matter have it.
	Since string
	// Secret values are write-only, as are those of all PEM kinds.
	Secret bool
	// VersionBy is the attribute of the same group whose version stands for
	// this write-only row, "" for its own. Rows that share one belong together:
	// all are given, or none.
	VersionBy string
	// Turns is a variable that becomes "true" when this row is given, unless
	// it is set explicitly.
	Turns string
	// Needs are variables without which this row makes no sense: switches that
	// must be on, and others that must be given.
	Needs []string
	// Aliases are further names of the variable.
	Aliases []string
	// Default is the service's own, as a user would write it, "" for none.
	Default string
	// Description is Markdown for the public documentation: sentences in plain
	// words, with the default. It says nothing of Since and Allowed; see
	// [Setting.Doc].
	Description string
}

// WriteOnly reports whether the value must be in no state.
func (s Setting) WriteOnly() bool { return s.Secret || s.Kind.PEM() }

// Shapes reports whether the container depends on the value: which ports it
// publishes, by what scheme it is asked, how long it may take to stop.
func (s Setting) Shapes() bool {
	return s.Kind == KindBool || s.Taken != nil || s.Env == GracefulShutdown
}

// Written is the attribute that holds the value: server_cert_wo, or the plain
// attribute where it is not write-only.
func (s Setting) Written() string {
	if s.WriteOnly() {
		return s.Attribute + "_wo"
	}
	return s.Attribute
}

// Version is the attribute that holds the version of a write-only value, ""
// for others: server_cert_wo_version. Rows can share one.
func (s Setting) Version() string {
	if !s.WriteOnly() {
		return ""
	}
	return cmp.Or(s.VersionBy, s.Attribute) + "_wo_version"
}

// Path is how messages name the setting: https.server_cert_wo.
func (s Setting) Path() string { return s.Group + "." + s.Written() }

// Doc is the whole Markdown text of the documentation: description, allowed
// values, the length of secrets, and first version.
func (s Setting) Doc() string {
	text := s.Description
	if len(s.Allowed) > 0 {
		text += " Allowed: `" + strings.Join(s.Allowed, "`, `") + "`."
	}
	if s.Secret {
		text += " At least " + strconv.Itoa(MinSecret) + " characters."
	}
	if s.Since != "" {
		text += " From version " + s.Since + " on."
	}
	return text
}

// Unknown is a value that is given and not known yet. It passes all checks.
const Unknown = "\x00unknown"

// Values are what the configuration says of settings, by variable: true, 15s,
// "a,b", PEM text, or [Unknown]. What is not given is not in it.
type Values map[string]string

// Problem is what is wrong with a setting. Its text never contains the value
// of a write-only setting.
type Problem struct {
	// Setting is where the user has to look.
	Setting Setting
	Err     error
}

// Table is all settings of a service that are attributes, in the order of
// their documentation.
type Table []Setting

// Group is a nested attribute that holds settings.
type Group struct {
	Name string
	// Description is a Markdown sentence.
	Description string
}

// groups are those that tables use.
var groups = map[string]string{
	"general":        "What the service works on: templates and where they are kept, nodes, instances and their MAC addresses.",
	"logging":        "What is logged, and how much of it is kept.",
	"https":          "Serving and speaking HTTPS.",
	"authentication": "Who is let in, and what they may do.",
	"etcd_client":    "How the controller connects to etcd.",
	"queue":          "The separate interface on which nodes ask for tasks.",
	"performance":    "Time limits, concurrency and retries. Change them only when you have measured that they are in the way.",
	"monitoring":     "Metrics for Prometheus.",
	"storage.s3":     "A bucket of Amazon S3, or of another object store with that interface. It is the same for all replicas, so nothing is replicated.",
}

// Groups are the groups of the table in order of appearance.
func (t Table) Groups() []Group {
	var found []Group
	for _, s := range t {
		g := Group{Name: s.Group, Description: groups[s.Group]}
		if !slices.Contains(found, g) {
			found = append(found, g)
		}
	}
	return found
}

// InGroup are the rows of a group, in the table's order.
func (t Table) InGroup(name string) []Setting {
	var rows []Setting
	for _, s := range t {
		if s.Group == name {
			rows = append(rows, s)
		}
	}
	return rows
}

// Lookup finds the row of a variable, by its name or an alias.
func (t Table) Lookup(env string) (Setting, bool) {
	for _, s := range t {
		if s.Env == env || slices.Contains(s.Aliases, env) {
			return s, true
		}
	}
	return Setting{}, false
}

// Options are all rows as variables, followed by those that have no row.
func (t Table) Options(others Options) Options {
	var all Options
	for _, s := range t {
		for _, name := range append([]string{s.Env}, s.Aliases...) {
			all = append(all, Option{Name: name, Secret: s.WriteOnly() && !s.Kind.PEM()})
		}
	}
	return append(all, others...)
}
