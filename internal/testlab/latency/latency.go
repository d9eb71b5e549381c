// Package latency puts a slow line in front of an address, for the benchmark and for tests over ssh.
//
// Layer: test support. The kernel of the test machines has no `tc netem`, so the delay is made by Toxiproxy inside the
// process: every chunk of bytes is held back for half the round trip in each direction. Bandwidth is not limited.
package latency

import (
	"fmt"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Line is a running proxy.
type Line struct {
	// Address is the loopback address:port to connect to instead of the target.
	Address string

	proxy *toxiproxy.Proxy
}

// New starts a line to target (address:port) on which a round trip takes roundTrip longer. Opening a connection is not
// delayed, what is sent on it is.
func New(target string, roundTrip time.Duration) (*Line, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, target, "127.0.0.1:0", target)
	if err := proxy.Start(); err != nil {
		return nil, fmt.Errorf("slow line to %s: %w", target, err)
	}
	for _, stream := range []string{"upstream", "downstream"} {
		toxic := fmt.Sprintf(`{"name":%q,"type":"latency","stream":%q,"attributes":{"latency":%d}}`,
			stream, stream, (roundTrip / 2).Milliseconds())
		if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			proxy.Stop()
			return nil, fmt.Errorf("slow line to %s: %w", target, err)
		}
	}
	return &Line{Address: proxy.Listen, proxy: proxy}, nil
}

// Close ends the line and every connection on it.
func (l *Line) Close() { l.proxy.Stop() }
