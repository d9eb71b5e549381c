package etcdload

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

// TestNothingIsLost: the writer keeps its rate through all endpoints, and the
// checker agrees while it goes on.
func TestNothingIsLost(t *testing.T) {
	cluster := startCluster(t, 3)
	writer := startWriter(t, urls(cluster)...)
	until(t, writer, 1000)
	during := check(t, writer, urls(cluster)...)
	must(t, during.Err())
	report := writer.Stop()
	t.Log(report)
	if report.Rate < 200 || report.Attempted < report.Acknowledged || report.Acknowledged < 1000 {
		t.Errorf("the writer was too slow or counts wrongly: %s", report)
	}
	if report.LongestGap <= 0 || report.LongestGap > time.Second {
		t.Errorf("a gap of %s in a cluster that nobody touched", report.LongestGap)
	}
	after := check(t, writer, urls(cluster)...)
	must(t, after.Err())
	if after.Acknowledged < during.Acknowledged || len(after.Hashes) != 3 || after.Revision < 1000 {
		t.Errorf("checked %s", after)
	}
	if again := writer.Stop(); again != report {
		t.Errorf("stopped twice, the reports are %s and %s", report, again)
	}
}

// TestDeletedWriteIsFound: a write that somebody deletes, or overwrites, behind
// the writer's back is lost.
func TestDeletedWriteIsFound(t *testing.T) {
	cluster := startCluster(t, 1)
	writer := startWriter(t, urls(cluster)...)
	until(t, writer, 20)
	writer.Stop()
	client, err := connect(cluster[0].url)
	must(t, err)
	defer client.Close()
	deleted, overwritten := writer.Record().acknowledged[3], writer.Record().acknowledged[9]
	_, err = client.Delete(t.Context(), writer.key(deleted))
	must(t, err)
	_, err = client.Put(t.Context(), writer.key(overwritten), "somebody else's")
	must(t, err)
	verdict := check(t, writer, cluster[0].url)
	if verdict.LostWrites != 2 || len(verdict.Lost) != 2 {
		t.Fatalf("two writes were taken away, found %d: %v", verdict.LostWrites, verdict.Lost)
	}
	lacks := fmt.Sprint("lacks 2: ", []int{min(deleted, overwritten), max(deleted, overwritten)})
	want := fmt.Sprintf("2 of %d acknowledged writes are LOST: %s, linearizable, %s; %[2]s, serializable, %[3]s", verdict.Acknowledged, cluster[0].url, lacks)
	if got := fmt.Sprint(verdict.Err()); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestAnotherClusterIsFound: a member that belongs to another cluster has none
// of the writes and another hash.
func TestAnotherClusterIsFound(t *testing.T) {
	mine, other := startCluster(t, 1), startCluster(t, 1)
	until(t, startWriter(t, urls(other)...), 300)
	writer := startWriter(t, urls(mine)...)
	until(t, writer, 20)
	writer.Stop()
	verdict := check(t, writer, mine[0].url, other[0].url)
	if verdict.LostWrites != verdict.Acknowledged || len(verdict.Lost) != 2 || !strings.HasPrefix(verdict.Lost[0], other[0].url) {
		t.Errorf("lost %d of %d: %v", verdict.LostWrites, verdict.Acknowledged, verdict.Lost)
	}
	if err := verdict.Err(); err == nil || !strings.Contains(err.Error(), "the members differ") {
		t.Errorf("the hashes are %v, said was: %v", verdict.Hashes, err)
	}
}

// TestGapOfStoppedLeader: a leader that hangs shows as a gap of about an
// election, and only in the lap in which it hangs. A dead follower shows as
// none.
func TestGapOfStoppedLeader(t *testing.T) {
	cluster := startCluster(t, 3)
	writer := startWriter(t, urls(cluster)...)
	until(t, writer, 200)
	quiet := writer.Lap()
	stopped := leader(t, cluster)
	must(t, stopped.process.Signal(syscall.SIGSTOP))
	until(t, writer, 200)
	gap := writer.Lap()
	must(t, stopped.process.Signal(syscall.SIGCONT))
	t.Logf("without %s; with %s", quiet, gap)
	// etcd's election timeout is 1 s; followers wait for one to two of them.
	if quiet.LongestGap > 700*time.Millisecond || gap.LongestGap < 800*time.Millisecond {
		t.Errorf("the longest gap was %s, with a hanging leader %s", quiet.LongestGap, gap.LongestGap)
	}
	must(t, check(t, writer, urls(cluster)...).Err())

	lead := leader(t, cluster)
	var alive []string
	for _, s := range cluster {
		if s.url != lead.url && len(alive) == 0 {
			writer.Lap()
			must(t, s.process.Kill())
			alive = append(alive, lead.url)
			continue
		}
		if s.url != lead.url {
			alive = append(alive, s.url)
		}
	}
	until(t, writer, 200)
	if report := writer.Lap(); report.LongestGap > 700*time.Millisecond {
		t.Errorf("a dead follower made a gap: %s", report)
	}
	must(t, writer.SetEndpoints(alive...))
	until(t, writer, 200)
	report := writer.Stop()
	if missed := report.Attempted - report.Acknowledged; missed > report.Attempted/4 {
		t.Errorf("writes still go to the dead member: %s", report)
	}
	must(t, check(t, writer, alive...).Err())
}

// TestStartFails: a writer that reaches nothing says so.
func TestStartFails(t *testing.T) {
	if _, err := Start(t.Context(), Options{}); err == nil {
		t.Error("a writer without endpoints was started")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := Start(ctx, Options{Endpoints: []string{"http://" + freeport.Address(t)}}); err == nil {
		t.Error("a writer was started though nobody answers")
	}
}
