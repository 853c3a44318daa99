package feed

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/stretchr/testify/require"
)

func pgpKey(t testing.TB, passphrase string) (*openpgp.Entity, string) {
	t.Helper()
	e, err := openpgp.NewEntity("feed", "", "feed@example.org", nil)
	require.NoError(t, err)
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PrivateKeyType, nil)
	require.NoError(t, err)
	if passphrase != "" {
		require.NoError(t, e.EncryptPrivateKeys([]byte(passphrase), nil))
	}
	require.NoError(t, e.SerializePrivateWithoutSigning(w, nil))
	require.NoError(t, w.Close())
	return e, b.String()
}

func publicFile(t testing.TB, e *openpgp.Entity, armored bool) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = nopCloser{&b}
	if armored {
		var err error
		w, err = armor.Encode(&b, openpgp.PublicKeyType, nil)
		require.NoError(t, err)
	}
	require.NoError(t, e.Serialize(w))
	require.NoError(t, w.Close())
	path := filepath.Join(t.TempDir(), "key.pgp")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// QUIRKS FILE-15: the receiver alone can read the file, and knows whose it is.
func TestPGP(t *testing.T) {
	receiver, _ := pgpKey(t, "")
	us, ours := pgpKey(t, "opensesame")
	for _, armored := range []bool{false, true} {
		p, err := NewPGP([]string{publicFile(t, receiver, armored)}, ours, "opensesame", armored)
		require.NoError(t, err)
		l := layout(func(l *Layout) { l.File.Compress = "gzip" })
		got, done := write(t, l, Facts{}, p, row("id", "1", "name", "Zoë"))
		require.NotContains(t, string(got), "Zoë")
		require.EqualValues(t, 1, done.Rows)

		var in io.Reader = bytes.NewReader(got)
		if armored {
			block, err := armor.Decode(in)
			require.NoError(t, err)
			in = block.Body
		}
		m, err := openpgp.ReadMessage(in, openpgp.EntityList{receiver, us}, nil, nil)
		require.NoError(t, err)
		plain, err := io.ReadAll(m.UnverifiedBody)
		require.NoError(t, err)
		require.NoError(t, m.SignatureError)
		require.True(t, m.IsSigned)
		readBack(t, l, plain, row("id", "1", "name", "Zoë"))
	}
}

func TestPGPKeys(t *testing.T) {
	receiver, private := pgpKey(t, "")
	_, locked := pgpKey(t, "opensesame")
	good := publicFile(t, receiver, true)
	junk := filepath.Join(t.TempDir(), "junk")
	require.NoError(t, os.WriteFile(junk, []byte("junk"), 0o600))
	for name, try := range map[string]func() error{
		"no such file":     func() error { _, err := NewPGP([]string{"/no/such/key"}, "", "", false); return err },
		"no key":           func() error { _, err := NewPGP([]string{junk}, "", "", false); return err },
		"no private key":   func() error { _, err := NewPGP([]string{good}, "junk", "", false); return err },
		"wrong passphrase": func() error { _, err := NewPGP([]string{good}, locked, "wrong", false); return err },
		"a public key for ours": func() error {
			text, err := os.ReadFile(good)
			require.NoError(t, err)
			_, err = NewPGP([]string{good}, string(text), "", false)
			return err
		},
	} {
		require.Error(t, try(), name)
	}
	_, err := NewPGP([]string{good}, private, "", false)
	require.NoError(t, err)
}
