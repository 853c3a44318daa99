package feed

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// PGP encrypts files for their receivers and signs them (RFC 9580).
type PGP struct {
	recipients []*openpgp.Entity
	signer     *openpgp.Entity // nil: not signed
	armored    bool
}

// NewPGP reads the receivers' public keys from files, armored or binary, and our
// private key, "" for none, with its passphrase. A key that cannot encrypt or
// sign now is an error.
func NewPGP(recipients []string, privateKey, passphrase string, armored bool) (*PGP, error) {
	p := &PGP{armored: armored}
	now := time.Now()
	for _, path := range recipients {
		keys, err := publicKeys(path)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if _, ok := k.EncryptionKey(now); !ok {
				return nil, fmt.Errorf("%s: the key cannot be encrypted to; it is expired, revoked, or for signatures only", path)
			}
			p.recipients = append(p.recipients, k)
		}
	}
	if privateKey == "" {
		return p, nil
	}
	keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(privateKey))
	if err != nil || len(keys) != 1 {
		return nil, errors.New("the OpenPGP private key cannot be read; it is one armored key")
	}
	p.signer = keys[0]
	if err := unlock(p.signer, passphrase); err != nil {
		return nil, err
	}
	if _, ok := p.signer.SigningKey(now); !ok {
		return nil, errors.New("the OpenPGP private key cannot sign; it is expired, revoked, or for encryption only")
	}
	return p, nil
}

func publicKeys(path string) (openpgp.EntityList, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	keys, err := openpgp.ReadArmoredKeyRing(f)
	if err != nil {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		keys, err = openpgp.ReadKeyRing(f)
	}
	if err != nil || len(keys) == 0 {
		return nil, fmt.Errorf("%s holds no OpenPGP public key", path)
	}
	return keys, nil
}

func unlock(key *openpgp.Entity, passphrase string) error {
	if key.PrivateKey == nil {
		return errors.New("the OpenPGP key for signing holds no private key")
	}
	if !key.PrivateKey.Encrypted {
		return nil
	}
	if err := key.DecryptPrivateKeys([]byte(passphrase)); err != nil {
		return errors.New("the passphrase does not open the OpenPGP private key")
	}
	return nil
}

// wrap returns a writer that encrypts into w. Closing it completes the message and
// leaves w open.
func (p *PGP) wrap(w io.Writer) (io.WriteCloser, error) {
	var closers []io.Closer
	if p.armored {
		a, err := armor.Encode(w, "PGP MESSAGE", nil)
		if err != nil {
			return nil, err
		}
		closers, w = append(closers, a), a
	}
	config := &packet.Config{DefaultCipher: packet.CipherAES256, AEADConfig: nil}
	body, err := openpgp.Encrypt(w, p.recipients, p.signer, &openpgp.FileHints{IsBinary: true}, config)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return chain{body, append([]io.Closer{body}, closers...)}, nil
}

// chain is a writer in front of others, closed from the front.
type chain struct {
	io.Writer
	closers []io.Closer
}

func (c chain) Close() error {
	var errs []error
	for _, x := range c.closers {
		errs = append(errs, x.Close())
	}
	return errors.Join(errs...)
}
