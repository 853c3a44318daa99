package pickup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"github.com/provhub/provhub/connectors/connector"
)

// decryptor opens files that were encrypted for us and signed by one of signers
// (RFC 9580, QUIRKS FILE-15).
type decryptor struct {
	ours     openpgp.EntityList
	signers  openpgp.EntityList
	unsigned bool // files need no signature
	limit    int64
}

func newDecryptor(c PGP, key, passphrase connector.Secret) (*decryptor, error) {
	d := &decryptor{unsigned: c.AllowUnsigned}
	if key.IsZero() {
		return nil, errors.New("pickup: pgp: the secret pgp_private_key is missing: files are encrypted for it")
	}
	var err error
	if d.ours, err = openpgp.ReadArmoredKeyRing(strings.NewReader(key.Reveal())); err != nil || len(d.ours) == 0 {
		return nil, errors.New("pickup: pgp: the secret pgp_private_key is no armored OpenPGP private key")
	}
	for _, e := range d.ours {
		if e.PrivateKey == nil {
			return nil, errors.New("pickup: pgp: the secret pgp_private_key holds a public key only")
		}
		if e.PrivateKey.Encrypted && e.DecryptPrivateKeys([]byte(passphrase.Reveal())) != nil {
			return nil, errors.New("pickup: pgp: the secret pgp_passphrase does not open pgp_private_key")
		}
	}
	for _, path := range c.Signers {
		keys, err := publicKeys(path)
		if err != nil {
			return nil, fmt.Errorf("pickup: pgp: %w", err)
		}
		d.signers = append(d.signers, keys...)
	}
	return d, nil
}

func publicKeys(path string) (openpgp.EntityList, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(text))
	if err != nil {
		keys, err = openpgp.ReadKeyRing(bytes.NewReader(text))
	}
	if err != nil || len(keys) == 0 {
		return nil, fmt.Errorf("%s holds no OpenPGP public key", path)
	}
	return keys, nil
}

// open is a step. What it has written counts only when it returns nil: signature and
// integrity are known at the end.
func (d *decryptor) open(in io.Reader, _ int64, out io.Writer) error {
	in, err := dearmor(in)
	if err != nil {
		return err
	}
	m, err := openpgp.ReadMessage(in, append(slices.Clone(d.ours), d.signers...), nil, nil)
	if err != nil {
		return fmt.Errorf("it cannot be decrypted: %w", err)
	}
	if !m.IsEncrypted {
		return errors.New("it is not encrypted at all")
	}
	if _, err := io.Copy(&limited{w: out, most: d.limit, why: "max_bytes"}, m.UnverifiedBody); err != nil {
		return fmt.Errorf("it was changed or cut since it was encrypted, or cannot be read: %w; nothing of it is used", err)
	}
	if d.unsigned {
		return nil
	}
	return d.signed(m)
}

// signed checks by whom, once all was read.
func (d *decryptor) signed(m *openpgp.MessageDetails) error {
	switch {
	case !m.IsSigned:
		return errors.New("it is not signed: anybody may have written it")
	case m.SignedBy == nil || !slices.ContainsFunc(d.signers, func(e *openpgp.Entity) bool {
		return bytes.Equal(e.PrimaryKey.Fingerprint, m.SignedBy.Entity.PrimaryKey.Fingerprint)
	}):
		return fmt.Errorf("it is signed by the key %016X, which is none of pgp.signers", m.SignedByKeyId)
	case m.SignatureError != nil:
		return fmt.Errorf("its signature is not good: %w", m.SignatureError)
	case m.Signature == nil:
		return errors.New("the signature at its end is missing")
	}
	return nil
}

// dearmor takes the ASCII armor off, where there is one.
func dearmor(in io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(in, 64<<10)
	head, err := b.Peek(5)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(head) != "-----" {
		return b, nil
	}
	block, err := armor.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("its ASCII armor cannot be read: %w", err)
	}
	return block.Body, nil
}
