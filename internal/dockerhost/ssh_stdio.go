package dockerhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// dialStdio connects to the daemon by a command on the host that copies
// between its standard streams and the socket.
func (l *sshLink) dialStdio(ctx context.Context, c *sshConn) (net.Conn, error) {
	if err := l.acquire(ctx); err != nil {
		return nil, err
	}
	conn, err := l.startStdio(c)
	if err != nil {
		l.release()
		return nil, err
	}
	return conn, nil
}

func (l *sshLink) startStdio(c *sshConn) (*stdioConn, error) {
	session, err := c.client.NewSession()
	if err != nil {
		return nil, err
	}
	conn := &stdioConn{link: l, session: session, ended: make(chan struct{})}
	session.Stderr = &conn.problems
	if conn.in, err = session.StdinPipe(); err == nil {
		conn.out, err = session.StdoutPipe()
	}
	if err == nil {
		err = session.Start("docker -H unix://" + l.host.endpoint.Socket + " system dial-stdio")
	}
	if err != nil {
		_ = session.Close()
		return nil, fmt.Errorf("docker system dial-stdio could not be started on the host: %w", err)
	}
	go func() {
		conn.status = session.Wait()
		close(conn.ended)
	}()
	return conn, nil
}

// stdioConn is the daemon's socket behind docker system dial-stdio. It has no
// deadlines, which HTTP clients do not use.
type stdioConn struct {
	link    *sshLink
	session *ssh.Session
	in      io.Writer
	out     io.Reader
	// problems are what the command complained about.
	problems lockedBuffer
	// status is the command's end, set before ended is closed.
	status error
	ended  chan struct{}
	// answered says that the daemon has sent something.
	answered  atomic.Bool
	closeOnce sync.Once
}

// Read explains an end before the first byte: that is how the command says
// that it could not reach the daemon.
func (c *stdioConn) Read(p []byte) (int, error) {
	n, err := c.out.Read(p)
	if n > 0 && !c.answered.Swap(true) {
		c.link.stdio.Store(true)
	}
	if n == 0 && err != nil && !c.answered.Load() {
		return 0, c.explain(err)
	}
	return n, err
}

func (c *stdioConn) explain(err error) error {
	wait := time.NewTimer(time.Second)
	defer wait.Stop()
	select {
	case <-c.ended:
		err = errors.Join(err, c.status)
	case <-wait.C:
	}
	said := strings.TrimSpace(c.problems.String())
	if said == "" {
		said = "it said nothing"
	}
	return c.link.host.unreachable("reach the Docker daemon with docker system dial-stdio on the host",
		"the ssh server did not forward the socket (AllowStreamLocalForwarding in sshd_config), and the command could not connect either: "+
			"check that Docker is running on the host", fmt.Errorf("%s (%w)", said, err))
}

func (c *stdioConn) Write(p []byte) (int, error) {
	n, err := c.in.Write(p)
	if err != nil && !c.answered.Load() {
		err = c.explain(err)
	}
	return n, err
}

func (c *stdioConn) Close() error {
	c.closeOnce.Do(func() {
		// The session ends both directions; closing its input as well would
		// race with a write, which the ssh package does not guard against.
		_ = c.session.Close()
		c.link.release()
	})
	return nil
}

// errNoDeadline is what deadlines are answered with.
var errNoDeadline = errors.New("a stream over an ssh command has no deadlines")

func (c *stdioConn) LocalAddr() net.Addr              { return stdioAddr{} }
func (c *stdioConn) RemoteAddr() net.Addr             { return stdioAddr{} }
func (c *stdioConn) SetDeadline(time.Time) error      { return errNoDeadline }
func (c *stdioConn) SetReadDeadline(time.Time) error  { return errNoDeadline }
func (c *stdioConn) SetWriteDeadline(time.Time) error { return errNoDeadline }

type stdioAddr struct{}

func (stdioAddr) Network() string { return "ssh" }
func (stdioAddr) String() string  { return "docker system dial-stdio" }

// lockedBuffer is written by the ssh package while it is read here. It keeps
// the beginning of what was written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const maxProblems = 4 << 10

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if free := maxProblems - b.buf.Len(); free > 0 {
		b.buf.Write(p[:min(free, len(p))])
	}
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
