package testlab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strings"
)

// programs are what a lab needs, by the Debian package that has it.
var programs = map[string]string{
	"dockerd": "docker.io", "docker": "docker.io", "containerd": "containerd", "runc": "runc",
	"ip": "iproute2", "iptables": "iptables", "sshd": "openssh-server", "mkfs.ext4": "e2fsprogs",
	"busybox": "busybox-static", "rsync": "rsync", "nsenter": "util-linux", "setsid": "util-linux", "pivot_root": "util-linux", "mount": "mount", "bash": "bash",
}

// policyPath is Debian's switch that keeps an installation from starting services.
const policyPath = "/usr/sbin/policy-rc.d"

// savedSuffix marks the policy that the guard replaced, which lies beside it meanwhile.
const savedSuffix = ".anka-lab-saved"

// policyGuard is what the switch holds during an installation; the second line is how a later run recognises it.
const policyGuard = "#!/bin/sh\n# anka-lab: no service starts while the lab installs packages\nexit 101\n"

// Prerequisites makes sure that this process may and can make labs: it is root, and the programs are there. On Debian
// and Ubuntu missing ones are installed; elsewhere the error says what to install.
func Prerequisites(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("the lab needs root (network namespaces, mounts, Docker daemons): run as root, " +
			"or name real hosts in ANKA_HOSTS as the JSON of the provider's hosts map")
	}
	// A root shell opened with plain `su` has no sbin in its PATH.
	if path := os.Getenv("PATH"); !strings.Contains(":"+path+":", ":/usr/sbin:") {
		if err := os.Setenv("PATH", path+":/usr/local/sbin:/usr/sbin:/sbin"); err != nil {
			return err
		}
	}
	interrupted, _ := os.ReadFile(policyPath)
	if len(missing()) == 0 && string(interrupted) != policyGuard {
		return nil
	}
	unlock, err := lock(ctx, "install")
	if err != nil {
		return err
	}
	defer unlock()
	absent := missing() // another process may have installed them while this one waited
	if len(absent) == 0 {
		return endGuard(policyPath)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("the lab needs %s: install Docker (dockerd, containerd, runc and the docker command), OpenSSH server, "+
			"iproute2, iptables, e2fsprogs and util-linux, without starting them", strings.Join(absent, ", "))
	}
	if err := install(ctx, absent); err != nil {
		return fmt.Errorf("the lab needs %s: %w", strings.Join(absent, ", "), err)
	}
	if absent = missing(); len(absent) > 0 {
		return fmt.Errorf("the lab needs %s, and installing their packages did not bring them", strings.Join(absent, ", "))
	}
	return nil
}

// missing returns the programs that are not in PATH, sorted.
func missing() []string {
	var absent []string
	for program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			absent = append(absent, program)
		}
	}
	sort.Strings(absent)
	return absent
}

// install installs the Debian packages of some programs without starting any service.
func install(ctx context.Context, absent []string) (err error) {
	wanted := map[string]bool{}
	for _, program := range absent {
		wanted[programs[program]] = true
	}
	packages := make([]string, 0, len(wanted))
	for name := range wanted {
		packages = append(packages, name)
	}
	sort.Strings(packages)
	restore, err := guardServices(policyPath)
	if err != nil {
		return fmt.Errorf("keep services from starting: %w", err)
	}
	defer func() { err = errors.Join(err, restore()) }()
	if err := apt(ctx, "update"); err != nil {
		return err
	}
	return apt(ctx, append([]string{"install", "-y", "--no-install-recommends"}, packages...)...)
}

// apt runs apt-get without questions; its output is shown only when it fails.
func apt(ctx context.Context, args ...string) error {
	args = append([]string{"-q", "-o", "DPkg::Lock::Timeout=300"}, args...)
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, output.String())
	}
	return nil
}

// guardServices replaces Debian's service switch and returns the function that puts the old one back. The old one lies
// beside it meanwhile, so that a run after a crash can restore it too.
func guardServices(path string) (restore func() error, err error) {
	current, err := os.ReadFile(path)
	switch {
	case err == nil && string(current) == policyGuard: // ours, from a run that was killed
	case err == nil:
		if err := os.Rename(path, path+savedSuffix); err != nil {
			return nil, err
		}
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	restore = func() error { return endGuard(path) }
	if err := os.WriteFile(path, []byte(policyGuard), 0o755); err != nil {
		return nil, errors.Join(err, restore())
	}
	return restore, nil
}

// endGuard removes the guard, if it is there, and puts what it replaced back.
func endGuard(path string) error {
	current, err := os.ReadFile(path)
	if err != nil || string(current) != policyGuard {
		return nil //nolint:nilerr // no guard
	}
	saved := path + savedSuffix
	if _, err := os.Stat(saved); err == nil {
		return os.Rename(saved, path)
	}
	return os.Remove(path)
}
