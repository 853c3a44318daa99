package sftp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/provhub/provhub/connectors/connector"
)

// pins are the host keys by which one server is known (QUIRKS FILE-5). There is
// no way to accept any key.
type pins struct {
	addr         string
	keys         []ssh.PublicKey
	fingerprints []string
	authorities  []ssh.PublicKey
	known        ssh.HostKeyCallback // of the known_hosts file; nil: none
	algorithms   []string
}

// newPins reads the pins of c.
func newPins(c Config) (*pins, error) {
	p := &pins{addr: c.Addr}
	for i, line := range c.HostKeys {
		if err := p.add(line); err != nil {
			return nil, connector.Errorf(connector.CodeConfiguration, "host_keys/%d: %w", i, err)
		}
	}
	if c.KnownHosts != "" {
		if err := p.read(c.KnownHosts); err != nil {
			return nil, err
		}
	}
	p.ask()
	return p, nil
}

// ParseHostKey checks one entry of [Config.HostKeys].
func ParseHostKey(line string) error { return (&pins{}).add(line) }

func (p *pins) add(line string) error {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "SHA256:") {
		if len(line) != len("SHA256:")+43 {
			return errors.New("a fingerprint is SHA256: and 43 characters, as ssh-keygen -l shows it")
		}
		p.fingerprints = append(p.fingerprints, line)
		return nil
	}
	line, isAuthority := strings.CutPrefix(line, "@cert-authority ")
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case err != nil:
		return errors.New("is neither a public key (ssh-ed25519 AAAA…) nor a fingerprint (SHA256:…)")
	case isAuthority:
		p.authorities = append(p.authorities, key)
	default:
		p.keys = append(p.keys, key)
	}
	return nil
}

// read takes the known_hosts file at path. A file without a line for the server
// is an error before anything is sent.
func (p *pins) read(path string) error {
	var err error
	if p.known, err = knownhosts.New(path); err != nil {
		return connector.Errorf(connector.CodeConfiguration, "the known_hosts file cannot be used: %w", err)
	}
	// A key that nobody has makes the file tell which ones it would accept.
	var miss *knownhosts.KeyError
	if !errors.As(p.known(p.addr, &net.TCPAddr{}, noKey{}), &miss) {
		return connector.Errorf(connector.CodeConfiguration, "%s: the lines for %s cannot be read", path, p.addr)
	}
	if len(miss.Want) == 0 && p.pinned() == 0 {
		return connector.Errorf(connector.CodeConfiguration,
			"%s has no line for %s; `host_key` shows the server's fingerprint, to be compared with what its owner says", path, knownhosts.Normalize(p.addr))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return connector.Errorf(connector.CodeConfiguration, "the known_hosts file cannot be read: %w", err)
	}
	lines := strings.Split(string(text), "\n")
	for _, k := range miss.Want {
		if strings.HasPrefix(strings.TrimSpace(lines[k.Line-1]), "@cert-authority") {
			p.algorithms = append(p.algorithms, certAlgorithms()...)
			continue
		}
		p.algorithms = append(p.algorithms, algorithmsOf(k.Key.Type())...)
	}
	return nil
}

// none reports whether no key would do.
func (p *pins) none() bool {
	return p.known == nil && p.pinned() == 0
}

func (p *pins) pinned() int { return len(p.keys) + len(p.fingerprints) + len(p.authorities) }

// ask works out which kinds of host key are asked for: a server with several
// shows the one that is pinned.
func (p *pins) ask() {
	for _, k := range p.keys {
		p.algorithms = append(p.algorithms, algorithmsOf(k.Type())...)
	}
	if len(p.authorities) > 0 {
		p.algorithms = append(p.algorithms, certAlgorithms()...)
	}
	if len(p.fingerprints) > 0 {
		p.algorithms = append(p.algorithms, plainAlgorithms()...)
	}
	all := ssh.SupportedAlgorithms().HostKeys
	p.algorithms = slices.DeleteFunc(all, func(a string) bool { return !slices.Contains(p.algorithms, a) })
}

// check is the [ssh.HostKeyCallback].
func (p *pins) check(hostname string, remote net.Addr, key ssh.PublicKey) error {
	if cert, ok := key.(*ssh.Certificate); ok && len(p.authorities) > 0 {
		checker := ssh.CertChecker{IsHostAuthority: func(by ssh.PublicKey, _ string) bool {
			return slices.ContainsFunc(p.authorities, func(a ssh.PublicKey) bool { return sameKey(a, by) })
		}}
		if err := checker.CheckHostKey(hostname, remote, cert); err == nil {
			return nil
		}
	}
	if slices.ContainsFunc(p.keys, func(k ssh.PublicKey) bool { return sameKey(k, key) }) ||
		slices.Contains(p.fingerprints, ssh.FingerprintSHA256(key)) {
		return nil
	}
	reason := "it is not one of those that are pinned"
	if len(p.fingerprints) > 0 {
		// By a fingerprint nobody can tell the kind of key to ask for, and a server with
		// several shows the one that it likes best.
		reason += " (a server often has keys of several kinds: pin the whole key, or the fingerprints of all that the action host_key shows)"
	}
	if p.known != nil {
		err := p.known(hostname, remote, key)
		var revoked *knownhosts.RevokedError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &revoked):
			reason = fmt.Sprintf("line %d of the known_hosts file revokes it", revoked.Revoked.Line)
		}
	}
	return &hostKeyError{addr: p.addr, fingerprint: ssh.FingerprintSHA256(key), kind: key.Type(), reason: reason}
}

func sameKey(a, b ssh.PublicKey) bool { return string(a.Marshal()) == string(b.Marshal()) }

// hostKeyError says that the server is not the one that was meant.
type hostKeyError struct{ addr, fingerprint, kind, reason string }

// Error implements error.
func (e *hostKeyError) Error() string {
	return fmt.Sprintf("the server at %s shows the host key %s (%s), and %s; if its owner confirms that the key is new, pin it, else somebody stands between",
		e.addr, e.fingerprint, e.kind, e.reason)
}

// noKey is a key that no host has.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return nil }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("this key signs nothing") }
