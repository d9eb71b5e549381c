package replication

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/rclone"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// Measurement is what [Measure] found.
type Measurement struct {
	// Bytes of layers, in how many files.
	Bytes int64
	Files int
	// Follower and Rsync are the times to copy them to an empty replica, by
	// round: by the engine, flushed to disk; and by rsync over ssh, not flushed.
	Follower, Rsync []time.Duration
}

// Measure copies files of random content, bytes in all, from one directory below dir to another: rounds times by the
// engine and by rsync over an sshd of its own, in turn, all on loopback. It needs rsync, sshd and root.
func Measure(ctx context.Context, dir string, bytes int64, files, rounds int) (Measurement, error) {
	m := Measurement{Bytes: bytes, Files: files}
	tools := filepath.Join(dir, "tools")
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return m, err
	}
	if err := rclone.Install(ctx, tools); err != nil {
		return m, err
	}
	address, err := freeport.Find("127.0.0.1")
	if err != nil {
		return m, err
	}
	site, err := NewSite(dir, tools, address, replication.Settings{Owner: "bench", RegistryID: "bench", Term: 1, Interval: 1})
	if err != nil {
		return m, err
	}
	source, err := site.Source("primary")
	if err != nil {
		return m, err
	}
	for i := range files {
		if err := randomFile(filepath.Join(source.Data, "images_dir", fmt.Sprintf("%d.ank", i)), bytes/int64(files)); err != nil {
			return m, err
		}
	}
	if err := source.Start(); err != nil {
		return m, err
	}
	defer source.Kill()
	if err := Await(ctx, "the source", func() error {
		if s, err := source.SourceStatus(); err != nil || s.State != "ok" {
			return fmt.Errorf("status %+v: %w", s, errors.Join(err))
		}
		return nil
	}); err != nil {
		return m, err
	}
	shell, stop, err := startSSH(ctx, dir)
	if err != nil {
		return m, err
	}
	defer stop()
	for round := range rounds {
		took, err := followOnce(ctx, site, fmt.Sprintf("replica-%d", round))
		if err != nil {
			return m, err
		}
		m.Follower = append(m.Follower, took)
		if took, err = rsyncOnce(ctx, shell, filepath.Join(source.Data, "images_dir"), filepath.Join(dir, "rsync")); err != nil {
			return m, err
		}
		m.Rsync = append(m.Rsync, took)
	}
	return m, nil
}

// MeasurePass measures what a look at everything costs where nothing has changed: the time, by round, from the start of
// a follower that already has templates of so many layers each until it says that it is in sync.
func MeasurePass(ctx context.Context, dir string, templates, layers, rounds int) ([]time.Duration, error) {
	tools := filepath.Join(dir, "tools")
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return nil, err
	}
	if err := rclone.Install(ctx, tools); err != nil {
		return nil, err
	}
	address, err := freeport.Find("127.0.0.1")
	if err != nil {
		return nil, err
	}
	site, err := NewSite(dir, tools, address, replication.Settings{Owner: "bench", RegistryID: "bench", Term: 1, Interval: 1})
	if err != nil {
		return nil, err
	}
	source, err := site.Source("primary")
	if err != nil {
		return nil, err
	}
	if err := Fill(source.Data, templates, layers); err != nil {
		return nil, err
	}
	if err := source.Start(); err != nil {
		return nil, err
	}
	defer source.Kill()
	follower, err := site.Follower("replica", site.Address)
	if err != nil {
		return nil, err
	}
	var passes []time.Duration
	for round := range rounds + 1 {
		begun := time.Now()
		if err := follower.Start(); err != nil {
			return passes, err
		}
		if err := inSync(ctx, follower); err != nil {
			follower.Kill()
			return passes, err
		}
		if round > 0 { // the first one copies
			passes = append(passes, time.Since(begun))
		}
		if err := follower.Stop(); err != nil {
			return passes, err
		}
		if err := os.Remove(filepath.Join(follower.Dir, "run", "status.json")); err != nil {
			return passes, err
		}
	}
	return passes, nil
}

func inSync(ctx context.Context, follower *Side) error {
	return Await(ctx, "the follower", func() error {
		s, err := follower.Status()
		if err == nil && !s.InSync {
			err = fmt.Errorf("status %+v", s)
		}
		return err
	})
}

func followOnce(ctx context.Context, site *Site, name string) (time.Duration, error) {
	follower, err := site.Follower(name, site.Address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(follower.Dir) }()
	begun := time.Now()
	if err := follower.Start(); err != nil {
		return 0, err
	}
	defer follower.Kill()
	err = inSync(ctx, follower)
	return time.Since(begun), err
}

func rsyncOnce(ctx context.Context, shell, from, to string) (time.Duration, error) {
	defer func() { _ = os.RemoveAll(to) }()
	begun := time.Now()
	output, err := exec.CommandContext(ctx, "rsync", "-a", "--mkpath", "-e", shell, from+"/", "127.0.0.1:"+to+"/").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("rsync: %w: %s", err, output)
	}
	return time.Since(begun), nil
}

// startSSH runs an sshd that lets root in with a key of its own, and returns the command that uses it.
func startSSH(ctx context.Context, dir string) (string, func(), error) {
	key := filepath.Join(dir, "key")
	if output, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("ssh-keygen: %w: %s", err, output)
	}
	address, err := freeport.Find("127.0.0.1")
	if err != nil {
		return "", nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd's own condition
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, "/usr/sbin/sshd", "-D", "-f", os.DevNull, "-p", port, "-h", key, "-o", "ListenAddress=127.0.0.1",
		"-o", "AuthorizedKeysFile="+key+".pub", "-o", "StrictModes=no", "-o", "PermitRootLogin=yes", "-o", "PidFile=none")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if err := Await(ctx, "sshd", func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}); err != nil {
		stop()
		return "", nil, err
	}
	return "ssh -p " + port + " -i " + key + " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR", stop, nil
}

func randomFile(path string, size int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.CopyN(file, rand.Reader, size)
	return errors.Join(err, file.Sync(), file.Close())
}

// Fill puts templates of so many small layers each into a storage, as a registry would have written them.
func Fill(data string, templates, layers int) error {
	for t := range templates {
		dir := filepath.Join(data, "vm_dir", fmt.Sprintf("template-%04d", t))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		names := make([]string, layers)
		for l := range layers {
			var id [8]byte
			if _, err := rand.Read(id[:]); err != nil {
				return err
			}
			names[l] = hex.EncodeToString(id[:]) + ".ank"
			if err := os.WriteFile(filepath.Join(data, "images_dir", names[l]), id[:], 0o644); err != nil {
				return err
			}
		}
		for name, content := range map[string]string{
			"template.json": fmt.Sprintf(`{"id":"template-%04d","name":"t"}`, t),
			"tag-0.json":    `{"number":0,"tag":"v0","images":["` + strings.Join(names, `","`) + `"],"state_files":[],"config_file":"config-0.yaml"}`,
			"config-0.yaml": "template " + strconv.Itoa(t),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
