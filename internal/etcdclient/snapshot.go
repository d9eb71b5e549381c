package etcdclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// Snapshot describes a database that was saved.
type Snapshot struct {
	// Bytes is the length of what was written, with the checksum at its end.
	Bytes int64
	// Version of the etcd that made it, such as 3.6.16, which is the one to
	// restore it with.
	Version string
	// SHA256 of the database, in hexadecimal. `sha256sum` of the file is
	// another: etcd appends this one to the database.
	SHA256 string
}

// Snapshot streams the member's database to w in the format that
// `etcdutl snapshot restore` reads: the database, then its SHA-256. What was
// written is worth nothing unless the error is nil; [ErrCorruptSnapshot] means
// that it ended early or that its checksum is wrong.
func (c *Client) Snapshot(ctx context.Context, w io.Writer) (Snapshot, error) {
	// The stream tells the version of the format at most, and before 3.6 none.
	status, err := c.client.Status(ctx, c.url)
	if err != nil {
		return Snapshot{}, c.failed("version for a snapshot", err)
	}
	ctx, cancel := context.WithCancel(ctx) // ends the stream when w fails
	defer cancel()
	stream, err := c.client.SnapshotWithVersion(ctx)
	if err != nil {
		return Snapshot{}, c.failed("snapshot", err)
	}
	defer stream.Snapshot.Close()
	check := newChecksum()
	if _, err := io.Copy(io.MultiWriter(w, check), stream.Snapshot); err != nil {
		return Snapshot{}, c.failed(fmt.Sprintf("snapshot, after %d bytes", check.bytes), err)
	}
	sum, err := check.verify()
	if err != nil {
		return Snapshot{}, c.failed("snapshot", err)
	}
	return Snapshot{Bytes: check.bytes, SHA256: sum, Version: status.Version}, nil
}

// checksum hashes everything that is written to it but the last 32 bytes, which
// are what etcd says the hash is.
type checksum struct {
	sum   hash.Hash
	tail  []byte
	bytes int64
}

func newChecksum() *checksum { return &checksum{sum: sha256.New()} }

// Write takes the next part. It never fails.
func (s *checksum) Write(p []byte) (int, error) {
	s.bytes += int64(len(p))
	s.tail = append(s.tail, p...)
	if over := len(s.tail) - sha256.Size; over > 0 {
		s.sum.Write(s.tail[:over])
		s.tail = append(s.tail[:0], s.tail[over:]...)
	}
	return len(p), nil
}

// verify returns the hash once everything was written.
func (s *checksum) verify() (string, error) {
	if s.bytes <= sha256.Size {
		return "", fmt.Errorf("%w: only %d bytes arrived", ErrCorruptSnapshot, s.bytes)
	}
	sum := s.sum.Sum(nil)
	if !bytes.Equal(sum, s.tail) {
		return "", fmt.Errorf("%w: the SHA-256 of what arrived is %x, and it ends in %x", ErrCorruptSnapshot, sum, s.tail)
	}
	return hex.EncodeToString(sum), nil
}
