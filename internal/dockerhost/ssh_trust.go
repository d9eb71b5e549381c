package dockerhost

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// trust is how a server proves to us who it is.
type trust struct {
	// any accepts every server.
	any bool
	// pinned is the only key accepted, nil when known hosts decide.
	pinned ssh.PublicKey
	// known is the text of known hosts; when standard is true it is read
	// from the usual places at every connection instead.
	known    string
	standard bool
}

// newTrust reads known hosts and the pinned key. The string names the
// attribute at fault.
func newTrust(s SSHConfig) (*trust, string, error) {
	for _, checked := range []struct{ name, value string }{
		{"host_key", s.HostKey}, {"known_hosts", s.KnownHosts}, {"known_hosts_path", s.KnownHostsPath},
	} {
		if s.InsecureIgnoreHostKey && checked.value != "" {
			return nil, "insecure_ignore_host_key", fmt.Errorf("conflicts with %s: set one of them", checked.name)
		}
	}
	t := &trust{any: s.InsecureIgnoreHostKey}
	known, field, err := oneOf(pemOrPath{s.KnownHosts, "known_hosts", s.KnownHostsPath, "known_hosts_path"})
	if err != nil {
		return nil, field, err
	}
	if s.HostKey != "" {
		if t.pinned, err = ParseHostKey(s.HostKey); err != nil {
			return nil, "host_key", err
		}
	}
	if s.KnownHosts == "" && s.KnownHostsPath == "" {
		t.standard = true
		return t, "", nil
	}
	if _, skipped := readable(known); len(skipped) > 0 {
		return nil, field, fmt.Errorf("line %d is not in the format of known_hosts", skipped[0])
	}
	t.known = known
	return t, "", nil
}

// ParseHostKey parses a public key as it stands in authorized_keys or, with
// the host names in front, in known_hosts.
func ParseHostKey(s string) (ssh.PublicKey, error) {
	s = strings.TrimSpace(s)
	if key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(s)); err == nil && len(rest) == 0 {
		return key, nil
	}
	if _, _, key, _, rest, err := ssh.ParseKnownHosts([]byte(s)); err == nil && len(rest) == 0 {
		return key, nil
	}
	return nil, errors.New(`is not a public key such as "ssh-ed25519 AAAA…"`)
}

// readable blanks the lines that are not in the format of known_hosts, keeping
// the numbers of all others.
func readable(text string) (kept string, skipped []int) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if _, _, _, _, _, err := ssh.ParseKnownHosts([]byte(line)); err != nil {
			lines[i] = ""
			skipped = append(skipped, i+1)
		}
	}
	return strings.Join(lines, "\n"), skipped
}

// standardKnownHosts reads what the command ssh reads. Files that are not
// there are empty, and lines of key types nobody here knows are passed over.
func standardKnownHosts() (string, error) {
	var all strings.Builder
	for _, name := range []string{"~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"} {
		path, err := expandHome(name)
		if err != nil {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		kept, _ := readable(string(content))
		all.WriteString(kept + "\n")
	}
	return all.String(), nil
}

// openTrust is trust for the time of one handshake.
type openTrust struct {
	check ssh.HostKeyCallback
	// algorithms begin with those of the keys that are known, so that a
	// server with several keys shows one that can be checked.
	algorithms []string
	// refusal is set when the server's key was not accepted.
	refusal *HostKeyError
}

func (t *trust) open(address string) (*openTrust, error) {
	o := &openTrust{algorithms: ssh.SupportedAlgorithms().HostKeys}
	switch {
	case t.any:
		o.check = ssh.InsecureIgnoreHostKey() //nolint:gosec // The user said so, explicitly.
		return o, nil
	case t.pinned != nil:
		o.prefer(keyAlgorithms(t.pinned.Type()))
		o.check = func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if string(key.Marshal()) == string(t.pinned.Marshal()) {
				return nil
			}
			return o.refuse(address, key, ssh.FingerprintSHA256(t.pinned))
		}
		return o, nil
	}
	text := t.known
	if t.standard {
		var err error
		if text, err = standardKnownHosts(); err != nil {
			return nil, err
		}
	}
	db, err := parseKnownHosts(text)
	if err != nil {
		return nil, err
	}
	o.prefer(db.HostKeyAlgorithms(address))
	check := db.HostKeyCallback()
	o.check = func(name string, remote net.Addr, key ssh.PublicKey) error {
		err := check(name, remote, key)
		var unknown *xknownhosts.KeyError
		var revoked *xknownhosts.RevokedError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &unknown):
			var known []string
			for _, want := range unknown.Want {
				known = append(known, ssh.FingerprintSHA256(want.Key))
			}
			return o.refuse(address, key, known...)
		case errors.As(err, &revoked):
			refusal := o.refuse(address, key)
			refusal.Revoked = true
			return refusal
		default:
			refusal := o.refuse(address, key)
			refusal.Err = err
			return refusal
		}
	}
	return o, nil
}

// parseKnownHosts works around a parser that reads files only.
func parseKnownHosts(text string) (*knownhosts.HostKeyDB, error) {
	file, err := os.CreateTemp("", "known_hosts-")
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	if _, err := file.WriteString(text); err != nil {
		return nil, err
	}
	return knownhosts.NewDB(file.Name())
}

// prefer moves algorithms to the front.
func (o *openTrust) prefer(first []string) {
	rest := slices.DeleteFunc(o.algorithms, func(a string) bool { return slices.Contains(first, a) })
	o.algorithms = slices.Concat(first, rest)
}

// keyAlgorithms are the signatures that a key of a type can make.
func keyAlgorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

func (o *openTrust) refuse(address string, key ssh.PublicKey, known ...string) *HostKeyError {
	o.refusal = &HostKeyError{
		Address: address, Fingerprint: ssh.FingerprintSHA256(key), Known: known,
		Line: knownhosts.Line([]string{address}, key),
		Key:  strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))),
	}
	return o.refusal
}

// HostKeyError is an ssh server whose key was not accepted. Nothing was sent
// to it.
type HostKeyError struct {
	// Address is the server's host:port.
	Address string
	// Fingerprint is the SHA256 fingerprint of the key the server showed.
	Fingerprint string
	// Known are the fingerprints that were expected, none for a server that
	// is not known at all.
	Known []string
	// Revoked says that the key is marked as revoked.
	Revoked bool
	// Line is what known_hosts would have to contain, Key what host_key would
	// have to be.
	Line, Key string
	// Err is set for faults of other kinds, such as an expired certificate.
	Err error
}

// Error tells the fingerprints.
func (e *HostKeyError) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("the key of %s was not accepted, its fingerprint is %s: %v", e.Address, e.Fingerprint, e.Err)
	case e.Revoked:
		return fmt.Sprintf("the key of %s with the fingerprint %s is revoked in known_hosts", e.Address, e.Fingerprint)
	case len(e.Known) > 0:
		return fmt.Sprintf("the key of %s has changed: it shows %s, and known is %s", e.Address, e.Fingerprint, strings.Join(e.Known, ", "))
	default:
		return fmt.Sprintf("the key of %s is not known, its fingerprint is %s", e.Address, e.Fingerprint)
	}
}

// Unwrap gives the original error, if any.
func (e *HostKeyError) Unwrap() error { return e.Err }

func (e *HostKeyError) advice() string {
	switch {
	case e.Revoked:
		return "someone may be using a stolen key: give the server a new one"
	case len(e.Known) > 0:
		return "someone may be listening in, or the server was set up anew: compare the fingerprint on the server " +
			"(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and only then replace the known key"
	default:
		return fmt.Sprintf("compare the fingerprint on the server (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and only then "+
			"add the line %q to known_hosts or set host_key to %q", e.Line, e.Key)
	}
}
