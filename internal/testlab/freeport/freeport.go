// Package freeport finds ports for processes that tests start.
//
// Layer: test support.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// Ports below those that the kernel gives to connections (ip_local_port_range, from 32768 on): a port of those may be a
// client's before the process listens that it was found for.
const first, last = 20000, 31999

// next begins elsewhere in every process, and no port is found twice in one, listened on or not.
var next atomic.Int64

func init() { next.Store(rand.Int64N(last - first)) }

// Find returns host:port on which nothing listens, for a host that is an address of this machine. It is not reserved:
// another process may find it in the same moment, which is rare.
func Find(host string) (string, error) {
	var failed error
	for range 100 {
		address := net.JoinHostPort(host, strconv.FormatInt(first+next.Add(1)%(last-first), 10))
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return address, listener.Close()
		}
		failed = errors.Join(failed, err)
	}
	return "", fmt.Errorf("find a free port of %s: %w", host, failed)
}

// Address is Find on 127.0.0.1 for a test, which ends where there is none.
func Address(t testing.TB) string {
	t.Helper()
	address, err := Find("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// ClosedURL is one of this machine's at which nothing listens, and nothing will: that of a server that was closed may be
// the next server's.
func ClosedURL(t testing.TB) string {
	t.Helper()
	return "http://" + Address(t)
}
