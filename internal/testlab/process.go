package testlab

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed boot/host.sh
var hostScript string

//go:embed boot/switch.sh
var switchScript string

// Process identifies a process beyond the reuse of its number: the kernel's start time (clock ticks since boot) is
// recorded with it, and a process with another start time is never signalled.
type Process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// processOf returns the identity of the running process pid.
func processOf(pid int) (Process, error) {
	start, _, err := processStat(pid)
	return Process{PID: pid, Start: start}, err
}

// processStat reads the start time and the state letter of a process.
func processStat(pid int) (start uint64, state string, err error) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, "", err
	}
	// The second field is the command in parentheses and may hold blanks; everything after the last ")" is regular.
	end := bytes.LastIndexByte(raw, ')')
	fields := strings.Fields(string(raw[end+1:]))
	if len(fields) < 20 {
		return 0, "", fmt.Errorf("unexpected /proc/%d/stat %q", pid, raw)
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return start, fields[0], err
}

// Alive reports whether the very process that was recorded still runs. A zombie counts as gone.
func (p Process) Alive() bool {
	if p.PID <= 0 {
		return false
	}
	start, state, err := processStat(p.PID)
	return err == nil && start == p.Start && state != "Z" && state != "X"
}

// kill ends the recorded process with SIGKILL and waits until it and, for the first process of a PID namespace,
// everything in it is gone. It returns nil when the process no longer runs.
func (p Process) kill(ctx context.Context) error {
	if !p.Alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill process %d: %w", p.PID, err)
	}
	return poll(ctx, fmt.Sprintf("process %d to end", p.PID), func() (bool, error) { return !p.Alive(), nil })
}

// poll calls done every 20 ms until it returns true or an error, or until ctx ends; the error then says what was waited for.
func poll(ctx context.Context, what string, done func() (bool, error)) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, errors.Join(ctx.Err(), err))
		case <-ticker.C:
		}
	}
}

// run executes a command and returns its standard output; the error carries what the command wrote to standard error.
func run(ctx context.Context, name string, args ...string) (string, error) {
	return runInput(ctx, "", name, args...)
}

// runInput is run with text on the command's standard input.
func runInput(ctx context.Context, input, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	// A command that leaves a daemon behind may leave it our pipes too: do not wait for those.
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String())
		if said == "" {
			said = strings.TrimSpace(stdout.String())
		}
		return stdout.String(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, said)
	}
	return stdout.String(), nil
}

// first is a started first process of a set of namespaces.
type first struct {
	Process
	// owner is the pipe whose closing ends the process; nil once it was told to stay.
	owner *os.File
}

// startFirst runs a shell script as PID 1 of new namespaces and waits until it says that it is ready. It ends with this
// process unless keep is called.
func startFirst(ctx context.Context, script string, clone uintptr, args ...string) (*first, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	// Not CommandContext: the process outlives the call that starts it.
	cmd := exec.Command("sh", append([]string{script}, args...)...)
	cmd.ExtraFiles = []*os.File{reader}
	said, say, err := os.Pipe()
	if err != nil {
		_ = writer.Close()
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = say, say
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: clone | syscall.CLONE_NEWPID}
	err = cmd.Start()
	_ = say.Close()
	if err != nil {
		_ = writer.Close()
		_ = said.Close()
		return nil, fmt.Errorf("start in new namespaces: %w", err)
	}
	booted := make(chan error, 1)
	go func() {
		booted <- readReady(said)
		_ = said.Close()
		_ = cmd.Wait() // reaps it whenever it ends
	}()
	fail := func(why error) (*first, error) {
		_ = writer.Close()
		_ = cmd.Process.Kill()
		return nil, why
	}
	select {
	case err := <-booted:
		if err != nil {
			return fail(err)
		}
	case <-ctx.Done():
		return fail(fmt.Errorf("boot script said nothing: %w", ctx.Err()))
	}
	process, err := processOf(cmd.Process.Pid)
	if err != nil {
		return fail(err)
	}
	return &first{Process: process, owner: writer}, nil
}

// readReady reads a boot script's output until its line "ready"; anything else it said is the error.
func readReady(from io.Reader) error {
	var complaints []string
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		if lines.Text() == "ready" {
			return nil
		}
		complaints = append(complaints, lines.Text())
	}
	return fmt.Errorf("boot script ended early: %s", strings.Join(complaints, "; "))
}

// keep lets the process live on after its owner ends.
func (f *first) keep() error {
	if f.owner == nil {
		return nil
	}
	_, err := f.owner.WriteString("keep\n")
	err = errors.Join(err, f.owner.Close())
	f.owner = nil
	return err
}

// release closes the owner's end of the pipe after the process was ended.
func (f *first) release() {
	if f != nil && f.owner != nil {
		_ = f.owner.Close()
		f.owner = nil
	}
}
