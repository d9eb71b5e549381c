package testlab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// Environment variables of the acceptance tests, besides TF_ACC.
const (
	// EnvHosts holds the JSON of the provider's hosts map: real hosts to use instead of the lab.
	EnvHosts = "ANKA_HOSTS"
	// EnvLab names a running lab (`lab up --name …`) to use instead of one that ends with the test process.
	EnvLab = "ANKA_LAB"
	// EnvKeep, set to 1, leaves the lab of a failed test process running for a look at it.
	EnvKeep = "LAB_KEEP"
	// EnvEtcdImage, EnvControllerImage and EnvRegistryImage name the images to use on real hosts.
	EnvEtcdImage       = "ANKA_TEST_ETCD_IMAGE"
	EnvControllerImage = "ANKA_TEST_CONTROLLER_IMAGE"
	EnvRegistryImage   = "ANKA_TEST_REGISTRY_IMAGE"
)

// Target is what an acceptance test runs against.
type Target struct {
	// Lab is nil on real hosts; faults exist only on the lab, and LabForTest says so to those who need them.
	Lab *Lab
	// EtcdImage, ControllerImage and RegistryImage are names that the hosts know or can pull; empty on real hosts when
	// the environment names none, which means the provider's defaults.
	EtcdImage, ControllerImage, RegistryImage string

	real string
}

// HostsJSON returns the provider's hosts map as JSON: on the lab for one of Transports, on real hosts what ANKA_HOSTS says.
func (t *Target) HostsJSON(transport string) (string, error) {
	if t.Lab == nil {
		return t.real, nil
	}
	return t.Lab.HostsJSON(transport)
}

// HostNames returns the keys of the hosts map, in no particular order on real hosts.
func (t *Target) HostNames() ([]string, error) {
	var names []string
	if t.Lab != nil {
		for _, host := range t.Lab.Hosts {
			names = append(names, host.Name)
		}
		return names, nil
	}
	hosts := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(t.real), &hosts); err != nil {
		return nil, fmt.Errorf("%s is not the JSON of a hosts map: %w", EnvHosts, err)
	}
	for name := range hosts {
		names = append(names, name)
	}
	return names, nil
}

// shared is the lab of this test process; tests take turns on it.
var shared struct {
	turn   sync.Mutex
	lab    *Lab
	main   bool
	unlock func()
	holder string
	mu     sync.Mutex
}

// Main runs a package's tests and takes the lab down that they used. A package with acceptance tests needs
//
//	func TestMain(m *testing.M) { testlab.Main(m) }
//
// A process that is killed leaves no running host either: hosts end with the process that made them, and their files
// are removed by the next Up, Down or Sweep on the machine.
func Main(m interface{ Run() int }) {
	shared.main = true
	code := m.Run()
	if err := endShared(code != 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func endShared(failed bool) error {
	lab := shared.lab
	if lab == nil {
		return nil
	}
	if shared.unlock != nil { // somebody else's lab
		shared.unlock()
		return nil
	}
	if failed && os.Getenv(EnvKeep) == "1" {
		fmt.Fprintf(os.Stderr, "lab %s is kept: `go run ./internal/testlab/cmd/lab status --name %s`, `… down --name %s`\n", lab.Name, lab.Name, lab.Name)
		if err := lab.keep(); err != nil {
			return err
		}
		return lab.save()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return lab.Down(ctx)
}

// ForTest returns what an acceptance test runs against: a lab of at least three hosts, shared by the tests of the
// process one after the other and clean at the start of each, or the real hosts of ANKA_HOSTS. Call it once per
// top-level test. Without TF_ACC the test is skipped, as every Terraform acceptance test is; without root and without
// ANKA_HOSTS it fails and says what to do. When the test failed, the containers and their logs are printed.
func ForTest(t testing.TB) *Target {
	t.Helper()
	return ForTestWith(t, defaultHostNumber)
}

// ForTestWith is ForTest with at least so many hosts.
func ForTestWith(t testing.TB, hosts int) *Target {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("TF_ACC is not set: acceptance tests run with TF_ACC=1")
	}
	if given := os.Getenv(EnvHosts); given != "" {
		target := &Target{
			real: given, EtcdImage: os.Getenv(EnvEtcdImage),
			ControllerImage: os.Getenv(EnvControllerImage), RegistryImage: os.Getenv(EnvRegistryImage),
		}
		names, err := target.HostNames()
		if err != nil {
			t.Fatal(err)
		}
		if len(names) < hosts {
			t.Fatalf("this test needs %d hosts, %s names %d", hosts, EnvHosts, len(names))
		}
		return target
	}
	return &Target{
		Lab: takeTurn(t, hosts), EtcdImage: images.Etcd35, ControllerImage: images.Controller, RegistryImage: images.Registry,
	}
}

// LabForTest is ForTestWith for tests that need the lab itself: faults, or a look at the hosts' disks.
func LabForTest(t testing.TB, hosts int) *Lab {
	t.Helper()
	target := ForTestWith(t, hosts)
	if target.Lab == nil {
		t.Fatalf("this test breaks hosts on purpose and runs on the lab only: unset %s and run as root", EnvHosts)
	}
	return target.Lab
}

// takeTurn waits until no other test uses the lab and returns it clean and with enough hosts.
func takeTurn(t testing.TB, hosts int) *Lab {
	t.Helper()
	if !shared.main {
		t.Fatal("this package's tests use the lab: add `func TestMain(m *testing.M) { testlab.Main(m) }`, which takes it down")
	}
	shared.mu.Lock()
	holder := shared.holder
	shared.mu.Unlock()
	if holder != "" && strings.HasPrefix(t.Name(), holder+"/") {
		t.Fatalf("test %s holds the lab: pass it to the subtest instead of asking again", holder)
	}
	shared.turn.Lock()
	setHolder(t.Name())
	t.Cleanup(func() {
		if t.Failed() {
			if shared.lab != nil {
				t.Log(shared.lab.Report())
			}
		}
		setHolder("")
		shared.turn.Unlock()
	})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	lab, err := sharedLab(ctx, hosts, t.Logf)
	if err != nil {
		t.Fatalf("no lab for acceptance tests: %v", err)
	}
	return lab
}

func setHolder(name string) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.holder = name
}

// sharedLab returns the process's lab, clean. The caller holds shared.turn.
func sharedLab(ctx context.Context, hosts int, log func(string, ...any)) (*Lab, error) {
	if name := os.Getenv(EnvLab); name != "" && shared.lab == nil {
		unlock, err := lock(ctx, "use-"+name)
		if err != nil {
			return nil, err
		}
		if shared.lab, err = Attach(name); err != nil {
			unlock()
			return nil, err
		}
		shared.unlock = unlock
	}
	if lab := shared.lab; lab != nil && len(lab.Hosts) >= hosts {
		return lab, lab.Reset(ctx)
	}
	if lab := shared.lab; lab != nil {
		if shared.unlock != nil {
			return nil, fmt.Errorf("lab %s has %d hosts and this test needs %d: make it with --hosts %d", lab.Name, len(lab.Hosts), hosts, hosts)
		}
		shared.lab = nil
		if err := lab.Down(ctx); err != nil {
			return nil, err
		}
	}
	lab, err := Up(ctx, Options{Name: fmt.Sprintf("test-%d", os.Getpid()), Hosts: hosts, Log: log})
	if err != nil {
		return nil, err
	}
	shared.lab = lab
	return lab, nil
}

// Report describes all hosts with their containers and the end of each container's log, for a failed test's output.
func (l *Lab) Report() string {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var text strings.Builder
	for _, host := range l.Hosts {
		fmt.Fprintf(&text, "--- host %s (%s)\n", host.Name, host.Address)
		if !host.Running() {
			text.WriteString("powered off\n")
			continue
		}
		said, err := host.Run(ctx, `timeout 8 docker ps -a --format '{{.Names}}  {{.Image}}  {{.Status}}  {{.Ports}}'
for name in $(timeout 4 docker ps -a --format '{{.Names}}'); do echo "--- log of $name"; timeout 4 docker logs --tail 20 "$name" 2>&1; done; true`)
		text.WriteString(said)
		if err != nil {
			fmt.Fprintln(&text, err)
		}
	}
	return text.String()
}
