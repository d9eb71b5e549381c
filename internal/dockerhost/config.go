// Package dockerhost drives the Docker daemons of remote hosts. It belongs to
// the layer of I/O and hides both the Docker client, which nothing else may
// import, and the way to a host: ssh, TLS, plain TCP or a local socket. It
// executes and reports; what to do is decided in internal/topology.
package dockerhost

import (
	"context"
	"time"
)

// ServiceAccess is the way to the services that containers publish, such as
// etcd's client port.
type ServiceAccess string

const (
	// Tunnel goes through the host's ssh connection.
	Tunnel ServiceAccess = "tunnel"
	// Direct connects from here to the address of the host.
	Direct ServiceAccess = "direct"
)

// Config is one entry of the hosts map of the provider block.
type Config struct {
	// Name is the host's key in the hosts map.
	Name string
	// Address is where the host's services are published and advertised: an
	// IP address or a DNS name. Empty means the host part of DockerHost.
	Address string
	// DockerHost is ssh://[user@]host[:port][/path/to/docker.sock],
	// tcp://host[:port] or unix:///path. Empty means the environment's
	// DOCKER_HOST, and without that the local socket.
	DockerHost string
	// SSH is used with ssh:// only; nil means agent, default keys and the
	// user's known_hosts.
	SSH *SSHConfig
	// TLS is used with tcp:// only.
	TLS *TLSConfig
	// Insecure allows tcp:// without TLS.
	Insecure bool
	// ServiceAccess is by default [Tunnel] for ssh:// and [Direct] otherwise.
	ServiceAccess ServiceAccess
	// ConnectTimeout bounds dialling and handshake; 0 means
	// [DefaultConnectTimeout].
	ConnectTimeout time.Duration
	// RegistryAuth are the credentials for pulling images, by registry host.
	RegistryAuth map[string]RegistryAuth
	// Trace, when set, is told every act on the daemon after it ended. It
	// gets no values that could be secret.
	Trace func(context.Context, Act)
}

// Act is one act on a daemon, for logs.
type Act struct {
	// Host is the host's key, Tried the act in words: "list containers".
	Host, Tried string
	Took        time.Duration
	Failed      bool
}

// DefaultConnectTimeout leaves a plan with one dead host well under half a
// minute.
const DefaultConnectTimeout = 10 * time.Second

// SSHConfig is how to log in to a host. Of each pair of a value and its path
// at most one is set.
type SSHConfig struct {
	// User is overridden by the user in the URL; without both it is the name
	// of the local user.
	User string
	// PrivateKey is a key in PEM, PrivateKeyPath a file with one; a leading ~
	// is the home directory.
	PrivateKey, PrivateKeyPath string
	// Agent says whether to use the agent at SSH_AUTH_SOCK. Nil means to use
	// it when no private key is given.
	Agent *bool
	// KnownHosts is text in the format of known_hosts, KnownHostsPath a file
	// with it. Without both it is ~/.ssh/known_hosts and the system's file.
	KnownHosts, KnownHostsPath string
	// HostKey pins the server's public key, as in authorized_keys:
	// "ssh-ed25519 AAAA…". Known hosts are then not looked at.
	HostKey string
	// InsecureIgnoreHostKey accepts any server.
	InsecureIgnoreHostKey bool
	// Jump is the host to go through, nil for none.
	Jump *JumpConfig
}

// JumpConfig is an ssh server that the connection is made through. Its own
// host key is verified too. What its SSH leaves open of key, agent and known
// hosts is taken from the host behind it; trust is never inherited.
type JumpConfig struct {
	// Address is host[:port].
	Address string
	SSH     SSHConfig
}

// TLSConfig are the certificates for a tcp:// daemon, in PEM or as paths.
type TLSConfig struct {
	CA, Cert, Key             string
	CAPath, CertPath, KeyPath string
	// ServerName is what the server's certificate must be for; empty means
	// the host part of the URL.
	ServerName string
}

// RegistryAuth are credentials of an image registry.
type RegistryAuth struct{ Username, Password string }
