package sftp

import (
	"context"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"

	"github.com/provhub/provhub/connectors/connector"
)

// HostKey is a key that a server showed.
type HostKey struct {
	Key         string `json:"key"`         // "ssh-ed25519 AAAA…", as it is pinned
	Fingerprint string `json:"fingerprint"` // "SHA256:…"
}

// LearnHostKeys asks the server at c.Addr for its host keys, one of each kind it
// has, and trusts none of them: no login takes place, nothing is pinned. Somebody
// compares the fingerprints with what the server's owner says. The pins and
// credentials of c are not used; c.Jump is, with its own pins.
func LearnHostKeys(ctx context.Context, c Config) ([]HostKey, error) {
	c = c.withDefaults()
	var out []HostKey
	var last error
	for _, kind := range []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoRSA} {
		key, err := learnOne(ctx, c, algorithmsOf(kind))
		var none *ssh.AlgorithmNegotiationError
		switch {
		case err == nil:
			out = append(out, HostKey{Key: keyText(key), Fingerprint: ssh.FingerprintSHA256(key)})
		case errors.As(err, &none): // the server has no key of this kind
			last = err
		default:
			return nil, connectError(ctx, c.Addr, err)
		}
	}
	if len(out) == 0 {
		return nil, connectError(ctx, c.Addr, last)
	}
	return out, nil
}

// errLearned ends the handshake once the key is seen.
var errLearned = errors.New("the key was seen")

func learnOne(ctx context.Context, c Config, algorithms []string) (seen ssh.PublicKey, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.ConnectTimeout)
	defer cancel()
	conn, closeJump, err := dialTCP(ctx, c)
	if err != nil {
		return nil, err
	}
	defer closeJump()
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_, _, _, err = ssh.NewClientConn(conn, c.Addr, &ssh.ClientConfig{
		Config: modern(), User: "host-key", HostKeyAlgorithms: algorithms,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			seen = key
			return errLearned
		},
	})
	if seen != nil {
		return seen, nil
	}
	if err == nil {
		err = connector.Errorf(connector.CodeUnavailable, "the server showed no host key")
	}
	return nil, err
}

func keyText(key ssh.PublicKey) string {
	text := string(ssh.MarshalAuthorizedKey(key))
	return text[:len(text)-1] // it ends with a line break
}
