package registry_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/rclone"
)

// storing is the resource on two hosts with this storage.
func storing(target *testlab.Target, storage string, attributes ...string) string {
	return replicated(target, "h1 h2", "h1", append(attributes, "storage = "+storage)...)
}

// untouched fails when a host has a container, running or not.
func untouched(t testing.TB, lab *testlab.Lab) {
	t.Helper()
	for host, id := range containers(t, lab, "registry") {
		if id != "" {
			t.Errorf("%s has the container %s", host, id)
		}
	}
}

// TestAccStorage_pathHasToExist: a directory that is missing on one host is an
// error at plan that names it; nothing is made anywhere, least of all the
// directory. Hosts can have theirs elsewhere. The same goes for a container
// that has to be made anew while the disk is away.
func TestAccStorage_pathHasToExist(t *testing.T) {
	lab, target := labAndTarget(t)
	provider := acctest.Provider(t, target, "ssh")
	config := provider + storing(target, `{ path = "/srv/disk" }`)
	elsewhere := strings.Replace(config, "host => {}", `host => { storage_path = host == "h2" ? "/data/templates" : null }`, 1)
	missing := regexp.MustCompile(`(?s)storage\s+of\s+the\s+registry\s+is\s+not\s+there:\s+/srv/disk\s+on\s+h2.*create_path\s+=\s+true`)
	shell(t, lab, "h1", "mkdir -p /srv/disk")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config, PlanOnly: true, ExpectError: missing},
			{Config: config, ExpectError: missing},
			{
				PreConfig: func() {
					untouched(t, lab)
					if got := shell(t, lab, "h2", "test -e /srv/disk && echo made || echo missing"); got != "missing" {
						t.Errorf("the directory is %s", got)
					}
					shell(t, lab, "h2", "mkdir -p /data/templates")
				},
				Config: elsewhere,
				Check: func(*terraform.State) error {
					push(t, lab, "h2", "t1", "v1")
					if got := shell(t, lab, "h2", "ls /data/templates/vm_dir"); got != "t1" {
						return fmt.Errorf("h2 has %q", got)
					}
					return nil
				},
			},
			{Config: elsewhere, ConfigPlanChecks: emptyPlan()},
			{
				PreConfig: func() {
					shell(t, lab, "h2", "docker rm -f anka-acc-registry-h2 && mv /data/templates /data/away")
				},
				Config:      elsewhere,
				ExpectError: regexp.MustCompile(`(?s)storage\s+of\s+the\s+registry\s+is\s+not\s+there:\s+/data/templates\s+on\s+h2`),
			},
			{
				PreConfig: func() { shell(t, lab, "h2", "mv /data/away /data/templates") },
				Config:    elsewhere,
			},
			{
				PreConfig: func() {
					shell(t, lab, "h2", "docker stop anka-acc-registry-h2 && mv /data/templates /data/away")
				},
				Config:      elsewhere,
				ExpectError: regexp.MustCompile(`(?s)host\s+"h2"\s+lacks\s+a\s+directory\s+that\s+is\s+to\s+be\s+mounted`),
			},
			{
				PreConfig: func() {
					if got := shell(t, lab, "h2", "test -e /data/templates && echo made || echo missing"); got != "missing" {
						t.Errorf("the directory is %s", got)
					}
					shell(t, lab, "h2", "mv /data/away /data/templates")
				},
				Config: elsewhere,
				Check: func(*terraform.State) error {
					if got := shell(t, lab, "h2", "ls /data/templates/vm_dir"); got != "t1" {
						return fmt.Errorf("h2 has %q", got)
					}
					return nil
				},
			},
		},
	})
}

// TestAccStorage_objectStore pushes to one registry and pulls from the other,
// through a server that speaks S3 and takes only the right key.
func TestAccStorage_objectStore(t *testing.T) {
	lab, target := labAndTarget(t)
	dir := t.TempDir()
	store, err := rclone.ServeObjectStore(t.Context(), lab.Gateway, dir, "templates")
	must(t, err)
	t.Cleanup(store.Close)
	s3 := func(secret string, version int) string {
		return acctest.Provider(t, target, "ssh") + storing(target, fmt.Sprintf(`{ s3 = {
      bucket = "templates", endpoint = %q, region = "eu-central-1", path_style = true, upload_part_size = "5MB",
      access_key_id = %q, secret_access_key_wo = %q, secret_access_key_wo_version = %d
    } }`, store.URL, store.KeyID, secret, version), `ready_timeout = "15s"`)
	}
	layer := strings.Repeat("0123456789abcdef", 12<<16) // 12 MB: three parts
	var before map[string]string
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: s3(store.Secret, 1),
				Check: func(state *terraform.State) error {
					send(t, http.MethodPut, registryURL(lab, "h1")+"/registry/v2/image/a.ank", layer)
					send(t, http.MethodPost, registryURL(lab, "h1")+"/registry/v2/vm", `{"id":"t1","name":"x","version":{"tag":"v1","images":["a.ank"]}}`)
					if got := fetch(t, registryURL(lab, "h2")+"/registry/v2/vm?id=t1"); !strings.Contains(got, `"a.ank"`) {
						return fmt.Errorf("h2 says %s", got)
					}
					if fetch(t, registryURL(lab, "h2")+"/registry/v2/image/a.ank") != layer {
						return fmt.Errorf("the layer is another one on h2")
					}
					if info, err := os.Stat(filepath.Join(dir, "templates", "images_dir", "a.ank")); err != nil || info.Size() != int64(len(layer)) {
						return fmt.Errorf("the bucket has %v, %w", info, err)
					}
					if strings.Contains(fmt.Sprint(state), store.Secret) {
						return fmt.Errorf("the key is in the state")
					}
					for _, host := range []string{"h1", "h2"} {
						// Docker shows the environment, in which it has to be, and nothing else may have it.
						told := shell(t, lab, host, "for c in $(docker ps -aq); do docker inspect -f '{{json .Config.Labels}} {{json .Config.Cmd}} {{json .Mounts}}' $c; docker logs $c 2>&1; done")
						if strings.Contains(told, store.Secret) || !strings.Contains(told, "anka") {
							return fmt.Errorf("the key is in labels, arguments or the log of %s, or they are not there: %s", host, told)
						}
					}
					before = containers(t, lab, "registry")
					return nil
				},
			},
			{Config: s3(store.Secret, 1), ConfigPlanChecks: emptyPlan()},
			// A key that is refused: the old container is put back.
			{Config: s3("another-key", 2), ExpectError: regexp.MustCompile(`(?s)put\s+back`)},
			{
				PreConfig: func() {
					kept(t, lab, "registry", before)
					if got := fetch(t, registryURL(lab, "h1")+"/registry/v2/vm?id=t1"); !strings.Contains(got, `"v1"`) {
						t.Errorf("h1 says %s", got)
					}
				},
				Config: s3(store.Secret, 3),
				Check: func(*terraform.State) error {
					for host, id := range containers(t, lab, "registry") {
						if id != "" && id == before[host] {
							return fmt.Errorf("the container on %s has the old version", host)
						}
					}
					return nil
				},
			},
		},
	})
	if _, err := os.Stat(filepath.Join(dir, "templates", "images_dir", "a.ank")); err != nil {
		t.Errorf("destroying has deleted from the bucket: %v", err)
	}
}

// TestAccStorage_nfs: what the daemon is told of the export, and that a host
// that cannot mount it is an error that says so. This kernel may know no NFS.
func TestAccStorage_nfs(t *testing.T) {
	lab, target := labAndTarget(t)
	export := func(options string) string {
		return acctest.Provider(t, target, "ssh") +
			storing(target, fmt.Sprintf(`{ nfs = { server = %q, path = "/srv/anka", options = [%s] }, shared = true }`, lab.Gateway, options))
	}
	cannot := regexp.MustCompile(`(?s)host\s+"h[12]"\s+cannot\s+mount\s+a\s+volume`)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: export(`"nfsvers=4.1", "soft", "timeo=10"`), ExpectError: cannot},
			{Config: export(`"nfsvers=4.2", "soft", "timeo=10"`), ExpectError: cannot},
		},
	})
	untouched(t, lab)
	for _, host := range []string{"h1", "h2"} {
		got := shell(t, lab, host, `docker volume inspect -f '{{.Driver}} {{.Options.type}} {{.Options.device}} {{.Options.o}}' $(docker volume ls -q) | sort`)
		want := fmt.Sprintf("local nfs :/srv/anka addr=%[1]s,nfsvers=4.1,soft,timeo=10\nlocal nfs :/srv/anka addr=%[1]s,nfsvers=4.2,soft,timeo=10", lab.Gateway)
		if got != want {
			t.Errorf("%s has the volumes\n%s\nwant\n%s", host, got, want)
		}
	}
}

func registryURL(lab *testlab.Lab, host string) string {
	return "http://" + lab.Host(host).Address + ":8089"
}

// fetch is the body of an answer with status 200.
func fetch(t testing.TB, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: HTTP %d: %s", url, resp.StatusCode, body)
	}
	return string(body)
}
