// Package etcdload is the proof that a change of an etcd cluster loses nothing:
// a writer that goes on through all endpoints while the cluster changes, and a
// checker that reads back what was acknowledged. It belongs to the lab.
package etcdload

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

const (
	// defaultRate is above the 200 writes per second that a change has to bear.
	defaultRate = 250
	// defaultTimeout bounds one write, so that a member that hangs shows as a
	// gap and not as patience.
	defaultTimeout = 250 * time.Millisecond
	// tick is how often due writes are started.
	tick = 2 * time.Millisecond
	// burst bounds how many writes are started at once after the machine had no
	// time for the writer.
	burst = 25
	// firstWrite is how long the first acknowledged write may take.
	firstWrite = 30 * time.Second
)

// Options of a writer. The zero value of a field means its default.
type Options struct {
	// Endpoints are client URLs; writes take turns among them. Required.
	Endpoints []string
	// Rate is the number of writes started per second. Default 250.
	Rate int
	// Timeout of one write. Default 250 ms.
	Timeout time.Duration
}

// Report is what a writer has done since it started or since its last Lap.
type Report struct {
	// Attempted are writes whose outcome is known, Acknowledged those that the
	// cluster has confirmed. The others may have happened or not.
	Attempted, Acknowledged int
	// LongestGap is the longest time in which no write through any endpoint was
	// acknowledged, GapBegan when it began.
	LongestGap time.Duration
	GapBegan   time.Time
	// LongestPause is the longest time in which the writer itself started no
	// write: a machine without time for it. Gaps are no shorter for it.
	LongestPause time.Duration
	// Rate is the number of acknowledged writes per second.
	Rate float64
}

// String is one line for a test's log.
func (r Report) String() string {
	return fmt.Sprintf("%d attempted, %d acknowledged (%.0f/s), longest gap %s at %s, longest pause of the writer itself %s", r.Attempted, r.Acknowledged,
		r.Rate, r.LongestGap.Round(time.Millisecond), r.GapBegan.UTC().Format("15:04:05.000"), r.LongestPause.Round(time.Millisecond))
}

// Writer writes unique keys until it is stopped.
type Writer struct {
	options Options
	prefix  string
	stop    context.CancelFunc
	ended   chan struct{}
	writes  sync.WaitGroup

	mu           sync.Mutex
	endpoints    []string
	clients      map[string]*clientv3.Client
	next         int
	acknowledged []int
	lastAck      time.Time
	lastStart    time.Time
	lap          Report
	lapBegan     time.Time
	stopped      *Report
}

// Start begins to write and returns once the first write was acknowledged. The
// writer outlives ctx, which only bounds the start, and ends with Stop.
func Start(ctx context.Context, options Options) (*Writer, error) {
	if len(options.Endpoints) == 0 {
		return nil, errors.New("a writer needs endpoints")
	}
	if options.Rate == 0 {
		options.Rate = defaultRate
	}
	if options.Timeout == 0 {
		options.Timeout = defaultTimeout
	}
	w := &Writer{
		options: options, prefix: "/etcdload/" + rand.Text() + "/", ended: make(chan struct{}),
		clients: map[string]*clientv3.Client{},
	}
	if err := w.SetEndpoints(options.Endpoints...); err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	now := time.Now()
	w.lastAck, w.lastStart, w.lapBegan = now, now, now
	first := make(chan struct{})
	go w.run(background, first)
	ctx, cancel := context.WithTimeout(ctx, firstWrite)
	defer cancel()
	select {
	case <-first:
		w.Lap() // until the first connections were made there was nothing to measure
		return w, nil
	case <-ctx.Done():
		w.Stop()
		return nil, fmt.Errorf("no write through %v was acknowledged: %w", options.Endpoints, ctx.Err())
	}
}

// SetEndpoints changes where writes go from now on. The error is about a URL,
// and changes nothing.
func (w *Writer) SetEndpoints(urls ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, url := range urls {
		if w.clients[url] != nil {
			continue
		}
		client, err := connect(url)
		if err != nil {
			return err
		}
		w.clients[url] = client
	}
	w.endpoints = slices.Clone(urls)
	return nil
}

// connect makes a client of one endpoint; nothing is dialled yet.
func connect(url string) (*clientv3.Client, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{url}, Logger: zap.NewNop(),
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 2 * time.Second,
		MaxCallRecvMsgSize: 64 << 20,
		// A member that is back is used again at once.
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.3, Jitter: 0.1, MaxDelay: 300 * time.Millisecond},
			MinConnectTimeout: time.Second,
		})},
	})
	if err != nil {
		return nil, fmt.Errorf("etcd client for %s: %w", url, err)
	}
	return client, nil
}

// run starts the writes that are due until it is stopped.
func (w *Writer) run(ctx context.Context, first chan<- struct{}) {
	defer close(w.ended)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var once sync.Once
	due, last := 0.0, time.Now()
	for {
		select {
		case <-ctx.Done():
			w.writes.Wait()
			return
		case <-ticker.C:
		}
		now := time.Now()
		due = min(due+now.Sub(last).Seconds()*float64(w.options.Rate), burst)
		last = now
		for ; due >= 1; due-- {
			sequence, client := w.begin()
			w.writes.Go(func() {
				// A write that is under way when the writer stops is finished.
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.options.Timeout)
				defer cancel()
				_, err := client.Put(ctx, w.key(sequence), strconv.Itoa(sequence))
				w.end(sequence, err == nil)
				if err == nil {
					once.Do(func() { close(first) })
				}
			})
		}
	}
}

func (w *Writer) key(sequence int) string { return fmt.Sprintf("%s%09d", w.prefix, sequence) }

// begin takes the next sequence number and the endpoint whose turn it is.
func (w *Writer) begin() (int, *clientv3.Client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.lap.LongestPause = max(w.lap.LongestPause, now.Sub(w.lastStart))
	w.lastStart = now
	sequence := w.next
	w.next++
	return sequence, w.clients[w.endpoints[sequence%len(w.endpoints)]]
}

// end counts a write when its outcome is known, so that a lap never has more
// acknowledged writes than attempted ones.
func (w *Writer) end(sequence int, acknowledged bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lap.Attempted++
	if !acknowledged {
		return
	}
	now := time.Now()
	w.gap(now)
	w.lastAck = now
	w.acknowledged = append(w.acknowledged, sequence)
	w.lap.Acknowledged++
}

// gap notes the time since the last acknowledged write. The caller holds mu.
func (w *Writer) gap(now time.Time) {
	if gap := now.Sub(w.lastAck); gap > w.lap.LongestGap {
		w.lap.LongestGap, w.lap.GapBegan = gap, w.lastAck
	}
}

// Lap returns the figures since Start or the last Lap and begins them anew. The
// writer goes on. A gap that is not over yet counts as far as it got.
func (w *Writer) Lap() Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.gap(now)
	report := w.lap
	report.Rate = float64(report.Acknowledged) / now.Sub(w.lapBegan).Seconds()
	w.lap, w.lapBegan = Report{}, now
	return report
}

// Stop ends the writer and returns the figures since the last Lap. Further
// calls return the same.
func (w *Writer) Stop() Report {
	// The last writes take until their timeout, which is no gap.
	w.mu.Lock()
	stopped := w.stopped
	w.mu.Unlock()
	if stopped != nil {
		return *stopped
	}
	report := w.Lap()
	w.stop()
	<-w.ended
	w.mu.Lock()
	defer w.mu.Unlock()
	report.Attempted += w.lap.Attempted
	report.Acknowledged += w.lap.Acknowledged
	w.stopped = &report
	for _, client := range w.clients {
		_ = client.Close() // nothing is in flight any more
	}
	return report
}

// Record is what a writer knows to be in the cluster.
type Record struct {
	prefix       string
	acknowledged []int
}

// Len is the number of acknowledged writes.
func (r Record) Len() int { return len(r.acknowledged) }

// Record returns all writes that were acknowledged so far, in every lap.
func (w *Writer) Record() Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Record{prefix: w.prefix, acknowledged: slices.Clone(w.acknowledged)}
}
