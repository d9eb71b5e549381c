package rclone

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

// ObjectStore is a server of the S3 protocol over a directory, in which every directory is a bucket.
type ObjectStore struct {
	// URL is its endpoint.
	URL string
	// KeyID and Secret are the only credentials it takes.
	KeyID, Secret string

	stop context.CancelFunc
	done chan error
	log  bytes.Buffer
}

// ServeObjectStore starts a server on an address of this machine, on a free port, over dir with an empty bucket of each
// name in it. It ends with ctx.
func ServeObjectStore(ctx context.Context, address, dir string, buckets ...string) (*ObjectStore, error) {
	for _, bucket := range buckets {
		if err := os.MkdirAll(filepath.Join(dir, bucket), 0o755); err != nil {
			return nil, err
		}
	}
	binary, err := Binary(ctx)
	if err != nil {
		return nil, err
	}
	at, err := freeport.Find(address)
	if err != nil {
		return nil, fmt.Errorf("serve an object store: %w", err)
	}
	s := &ObjectStore{URL: "http://" + at, KeyID: "lab-key", Secret: "canary-object-store-secret", done: make(chan error, 1)}
	ctx, s.stop = context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, binary, "serve", "s3", "--config", "", "--addr", at, "--auth-key", s.KeyID+","+s.Secret,
		// What is written is in dir at once, for tests look there. That dir is read again need not be at once: with 0 s the
		// server does nothing else any more.
		"--vfs-cache-mode", "off", "--dir-cache-time", "1s", dir)
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		s.stop()
		return nil, err
	}
	go func() { s.done <- cmd.Wait() }()
	if err := s.answers(ctx, at); err != nil {
		s.Close()
		return nil, fmt.Errorf("serve an object store on %s: %w: %s", at, err, s.log.String())
	}
	return s, nil
}

// startTimeout is how long a server may take until it answers.
const startTimeout = 10 * time.Second

func (s *ObjectStore) answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case err := <-s.done:
			s.done <- err
			return fmt.Errorf("it ended: %w", err)
		case <-ctx.Done():
			return err
		case <-again.C:
		}
	}
}

// Close ends the server.
func (s *ObjectStore) Close() {
	s.stop()
	<-s.done //nolint:errcheck // it was killed
}
