// Package sampler watches services while they are changed, the way those see
// them who use them: it asks every replica again and again whether it is ready,
// and sends requests as a node does, to the first URL that answers. It is test
// support, beside package testlab.
package sampler

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// How often is asked, whether or not earlier questions have been answered, and
// how long an answer may take. A node is patient: while a container is
// exchanged, Docker's proxy may accept a connection that nobody serves, and
// closes it after some three seconds. An answer that takes a second or two is
// that of a busy machine.
const (
	sampleInterval  = 100 * time.Millisecond
	sampleTimeout   = 2500 * time.Millisecond
	requestInterval = 100 * time.Millisecond
	requestTimeout  = 5 * time.Second
)

// Options say what is watched.
type Options struct {
	// URLs are the base URLs of the replicas by host.
	URLs map[string]string
	// Join are the URLs in the order in which nodes try them; empty for all
	// URLs in the order of the hosts.
	Join []string
	// Path is what nodes ask for, which has to be answered with HTTP 200.
	Path string
	// TLS is for https: what is trusted, and the certificate to show. Nil for
	// http.
	TLS *tls.Config
}

// Watch is a watch that goes on until it is stopped.
type Watch struct {
	options Options
	http    http.RoundTripper
	began   time.Time
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu    sync.Mutex
	hosts map[string][]sample
	nodes Nodes
}

// Start begins to watch: /readyz of every replica, each in a goroutine of its
// own so that a slow one delays no other, and the requests of a node.
func Start(options Options) *Watch {
	if len(options.Join) == 0 {
		for _, host := range slices.Sorted(maps.Keys(options.URLs)) {
			options.Join = append(options.Join, options.URLs[host])
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watch{
		options: options, began: time.Now(), stop: cancel, hosts: map[string][]sample{},
		// Every question is a new connection: an old one would outlive the
		// listening socket.
		http: &http.Transport{DisableKeepAlives: true, TLSClientConfig: options.TLS},
	}
	for host, url := range options.URLs {
		w.done.Go(func() {
			w.every(ctx, sampleInterval, func() { w.sample(host, url) })
		})
	}
	w.done.Go(func() { w.every(ctx, requestInterval, w.request) })
	return w
}

// Stop ends the watch, waits for answers to what was asked, and returns what
// was seen. Again it returns the same.
func (w *Watch) Stop() Report {
	w.stop()
	w.done.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	report := judge(w.hosts)
	report.Nodes = w.nodes
	return report
}

// every does something at an interval, without waiting for it to end.
func (w *Watch) every(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		w.done.Go(do)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

func (w *Watch) sample(host, url string) {
	began := time.Since(w.began)
	code, err := w.get(url+"/readyz", sampleTimeout)
	s := sample{begin: began, end: time.Since(w.began), ready: err == nil && code == http.StatusOK}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[host] = append(w.hosts[host], s)
}

// request goes through the URLs in order: when a connection fails, or the
// answer is that of a broken service, the next one gets its turn.
func (w *Watch) request() {
	began := time.Since(w.began)
	var tried []string
	for _, url := range w.options.Join {
		code, err := w.get(url+w.options.Path, requestTimeout)
		switch {
		case err != nil:
			tried = append(tried, err.Error())
			continue
		case code >= http.StatusInternalServerError:
			tried = append(tried, fmt.Sprintf("%s: HTTP %d", url, code))
			continue
		case code != http.StatusOK:
			tried = append(tried, fmt.Sprintf("%s: HTTP %d, which no node takes for a reason to ask another", url, code))
		}
		w.count(began, tried, code == http.StatusOK)
		return
	}
	w.count(began, tried, false)
}

func (w *Watch) count(began time.Duration, tried []string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes.Requests++
	w.nodes.Slowest = max(w.nodes.Slowest, time.Since(w.began)-began)
	if len(tried) > 0 {
		w.nodes.Elsewhere++
	}
	if !ok {
		w.nodes.Failed = append(w.nodes.Failed, fmt.Sprintf("%s: %s", began.Round(time.Millisecond), strings.Join(tried, "; ")))
	}
}

func (w *Watch) get(url string, within time.Duration) (int, error) {
	client := http.Client{Transport: w.http, Timeout: within}
	resp, err := client.Get(url)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
