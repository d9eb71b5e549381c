package dockerhost

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
)

// testKey makes an ed25519 key: as a signer, and in PEM.
func testKey(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "test")
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(pem.EncodeToMemory(block))
}

// sshServer is an ssh server in this process that does what sshd does for the
// provider: forwards sockets, connects to addresses and runs commands.
type sshServer struct {
	t        *testing.T
	listener net.Listener
	config   *ssh.ServerConfig
	hostKey  ssh.Signer
	// clientKey is a private key in PEM that the server accepts.
	clientKey string
	// socket connects a forwarded socket; nil answers as OpenSSH does for all
	// kinds of refusal.
	socket func(path string) (net.Conn, error)
	// forwardTCP allows direct-tcpip.
	forwardTCP bool
	// run executes a command.
	run func(command string, stdin io.Reader, stdout, stderr io.Writer) uint32
	// mute leaves keepalives unanswered.
	mute atomic.Bool

	logins, opened, commands atomic.Int64

	mu    sync.Mutex
	conns []net.Conn
}

func newSSHServer(t *testing.T, extraHostKeys ...ssh.Signer) *sshServer {
	t.Helper()
	s := &sshServer{t: t, forwardTCP: true, run: func(string, io.Reader, io.Writer, io.Writer) uint32 { return 127 }}
	var client ssh.Signer
	s.hostKey, _ = testKey(t)
	client, s.clientKey = testKey(t)
	s.config = &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != string(client.PublicKey().Marshal()) {
				return nil, errors.New("not authorized")
			}
			return &ssh.Permissions{}, nil
		},
	}
	s.config.AddHostKey(s.hostKey)
	for _, key := range extraHostKeys {
		s.config.AddHostKey(key)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener = listener
	go s.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		s.hangUp()
	})
	return s
}

// url is the docker_host for this server.
func (s *sshServer) url() string { return "ssh://ops@" + s.listener.Addr().String() }

// config is that of a host behind this server, with its key pinned.
func (s *sshServer) hostConfig() Config {
	return Config{Name: "h1", DockerHost: s.url(), SSH: &SSHConfig{
		PrivateKey: s.clientKey, HostKey: string(ssh.MarshalAuthorizedKey(s.hostKey.PublicKey())),
	}}
}

// hangUp breaks all connections.
func (s *sshServer) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

func (s *sshServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		go s.serve(conn)
	}
}

func (s *sshServer) serve(conn net.Conn) {
	_, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		_ = conn.Close()
		return
	}
	s.logins.Add(1)
	go func() {
		for r := range requests {
			if r.WantReply && !s.mute.Load() {
				_ = r.Reply(false, nil)
			}
		}
	}()
	for c := range channels {
		go s.channel(c)
	}
}

func (s *sshServer) channel(c ssh.NewChannel) {
	switch c.ChannelType() {
	case "direct-streamlocal@openssh.com":
		var open struct {
			Path     string
			Reserved string
			Unused   uint32
		}
		if err := ssh.Unmarshal(c.ExtraData(), &open); err != nil || s.socket == nil {
			_ = c.Reject(ssh.ConnectionFailed, "open failed")
			return
		}
		s.forward(c, func() (net.Conn, error) { return s.socket(open.Path) })
	case "direct-tcpip":
		var open struct {
			Host   string
			Port   uint32
			Origin string
			From   uint32
		}
		if err := ssh.Unmarshal(c.ExtraData(), &open); err != nil || !s.forwardTCP {
			_ = c.Reject(ssh.Prohibited, "open failed")
			return
		}
		s.forward(c, func() (net.Conn, error) {
			return net.Dial("tcp", net.JoinHostPort(open.Host, strconv.Itoa(int(open.Port))))
		})
	case "session":
		s.session(c)
	default:
		_ = c.Reject(ssh.UnknownChannelType, "")
	}
}

func (s *sshServer) forward(c ssh.NewChannel, dial func() (net.Conn, error)) {
	target, err := dial()
	if err != nil {
		_ = c.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	channel, requests, err := c.Accept()
	if err != nil {
		_ = target.Close()
		return
	}
	s.opened.Add(1)
	go ssh.DiscardRequests(requests)
	join(channel, target)
}

// join copies both ways until one side ends.
func join(a, b io.ReadWriteCloser) {
	var once sync.Once
	end := func() { _ = a.Close(); _ = b.Close() }
	go func() { _, _ = io.Copy(a, b); once.Do(end) }()
	_, _ = io.Copy(b, a)
	once.Do(end)
}

func (s *sshServer) session(c ssh.NewChannel) {
	channel, requests, err := c.Accept()
	if err != nil {
		return
	}
	for r := range requests {
		if r.Type != "exec" {
			_ = r.Reply(false, nil)
			continue
		}
		var exec struct{ Command string }
		_ = ssh.Unmarshal(r.Payload, &exec)
		_ = r.Reply(true, nil)
		s.commands.Add(1)
		go func() {
			status := s.run(exec.Command, channel, channel, channel.Stderr())
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			_ = channel.Close()
		}()
	}
}

// shell answers the look at the socket with found, and runs docker system
// dial-stdio by connecting to dial.
func shell(found string, dial func() (net.Conn, error)) func(string, io.Reader, io.Writer, io.Writer) uint32 {
	return func(command string, stdin io.Reader, stdout, stderr io.Writer) uint32 {
		switch {
		case strings.HasPrefix(command, "sh -c "):
			_, _ = io.WriteString(stdout, found+"\n")
			return 0
		case slices.Equal(strings.Fields(command), []string{"docker", "-H", "unix:///var/run/docker.sock", "system", "dial-stdio"}):
			target, err := dial()
			if err != nil {
				_, _ = io.WriteString(stderr, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.")
				return 1
			}
			go func() { _, _ = io.Copy(target, stdin); _ = target.Close() }()
			_, _ = io.Copy(stdout, target)
			return 0
		}
		return 127
	}
}
