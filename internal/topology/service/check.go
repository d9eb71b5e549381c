package service

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Check judges values, each by itself and all together. The variables in env
// are set in other ways, by env, env_wo or wiring (such as [RootToken], with
// the value [Unknown]); they are not judged by themselves. r reads PEM text.
func (t Table) Check(values Values, env map[string]string, r Reader) []Problem {
	var found []Problem
	sound := Values{}
	for _, s := range t {
		value, given := values[s.Env]
		if !given {
			continue
		}
		if err := s.CheckValue(value, r); err != nil {
			found = append(found, Problem{s, err})
		} else if value != Unknown {
			sound[s.Env] = value
		}
	}
	c := checker{reader: r, table: t, values: values, sound: sound, set: t.effective(values, env)}
	for _, s := range t {
		if _, given := values[s.Env]; !given {
			continue
		}
		for _, check := range []func(Setting) error{c.contradiction, c.missing, c.partner} {
			if err := check(s); err != nil {
				found = append(found, Problem{s, err})
				break
			}
		}
	}
	return append(found, c.together()...)
}

// effective are all variables as the service gets them, in values, env, or
// turned on by what is there. Empty variables of env count as not given.
func (t Table) effective(values Values, env map[string]string) map[string]string {
	set := map[string]string{}
	for name, value := range env {
		if s, is := t.Lookup(name); is {
			name = s.Env // an alias
			if on, err := strconv.ParseBool(value); err == nil && s.Kind == KindBool {
				value = strconv.FormatBool(on)
			}
		}
		if value != "" {
			set[name] = value
		}
	}
	maps.Copy(set, values)
	if set[RootToken] != "" && set[EnableAuth] == "" {
		set[EnableAuth] = "true"
	}
	for _, s := range t {
		if set[s.Env] != "" && s.Turns != "" && set[s.Turns] == "" {
			set[s.Turns] = "true"
		}
	}
	return set
}

// checker judges the values of a table against each other.
type checker struct {
	reader Reader
	table  Table
	values Values
	// sound are the values that are known and right by themselves: of others
	// nothing further can be said.
	sound Values
	// set is what the service gets, see effective.
	set map[string]string
}

// attributes that are no rows, by their variable.
var topLevel = map[string]string{RootToken: "root_token_wo"}

// name is what users call a variable.
func (c checker) name(variable string) string {
	if s, is := c.table.Lookup(variable); is {
		return s.Path()
	}
	if attribute, is := topLevel[variable]; is {
		return attribute
	}
	return variable
}

// turning are the names of what turns a switch on.
func (c checker) turning(variable string) []string {
	var names []string
	if variable == EnableAuth {
		names = append(names, topLevel[RootToken])
	}
	for _, s := range c.table {
		if s.Turns == variable {
			names = append(names, s.Path())
		}
	}
	return names
}

// contradiction finds a switch that is off although what is given turns it on.
// It is told where the switch is, or, where that is in env, at what turns it.
func (c checker) contradiction(s Setting) error {
	if s.Turns != "" && c.set[s.Turns] == "false" && c.values[s.Turns] == "" && c.values[s.Env] != Unknown {
		return fmt.Errorf("%s is false in the environment, so this is not used: remove one of them", s.Turns)
	}
	if s.Kind != KindBool || c.values[s.Env] != "false" {
		return nil
	}
	given := c.set[RootToken] != "" && s.Env == EnableAuth
	by := topLevel[RootToken]
	for _, other := range c.table {
		if other.Turns == s.Env && c.set[other.Env] != "" && c.set[other.Env] != Unknown && !given {
			given, by = true, other.Path()
		}
	}
	if !given {
		return nil
	}
	return fmt.Errorf("it is false although %s is given, which is not used then: remove one of them", by)
}

// missing finds what a setting makes no sense without.
func (c checker) missing(s Setting) error {
	value := c.values[s.Env]
	if value == Unknown || s.Kind == KindBool && value != "true" {
		return nil
	}
	for _, needed := range s.Needs {
		if err := c.need(s, needed); err != nil {
			return err
		}
	}
	if s.Turns == "" || c.values[s.Turns] != "" {
		return nil // the switch's needs are told at the switch
	}
	turned, _ := c.table.Lookup(s.Turns)
	for _, needed := range turned.Needs {
		if needed == s.Env || c.shareVersion(s, needed) {
			continue // told by partner
		}
		if err := c.need(s, needed); err != nil {
			return err
		}
	}
	return nil
}

// need is the error of s when a variable that it needs is not given or off.
func (c checker) need(s Setting, needed string) error {
	row, _ := c.table.Lookup(needed)
	value := c.set[needed]
	if row.Kind != KindBool {
		if value == "" {
			return fmt.Errorf("it needs %s: set that too, or remove %s", c.name(needed), s.Path())
		}
		return nil
	}
	if value == "true" || value == Unknown {
		return nil
	}
	want := c.name(needed) + " = true"
	if by := c.turning(needed); len(by) > 0 {
		want += ", which giving " + strings.Join(by, " or ") + " turns on"
	}
	return fmt.Errorf("it has no effect without %s: set that too, or remove %s", want, s.Path())
}

func (c checker) shareVersion(s Setting, variable string) bool {
	other, is := c.table.Lookup(variable)
	return is && s.WriteOnly() && other.Group == s.Group && other.Version() == s.Version()
}

// partner finds a write-only setting that is given without those that it
// shares a version with.
func (c checker) partner(s Setting) error {
	if !s.WriteOnly() || c.values[s.Env] == Unknown {
		return nil
	}
	for _, other := range c.table {
		if other.Env != s.Env && c.shareVersion(s, other.Env) && c.set[other.Env] == "" {
			return fmt.Errorf("it belongs together with %s, which is not given: set both or none", other.Path())
		}
	}
	return nil
}

// together compares sound values with each other.
func (c checker) together() []Problem {
	var found []Problem
	add := func(s Setting, err error) {
		if err != nil {
			found = append(found, Problem{s, err})
		}
	}
	for _, s := range c.table {
		if _, is := c.sound[s.Env]; !is {
			continue
		}
		switch {
		case s.Env == maxTLS:
			add(s, c.tlsVersions(s))
		case s.Env == suites:
			add(s, c.usable(s))
		case s.Kind == KindPrivateKey:
			add(s, c.keyFits(s))
		case s.Kind == KindCertificate:
			add(s, c.authorities(s))
		case s.Kind == KindCRL:
			add(s, c.issued(s))
		case s.Taken != nil:
			add(s, c.port(s))
		}
	}
	if _, typed := c.values[caCert]; typed && c.set[UseHTTPS] != "true" && c.set[UseHTTPS] != Unknown &&
		c.set[ingressNginx] != "true" && c.set[ingressNginx] != Unknown {
		s, _ := c.table.Lookup(caCert)
		add(s, fmt.Errorf("client certificates are only seen over HTTPS: give %s and %s too, or turn on %s where an Ingress NGINX in front checks them",
			c.name(serverCert), c.name(serverKey), c.name(ingressNginx)))
	}
	return found
}

func (c checker) tlsVersions(newest Setting) error {
	oldest := c.sound[minTLS]
	if oldest == "" || slices.Index(tlsVersions, oldest) <= slices.Index(tlsVersions, c.values[newest.Env]) {
		return nil
	}
	return fmt.Errorf("%q is older than %s, which is %q: no client could connect", c.values[newest.Env], c.name(minTLS), oldest)
}

// usable finds cipher suites of which none exists in the versions of TLS that
// are left. The newest of them decides, because it has all suites that an older
// one has, but for TLS 1.3: its suites are its own, and in it the list does not
// count.
func (c checker) usable(list Setting) error {
	newest := c.set[maxTLS]
	var exists func(suite string) bool
	switch newest {
	case "tls_1.0", "tls_1.1":
		exists = func(suite string) bool { return strings.HasSuffix(suite, "_cbc_sha") }
	case "tls_1.2":
		exists = func(suite string) bool { return strings.Contains(suite, "_with_") }
	default:
		return nil
	}
	for suite := range strings.SplitSeq(c.sound[list.Env], ",") {
		if suite == Unknown || exists(suite) {
			return nil
		}
	}
	return fmt.Errorf("none of these exists in %q, the newest version that %s allows: no client could connect", newest, c.name(maxTLS))
}

// certificates are those of a variable, none unless they are sound.
func (c checker) certificates(variable string) []Certificate {
	certificates, _ := parseCertificates(c.sound[variable], c.reader)
	return certificates
}

// keyFits compares a key with the certificate that it shares a version with.
func (c checker) keyFits(key Setting) error {
	public, err := parsePrivateKey(c.sound[key.Env], c.reader)
	if err != nil {
		return err
	}
	for _, s := range c.table.InGroup(key.Group) {
		if s.Kind != KindCertificate || !c.shareVersion(key, s.Env) {
			continue
		}
		if certificates := c.certificates(s.Env); len(certificates) > 0 {
			return fits(public, certificates)
		}
	}
	return nil
}

// authorities refuses a certificate without a key that can sign no other.
func (c checker) authorities(s Setting) error {
	for _, other := range c.table {
		if other.Kind == KindPrivateKey && c.shareVersion(s, other.Env) {
			return nil
		}
	}
	certificates := c.certificates(s.Env)
	if len(certificates) == 0 || slices.ContainsFunc(certificates, authority) {
		return nil
	}
	return fmt.Errorf("it contains no certificate of an authority, only %s: give the certificate of who signed it", certificates[0].Subject)
}

// issued compares a revocation list with the authority that it needs.
func (c checker) issued(s Setting) error {
	lists, err := parseCRLs(c.sound[s.Env], c.reader)
	if err != nil {
		return err
	}
	for _, needed := range s.Needs {
		certificates := c.certificates(needed)
		for _, list := range lists {
			if len(certificates) > 0 && !issuedBy(list, certificates) {
				return fmt.Errorf("the list of %s is of none of the authorities in %s", list.Issuer, c.name(needed))
			}
		}
	}
	return nil
}

// port refuses two settings that listen on the same port. It is told at the
// later one, or at the one that is given when the other is at its default.
func (c checker) port(s Setting) error {
	mine, _ := s.port(c.values[s.Env])
	earlier := true
	for _, other := range c.table {
		if other.Env == s.Env {
			earlier = false
			continue
		}
		theirs, listens := other.listens(c.set)
		if _, given := c.values[other.Env]; listens && theirs == mine && (earlier || !given) {
			return fmt.Errorf("port %d is that of %s: choose another", mine, other.Path())
		}
	}
	return nil
}
