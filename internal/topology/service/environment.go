package service

import (
	"slices"
	"strings"
)

// Prefix is that of all variables which the services read.
const Prefix = "ANKA_"

// Option is a variable that a service reads.
type Option struct {
	// Name is the environment's.
	Name string
	// Secret values must be in no state, plan, label or log.
	Secret bool
	// Refused says, in a sentence or more, why the variable must not be set; ""
	// for most.
	Refused string
}

// Options is the table of all variables that a service reads.
type Options []Option

// Named makes a table of plain options from names separated by white space.
// A trailing * marks a secret.
func Named(names ...string) Options {
	var options Options
	for _, name := range strings.Fields(strings.Join(names, " ")) {
		plain, secret := strings.CutSuffix(name, "*")
		options = append(options, Option{Name: Prefix + plain, Secret: secret})
	}
	return options
}

// Lookup finds the option called name.
func (o Options) Lookup(name string) (Option, bool) {
	at := slices.IndexFunc(o, func(option Option) bool { return option.Name == name })
	if at < 0 {
		return Option{}, false
	}
	return o[at], true
}

// Refused says why a variable must not be set, "" when it may be.
func (o Options) Refused(name string) string {
	option, _ := o.Lookup(name)
	return option.Refused
}

// otherSecrets are variables that the services read through libraries, under
// names that are not theirs: here the credentials of an object store.
var otherSecrets = []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}

// Secret reports whether the value of a variable must be in no state. A name
// that lacks its prefix by mistake is as secret as with it.
func (o Options) Secret(name string) bool {
	for _, known := range []string{name, Prefix + name} {
		if option, is := o.Lookup(known); is {
			return option.Secret
		}
	}
	return slices.Contains(otherSecrets, name)
}

// formerNames are spellings that older or mistaken documents use.
var formerNames = map[string]string{
	"ANKA_REGISTRY_ADDR": "ANKA_ANKA_REGISTRY",
}

// Nearest is the known name that name was most likely meant to be, "" when
// none is near.
func (o Options) Nearest(name string) string {
	if current, former := formerNames[name]; former {
		if _, known := o.Lookup(current); known {
			return current
		}
	}
	var names []string
	for _, option := range o {
		names = append(names, option.Name)
	}
	return nearest(name, names)
}

// nearest is the one of candidates that a mistyped text was most likely meant
// to be, "" when none is near.
func nearest(text string, candidates []string) string {
	found, best := "", max(2, len(text)/4)+1
	for _, candidate := range candidates {
		d := distance(text, candidate)
		if d < best || (d == best && found != "" && candidate < found) {
			found, best = candidate, d
		}
	}
	return found
}

// distance is Levenshtein's: the number of bytes to add, remove or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
