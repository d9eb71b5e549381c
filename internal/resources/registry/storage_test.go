package registry_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

type unknown = protocol.Unknown

// stored is a configuration of two registries with this storage.
func stored(storage any) object {
	return object{"replicas": object{"h1": object{}, "h2": object{}}, "primary": "h1", "storage": storage}
}

func TestValidate_storage(t *testing.T) {
	nfs := func(more object) object {
		export := object{"server": "10.0.0.9", "path": "/srv/anka"}
		maps.Copy(export, more)
		return object{"nfs": export, "shared": true}
	}
	key := object{"access_key_id": "id", "secret_access_key_wo": "canary", "secret_access_key_wo_version": 1}
	s3 := func(more object) object {
		all := maps.Clone(key)
		maps.Copy(all, more)
		return object{"s3": all}
	}
	withPaths := stored(object{"path": "/opt/t"})
	withPaths["replicas"] = object{"h1": object{"storage_path": "/data/t"}, "h2": object{}}
	noPath := stored(object{"volume": "data"})
	noPath["replicas"] = object{"h1": object{}, "h2": object{"storage_path": "/data/t"}}
	badPath := stored(object{"path": "/opt/t"})
	badPath["replicas"] = object{"h1": object{"storage_path": "/etc/t"}, "h2": object{}}
	replicated := func(storage object) object {
		config := stored(storage)
		config["replication"] = object{"interval": 2}
		return config
	}
	for name, c := range map[string]struct {
		config object
		want   string // the beginning of the only diagnostic, "" for none
		text   string
	}{
		"none":                   {stored(nil), "", ""},
		"path":                   {stored(object{"path": "/opt/t"}), "", ""},
		"path that is made":      {stored(object{"path": "/opt/t", "create_path": true}), "", ""},
		"path shared":            {stored(object{"path": "/mnt/t", "shared": true}), "", ""},
		"paths of hosts":         {withPaths, "", ""},
		"path of a host alone":   {noPath, `error ("replicas").("h2").("storage_path"): Path without storage.path`, ""},
		"bad path of a host":     {badPath, `error ("replicas").("h1").("storage_path"): Invalid host path`, ""},
		"volume":                 {stored(object{"volume": "data"}), "", ""},
		"export":                 {stored(nfs(object{"options": []string{"nfsvers=4.1"}})), "", ""},
		"bucket":                 {stored(s3(object{"bucket": "templates", "endpoint": "http://10.0.0.9:9000", "path_style": true})), "", ""},
		"bucket without a key":   {stored(object{"s3": object{"bucket": "templates"}}), "", ""},
		"two kinds":              {stored(object{"path": "/opt/t", "volume": "data"}), `error ("storage").("volume"): Several kinds of storage`, "path and volume"},
		"export and bucket":      {stored(object{"nfs": object{"server": "a", "path": "/b"}, "s3": object{}}), `error ("storage").("s3"): Several kinds of storage`, "nfs and s3"},
		"nothing to create":      {stored(object{"volume": "data", "create_path": false}), `error ("storage").("create_path"): Nothing to create`, ""},
		"shared volume":          {stored(object{"volume": "data", "shared": true}), `error ("storage").("shared"): Nothing that could be shared`, ""},
		"shared default":         {stored(object{"shared": true}), `error ("storage").("shared"): Nothing that could be shared`, ""},
		"shared bucket":          {stored(object{"s3": object{}, "shared": true}), `error ("storage").("shared"): Bucket is shared by itself`, ""},
		"not shared export":      {stored(object{"nfs": object{"server": "a", "path": "/b"}}), `warning ("storage").("nfs"): Several replicas on one export`, "All 2 replicas"},
		"one on an export":       {object{"replicas": object{"h1": object{}}, "storage": object{"nfs": object{"server": "a", "path": "/b"}}}, "", ""},
		"server with path":       {stored(nfs(object{"server": "10.0.0.9:/srv"})), `error ("storage").("nfs").("server"): Invalid NFS export`, "attribute of its own"},
		"server IPv6":            {stored(nfs(object{"server": "fd00::9"})), "", ""},
		"relative export":        {stored(nfs(object{"path": "srv"})), `error ("storage").("nfs").("path"): Invalid NFS export`, "absolute"},
		"export with a comma":    {stored(nfs(object{"path": "/srv,x"})), `error ("storage").("nfs").("path"): Invalid NFS export`, ""},
		"export not clean":       {stored(nfs(object{"path": "/srv/"})), `error ("storage").("nfs").("path"): Invalid NFS export`, `"/srv"`},
		"address as an option":   {stored(nfs(object{"options": []string{"rw", "addr=1.2.3.4"}})), `error ("storage").("nfs").("options").(1): Invalid NFS export`, "follows from server"},
		"no options":             {stored(nfs(object{"options": []string{}})), `error ("storage").("nfs").("options")`, "at least 1"},
		"bad bucket":             {stored(s3(object{"bucket": "Templates"})), `error ("storage").("s3").("bucket"): Invalid bucket`, ""},
		"small parts":            {stored(s3(object{"upload_part_size": "4MB"})), `error ("storage").("s3").("upload_part_size"): Invalid setting`, "between 5MB and 500MB"},
		"key without a secret":   {stored(object{"s3": object{"access_key_id": "id"}}), `error ("storage").("s3").("access_key_id"): Invalid setting`, "storage.s3.secret_access_key_wo"},
		"secret without version": {stored(s3(object{"secret_access_key_wo_version": nil})), `error ("storage").("s3").("secret_access_key_wo"): Missing version`, "storage.s3.secret_access_key_wo_version"},
		"backend by hand": {
			object{"replicas": object{"h1": object{}}, "env": object{"ANKA_BACKEND_TYPE": "s3"}},
			`error ("env").("ANKA_BACKEND_TYPE"): Variable is set by an attribute`, "storage",
		},
		"replicated path":   {replicated(object{"path": "/opt/t"}), "", ""},
		"replicated shared": {replicated(object{"path": "/mnt/t", "shared": true}), `error ("replication"): Nothing to replicate`, ""},
		"replicated export": {replicated(nfs(nil)), `error ("replication"): Nothing to replicate`, ""},
		"replicated bucket": {replicated(object{"s3": object{"bucket": "templates"}}), `error ("replication"): Nothing to replicate`, ""},
		"storage unknown":   {stored(unknown{}), "", ""},
		"parts unknown": {
			stored(object{"path": unknown{}, "create_path": unknown{}, "shared": unknown{}}), "", "",
		},
		"export unknown": {stored(object{"nfs": object{"server": unknown{}, "path": unknown{}, "options": unknown{}}, "shared": true}), "", ""},
		"bucket unknown": {stored(object{"s3": unknown{}}), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := protocol.Serve(t, "anka_registry", dockerhost.NewFleet(), registry.New).Validate(c.config)
			if c.want == "" && got == "" {
				return
			}
			if c.want == "" || !strings.HasPrefix(got, c.want) || !strings.Contains(got, c.text) || strings.Contains(got, "\n") {
				t.Errorf("got %s\nwant %s … %s", got, c.want, c.text)
			}
			if strings.Contains(got, "canary") {
				t.Errorf("a secret is shown: %s", got)
			}
		})
	}
}

// daemon has a registry of ours with these labels and mounts, unless labels is
// nil, all images, and none of the host paths but those given.
func daemon(t *testing.T, fleet *dockerhost.Fleet, labels map[string]string, paths ...string) {
	t.Helper()
	found := []any{}
	if labels != nil {
		found = append(found, map[string]any{"Id": "1", "Names": []string{"/anka-anka-registry-h1"}, "Image": "old:1", "State": "exited", "Labels": labels})
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("API-Version", dockerhost.MinAPIVersion)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			_ = json.NewEncoder(w).Encode(found)
		case strings.HasSuffix(r.URL.Path, "/containers/create"):
			var asked struct {
				HostConfig struct{ Mounts []struct{ Source string } }
			}
			_ = json.NewDecoder(r.Body).Decode(&asked)
			w.WriteHeader(http.StatusNotFound)
			for _, m := range asked.HostConfig.Mounts {
				for _, path := range paths {
					if m.Source == path {
						_, _ = w.Write([]byte(`{"message":"No such image"}`))
						return
					}
				}
			}
			_, _ = w.Write([]byte(`{"message":"invalid mount config for type \"bind\": bind source path does not exist: x"}`))
		default:
			_, _ = w.Write([]byte("{}"))
		}
	}))
	host, err := dockerhost.New(dockerhost.Config{
		Name: "h1", Address: "127.0.0.1", DockerHost: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Insecure: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	fleet.Add(host)
	t.Cleanup(func() {
		_ = host.Close()
		server.Close()
	})
}

// TestPlan_missingPath is refused before anything is made, and told of by name.
func TestPlan_missingPath(t *testing.T) {
	config := object{"replicas": object{"h1": object{}}, "storage": object{"path": "/mnt/disk"}}
	for name, c := range map[string]struct {
		paths   []string
		storage object
		want    string
	}{
		"missing":     {nil, object{"path": "/mnt/disk"}, "error : Unable to plan registry"},
		"there":       {[]string{"/mnt/disk"}, object{"path": "/mnt/disk"}, "warning : Planned steps"},
		"may be made": {nil, object{"path": "/mnt/disk", "create_path": true}, "warning : Planned steps"},
	} {
		fleet := dockerhost.NewFleet()
		daemon(t, fleet, nil, c.paths...)
		config["storage"] = c.storage
		_, said := protocol.Serve(t, "anka_registry", fleet, registry.New).Plan(nil, config)
		if !strings.HasPrefix(said, c.want) {
			t.Errorf("%s: got %s", name, said)
		}
		if name == "missing" && !strings.Contains(said, "/mnt/disk on h1") {
			t.Errorf("got %s", said)
		}
	}
}

// TestPlan_warnsOfEveryKindThatStaysBehind: where the data was is read from the
// container, also when that is on no host.
func TestPlan_warnsOfEveryKindThatStaysBehind(t *testing.T) {
	bucket := object{"s3": object{"bucket": "templates", "endpoint": "http://10.0.0.9:9000"}}
	export := object{"nfs": object{"server": "10.0.0.9", "path": "/srv/anka"}}
	id := container.Identity{Owner: "anka", Role: container.Registry, Instance: "h1"}
	in := func(m container.Mount) map[string]string {
		m.Target = "/mnt/vol"
		return container.Spec{Mounts: []container.Mount{m}}.Owned(id).Labels
	}
	inBucket := in(container.Mount{Type: container.External, Store: "bucket templates at http://10.0.0.9:9000"})
	inExport := in(container.Mount{Type: container.Volume, Source: "n", Store: "NFS 10.0.0.9:/srv/anka"})
	for name, c := range map[string]struct {
		labels        map[string]string
		before, after object
		want          string
	}{
		"bucket to path":        {inBucket, bucket, object{"path": "/opt/t", "create_path": true}, "h1: from bucket templates at http://10.0.0.9:9000 to /opt/t"},
		"bucket to export":      {inBucket, bucket, export, "h1: from bucket templates at http://10.0.0.9:9000 to NFS 10.0.0.9:/srv/anka"},
		"bucket to bucket":      {inBucket, bucket, object{"s3": object{"bucket": "others"}}, "to bucket others"},
		"the same bucket":       {inBucket, bucket, object{"s3": object{"bucket": "templates", "endpoint": "http://10.0.0.9:9000", "path_style": true}}, ""},
		"export to volume":      {inExport, export, object{"volume": "data"}, "h1: from NFS 10.0.0.9:/srv/anka to volume data"},
		"other options":         {inExport, export, object{"nfs": object{"server": "10.0.0.9", "path": "/srv/anka", "options": []string{"hard"}}}, ""},
		"bucket not known":      {inBucket, bucket, object{"s3": object{"bucket": unknown{}}}, ""},
		"without the container": {nil, bucket, object{"volume": "data"}, "h1: from bucket templates at http://10.0.0.9:9000 to volume data"},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := dockerhost.NewFleet()
			daemon(t, fleet, c.labels)
			state := object{"name": "anka", "replicas": object{"h1": object{}}, "storage": c.before}
			_, said := protocol.Serve(t, "anka_registry", fleet, registry.New).Plan(state, object{"replicas": object{"h1": object{}}, "storage": c.after})
			if !strings.Contains(said, c.want) || strings.Contains(said, "Storage of the registry changes") != (c.want != "") || !strings.Contains(said, "Planned steps") {
				t.Errorf("got %s", said)
			}
		})
	}
}
