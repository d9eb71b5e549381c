// Package etcdops looks at etcd clusters and carries out the steps that
// topology/etcd decides. It belongs to the layer ops and decides nothing.
package etcdops

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// glanceTimeout bounds one question of many while members are waited for. A
// member that is starting takes connections before it answers; waiting for it
// longer would only delay the next question.
const glanceTimeout = 1500 * time.Millisecond

// probeTimeout bounds one question to one endpoint. A healthy member answers
// within milliseconds; one behind a slow link within a few round trips.
const probeTimeout = 3 * time.Second

// Cluster is a desired cluster on its hosts. It is used for one operation and
// then closed.
type Cluster struct {
	Desired etcd.Desired
	Fleet   *dockerhost.Fleet
	// Proven says that the cluster was whole when it was last looked at, so
	// that the planner need not ask for a proof.
	Proven bool
	// SnapshotDir is where a snapshot is saved when the planner asks for one,
	// SnapshotKeep how many of the cluster's are kept there; 0 keeps all.
	SnapshotDir  string
	SnapshotKeep int
	// Log, when set, is told every step before it is carried out.
	Log func(context.Context, topology.Step)

	// Planning lets [Cluster.Plan] take members that an apply which was killed
	// has left among the former ones. An apply takes only what its plan has
	// shown.
	Planning bool
	// Adopted are the members that were taken so.
	Adopted []etcd.Member
	// Warnings are what [Cluster.Plan] found about the change of versions.
	Warnings []string
	// Alarms are those that [Cluster.Plan] found, in words.
	Alarms []string

	// created are the members whose containers this operation made.
	created map[string]string
	// snapshotted, downgrading: these steps were carried out in this run.
	snapshotted, downgrading bool
	// lock keeps a second apply out, once it could be had.
	lock *etcdclient.Lock
	// changed is when members were last changed or started.
	changed time.Time
	mu      sync.Mutex
	clients map[string]*etcdclient.Client // by client URL
	ports   map[string]int                // client ports in use, by member
	// size of the largest database of a member that was seen, in bytes.
	size int64
	// mute are members that were waited for in vain.
	mute map[string]bool
}

// Close ends the connections to members.
func (c *Cluster) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, client := range c.clients {
		// Nothing is in flight, and nobody waits for it: through a tunnel each
		// would take a round trip.
		go func() { _ = client.Close() }()
	}
	c.clients = nil
}

// hosts are the keys of all hosts with members.
func (c *Cluster) hosts() []string {
	var names []string
	for _, m := range c.Desired.All() {
		names = append(names, m.Host)
	}
	return names
}

// memberAt finds a member by its peer URL.
func (c *Cluster) memberAt(peerURL string) (etcd.Member, bool) {
	for _, m := range c.Desired.All() {
		if m.PeerURL() == peerURL {
			return m, true
		}
	}
	return etcd.Member{}, false
}

// each does something for several members at the same time.
func (c *Cluster) each(ctx context.Context, members []etcd.Member, do func(context.Context, etcd.Member, *dockerhost.Host) error) error {
	byKey := map[string]etcd.Member{}
	keys := make([]string, 0, len(members))
	for _, m := range members {
		byKey[m.Key()] = m
		keys = append(keys, m.Key())
	}
	return survey.Each(ctx, keys, func(ctx context.Context, key string) error {
		m := byKey[key]
		host, err := c.Fleet.Host(m.Host)
		if err != nil {
			return err
		}
		return do(ctx, m, host)
	})
}

func (c *Cluster) identity(m etcd.Member) container.Identity {
	return container.Identity{Owner: c.Desired.Cluster, Role: container.Etcd, Instance: m.Name}
}

// find returns the member's own container. One that is not exactly this
// member's is not found here; the planner refuses it by its name.
func (c *Cluster) find(s survey.Survey, m etcd.Member) (container.Found, bool) {
	return c.named(s, m, c.identity(m).Name())
}

// previous returns the container that a replacement of the member keeps.
func (c *Cluster) previous(s survey.Survey, m etcd.Member) (container.Found, bool) {
	return c.named(s, m, etcd.PreviousName(c.identity(m)))
}

func (c *Cluster) named(s survey.Survey, m etcd.Member, name string) (container.Found, bool) {
	for _, found := range s.Containers[m.Host] {
		if id, ours := found.Identity(); ours && id == c.identity(m) && found.Name == name {
			return found, true
		}
	}
	return container.Found{}, false
}

// Views asks every member for its view of the cluster, all at the same time.
// A member that does not answer in time is part of the result.
func (c *Cluster) Views(ctx context.Context) map[string]etcd.View {
	return c.viewsOf(ctx, c.Desired.All())
}

// glance is Views for waits, where the same is asked again soon.
func (c *Cluster) glance(ctx context.Context) map[string]etcd.View {
	ctx, cancel := context.WithTimeout(ctx, glanceTimeout)
	defer cancel()
	return c.Views(ctx)
}

// runningViews asks only members whose containers run.
func (c *Cluster) runningViews(ctx context.Context, s survey.Survey) map[string]etcd.View {
	var running []etcd.Member
	for _, m := range c.Desired.All() {
		if found, present := c.find(s, m); present && found.Status == container.Running {
			running = append(running, m)
		}
	}
	return c.viewsOf(ctx, running)
}

func (c *Cluster) viewsOf(ctx context.Context, members []etcd.Member) map[string]etcd.View {
	views := map[string]etcd.View{}
	var mu sync.Mutex
	// The error is always nil: what went wrong is in the views.
	_ = c.each(ctx, members, func(ctx context.Context, m etcd.Member, _ *dockerhost.Host) error {
		view := c.view(ctx, m)
		mu.Lock()
		defer mu.Unlock()
		views[m.Key()] = view
		c.noteSize(view.Size)
		return nil
	})
	return views
}

func (c *Cluster) view(ctx context.Context, m etcd.Member) etcd.View {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	client, err := c.client(m)
	if err != nil {
		return etcd.View{Err: err.Error()}
	}
	status, err := client.Status(ctx)
	if err != nil {
		return etcd.View{Err: err.Error()}
	}
	view := etcd.View{
		ClusterID: status.ClusterID, MemberID: status.MemberID, Leader: status.Leader, Version: status.Version,
		Learner: status.Learner, Applied: status.RaftApplied, Size: status.DBSize, Alarms: alarms(status.Errors),
		DowngradeTarget: status.DowngradeTarget, StorageVersion: status.StorageVersion,
	}
	for _, p := range status.Members {
		view.Peers = append(view.Peers, etcd.Peer{ID: p.ID, Name: p.Name, PeerURLs: p.PeerURLs, Learner: p.Learner})
	}
	return view
}

// alarms are those among the errors that a member reports. Every member
// reports the alarms of all, in the same words.
func alarms(errors []string) []string {
	var found []string
	for _, text := range errors {
		if strings.Contains(text, "alarm:") {
			found = append(found, strings.TrimSpace(text))
		}
	}
	return found
}

// Report is what a look at the cluster found.
type Report struct {
	Survey survey.Survey
	// Gone: every host answered, and neither a container of the cluster is left
	// nor a volume that its members used. A cluster whose containers were
	// removed is not gone: its data waits for them. Whether directories are
	// left cannot be seen, so that a cluster with a data path never is.
	Gone bool
	// Verdict of the members' views.
	Verdict etcd.Verdict
	// Incarnations of the data, by member, of the containers that were found.
	Incarnations map[string]string
}

// Look reads the cluster without changing or writing anything: one call to
// each daemon, and the views of the members.
func (c *Cluster) Look(ctx context.Context) (Report, error) {
	s, err := c.take(ctx)
	if err != nil {
		return Report{Survey: s}, err
	}
	report := Report{Survey: s, Gone: s.Complete(), Incarnations: map[string]string{}}
	running := 0
	for _, m := range c.Desired.Members {
		found, present := c.find(s, m)
		if !present {
			continue
		}
		report.Gone = false
		report.Incarnations[m.Name] = found.Labels[container.LabelIncarnation]
		if found.Status == container.Running {
			running++
		}
	}
	if report.Gone {
		if report.Gone, err = c.noData(ctx); err != nil {
			return report, err
		}
	}
	switch {
	case !s.Complete():
	case running < len(c.Desired.Members):
		report.Verdict.Ailing = fmt.Sprintf("%d of %d containers are running", running, len(c.Desired.Members))
	default:
		report.Verdict = etcd.Judge(c.Desired, c.Views(ctx))
	}
	return report, nil
}

// noData reports whether nothing is left of the members' data.
func (c *Cluster) noData(ctx context.Context) (bool, error) {
	if c.Desired.DataPath != "" {
		return false, nil
	}
	volumes, err := c.volumes(ctx, c.hosts())
	if err != nil {
		return false, err
	}
	return len(c.own(volumes)) == 0, nil
}
