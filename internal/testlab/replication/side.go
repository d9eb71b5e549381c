// Package replication runs the programs of internal/topology/replication as processes of this machine: a source and
// followers over directories, on loopback, with busybox and rclone as their only commands.
//
// Layer: test support. It needs no Docker; what Docker adds is tested elsewhere.
package replication

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// Side is one host's part: its storage and the program beside it.
type Side struct {
	// Dir holds all of the side.
	Dir string
	// Data is the storage.
	Data string
	// Extra is appended to the settings file, to shorten what takes long.
	Extra string
	// Counted makes the program the first process of a PID namespace, so that [Side.Processes] can tell how many there
	// were. It needs root, and KillProgram then ends all of them.
	Counted bool

	tools    string
	script   string
	settings func() string

	mu      sync.Mutex
	process *exec.Cmd
	ended   chan struct{}
}

// Site is what all sides share.
type Site struct {
	// Settings are those of the resource; change them between starts.
	Settings replication.Settings
	// Address of the source, host:port.
	Address string

	dir, tools string
	authority  *authority
}

// NewSite prepares a site below dir, whose source will listen on address, host:port. tools is a directory from
// rclone.Install.
func NewSite(dir, tools, address string, s replication.Settings) (*Site, error) {
	authority, err := newAuthority()
	if err != nil {
		return nil, err
	}
	return &Site{Settings: s, Address: address, dir: dir, tools: tools, authority: authority}, nil
}

// Source returns the side of the primary, with an empty storage that carries the marker. It is not started.
func (s *Site) Source(name string) (*Side, error) {
	side, place, err := s.side(name, true)
	if err != nil {
		return nil, err
	}
	side.script = replication.SourceScript()
	side.settings = func() string { return s.Settings.SourceSettings(place, s.Address) }
	return side, nil
}

// Follower returns the side of another replica, likewise, which reaches the source at address, host:port.
func (s *Site) Follower(name, address string) (*Side, error) {
	side, place, err := s.side(name, false)
	if err != nil {
		return nil, err
	}
	side.script = replication.FollowerScript()
	side.settings = func() string { return s.Settings.FollowerSettings(place, "https://"+address) }
	return side, nil
}

func (s *Site) side(name string, server bool) (*Side, replication.Places, error) {
	dir := filepath.Join(s.dir, name)
	place := replication.Places{Root: dir, Run: filepath.Join(dir, "run"), TLS: filepath.Join(dir, "tls")}
	side := &Side{Dir: dir, Data: filepath.Join(dir, "data"), tools: s.tools}
	for _, made := range []string{side.Data, place.Run, place.TLS} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			return nil, place, err
		}
	}
	for _, made := range append([]string{replication.DefaultMetadataDir}, replication.DefaultLayerDirs...) {
		if err := os.MkdirAll(filepath.Join(side.Data, made), 0o755); err != nil {
			return nil, place, err
		}
	}
	if err := os.WriteFile(filepath.Join(side.Data, replication.Sentinel), []byte(s.Settings.RegistryID+"\n"), 0o644); err != nil {
		return nil, place, err
	}
	return side, place, s.authority.issue(place.TLS, name, server)
}

// Start starts the program with the settings of the moment. Its output is appended to the file log in Dir.
func (s *Side) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return errors.New("it runs already")
	}
	files := map[string]string{"script": s.script, "settings": s.settings() + s.Extra}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(filepath.Join(s.tools, "sh"), filepath.Join(s.Dir, "script"), filepath.Join(s.Dir, "settings"))
	cmd.Env = []string{"PATH=" + s.tools}
	cmd.Stdout, cmd.Stderr = log, log
	// As process 1 of a container, the program is the leader of its group. It ends, with its group, when a test is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if s.Counted {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	s.process, s.ended = cmd, ended
	return nil
}

// Stop ends the program as `docker stop` does. The error says that it took longer than 5 s.
func (s *Side) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	_ = s.process.Process.Signal(syscall.SIGTERM)
	defer s.killGroup()
	select {
	case <-s.ended:
		return nil
	case <-time.After(5 * time.Second):
		return errors.New("the program did not end within 5 s of SIGTERM")
	}
}

// Kill ends the program and all that it started, as the end of a container does.
func (s *Side) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.killGroup()
	}
}

// KillProgram ends the program alone: what it started goes on for a while.
func (s *Side) KillProgram() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		_ = s.process.Process.Kill()
		<-s.ended
		s.process = nil
	}
}

func (s *Side) killGroup() {
	_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL)
	<-s.ended
	s.process = nil
}

// Log is the program's output so far.
func (s *Side) Log() string {
	log, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
	return string(log)
}

// Status is what a follower says of itself.
func (s *Side) Status() (replication.Status, error) {
	data, err := os.ReadFile(filepath.Join(s.Dir, "run", "status.json"))
	if err != nil {
		return replication.Status{}, err
	}
	return replication.ParseStatus(data)
}

// SourceStatus is what a source says of itself.
func (s *Side) SourceStatus() (replication.SourceStatus, error) {
	data, err := os.ReadFile(filepath.Join(s.Dir, "run", "status.json"))
	if err != nil {
		return replication.SourceStatus{}, err
	}
	return replication.ParseSourceStatus(data)
}

// Await polls until done returns nil, and returns its last error when ctx ends before.
func Await(ctx context.Context, what string, done func() error) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := done()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, err)
		case <-ticker.C:
		}
	}
}

// PID is the program's process ID, 0 when it does not run.
func (s *Side) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Process.Pid
}

// Processes is how many processes the program, which is Counted, has started so far, each subshell among them.
func (s *Side) Processes() (int, error) {
	// What the kernel answers is of the namespace of whoever asks, who is one more.
	output, err := exec.Command(filepath.Join(s.tools, "nsenter"), "-t", strconv.Itoa(s.PID()), "-p",
		filepath.Join(s.tools, "cat"), "/proc/sys/kernel/ns_last_pid").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("count processes: %w: %s", err, output)
	}
	return strconv.Atoi(strings.TrimSpace(string(output)))
}
