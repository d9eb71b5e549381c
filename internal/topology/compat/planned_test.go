package compat_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

func TestPlanned_door(t *testing.T) {
	for _, c := range []struct {
		has         compat.Token
		registry    string
		token       compat.Token
		controllers string
		want        compat.Door
	}{
		{compat.TokenAbsent, "", compat.TokenAbsent, "", compat.Open},
		{compat.TokenAbsent, "", compat.TokenGiven, "correct-horse", compat.Open},
		{compat.TokenGiven, "correct-horse", compat.TokenAbsent, "", compat.Refuses},
		{compat.TokenGiven, "", compat.TokenAbsent, "", compat.Refuses},
		{compat.TokenGiven, "correct-horse", compat.TokenGiven, "correct-horse", compat.Admits},
		{compat.TokenGiven, "correct-horse", compat.TokenGiven, "battery-staple", compat.Refuses},
		{compat.TokenGiven, "", compat.TokenGiven, "correct-horse", compat.DoorUnknown},
		{compat.TokenGiven, "correct-horse", compat.TokenGiven, "", compat.DoorUnknown},
		{compat.TokenGiven, "", compat.TokenGiven, "", compat.DoorUnknown},
		{compat.TokenGiven, "correct-horse", compat.TokenUnknown, "", compat.DoorUnknown},
		{compat.TokenAbsent, "", compat.TokenUnknown, "", compat.DoorUnknown},
		{compat.TokenUnknown, "", compat.TokenAbsent, "", compat.DoorUnknown},
		{compat.TokenUnknown, "", compat.TokenGiven, "correct-horse", compat.DoorUnknown},
	} {
		if got := (compat.Planned{Token: c.has, Secret: c.registry}).Door(c.token, c.controllers); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestPlanned_knownNamesTheResourceAndNoToken(t *testing.T) {
	for component, want := range map[compat.Component]string{
		compat.Registry: `tag of image x:1.48.0, planned by anka_registry "blue"`,
		compat.Etcd:     `tag of image x:1.48.0, planned by anka_etcd_cluster "blue"`,
	} {
		if got := (compat.Planned{Component: component, Owner: "blue"}).Known().Source; !strings.HasPrefix(got, "planned by anka_") {
			t.Errorf("got %s", got)
		}
		p := compat.Planned{Component: component, Owner: "blue", Source: "tag of image x:1.48.0", Token: compat.TokenGiven, Secret: "canary-token"}
		if got := p.Known().Source; got != want || strings.Contains(got, "canary") {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFind(t *testing.T) {
	all := []compat.Planned{
		{Component: compat.Etcd, Owner: "blue", URL: "http://10.0.1.4:8089"},
		{Component: compat.Registry, Owner: "green", Host: "h1", URL: "http://10.0.1.5:8089"},
		{Component: compat.Registry, Owner: "blue", Host: "h2", URL: "http://10.0.1.6:8089"},
		{Component: compat.Registry, Owner: "blue", Host: "h1", URL: "http://10.0.1.4:8089"},
	}
	for _, c := range []struct {
		at   compat.Place
		want string // "OWNER HOST"
	}{
		{compat.Place{URL: "http://10.0.1.4:8089"}, "blue h1"},
		{compat.Place{URL: "http://10.0.1.4:8089/"}, "blue h1"},
		{compat.Place{URL: "http://10.0.1.5:8089", Owner: "blue", Host: "h1"}, "green h1"},
		{compat.Place{URL: "http://lb.example.com", Owner: "blue", Host: "h1"}, ""},
		{compat.Place{Owner: "blue", Host: "h1"}, "blue h1"},
		{compat.Place{Owner: "blue"}, "blue h2"},
		{compat.Place{Owner: "red", Host: "h1"}, ""},
		{compat.Place{Owner: "blue", Host: "h3"}, ""},
	} {
		found, ok := compat.Find(all, compat.Registry, c.at)
		if got := strings.TrimSpace(found.Owner + " " + found.Host); got != c.want || ok != (c.want != "") {
			t.Errorf("%+v: got %q, %t", c.at, got, ok)
		}
	}
}
