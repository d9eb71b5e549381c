package registry_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
)

type object = protocol.Object

// TestReplication_validates: each value that cannot be is an error at its own
// attribute, before any host is asked.
func TestReplication_validates(t *testing.T) {
	base := object{"replicas": object{"h1": object{}, "h2": object{}}, "primary": "h1"}
	for name, c := range map[string]struct {
		replication any
		more        object
		want        string // the beginning of the only diagnostic, "" for none
	}{
		"nothing given":    {object{}, nil, ""},
		"all given":        {object{"interval": 2, "port": 9443, "image": "rclone/rclone:1", "bandwidth_limit": 1 << 20, "max_delete_percent": 10, "exclude": []string{"*.tmp"}, "transfers": 8, "credentials_version": 2}, nil, ""},
		"every":            {object{"every": "3h"}, nil, ""},
		"cron":             {object{"cron": "30 */3 * * *"}, nil, ""},
		"not known yet":    {protocol.Unknown{}, nil, ""},
		"value not known":  {object{"every": protocol.Unknown{}, "interval": protocol.Unknown{}}, nil, ""},
		"one replica":      {object{}, object{"replicas": object{"h1": object{}}}, ""},
		"two schedules":    {object{"interval": 2, "cron": "@daily"}, nil, `error ("replication").("cron"): Two schedules`},
		"no interval":      {object{"interval": 0}, nil, `error ("replication").("interval")`},
		"long interval":    {object{"interval": 7200}, nil, `error ("replication").("interval"): Invalid interval`},
		"bad duration":     {object{"every": "soon"}, nil, `error ("replication").("every"): Invalid duration`},
		"bad cron":         {object{"cron": "61 * * * *"}, nil, `error ("replication").("cron"): Invalid cron expression`},
		"crawling":         {object{"bandwidth_limit": 10}, nil, `error ("replication").("bandwidth_limit"): Bandwidth too low`},
		"too many percent": {object{"max_delete_percent": 101}, nil, `error ("replication").("max_delete_percent")`},
		"bad pattern":      {object{"exclude": []string{"a\nb"}}, nil, `error ("replication").("exclude")`},
		"bad host":         {object{"seeded": []string{"a;b"}}, nil, `error ("replication").("seeded")`},
		"registries' port": {object{"port": 9000}, object{"port": 9000}, `error ("replication").("port"): Port is the registries' own`},
		"default port":     {object{}, object{"port": 8443}, `error ("replication").("port"): Port is the registries' own`},
		"bucket":           {object{}, object{"storage": object{"s3": object{"bucket": "bucket"}}}, `error ("replication"): Nothing to replicate`},
		"shared path":      {object{}, object{"storage": object{"path": "/mnt/all", "shared": true}}, `error ("replication"): Nothing to replicate`},
	} {
		t.Run(name, func(t *testing.T) {
			config := maps.Clone(base)
			maps.Copy(config, c.more)
			config["replication"] = c.replication
			got := protocol.Serve(t, "anka_registry", dockerhost.NewFleet(), registry.New).Validate(config)
			if (c.want == "" && got != "") || !strings.HasPrefix(got, c.want) || strings.Count(got, "error (") > 1 {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
