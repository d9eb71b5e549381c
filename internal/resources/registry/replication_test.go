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
		"all of it":        {object{"exclude": []string{"?*"}}, nil, `error ("replication").("exclude"): Invalid pattern`},
		"everything":       {object{"exclude": []string{"*"}}, nil, `error ("replication").("exclude"): Invalid pattern`},
		"all below":        {object{"exclude": []string{"*/*"}}, nil, `error ("replication").("exclude"): Invalid pattern`},
		"other host":       {object{"seeded": []string{"h1", "h9"}}, nil, `error ("replication").("seeded"): Seeded host is not a replica: There is no replica on host "h9"`},
		"seeded":           {object{"seeded": []string{"h2"}}, nil, ""},
		"seeded, not yet":  {object{"seeded": []string{"h9"}}, object{"replicas": protocol.Unknown{}}, ""},
		"loopback":         {object{}, object{"bind_ip": "127.0.0.1"}, `error ("bind_ip"): Primary out of reach`},
		"loopback of 6":    {object{}, object{"bind_ip": "::1"}, `error ("bind_ip"): Primary out of reach`},
		"loopback alone":   {object{}, object{"replicas": object{"h1": object{}}, "bind_ip": "127.0.0.1"}, ""},
		"address":          {object{}, object{"bind_ip": "10.0.0.1"}, ""},
		"bad host":         {object{"seeded": []string{"a;b"}}, nil, `error ("replication").("seeded")`},
		"registries' port": {object{"port": 9000}, object{"port": 9000}, `error ("replication").("port"): Port is the registries' own`},
		"default port":     {object{}, object{"port": 8443}, `error ("replication").("port"): Port is the registries' own`},
		"no duration":      {object{"every": "3"}, nil, `error ("replication").("every"): Invalid duration`},
		"often":            {object{"every": "59s"}, nil, `error ("replication").("every"): Invalid duration`},
		"half seconds":     {object{"every": "90.5s"}, nil, `error ("replication").("every"): Invalid duration`},
		"negative":         {object{"every": "-3h"}, nil, `error ("replication").("every"): Invalid duration`},
		"empty duration":   {object{"every": ""}, nil, `error ("replication").("every")`},
		"cron of seconds":  {object{"cron": "0 30 */3 * * *"}, nil, `error ("replication").("cron"): Invalid cron expression`},
		"cron of no day":   {object{"cron": "0 0 31 2 *"}, nil, `error ("replication").("cron"): Invalid cron expression`},
		"cron macro":       {object{"cron": "@reboot"}, nil, `error ("replication").("cron"): Invalid cron expression`},
		"empty cron":       {object{"cron": ""}, nil, `error ("replication").("cron")`},
		"all schedules":    {object{"interval": 2, "every": "3h", "cron": "@daily"}, nil, `error ("replication").("every"): Two schedules`},
		"directory":        {object{}, object{"general": object{"image_directory": "/abs"}}, `error ("general").("image_directory"): Directory cannot be replicated`},
		"directory in env": {object{}, object{"env": object{"ANKA_VM_DIR_PATH": "../vms"}}, `error ("env").("ANKA_VM_DIR_PATH"): Directory cannot be replicated`},
		"dir of words":     {object{}, object{"general": object{"image_directory": "my images"}}, `error ("general").("image_directory"): Directory cannot be replicated`},
		"storage itself":   {object{}, object{"general": object{"image_directory": "."}}, `error ("general").("image_directory"): Directory cannot be replicated`},
		"own directories":  {object{}, object{"general": object{"image_directory": "images"}, "env": object{"ANKA_VM_DIR_PATH": "vms"}}, ""},
		"secret directory": {object{}, object{"env_wo": object{"ANKA_VM_DIR_PATH": "vms"}, "env_wo_version": 1}, `error ("env_wo"): Variable in secret environment`},
		"unknown env":      {object{}, object{"env": object{"ANKA_VM_DIR_PATH": protocol.Unknown{}}}, ""},
		"one in another":   {object{}, object{"general": object{"image_directory": "vm_dir/images"}}, `error ("general").("image_directory"): Directory cannot be replicated`},
		"level":            {object{}, object{"logging": object{"verbosity_by_module": []string{"upload=high"}}}, `error ("logging").("verbosity_by_module"): Invalid setting: logging.verbosity_by_module: "upload=high"`},
		"levels":           {object{}, object{"logging": object{"verbosity_by_module": []string{"upload=5", "auth*=2"}}}, ""},
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
