package testlab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Down ends the lab and removes everything that it made.
func (l *Lab) Down(ctx context.Context) error {
	err := Down(ctx, l.Name)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sw.release()
	for _, host := range l.Hosts {
		host.first.release()
	}
	return err
}

// Down ends the lab of that name, whoever made it, and removes everything that it made; nil when there is none.
func Down(ctx context.Context, name string) error {
	if !labName.MatchString(name) {
		return fmt.Errorf("lab name %q: want 1 to 20 lower-case letters, digits or inner dashes", name)
	}
	unlock, err := lock(ctx, "lab-"+name)
	if err != nil {
		return err
	}
	defer unlock()
	return sweepLab(ctx, name)
}

// Sweep removes all labs of this machine whose owner ended without taking them down. Labs that are being made or used
// are left alone. log may be nil.
func Sweep(ctx context.Context, log func(format string, args ...any)) error {
	names, err := Names()
	if err != nil {
		return err
	}
	var failed error
	for _, name := range names {
		failed = errors.Join(failed, sweepDead(ctx, name, log))
	}
	return failed
}

// sweepDead removes one lab if it is dead and nobody else is at it.
func sweepDead(ctx context.Context, name string, log func(format string, args ...any)) error {
	now, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	unlock, err := lock(now, "lab-"+name)
	if err != nil {
		return nil // whoever holds the lock is making it or taking it down
	}
	defer unlock()
	found, err := loadState(name)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(stateDir(name)); err != nil {
			return nil // gone in the meantime
		}
	}
	if err == nil && found.running() {
		return nil
	}
	if log != nil {
		log("removing lab %s, whose owner ended without taking it down", name)
	}
	return sweepLab(ctx, name)
}

// sweepLab ends and removes everything of a lab, from its state file or without. It is idempotent. The caller holds the
// lab's lock.
func sweepLab(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var failed error
	if found, err := loadState(name); err == nil {
		for _, host := range found.Hosts {
			failed = errors.Join(failed, host.First.kill(ctx))
		}
		failed = errors.Join(failed, found.Switch.kill(ctx))
	}
	failed = errors.Join(failed,
		removeLink(ctx, linkOf(name)),
		poll(ctx, "loop devices to detach", func() (bool, error) {
			left, err := loopDevices(stateDir(name))
			return err == nil && len(left) == 0, err
		}),
		removeCgroups(ctx, name),
	)
	if failed != nil {
		return fmt.Errorf("take down lab %s: %w", name, failed)
	}
	if mounts, err := mountsBelow(stateDir(name)); err != nil || len(mounts) > 0 {
		return errors.Join(fmt.Errorf("take down lab %s: will not delete files below mounts %v", name, mounts), err)
	}
	unlock, err := lock(ctx, "allocate")
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.RemoveAll(stateDir(name)); err != nil {
		return fmt.Errorf("take down lab %s: %w", name, err)
	}
	_ = os.Remove(root) // succeeds for the last lab only
	return nil
}

// Leftovers lists everything of a lab that is on this machine: empty after Down, whatever happened before.
func Leftovers(ctx context.Context, name string) ([]string, error) {
	var left []string
	dir := stateDir(name)
	if _, err := os.Stat(dir); err == nil {
		left = append(left, "files "+dir)
	}
	if linkExists(linkOf(name)) {
		left = append(left, "interface "+linkOf(name))
	}
	processes, err := processesOf(name)
	if err != nil {
		return nil, err
	}
	for _, pid := range processes {
		left = append(left, "process "+strconv.Itoa(pid))
	}
	for _, list := range []func() ([]string, error){
		func() ([]string, error) { return loopDevices(dir) },
		func() ([]string, error) { return mountsBelow(dir) },
		func() ([]string, error) { return cgroups(name) },
	} {
		found, err := list()
		if err != nil {
			return nil, err
		}
		left = append(left, found...)
	}
	return left, ctx.Err()
}

// processesOf finds the processes of a lab without its state file: those that see one of its disks, and its first
// processes by their arguments.
func processesOf(name string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []int
	disk := regexp.MustCompile(` ` + regexp.QuoteMeta(stateDir(name)) + `/h[0-9]+/disk\.img `)
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		mounts, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "mountinfo"))
		arguments, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if disk.Match(mounts) || strings.Contains(string(arguments), "\x00"+stateDir(name)+"/") {
			found = append(found, pid)
		}
	}
	return found, nil
}

// loopDevices lists the loop devices whose file lies below dir.
func loopDevices(dir string) ([]string, error) {
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, file := range files {
		backing, err := os.ReadFile(file)
		if err == nil && strings.HasPrefix(string(backing), dir+"/") {
			found = append(found, "loop device "+strings.Split(file, "/")[3]+" on "+strings.TrimSpace(string(backing)))
		}
	}
	return found, nil
}

// mountsBelow lists this machine's mounts below dir.
func mountsBelow(dir string) ([]string, error) {
	return mountTable(func(fields []string) string {
		if strings.HasPrefix(fields[1], dir+"/") {
			return "mount " + fields[1]
		}
		return ""
	})
}

// cgroups lists the control groups of a lab's hosts in all hierarchies.
func cgroups(name string) ([]string, error) {
	mine := regexp.MustCompile(`^anka-lab-` + regexp.QuoteMeta(name) + `-h[0-9]+$`)
	hierarchies, err := mountTable(func(fields []string) string {
		if fields[2] == "cgroup" || fields[2] == "cgroup2" {
			return fields[1]
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	var found []string
	for _, hierarchy := range hierarchies {
		entries, err := os.ReadDir(hierarchy)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if mine.MatchString(entry.Name()) {
				found = append(found, filepath.Join(hierarchy, entry.Name()))
			}
		}
	}
	return found, nil
}

// removeCgroups removes the control groups of all hosts; they empty themselves once the last process is gone.
func removeCgroups(ctx context.Context, name string) error {
	return poll(ctx, "control groups to empty", func() (bool, error) {
		found, err := cgroups(name)
		if err != nil {
			return false, err
		}
		for _, group := range found {
			err = errors.Join(err, removeCgroup(group))
		}
		return err == nil, err
	})
}

// removeCgroup removes a control group and those in it, innermost first; its files go with it.
func removeCgroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeCgroup(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// removeLink removes this machine's end of the cable to the switch, which goes by itself with the switch, but later.
func removeLink(ctx context.Context, link string) error {
	if !linkExists(link) {
		return nil
	}
	// Deleting fails when the kernel was faster: only a link that is still there is a failure.
	if _, err := run(ctx, "ip", "link", "del", link); err != nil && linkExists(link) {
		return err
	}
	return nil
}

func linkExists(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}

// mountTable returns what pick makes of the lines of this process's mount table, without the empty ones.
func mountTable(pick func(fields []string) string) ([]string, error) {
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var found []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) >= 3 {
			if picked := pick(fields); picked != "" {
				found = append(found, picked)
			}
		}
	}
	return found, lines.Err()
}
