package etcdclient

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Alarm is a fault that stops the cluster until a person has dealt with it.
type Alarm struct {
	// MemberID is the member that raised it.
	MemberID uint64
	// Kind is NOSPACE (quota reached, writes fail) or CORRUPT.
	Kind string
}

// Alarms asks for the alarms of all members. It needs a quorum.
func (c *Client) Alarms(ctx context.Context) ([]Alarm, error) {
	list, err := c.client.AlarmList(ctx)
	if err != nil {
		return nil, c.failed("list alarms", err)
	}
	var alarms []Alarm
	for _, a := range list.Alarms {
		alarms = append(alarms, Alarm{MemberID: a.MemberID, Kind: a.Alarm.String()})
	}
	return alarms, nil
}

// parseAlarms finds alarms in the errors of a status, such as
// "memberID:123 alarm:NOSPACE". Blanks between the fields vary on purpose.
func parseAlarms(errors []string) []Alarm {
	var alarms []Alarm
	for _, text := range errors {
		var alarm Alarm
		for _, field := range strings.Fields(text) {
			if id, is := strings.CutPrefix(field, "memberID:"); is {
				// 0 for what is no number: the alarm counts more than its origin.
				alarm.MemberID, _ = strconv.ParseUint(id, 10, 64)
			}
			if kind, is := strings.CutPrefix(field, "alarm:"); is {
				alarm.Kind = kind
			}
		}
		if alarm.Kind != "" {
			alarms = append(alarms, alarm)
		}
	}
	return alarms
}

// Hash is what a member's keys amount to.
type Hash struct {
	// Hash of all keys up to Revision. Members whose Revision and
	// CompactRevision are equal must have the same.
	Hash uint32
	// Revision that was hashed.
	Revision int64
	// CompactRevision is the oldest one that was hashed.
	CompactRevision int64
}

// HashKV hashes the member's keys up to a revision, 0 for its newest. It fails
// for a revision that the member has not applied yet or has compacted.
func (c *Client) HashKV(ctx context.Context, revision int64) (Hash, error) {
	got, err := c.client.HashKV(ctx, c.url, revision)
	if err != nil {
		return Hash{}, c.failed("hash of all keys", err)
	}
	hash := Hash{Hash: got.Hash, Revision: revision, CompactRevision: got.CompactRevision}
	if revision == 0 {
		hash.Revision = got.Header.GetRevision()
	}
	return hash, nil
}

// Put writes a key through the member. It is for entries of the log, not for
// anybody's data: keys are the provider's own.
func (c *Client) Put(ctx context.Context, key, value string) error {
	if _, err := c.client.Put(ctx, key, value); err != nil {
		return c.failed("write "+key, err)
	}
	return nil
}

// Delete deletes a key through the member. That it is not there is success.
func (c *Client) Delete(ctx context.Context, key string) error {
	if _, err := c.client.Delete(ctx, key); err != nil {
		return c.failed("delete "+key, err)
	}
	return nil
}

// DowngradeAction is a step of a downgrade.
type DowngradeAction string

// The steps, in their order. After enabling, members may start with the older
// version, one by one; the cluster ends the downgrade by itself after the last.
const (
	DowngradeValidate DowngradeAction = "validate"
	DowngradeEnable   DowngradeAction = "enable"
	DowngradeCancel   DowngradeAction = "cancel"
)

var downgradeActions = map[DowngradeAction]clientv3.DowngradeAction{
	DowngradeValidate: clientv3.DowngradeValidate,
	DowngradeEnable:   clientv3.DowngradeEnable,
	DowngradeCancel:   clientv3.DowngradeCancel,
}

// Downgrade checks, allows or takes back that the cluster goes to an older
// version, such as "3.6"; only one minor below the current one is possible.
// What was done before is success: a downgrade to the same version that is in
// progress, and a cancellation when none is. Another one that is in progress
// is [ErrDowngradeInProgress], and a version that is not one below
// [ErrDowngradeTarget]. Send it to the leader.
func (c *Client) Downgrade(ctx context.Context, action DowngradeAction, version string) error {
	step, known := downgradeActions[action]
	if !known {
		return fmt.Errorf("downgrade of etcd at %s: no action %q", c.url, action)
	}
	what := fmt.Sprintf("%s downgrade to %s", action, version)
	_, err := c.client.Downgrade(ctx, step, version)
	switch {
	case err == nil && action == DowngradeCancel:
		return c.cancelled(ctx, what)
	case err == nil:
		return nil
	case action == DowngradeCancel && errors.Is(rpctypes.Error(err), rpctypes.ErrNoInflightDowngrade):
		return nil
	}
	failure := c.failed(what, err)
	// Some seconds after a downgrade was enabled the cluster works as the older
	// version, from which the target is no step down any more.
	repeated := errors.Is(failure, ErrDowngradeInProgress) || errors.Is(failure, ErrDowngradeTarget)
	if action != DowngradeCancel && repeated {
		status, err := c.client.Status(ctx, c.url)
		if err == nil && sameMinor(status.DowngradeInfo.GetTargetVersion(), version) {
			return nil
		}
	}
	return failure
}

// cancelled looks whether a cancellation took effect: from 3.6 etcd reports
// success even when it failed.
func (c *Client) cancelled(ctx context.Context, what string) error {
	status, err := c.client.Status(ctx, c.url)
	switch {
	case err != nil:
		return c.failed(what, err)
	case status.DowngradeInfo.GetEnabled():
		return fmt.Errorf("%s at etcd %s: the downgrade to %s is still in progress", what, c.url, status.DowngradeInfo.GetTargetVersion())
	default:
		return nil
	}
}

// sameMinor compares versions such as 3.6 and 3.6.0.
func sameMinor(a, b string) bool {
	minor := func(version string) string {
		parts := strings.SplitN(version, ".", 3)
		return strings.Join(parts[:min(2, len(parts))], ".")
	}
	return a != "" && minor(a) == minor(b)
}
