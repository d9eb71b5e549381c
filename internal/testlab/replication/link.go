package replication

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Link is a TCP connection between hosts that tests can cut.
type Link struct {
	// Address is where to connect to, host:port.
	Address string

	target    string
	listener  net.Listener
	down      atomic.Bool
	allowance atomic.Int64 // bytes until the next cut; negative: no limit
	carried   atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// NewLink starts a link to target, host:port, on loopback.
func NewLink(target string) (*Link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Link{Address: listener.Addr().String(), target: target, listener: listener, conns: map[net.Conn]struct{}{}}
	l.allowance.Store(-1)
	go l.accept()
	return l, nil
}

func (l *Link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		if l.down.Load() {
			_ = conn.Close()
			continue
		}
		go l.carry(conn)
	}
}

func (l *Link) carry(client net.Conn) {
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		_ = client.Close()
		return
	}
	for _, conn := range []net.Conn{client, server} {
		l.mu.Lock()
		l.conns[conn] = struct{}{}
		l.mu.Unlock()
	}
	closeBoth := func() {
		for _, conn := range []net.Conn{client, server} {
			_ = conn.Close()
			l.mu.Lock()
			delete(l.conns, conn)
			l.mu.Unlock()
		}
	}
	go func() {
		defer closeBoth()
		_, _ = io.Copy(server, client)
	}()
	defer closeBoth()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if n > 0 {
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
			l.carried.Add(int64(n))
			if left := l.allowance.Load(); left >= 0 && l.allowance.Add(-int64(n)) < 0 {
				l.allowance.Store(-1)
				l.SetDown(true)
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// SetDown cuts all connections and refuses new ones, or lets them through again.
func (l *Link) SetDown(down bool) {
	l.down.Store(down)
	if !down {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		_ = conn.Close()
	}
}

// CutAfter cuts the link once so many more bytes came from the target.
func (l *Link) CutAfter(bytes int64) { l.allowance.Store(bytes) }

// Down reports whether the link is cut.
func (l *Link) Down() bool { return l.down.Load() }

// Carried is how many bytes came from the target so far.
func (l *Link) Carried() int64 { return l.carried.Load() }

// Close ends the link.
func (l *Link) Close() {
	_ = l.listener.Close()
	l.SetDown(true)
}
