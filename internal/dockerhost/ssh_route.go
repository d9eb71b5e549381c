package dockerhost

import (
	"errors"
	"os"
	"os/user"
)

// maxHops bounds a chain of jump hosts.
const maxHops = 4

// route makes the servers to go through from the configuration, the host
// itself last. The string names the attribute at fault, below the host.
func route(target Endpoint, settings SSHConfig) ([]*hop, string, error) {
	if target.User != "" {
		settings.User = target.User
	}
	var hops []*hop
	prefix := "ssh"
	for {
		if settings.User == "" {
			settings.User = localUser()
		}
		h, field, err := newHop(target, settings)
		if err != nil {
			return nil, prefix + "." + field, err
		}
		hops = append([]*hop{h}, hops...)
		if settings.Jump == nil {
			return hops, "", nil
		}
		if len(hops) == maxHops {
			return nil, prefix + ".jump", errors.New("the chain of jump hosts is too long")
		}
		prefix += ".jump"
		if settings.Jump.Address == "" {
			return nil, prefix + ".address", errors.New("is required")
		}
		next, err := ParseDockerHost(SchemeSSH + "://" + settings.Jump.Address)
		if err == nil && next.Socket != DefaultSocket {
			err = errors.New("is not [user@]host[:port]")
		}
		if err != nil {
			return nil, prefix + ".address", err
		}
		settings = inherit(settings.Jump.SSH, settings)
		if next.User != "" {
			settings.User = next.User
		}
		target = next.withDefaults(false)
	}
}

// inherit fills in what a jump host leaves open of how to log in and of known
// hosts. A pinned key and the permission to ignore keys are of one server and
// are not passed on.
func inherit(jump, behind SSHConfig) SSHConfig {
	if jump.User == "" {
		jump.User = behind.User
	}
	if jump.PrivateKey == "" && jump.PrivateKeyPath == "" {
		jump.PrivateKey, jump.PrivateKeyPath = behind.PrivateKey, behind.PrivateKeyPath
		if jump.Agent == nil {
			jump.Agent = behind.Agent
		}
	}
	if jump.KnownHosts == "" && jump.KnownHostsPath == "" && !jump.InsecureIgnoreHostKey {
		jump.KnownHosts, jump.KnownHostsPath = behind.KnownHosts, behind.KnownHostsPath
	}
	return jump
}

func newHop(target Endpoint, settings SSHConfig) (*hop, string, error) {
	target = target.withDefaults(false)
	h := &hop{address: target.hostPort(), user: settings.User, name: settings.User + "@" + target.hostPort()}
	if !plainUser.MatchString(settings.User) {
		return nil, "user", errors.New("has characters that user names do not have")
	}
	var field string
	var err error
	if h.identity, field, err = newIdentity(settings); err != nil {
		return nil, field, err
	}
	if h.trust, field, err = newTrust(settings); err != nil {
		return nil, field, err
	}
	return h, "", nil
}

// localUser is whom ssh logs in as when nobody says otherwise.
func localUser() string {
	if current, err := user.Current(); err == nil {
		return current.Username
	}
	return os.Getenv("USER")
}
