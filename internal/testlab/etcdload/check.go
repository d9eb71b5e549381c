package etcdload

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"
)

const (
	// page is how many keys are read with one request.
	page = 5000
	// catchUp is how long a member may take to have applied what others have.
	catchUp = 30 * time.Second
	// askAgain is how often it is asked meanwhile.
	askAgain = 100 * time.Millisecond
	// shown is how many lost writes an error names.
	shown = 5
)

// Verdict of a check.
type Verdict struct {
	// Acknowledged is the number of writes that had to be found.
	Acknowledged int
	// Lost are acknowledged writes that a member does not have, in words: which
	// member, how it was read, which keys.
	Lost []string
	// LostWrites is how many acknowledged writes at least one member lacks.
	LostWrites int
	// Hashes are the members' hashes of all keys at Revision, by endpoint.
	Hashes   map[string]uint32
	Revision int64
}

// Err is nil when nothing was lost and all members have the same.
func (v Verdict) Err() error {
	var failed []error
	if v.LostWrites > 0 {
		failed = append(failed, fmt.Errorf("%d of %d acknowledged writes are LOST: %s", v.LostWrites, v.Acknowledged, strings.Join(v.Lost, "; ")))
	}
	var differ bool
	var said []string
	first, begun := uint32(0), false
	for endpoint, hash := range v.Hashes {
		said = append(said, fmt.Sprintf("%s has %08x", endpoint, hash))
		differ = differ || begun && hash != first
		first, begun = hash, true
	}
	if differ {
		slices.Sort(said)
		failed = append(failed, fmt.Errorf("the members differ at revision %d: %s", v.Revision, strings.Join(said, ", ")))
	}
	return errors.Join(failed...)
}

// String is one line for a test's log.
func (v Verdict) String() string {
	return fmt.Sprintf("%d acknowledged in all, %d lost, %d members hashed at revision %d", v.Acknowledged, v.LostWrites, len(v.Hashes), v.Revision)
}

// Check reads everything back through each endpoint, once linearizable and once
// from the member's own data, and compares the hashes of all members at one
// revision. The writer may go on meanwhile. The error says that something could
// not be read; what is wrong with what was read is in [Verdict.Err].
func Check(ctx context.Context, record Record, endpoints ...string) (Verdict, error) {
	verdict := Verdict{Acknowledged: record.Len(), Hashes: map[string]uint32{}}
	if len(endpoints) == 0 {
		return verdict, errors.New("nothing to check: no endpoints")
	}
	members := make([]*member, 0, len(endpoints))
	for _, url := range endpoints {
		client, err := connect(url)
		if err != nil {
			return verdict, err
		}
		defer client.Close() //nolint:errcheck // nothing is in flight, and nobody waits for it
		members = append(members, &member{url: url, client: client})
	}
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	// Every member has to be there for this one, and thus for all before it.
	latest, err := members[0].client.Get(ctx, record.prefix, clientv3.WithCountOnly())
	if err != nil {
		return verdict, fmt.Errorf("read through %s: %w", members[0].url, err)
	}
	verdict.Revision = latest.Header.Revision
	lost := make([][][]int, len(members))
	group, inGroup := errgroup.WithContext(ctx)
	for i, m := range members {
		lost[i] = make([][]int, len(modes))
		group.Go(func() error {
			for j := range modes {
				found, err := m.read(inGroup, record.prefix, verdict.Revision, modes[j].options...)
				if err != nil {
					return fmt.Errorf("%s read through %s: %w", modes[j].name, m.url, err)
				}
				lost[i][j] = record.missing(found)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return verdict, err
	}
	all := map[int]bool{}
	for i, m := range members {
		for j, missing := range lost[i] {
			if len(missing) == 0 {
				continue
			}
			verdict.Lost = append(verdict.Lost, fmt.Sprintf("%s, %s, lacks %d: %v", m.url, modes[j].name, len(missing), missing[:min(shown, len(missing))]))
			for _, sequence := range missing {
				all[sequence] = true
			}
		}
	}
	verdict.LostWrites = len(all)
	return verdict, compare(ctx, members, &verdict)
}

// modes are the ways to read: what the quorum knows, and what the member has.
var modes = []struct {
	name    string
	options []clientv3.OpOption
}{
	{"linearizable", nil},
	{"serializable", []clientv3.OpOption{clientv3.WithSerializable()}},
}

type member struct {
	url    string
	client *clientv3.Client
}

// read returns all writes below the prefix at the revision, once the member has
// applied it.
func (m *member) read(ctx context.Context, prefix string, revision int64, options ...clientv3.OpOption) (map[int]bool, error) {
	found := map[int]bool{}
	from, end := prefix, clientv3.GetPrefixRangeEnd(prefix)
	for {
		var got *clientv3.GetResponse
		err := eventually(ctx, func() (err error) {
			got, err = m.client.Get(ctx, from, append([]clientv3.OpOption{
				clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(revision),
			}, options...)...)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, kv := range got.Kvs {
			sequence, err := strconv.Atoi(path.Base(string(kv.Key)))
			if err != nil || string(kv.Value) != strconv.Itoa(sequence) {
				continue // not what was written, so that is missing
			}
			found[sequence] = true
		}
		if !got.More {
			return found, nil
		}
		from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
	}
}

// missing are the acknowledged writes that were not found.
func (r Record) missing(found map[int]bool) []int {
	var missing []int
	for _, sequence := range r.acknowledged {
		if !found[sequence] {
			missing = append(missing, sequence)
		}
	}
	slices.Sort(missing)
	return missing
}

// compare hashes all members at the verdict's revision. Hashes are only equal
// when the members have compacted up to the same revision, so that is waited
// for.
func compare(ctx context.Context, members []*member, verdict *Verdict) error {
	return eventually(ctx, func() error {
		compacted := map[int64]bool{}
		for _, m := range members {
			got, err := m.client.HashKV(ctx, m.url, verdict.Revision)
			if err != nil {
				return fmt.Errorf("hash of all keys of %s: %w", m.url, err)
			}
			verdict.Hashes[m.url] = got.Hash
			compacted[got.CompactRevision] = true
		}
		if len(compacted) > 1 {
			return fmt.Errorf("the members have compacted up to different revisions: %v", compacted)
		}
		return nil
	})
}

// eventually tries until it works, and returns what went wrong last.
func eventually(ctx context.Context, try func() error) error {
	ticker := time.NewTicker(askAgain)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}
