package compat

import (
	"fmt"
	"strings"
)

// Planned is what a resource of the same configuration is going to run, as it
// told when it was planned.
type Planned struct {
	Component Component
	// Owner is the resource's name.
	Owner string
	// Host is the replica's key in the provider block; "" for etcd, whose
	// members are told by URL.
	Host string
	// URL under which others reach it, "" while it is not known.
	URL string
	// Release is zero when neither tag nor configuration tells it, and Source
	// is where it was learnt.
	Release Release
	Source  string
	// Changing: the apply is going to change what runs there, so that asking
	// what runs now would tell nothing.
	Changing bool
	// Token says whether it has a root token, and Secret is the token, "" while
	// that is not known. It is compared and never shown.
	Token  Token
	Secret string
	// Ports that it publishes on Host.
	Ports []Port
}

// Known is what is planned, in the words of [Known].
func (p Planned) Known() Known {
	by := fmt.Sprintf("planned by anka_%s %q", p.resource(), p.Owner)
	if p.Source != "" {
		by = p.Source + ", " + by
	}
	return Known{URL: p.URL, Release: p.Release, Source: by}
}

func (p Planned) resource() string {
	if p.Component == Etcd {
		return "etcd_cluster"
	}
	return string(p.Component)
}

// Door is how the planned registry will treat controllers with this token,
// which is the secret, "" while that is not known.
func (p Planned) Door(token Token, secret string) Door {
	switch {
	case token == TokenUnknown || p.Token == TokenUnknown:
		return DoorUnknown
	case p.Token == TokenAbsent:
		return Open
	case token == TokenAbsent:
		return Refuses
	case secret == "" || p.Secret == "":
		return DoorUnknown
	case secret == p.Secret:
		return Admits
	default:
		return Refuses
	}
}

// Place is where controllers look for another component.
type Place struct {
	// URL is "" while it is not known. Then it is about to be made, most likely
	// by the resource of the same name, and on this host; Host is "" where it
	// may be any.
	URL, Owner, Host string
}

// Find is what is planned at a place; ok is false when nothing is.
func Find(all []Planned, component Component, at Place) (found Planned, ok bool) {
	for _, p := range all {
		if p.Component != component {
			continue
		}
		same := p.Owner == at.Owner && (at.Host == "" || p.Host == at.Host)
		if at.URL != "" {
			same = strings.TrimSuffix(p.URL, "/") == strings.TrimSuffix(at.URL, "/")
		}
		if same {
			return p, true
		}
	}
	return Planned{}, false
}
