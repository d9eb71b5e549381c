package images_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// release is a real etcd, built from the module proxy and cached.
type release struct {
	version etcd.Version
	binary  string
}

// releases are the real etcd of all minor versions that the provider knows.
// Building them takes minutes where the lab has not done so before, so these
// tests belong to the acceptance tests.
func releases(t *testing.T) []release {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("TF_ACC is not set: acceptance tests run with TF_ACC=1")
	}
	var all []release
	for _, name := range []string{images.Etcd35, images.Etcd36, images.Etcd37} {
		v, ok := etcd.VersionOfImage(name)
		if !ok {
			t.Fatalf("the tag of %s is no version", name)
		}
		archive, err := images.Build(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, release{v, unpack(t, archive.Path)})
	}
	return all
}

// unpack takes the one binary out of the one layer of an image.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for outer := tar.NewReader(file); ; {
		entry, err := outer.Next()
		if err != nil {
			t.Fatalf("no layer with etcd in %s: %v", archive, err)
		}
		if !strings.HasSuffix(entry.Name, ".tar") {
			continue
		}
		for inner := tar.NewReader(outer); ; {
			entry, err := inner.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Base(entry.Name) != "etcd" || entry.Typeflag != tar.TypeReg {
				continue
			}
			content, err := io.ReadAll(inner)
			if err != nil {
				t.Fatal(err)
			}
			binary := filepath.Join(t.TempDir(), "etcd")
			if err := os.WriteFile(binary, content, 0o700); err != nil {
				t.Fatal(err)
			}
			return binary
		}
	}
}

// TestArgumentsMatchRealEtcd holds the table of flags against what the real
// binaries accept: every flag that one of them documents is given to each of
// them.
func TestArgumentsMatchRealEtcd(t *testing.T) {
	all := releases(t)
	flags := documented(t, all)
	if len(flags) < 100 {
		t.Fatalf("only %d flags are documented: %q", len(flags), flags)
	}
	for _, r := range all {
		for _, flag := range flags {
			// Flags are parsed before the version is told and the process ends.
			output, _ := exec.CommandContext(t.Context(), r.binary, "--"+flag+"=1", "--version").CombinedOutput()
			accepts := !strings.Contains(string(output), "flag provided but not defined")
			refused := slices.ContainsFunc(etcd.CheckArguments([]string{"--" + flag + "=1"}, nil, r.version), func(a etcd.Argument) bool {
				return a.Summary == "Argument that etcd does not start with"
			})
			switch {
			case flag == "enable-v2":
				if !refused {
					t.Errorf("--%s is not refused for %s", flag, r.version)
				}
			case accepts && refused:
				t.Errorf("etcd %s takes --%s, which is refused", r.version, flag)
			case !accepts && !refused && !otherwiseRefused(flag, r.version):
				t.Errorf("etcd %s does not take --%s, which passes", r.version, flag)
			}
		}
	}
}

func otherwiseRefused(flag string, v etcd.Version) bool {
	return len(etcd.CheckArguments([]string{"--" + flag + "=1"}, nil, v)) > 0
}

var helpFlag = regexp.MustCompile(`(?m)^  --([a-z0-9-]+)`)

func documented(t *testing.T, all []release) []string {
	t.Helper()
	var flags []string
	for _, r := range all {
		help, err := exec.CommandContext(t.Context(), r.binary, "--help").CombinedOutput()
		if err != nil {
			t.Fatalf("etcd %s --help: %v", r.version, err)
		}
		for _, match := range helpFlag.FindAllStringSubmatch(string(help), -1) {
			flags = append(flags, match[1])
		}
	}
	slices.Sort(flags)
	return slices.Compact(flags)
}

// TestRealEtcdStartsWithEverySetting starts each minor version with all
// settings, twice on the same data, and asks it what it understood.
func TestRealEtcdStartsWithEverySetting(t *testing.T) {
	tuned := map[string]string{
		"auto_compaction_mode": "periodic", "auto_compaction_retention": "7m", "quota_backend_bytes": "123456789",
		"snapshot_count": "5000", "heartbeat_interval": "50ms", "election_timeout": "0.5s", "max_request_bytes": "2097152",
		"max_snapshots": "3", "max_wals": "4", "log_level": "debug", "metrics": "extensive",
		"initial_corrupt_check": "true", "compact_hash_check": "true", "corrupt_check_time": "3h",
	}
	if len(tuned) != len(etcd.Tunables) {
		t.Fatalf("%d settings are tried, the table has %d", len(tuned), len(etcd.Tunables))
	}
	understood := []string{
		`"auto-compaction-mode":"periodic"`, `"auto-compaction-retention":"7m0s"`, `"quota-backend-bytes":123456789`,
		`"snapshot-count":5000`, `"heartbeat-interval":"50ms"`, `"election-timeout":"500ms"`, `"max-request-bytes":2097152`,
		`"max-snapshots":3`, `"max-wals":4`, `"level":"debug"`, `"corrupt-check-time-interval":"3h0m0s"`,
		"starting initial corruption check", // only on data of an earlier life
	}
	for _, r := range releases(t) {
		t.Run(r.version.String(), func(t *testing.T) {
			hash := `"compact-check-time-enabled":true`
			if r.version.Minor > 5 {
				hash = `"feature-gates":"CompactHashCheck=true,InitialCorruptCheck=true"`
			}
			data := t.TempDir()
			flags := etcd.Settings{Tuned: tuned}.Flags(r.version)
			run(t, r, data, flags)
			log, metrics := run(t, r, data, flags)
			for _, want := range append([]string{hash}, understood...) {
				if !strings.Contains(log, want) {
					t.Errorf("etcd %s did not say %s", r.version, want)
				}
			}
			if !strings.Contains(metrics, "grpc_server_handling_seconds_bucket") {
				t.Error("its metrics are not extensive")
			}
			if t.Failed() {
				t.Logf("flags: %q\nlog:\n%s", flags, log)
			}
		})
	}
}

// run starts a member on its own on loopback until it is healthy, and returns
// its log and metrics.
func run(t *testing.T, r release, data string, flags []string) (log, metrics string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client, peer := "http://"+freeport.Address(t), "http://"+freeport.Address(t)
	cmd := exec.CommandContext(ctx, r.binary, append([]string{
		"--name=one", "--data-dir=" + data, "--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=one=" + peer,
	}, flags...)...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var exit error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		exit = cmd.Wait()
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			t.Fatalf("etcd %s with %q ended: %v\n%s", r.version, flags, exit, output.String())
		case <-ctx.Done():
			<-ended
			t.Fatalf("etcd %s with %q was not healthy in time\n%s", r.version, flags, output.String())
		case <-tick.C:
		}
		if _, err := get(ctx, client+"/health"); err == nil {
			break
		}
	}
	metrics, err := get(ctx, client+"/metrics")
	if err != nil {
		t.Error(err)
	}
	cancel()
	<-ended
	return output.String(), metrics
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", url, response.Status, body)
	}
	return string(body), err
}
