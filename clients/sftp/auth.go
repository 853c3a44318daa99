package sftp

import (
	"context"
	"errors"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/provhub/provhub/connectors/connector"
)

// methods returns the ways to log in. close lets go of the agent.
func (a Auth) methods(ctx context.Context) (out []ssh.AuthMethod, closeAgent func(), err error) {
	closeAgent = func() {}
	signer, err := a.signer()
	if err != nil {
		return nil, closeAgent, err
	}
	if signer != nil {
		out = append(out, ssh.PublicKeys(signer))
	}
	if a.Agent != "" {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", a.Agent)
		if err != nil {
			return nil, closeAgent, connector.Errorf(connector.CodeConfiguration, "the ssh-agent does not answer: %w", err)
		}
		closeAgent = func() { _ = conn.Close() }
		out = append(out, ssh.PublicKeysCallback(agent.NewClient(conn).Signers))
	}
	if !a.Password.IsZero() {
		password := a.Password.Reveal()
		out = append(out, ssh.Password(password), ssh.KeyboardInteractive(func(_, _ string, questions []string, echos []bool) ([]string, error) {
			return answers(password, questions, echos)
		}))
	}
	return out, closeAgent, nil
}

// answers gives the password to the one hidden question of keyboard-interactive,
// which is how many servers ask for it. A second factor cannot be given.
func answers(password string, questions []string, echos []bool) ([]string, error) {
	switch {
	case len(questions) == 0:
		return nil, nil
	case len(questions) == 1 && !echos[0]:
		return []string{password}, nil
	}
	return nil, errors.New("the server asks for more than a password")
}

// Check reports whether the keys can be read, without connecting: CONFIGURATION
// when not.
func (a Auth) Check() error {
	_, err := a.signer()
	return err
}

// signer reads the key and its certificate; nil when there is none.
func (a Auth) signer() (ssh.Signer, error) {
	text := []byte(a.PrivateKey.Reveal())
	if len(text) == 0 && a.PrivateKeyFile != "" {
		var err error
		if text, err = os.ReadFile(a.PrivateKeyFile); err != nil {
			return nil, connector.Errorf(connector.CodeConfiguration, "the private key cannot be read: %w", err)
		}
	}
	if len(text) == 0 {
		return nil, nil
	}
	signer, err := parseKey(text, a.Passphrase)
	if err != nil {
		return nil, err
	}
	if signer.PublicKey().Type() == ssh.KeyAlgoRSA {
		if s, ok := signer.(ssh.AlgorithmSigner); ok {
			if signer, err = ssh.NewSignerWithAlgorithms(s, rsaAlgorithms); err != nil {
				return nil, connector.Errorf(connector.CodeConfiguration, "the private key cannot be used: %w", err)
			}
		}
	}
	if a.CertificateFile == "" {
		return signer, nil
	}
	return a.certified(signer)
}

func parseKey(text []byte, passphrase connector.Secret) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		if passphrase.IsZero() {
			return nil, connector.Errorf(connector.CodeConfiguration, "the private key is encrypted; its passphrase is missing")
		}
		signer, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(passphrase.Reveal()))
	}
	if err != nil {
		// What the parser says may quote the key.
		return nil, connector.Errorf(connector.CodeConfiguration, "the private key cannot be read: it is not in PEM or OpenSSH form, or the passphrase is wrong")
	}
	return signer, nil
}

func (a Auth) certified(signer ssh.Signer) (ssh.Signer, error) {
	text, err := os.ReadFile(a.CertificateFile)
	if err != nil {
		return nil, connector.Errorf(connector.CodeConfiguration, "the certificate cannot be read: %w", err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	cert, ok := key.(*ssh.Certificate)
	if err != nil || !ok {
		return nil, connector.Errorf(connector.CodeConfiguration, "%s holds no OpenSSH certificate", a.CertificateFile)
	}
	out, err := ssh.NewCertSigner(cert, signer)
	if err != nil {
		return nil, connector.Errorf(connector.CodeConfiguration, "the certificate does not belong to the private key: %w", err)
	}
	return out, nil
}
