package registry_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

func TestMain(m *testing.M) { testlab.Main(m) }

const timeout = 30 * time.Second

var (
	labAndTarget = acctest.Lab
	must         = acctest.Must
	shell        = acctest.Shell
	containers   = acctest.Containers
)

// data is the directory of the volume that the registry of a host has unless
// told otherwise.
func data(host string) string {
	return fmt.Sprintf("$(docker volume inspect -f '{{.Mountpoint}}' anka-acc-registry-%s)", host)
}

// tree is the sum of all replicated files on a host, by path.
func tree(t testing.TB, lab *testlab.Lab, host string) string {
	t.Helper()
	return shell(t, lab, host, "cd "+data(host)+" && find vm_dir images_dir state_file_dir -type f ! -name '*.upload' 2>/dev/null | sort | xargs -r sha256sum")
}

// equal waits until replicas hold what the primary does, with at least as many
// files as given, and returns how long that took.
func equal(t testing.TB, lab *testlab.Lab, files int, primary string, replicas ...string) time.Duration {
	t.Helper()
	began := time.Now()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	var differing string
	for time.Since(began) < timeout {
		want := tree(t, lab, primary)
		if len(strings.Fields(want))/2 < files {
			t.Fatalf("the primary has only\n%s", want)
		}
		differing = ""
		for _, host := range replicas {
			if got := tree(t, lab, host); got != want {
				differing += fmt.Sprintf("%s has\n%s\nand the primary %s\n%s\n", host, got, primary, want)
			}
		}
		if differing == "" {
			return time.Since(began)
		}
		<-ticker.C
	}
	t.Fatalf("%s\n%s", differing, lab.Report())
	return 0
}

// push uploads a template version with one layer, as a client does.
func push(t testing.TB, lab *testlab.Lab, host, template, tag string) {
	t.Helper()
	pushAt(t, lab.Host(host).Address+":8089", template, tag)
}

// pushAt does so at an address with its port.
func pushAt(t testing.TB, at, template, tag string) {
	t.Helper()
	url, layer := "http://"+at, template+"-"+tag+".ank"
	send(t, http.MethodPut, url+"/registry/v2/image/"+layer, strings.Repeat(layer, 1000))
	send(t, http.MethodPost, url+"/registry/v2/vm", fmt.Sprintf(`{"id":%q,"name":%q,"version":{"tag":%q,"images":[%q]}}`, template, "vm-"+template, tag, layer))
}

func send(t testing.TB, method, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: HTTP %d", method, url, resp.StatusCode)
	}
}
