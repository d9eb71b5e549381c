package dockerhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
)

// dialSocket opens a stream to the daemon's socket: by forwarding it, or
// through docker system dial-stdio where the server forbids that.
func (l *sshLink) dialSocket(ctx context.Context) (net.Conn, error) {
	return l.use(ctx, func(c *sshConn) (net.Conn, error) {
		if l.stdio.Load() {
			return l.dialStdio(ctx, c)
		}
		conn, err := c.client.DialContext(ctx, "unix", l.host.endpoint.Socket)
		var refused *ssh.OpenChannelError
		if err == nil || !errors.As(err, &refused) {
			return conn, err
		}
		// OpenSSH gives the same answer for a socket that is missing, one
		// that may not be opened, one that nobody listens on and for
		// forwarding that is forbidden, so the host is asked which it is.
		if err := l.explainRefusal(ctx, c, refused); err != nil {
			return nil, err
		}
		return l.dialStdio(ctx, c)
	})
}

// socketProbe is what a look at the socket on the host found.
type socketProbe struct {
	// socket is missing, other, denied or usable.
	socket string
	// docker says whether there is a docker command.
	docker bool
}

// explainRefusal looks on the host why the socket could not be forwarded. It
// gives nil when docker system dial-stdio is worth a try.
func (l *sshLink) explainRefusal(ctx context.Context, c *sshConn, refused error) error {
	socket := l.host.endpoint.Socket
	act := fmt.Sprintf("open the Docker socket %s on the host through ssh", socket)
	probe, err := l.probe(ctx, c)
	if err != nil {
		return l.host.unreachable(act, "the server refused to forward the socket and runs no command either: check that Docker is running "+
			"and that sshd_config allows it (AllowStreamLocalForwarding)", errors.Join(refused, err))
	}
	user := l.hops[len(l.hops)-1].user
	switch {
	case probe.socket == "missing":
		return l.host.unreachable(act, "there is no such socket on the host: check that Docker is installed and running there, "+
			"and the path in docker_host", refused)
	case probe.socket == "other":
		return l.host.unreachable(act, "what is at that path on the host is not a socket: check the path in docker_host", refused)
	case probe.socket == "denied":
		return l.host.unreachable(act, fmt.Sprintf("user %q has no permission to open it: add the user to the group docker on the host, "+
			"or log in as another user", user), refused).because(SocketDenied)
	case !probe.docker:
		return l.host.unreachable(act, fmt.Sprintf("user %q may open the socket, so either Docker is not running, or the ssh server forbids "+
			"forwarding it (allow AllowStreamLocalForwarding in sshd_config); the other way, docker system dial-stdio, does not work "+
			"because there is no docker command in the user's PATH", user), refused)
	}
	return nil
}

func (l *sshLink) probe(ctx context.Context, c *sshConn) (socketProbe, error) {
	// The path has plain characters only, see checkSocket.
	p := l.host.endpoint.Socket
	script := "if [ ! -e " + p + " ]; then echo missing; elif [ ! -S " + p + " ]; then echo other; " +
		"elif [ ! -r " + p + " ] || [ ! -w " + p + " ]; then echo denied; else echo usable; fi; " +
		"if command -v docker >/dev/null 2>&1; then echo docker; fi"
	if err := l.acquire(ctx); err != nil {
		return socketProbe{}, err
	}
	defer l.release()
	session, err := c.client.NewSession()
	if err != nil {
		return socketProbe{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = session.Close() })()
	defer func() { _ = session.Close() }()
	var out, problems bytes.Buffer
	session.Stdout, session.Stderr = &out, &problems
	if err := session.Run("sh -c '" + script + "'"); err != nil {
		return socketProbe{}, fmt.Errorf("%w %s", err, strings.TrimSpace(problems.String()))
	}
	words := strings.Fields(out.String())
	if len(words) == 0 {
		return socketProbe{}, errors.New("the command to look at the socket printed nothing")
	}
	return socketProbe{socket: words[0], docker: len(words) > 1 && words[1] == "docker"}, nil
}

func (l *sshLink) acquire(ctx context.Context) error {
	select {
	case l.sessions <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for one of the %d commands that may run on the host at once: %w", maxSessions, ctx.Err())
	}
}

func (l *sshLink) release() { <-l.sessions }
