package etcdclient_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

func TestSnapshot_isVerified(t *testing.T) {
	t.Parallel()
	for _, image := range []string{images.Etcd35, images.Etcd36, images.Etcd37} {
		s := startCluster(t, image, 1)[0]
		must(t, s.api.Put(within(t, 5*time.Second), "/data", strings.Repeat("x", 100_000)))
		var file bytes.Buffer
		taken, err := s.api.Snapshot(within(t, 10*time.Second), &file)
		must(t, err)
		content := file.Bytes()
		sum := sha256.Sum256(content[:len(content)-sha256.Size])
		if taken.SHA256 != hex.EncodeToString(sum[:]) || taken.Bytes != int64(file.Len()) || "v"+taken.Version != image[strings.Index(image, ":")+1:] {
			t.Errorf("%s: snapshot %+v of %d bytes, SHA-256 %x", image, taken, file.Len(), sum)
		}
		if !bytes.Contains(content, []byte(strings.Repeat("x", 1000))) {
			t.Errorf("%s: the snapshot has not what was written", image)
		}
	}
}

type fullDisk struct{ left int }

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestSnapshot_tellsThatItCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	s := startCluster(t, images.Etcd36, 1)[0]
	must(t, s.api.Put(within(t, 5*time.Second), "/data", strings.Repeat("x", 100_000)))
	_, err := s.api.Snapshot(within(t, 10*time.Second), &fullDisk{left: 50_000})
	want(t, err, errFull)
}

func TestAlarms_tellWhoIsOutOfSpace(t *testing.T) {
	t.Parallel()
	for _, image := range []string{images.Etcd35, images.Etcd36, images.Etcd37} {
		s := startCluster(t, image, 1, "--quota-backend-bytes=200000")[0]
		if alarms, err := s.api.Alarms(within(t, 5*time.Second)); err != nil || len(alarms) != 0 || len(s.status(t).Alarms) != 0 {
			t.Fatalf("alarms %v, %v", alarms, err)
		}
		must(t, s.api.CheckQuorum(within(t, 5*time.Second)))
		var full error
		for range 300 {
			if full = s.api.Put(within(t, 5*time.Second), "/data", strings.Repeat("x", 100_000)); full != nil {
				break
			}
		}
		want(t, full, etcdclient.ErrNoSpace)
		raised := []etcdclient.Alarm{{MemberID: s.status(t).MemberID, Kind: "NOSPACE"}}
		eventually(t, image+" raised an alarm", func(ctx context.Context) error {
			alarms, err := s.api.Alarms(ctx)
			if err == nil && !slices.Equal(alarms, raised) {
				err = fmt.Errorf("alarms are %v", alarms)
			}
			return err
		})
		if got := s.status(t); !slices.Equal(got.Alarms, raised) {
			t.Errorf("%s: alarms in the status are %v, %q", image, got.Alarms, got.Errors)
		}
		must(t, s.api.CheckQuorum(within(t, 5*time.Second)))
		_, err := s.api.AcquireLock(within(t, 5*time.Second), etcdclient.LockRequest{Name: "anka", TTL: 10 * time.Second})
		want(t, err, etcdclient.ErrNoSpace)
	}
}

func TestHashKV_isEqualOnAllMembers(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, images.Etcd35, 3)
	must(t, cluster[0].api.Put(within(t, 5*time.Second), "/a", "1"))
	first, err := cluster[0].api.HashKV(within(t, 5*time.Second), 0)
	must(t, err)
	if first.Revision < 2 || first.Hash == 0 {
		t.Errorf("hash %+v", first)
	}
	for _, s := range cluster[1:] {
		eventually(t, s.name+" has the same hash", func(ctx context.Context) error {
			got, err := s.api.HashKV(ctx, first.Revision)
			if err == nil && got != first {
				t.Fatalf("%s has %+v, want %+v", s.name, got, first)
			}
			return err
		})
	}
	must(t, cluster[0].api.Delete(within(t, 5*time.Second), "/a"))
	must(t, cluster[0].api.Delete(within(t, 5*time.Second), "/a"))
	if after, err := cluster[0].api.HashKV(within(t, 5*time.Second), 0); err != nil || after.Hash == first.Hash {
		t.Errorf("the hash did not change with the data: %+v, %v", after, err)
	}
}

func TestDowngrade_canBeRepeatedAndTakenBack(t *testing.T) {
	t.Parallel()
	s := startCluster(t, images.Etcd37, 1)[0]
	do := func(action etcdclient.DowngradeAction, version string) error {
		return s.api.Downgrade(within(t, 5*time.Second), action, version)
	}
	if err := do(etcdclient.DowngradeValidate, "3.5"); !errors.Is(err, etcdclient.ErrDowngradeTarget) {
		t.Errorf("two minors down: %v", err)
	}
	eventually(t, "a downgrade is possible", func(context.Context) error { return do(etcdclient.DowngradeValidate, "3.6") })
	for range 2 {
		must(t, do(etcdclient.DowngradeEnable, "3.6"))
		must(t, do(etcdclient.DowngradeValidate, "3.6"))
	}
	// The cluster works as 3.6 by then, and an apply that was interrupted asks
	// again.
	eventually(t, "the data is ready for 3.6", func(context.Context) error {
		if got := s.status(t).StorageVersion; !strings.HasPrefix(got, "3.6") {
			return fmt.Errorf("it is for %s", got)
		}
		return nil
	})
	must(t, do(etcdclient.DowngradeValidate, "3.6"))
	must(t, do(etcdclient.DowngradeEnable, "3.6"))
	if got := s.status(t).DowngradeTarget; !strings.HasPrefix(got, "3.6") {
		t.Errorf("downgrade target %q", got)
	}
	for range 2 {
		must(t, do(etcdclient.DowngradeCancel, "3.6"))
	}
	if got := s.status(t).DowngradeTarget; got != "" {
		t.Errorf("downgrade target %q after it was cancelled", got)
	}
	// The cluster works as 3.6 for some seconds yet, from which that is no step.
	if err := do(etcdclient.DowngradeValidate, "3.6"); !errors.Is(err, etcdclient.ErrDowngradeTarget) {
		t.Errorf("right after it was cancelled: %v", err)
	}
	eventually(t, "a downgrade is possible again", func(context.Context) error { return do(etcdclient.DowngradeValidate, "3.6") })
	old := startCluster(t, images.Etcd35, 1)[0]
	must(t, old.api.Downgrade(within(t, 5*time.Second), etcdclient.DowngradeCancel, "3.4"))
	if err := do("sideways", "3.6"); err == nil {
		t.Error("an unknown action passed")
	}
}
