package latency_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/latency"
)

// echo starts a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

func TestLine_delaysARoundTrip(t *testing.T) {
	const want = 50 * time.Millisecond
	line, err := latency.New(echo(t), want)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	conn, err := net.Dial("tcp", line.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const trips = 4
	began := time.Now()
	for range trips {
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	// The upper bound is wide: a loaded machine is slow, but a delay counted twice would still show.
	if got := time.Since(began) / trips; got < want || got > 2*want {
		t.Errorf("a round trip took %s, want about %s", got, want)
	}
}
