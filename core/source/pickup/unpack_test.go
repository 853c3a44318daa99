package pickup

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/go-crypto/openpgp/s2k"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func packed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

// QUIRKS FILE-19
func TestGzip(t *testing.T) {
	good := packed(t, header+"1,Ann\n")
	zeros := packed(t, header+strings.Repeat("0", 8<<20))
	for _, c := range []struct{ name, content, err string }{
		{"good", good, ""},
		{"two members", good + packed(t, "2,Bob\n"), ""},
		{"a bomb by its ratio", zeros, "it becomes larger than"},
		{"cut", good[:len(good)-4], "unexpected EOF"},
		{"wrong sum", good[:len(good)-8] + "\x00\x00\x00\x00" + good[len(good)-4:], "invalid checksum"},
		{"garbage behind", good + "garbage that is no member", "invalid header"},
		{"not packed", header + "1,Ann\n", "is no gzip file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.c.MaxRatio = 100
			l.put("hr_20260303_full.csv.gz", c.content)
			if c.err != "" {
				l.refuses("hr_20260303_full.csv.gz: ", c.err)
				return
			}
			_, err := l.sync()
			require.NoError(t, err)
			require.Equal(t, "Ann", l.people["1"])
		})
	}
	l := newLab(t)
	l.c.MaxBytes = 1000
	l.put("hr_20260303_full.csv.gz", packed(t, header+strings.Repeat("1,Ann\n", 1000)))
	l.refuses("larger than 1000 bytes (max_bytes)")
	l.put("hr_20260303_full.csv.gz", strings.Repeat("x", 1001))
	l.refuses("it has 1001 bytes, and max_bytes is 1000")
}

// parties are the keys of a feed: HR signs, we decrypt.
type parties struct{ hr, us, stranger *openpgp.Entity }

// encrypted is a lab whose files are encrypted and signed.
func encrypted(t testing.TB) (*lab, parties) {
	t.Helper()
	l := newLab(t)
	var p parties
	for name, e := range map[string]**openpgp.Entity{"hr": &p.hr, "us": &p.us, "stranger": &p.stranger} {
		var err error
		*e, err = openpgp.NewEntity(name, "", name+"@example.org", &packet.Config{
			Algorithm: packet.PubKeyAlgoEdDSA, DefaultCompressionAlgo: packet.CompressionZLIB, S2KConfig: &s2k.Config{S2KCount: 1024}})
		require.NoError(t, err)
	}
	signer := filepath.Join(t.TempDir(), "hr.asc")
	require.NoError(t, os.WriteFile(signer, []byte(armored(t, openpgp.PublicKeyType, p.hr.Serialize)), 0o600))
	require.NoError(t, p.us.EncryptPrivateKeys([]byte("opensesame"), &packet.Config{S2KConfig: &s2k.Config{S2KCount: 1024}}))
	private := armored(t, openpgp.PrivateKeyType, func(w io.Writer) error { return p.us.SerializePrivateWithoutSigning(w, nil) })
	l.c.PGP = &PGP{Signers: []string{signer}}
	l.secrets = map[string]connector.Secret{"pgp_private_key": connector.NewSecret(private), "pgp_passphrase": connector.NewSecret("opensesame")}
	return l, p
}

func armored(t testing.TB, kind string, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	require.NoError(t, err)
	require.NoError(t, write(w))
	require.NoError(t, w.Close())
	return b.String()
}

func seal(t testing.TB, to, by *openpgp.Entity, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := openpgp.Encrypt(&b, []*openpgp.Entity{to}, by, nil, &packet.Config{DefaultCipher: packet.CipherAES256})
	require.NoError(t, err)
	_, err = io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// QUIRKS FILE-15
func TestPGP(t *testing.T) {
	l, p := encrypted(t)
	const text = header + "1,Ann\n"
	const name = "hr_20260303_full.csv.pgp"
	whole := seal(t, p.us, p.hr, text)
	for _, c := range []struct{ name, content, err string }{
		{"good", whole, ""},
		{"armored", armored(t, "PGP MESSAGE", func(w io.Writer) error { _, err := io.WriteString(w, whole); return err }), ""},
		{"not signed", seal(t, p.us, nil, text), "it is not signed"},
		{"signed by a stranger", seal(t, p.us, p.stranger, text), "which is none of pgp.signers"},
		{"for somebody else", seal(t, p.stranger, p.hr, text), "it cannot be decrypted"},
		{"cut", whole[:len(whole)-30], "nothing of it is used"},
		{"not encrypted", text, "hr_20260303_full.csv.pgp: it cannot be decrypted"},
		{"empty", "", "is empty (0 bytes)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.TB = t
			l.put(name, c.content)
			l.Report.Snapshot, l.token = "", nil
			if c.err != "" {
				l.refuses(c.err)
				return
			}
			l.reads("whole", "1=Ann")
		})
	}
	l.TB = t
	l.put("hr_20260304_full.csv.gz.pgp", seal(t, p.us, p.hr, packed(t, header+"1,Anna\n")))
	l.reads("whole", "1=Anna")
	l.put("hr_20260305_full.csv", text)
	l.refuses("is not encrypted", "anybody could have written it")
}

// QUIRKS FILE-15: one bit that is different anywhere, and the file is refused. Few
// bits of the packets around the text mean nothing; then the text is what was sealed.
func TestPGPThatWasTamperedWith(t *testing.T) {
	l, p := encrypted(t)
	text := header + strings.Repeat("1,Ann\n", 200)
	for _, by := range []*openpgp.Entity{p.hr, nil} {
		d, err := newDecryptor(*l.c.PGP, l.secrets["pgp_private_key"], l.secrets["pgp_passphrase"])
		require.NoError(t, err)
		d.limit, d.unsigned = 1<<20, by == nil
		whole, taken := []byte(seal(t, p.us, by, text)), 0
		for at := range whole {
			whole[at] ^= 0x04
			var out bytes.Buffer
			if d.open(bytes.NewReader(whole), 0, &out) == nil {
				taken++
				require.Equal(t, text, out.String(), "byte %d", at)
			}
			whole[at] ^= 0x04
		}
		require.Less(t, taken, 5)
	}
	tampered := []byte(seal(t, p.us, p.hr, text))
	tampered[len(tampered)-100] ^= 0x04
	l.put("hr_20260303_full.csv.pgp", string(tampered))
	l.refuses("nothing of it is used")
}

// A bomb inside the encryption is held to the same limit.
func TestPGPBomb(t *testing.T) {
	l, p := encrypted(t)
	l.c.MaxBytes = 1 << 20
	var b bytes.Buffer
	w, err := openpgp.Encrypt(&b, []*openpgp.Entity{p.us}, p.hr, nil, &packet.Config{DefaultCompressionAlgo: packet.CompressionZLIB, CompressionConfig: &packet.CompressionConfig{Level: 9}})
	require.NoError(t, err)
	_, err = io.WriteString(w, header+strings.Repeat("0", 16<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Less(t, b.Len(), 1<<20)
	l.put("hr_20260303_full.csv.pgp", b.String())
	l.refuses("larger than 1048576 bytes (max_bytes)")
}

func TestPGPKeys(t *testing.T) {
	l, _ := encrypted(t)
	for what, change := range map[string]func(){
		"pgp_passphrase does not open": func() { l.secrets["pgp_passphrase"] = connector.NewSecret("wrong") },
		"no armored OpenPGP":           func() { l.secrets["pgp_private_key"] = connector.NewSecret("wrong") },
		"pgp_private_key is missing":   func() { delete(l.secrets, "pgp_private_key") },
		"no such file":                 func() { l.c.PGP.Signers = []string{"/nowhere/hr.asc"} },
		"pgp.signers: is missing":      func() { l.c.PGP.Signers = nil },
	} {
		c, secrets := l.c, l.secrets
		pgp := *l.c.PGP
		l.c.PGP, l.secrets = &pgp, map[string]connector.Secret{}
		for k, v := range secrets {
			l.secrets[k] = v
		}
		change()
		_, err := New(l.c, l.secrets)
		require.ErrorContains(t, err, what)
		l.c, l.secrets = c, secrets
	}
}
