package compat

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Known is what is known of one component, and from where.
type Known struct {
	// URL of the component, "" while it is not known or for all of a kind.
	URL string
	// Release is zero when nothing tells it.
	Release Release
	// Source is where Release was learnt, in words that follow the release in
	// brackets: "tag of image x:v1.50.1", "answers as 1.50.1-5e3c3f5b".
	Source string
}

// Token says whether the controllers have a root token.
type Token string

// What can be known of the controllers' root token.
const (
	TokenUnknown Token = ""
	TokenAbsent  Token = "absent"
	TokenGiven   Token = "given"
)

// Door is how a registry treats the controllers.
type Door string

// What can be known of a registry's authentication.
const (
	DoorUnknown Door = ""
	// Open registries have no root token.
	Open Door = "open"
	// Unguarded: it answers without credentials, and nothing tells whether it
	// has a root token. A service that has one asks for it only from when a
	// node with a license of the Enterprise tier has joined.
	Unguarded Door = "unguarded"
	// Admits: it wants a root token, and the controllers' is the right one.
	Admits Door = "admits"
	// Refuses: it wants a root token, and the controllers have none or another.
	Refuses Door = "refuses"
)

// RegistryKnown is what is known of one registry.
type RegistryKnown struct {
	Known
	Door Door
}

// Local is the URL under which a controller reaches its registry, where that
// is another one than nodes use.
type Local struct {
	URL string
	// Attribute and Key are where it is set, see [Problem].
	Attribute, Key string
}

// Deployment is what is known of everything that has to work together. What is
// not known is left out or zero, and nothing is said of it.
type Deployment struct {
	Controllers Known
	Token       Token
	Registries  []RegistryKnown
	Etcd        []Known
	Locals      []Local
}

// Problem is something that will not work together.
type Problem struct {
	// Doubt: it may be right as it is, so it is a warning.
	Doubt bool
	// Attribute of the controllers that it is about, and the key when that is
	// a map.
	Attribute, Key string
	// Summary is a heading, Detail whole sentences: what was found and where,
	// the rule, the way out.
	Summary, Detail string
}

// Override is the attribute that leaves the check out. Every problem names it.
const Override = "skip_compatibility_check"

const overrule = "To go on all the same, set " + Override + " = true on anka_controller."

// Judge finds what will not work together, in a fixed order.
func Judge(d Deployment) []Problem {
	var found []Problem
	var registries []Known
	for _, r := range d.Registries {
		registries = append(registries, r.Known)
	}
	found = append(found, tooOld(d.Controllers, Registry, registries)...)
	found = append(found, tooOld(d.Controllers, Etcd, d.Etcd)...)
	found = append(found, parity(d)...)
	return append(found, internalPort(d)...)
}

// wayOut is how a component that is too old is upgraded first.
var wayOut = map[Component]string{
	Registry: "Upgrade the registry first: set image of anka_registry to %s or newer. In one apply with the controllers that happens " +
		"in the right order when registry_urls refers to the resource; otherwise apply the registry alone before.",
	Etcd: "Upgrade etcd first: set image of anka_etcd_cluster to %s or newer. In one apply with the controllers that happens " +
		"in the right order when etcd_endpoints refers to the resource; otherwise apply etcd alone before.",
}

// summaries are the headings for what is too old.
var summaries = map[Component]string{
	Registry: "Registry is too old for the controllers",
	Etcd:     "etcd is too old for the controllers",
}

// tooOld finds the components that are older than the controllers need.
func tooOld(controllers Known, needs Component, others []Known) []Problem {
	rule, ok := strictest(controllers.Release, needs)
	if !ok {
		return nil
	}
	var old []Known
	for _, other := range others {
		if !other.Release.IsZero() && other.Release.Before(rule.AtLeast) {
			old = append(old, other)
		}
	}
	if len(old) == 0 {
		return nil
	}
	because := rule.Because
	if unpublished(controllers.Release) {
		because += fmt.Sprintf(" What %s needs was not published when this version of the provider was made; it is taken to need no less.",
			controllers.Release)
	}
	return []Problem{{
		Attribute: "image", Summary: summaries[needs],
		Detail: fmt.Sprintf("Controllers %s (%s) need %s %s or newer, and there is:\n\n%s\n\n%s %s Or keep the controllers older than %s. %s",
			controllers.Release, controllers.Source, needs, rule.AtLeast, list(needs, old),
			because, fmt.Sprintf(wayOut[needs], rule.AtLeast), rule.From, overrule),
	}}
}

// list has one line for each component, sorted and without repetition.
func list(component Component, known []Known) string {
	var lines []string
	for _, k := range known {
		line := string(component)
		if k.URL != "" {
			line += " at " + k.URL
		}
		if !k.Release.IsZero() {
			line += ": " + k.Release.String()
		}
		if k.Source != "" {
			line += " (" + k.Source + ")"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// parity finds registries whose authentication does not fit the controllers'.
func parity(d Deployment) []Problem {
	if r := d.Controllers.Release; !r.IsZero() && r.Before(tokenOnly) {
		return nil
	}
	at := map[Door][]Known{}
	for _, r := range d.Registries {
		at[r.Door] = append(at[r.Door], r.Known)
	}
	rule := fmt.Sprintf("From %s on controllers authenticate to the registry with the root token and nothing else, "+
		"so both must have authentication on, and the same token.", tokenOnly)
	var found []Problem
	add := func(summary, what string, registries []Known, instead string) {
		found = append(found, Problem{
			Attribute: "root_token_wo", Summary: summary,
			Detail: fmt.Sprintf("%s:\n\n%s\n\n%s %s %s", what, list(Registry, registries), rule, instead, overrule),
		})
	}
	if unguarded := at[Unguarded]; d.Token == TokenGiven && len(unguarded) > 0 {
		found = append(found, Problem{
			Doubt: true, Attribute: "root_token_wo", Summary: "Registry may have no root token",
			Detail: fmt.Sprintf("The controllers have a root token, and this registry answers without one:\n\n%s\n\n%s "+
				"A registry that has the token answers like that, too, as long as no node with a license of the Enterprise tier has joined the cloud, "+
				"because authentication begins with it. Make sure that the registry has the same root token; otherwise take root_token_wo from the controllers.",
				list(Registry, unguarded), rule),
		})
	}
	if open := at[Open]; d.Token == TokenGiven && len(open) > 0 {
		add("Root token on one side only", "The controllers have a root token, and this registry has none", open,
			"Give anka_registry the same root_token_wo, which one apply changes before the controllers when registry_urls refers to it, "+
				"or take root_token_wo from the controllers.")
	}
	switch refusing := at[Refuses]; {
	case len(refusing) == 0:
	case d.Token == TokenAbsent:
		add("Root token on one side only", "The controllers have no root token, and this registry wants one", refusing,
			"Give the controllers the registry's root_token_wo, or take it from anka_registry.")
	case d.Token == TokenGiven:
		add("Root tokens differ", "The controllers' root token is not the one of this registry", refusing,
			"Give both the same root_token_wo, and change both root_token_wo_version.")
	}
	return found
}

// internalPort finds local registry URLs with the port that is no more.
func internalPort(d Deployment) []Problem {
	if d.Controllers.Release.Before(noInternalPort) { // so is one that is not known
		return nil
	}
	var found []Problem
	for _, local := range d.Locals {
		if portOf(local.URL) != "8085" {
			continue
		}
		found = append(found, Problem{
			Attribute: local.Attribute, Key: local.Key, Summary: "Registry has no port 8085 any more",
			Detail: fmt.Sprintf("The local registry URL is %s, and controllers %s (%s) are given registries that serve on 8089 only: "+
				"the internal port 8085 ended with %s. Change the port to 8089. %s",
				local.URL, d.Controllers.Release, d.Controllers.Source, noInternalPort, overrule),
		})
	}
	return found
}

// portOf is the port of a URL, "" for none. Attributes take no address without
// a scheme.
func portOf(text string) string {
	parsed, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return parsed.Port()
}
