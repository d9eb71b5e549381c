package compat_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

func TestCollisions(t *testing.T) {
	const metrics = "monitoring.port"
	type ports = []compat.Port
	service := compat.Port{Number: 8089}
	for name, c := range map[string]struct {
		mine  ports
		other compat.Planned
		want  string // attribute and key of each problem
	}{
		"nothing":            {mine: ports{service, {Number: 2112, Attribute: metrics}}, other: compat.Planned{Ports: ports{{Number: 80}}}},
		"metrics of both":    {ports{service, {Number: 2112, Attribute: metrics}}, compat.Planned{Ports: ports{{Number: 80}, {Number: 2112, Attribute: metrics}}}, metrics},
		"port":               {ports{service}, compat.Planned{Ports: ports{{Number: 8089}}}, "replicas.h1, replicas.h2"},
		"not known yet":      {ports{{}}, compat.Planned{Ports: ports{{}}}, ""},
		"one address":        {ports{{Number: 80, Address: "10.0.1.4"}}, compat.Planned{Ports: ports{{Number: 80, Address: "10.0.1.4"}}}, "replicas.h1, replicas.h2"},
		"other addresses":    {ports{{Number: 80, Address: "10.0.1.4"}}, compat.Planned{Ports: ports{{Number: 80, Address: "127.0.0.1"}}}, ""},
		"all and one":        {ports{{Number: 80, Address: "0.0.0.0"}}, compat.Planned{Ports: ports{{Number: 80, Address: "127.0.0.1"}}}, "replicas.h1, replicas.h2"},
		"one and all":        {ports{{Number: 80, Address: "127.0.0.1"}}, compat.Planned{Ports: ports{{Number: 80, Address: "::"}}}, "replicas.h1, replicas.h2"},
		"another deployment": {ports{service}, compat.Planned{Component: compat.Registry, Owner: "green", Ports: ports{service}}, "replicas.h1, replicas.h2"},
		"itself, as before":  {ports{service}, compat.Planned{Component: compat.Registry, Owner: "blue", Ports: ports{service}}, ""},
		"twice by itself":    {ports{service, {Number: 8089, Attribute: metrics}}, compat.Planned{}, metrics},
	} {
		t.Run(name, func(t *testing.T) {
			var mine, all []compat.Planned
			for _, host := range []string{"h1", "h2"} {
				mine = append(mine, compat.Planned{Component: compat.Registry, Owner: "blue", Host: host, Ports: c.mine})
				if c.other.Component == "" {
					c.other.Component, c.other.Owner = compat.Controllers, "blue"
				}
				c.other.Host = host
				all = append(all, c.other)
			}
			c.other.Host = "h3" // what is elsewhere is in nobody's way
			all = append(all, c.other, compat.Planned{Component: compat.Etcd, Owner: "blue"})
			var got []string
			for _, p := range compat.Collisions(mine, all) {
				got = append(got, strings.TrimSuffix(p.Attribute+"."+p.Key, "."))
				if !strings.Contains(p.Detail, `of anka_registry "blue"`) || p.Doubt {
					t.Errorf("got %+v", p)
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
