package sftp

import (
	"context"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"github.com/provhub/provhub/connectors/connector"
)

// example returns a config of the README, made to fit the test's server.
func example(t *testing.T, heading string) (cfg settings, local string) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(readme), "## "+heading+"\n")
	require.True(t, ok)
	text := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(section)
	require.NotNil(t, text)
	reach, dir, local := openSSH(t)
	fit := strings.NewReplacer("/outgoing", dir).Replace(text[1])
	require.NoError(t, json.Unmarshal([]byte(fit), &cfg))
	delete(cfg, "known_hosts_file")
	return cfg.with(reach).with(settings{"state": t.TempDir()}), local
}

// subfolder makes a folder on the server.
func subfolder(t *testing.T, local, name string) {
	t.Helper()
	require.NoError(t, os.Mkdir(filepath.Join(local, name), 0o777))
	require.NoError(t, os.Chmod(filepath.Join(local, name), 0o777))
}

func only(t *testing.T, local, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(local, pattern))
	require.NoError(t, err)
	require.Len(t, found, 1, pattern)
	b, err := os.ReadFile(found[0])
	require.NoError(t, err)
	return string(b)
}

// pending waits for operations to be applied.
func pending(t *testing.T, x *Target, ops ...connector.Operation) {
	t.Helper()
	rs := apply(t, x, ops...)
	for i := range rs {
		for end := time.Now().Add(30 * time.Second); rs[i].Outcome == connector.OutcomePending && time.Now().Before(end); {
			time.Sleep(min(rs[i].PollAfter, 100*time.Millisecond))
			rs[i] = pollFor(t, x, rs[i])
		}
		require.Equal(t, connector.OutcomeApplied, rs[i].Outcome, "%s: %v", ops[i].Meta().ID, rs[i].Err)
	}
}

func TestReadmeFull(t *testing.T) {
	cfg, local := example(t, "Everybody, every time")
	subfolder(t, local, "read")
	x := target(t, cfg, nil)
	require.NoError(t, x.Check(context.Background()))
	c := create("1", "7", "Zoë", "start", "x")
	c.Attributes[2].Values = connector.Values{connector.Date("2026-03-31")}
	c.Attributes = append(c.Attributes, connector.Attribute{Name: "doors", Values: connector.Values{"1", "2"}})
	g := connector.Grant{Call: call("2"), Principal: user("7"), Entitlement: connector.Ref{Type: "profile", ID: "lab"}}
	pending(t, x, c, g, create("3", "8", "Ann"), disable("4", "8"))
	got, err := charmap.Windows1252.NewDecoder().String(only(t, local, "badges_*_000001.csv"))
	require.NoError(t, err)
	require.Equal(t, "PERSNR;NAME;FROM;DOORS;STATUS;PROFILES;SITE\r\n7;Zoë;31.03.2026;1,2;A;lab;HAM\r\n8;Ann;;;L;;HAM\r\nEND;2\r\n", got)
	only(t, local, "badges_*_000001.csv.done")
}

func TestReadmeDelta(t *testing.T) {
	cfg, local := example(t, "What changed")
	subfolder(t, local, "answers")
	cfg["publish"] = settings{"after": "50ms"}
	cfg["acks"].(map[string]any)["poll"] = "10ms"
	x := target(t, cfg, nil)
	answer := func(file, rows string) { // the platform
		go func() {
			for {
				time.Sleep(10 * time.Millisecond)
				if _, err := os.Stat(filepath.Join(local, file)); err == nil {
					name := strings.TrimSuffix(file, path.Ext(file)) + ".answer.csv"
					_ = os.WriteFile(filepath.Join(local, "answers", name), []byte("id;result;reason\n"+rows), 0o644) // its absence shows
					return
				}
			}
		}()
	}
	answer("people_1.jsonl", "7;OK;\n8;OK;\n")
	pending(t, x, create("1", "7", "Zoë"), create("2", "8", "Ann"), connector.Grant{Call: call("3"), Principal: user("7"), Entitlement: connector.Ref{Type: "course", ID: "safety"}})
	require.Equal(t, `{"action":"add","id":"7","name":"Zoë"}`+"\n"+`{"action":"add","id":"8","name":"Ann"}`+"\n", only(t, local, "people_1.jsonl"))
	require.Equal(t, `{"action":"add","id":"7","course":"safety"}`+"\n", only(t, local, "courses_1.jsonl"))
	answer("people_2.jsonl", "7;OK;\n8;OK;\n")
	pending(t, x, disable("4", "7"), remove("5", "8"))
	require.Equal(t, `{"action":"lock","id":"7","name":"Zoë"}`+"\n"+`{"action":"remove","id":"8","name":"Ann"}`+"\n", only(t, local, "people_2.jsonl"))
}

func TestReadmeEncrypted(t *testing.T) {
	cfg, local := example(t, "Encrypted")
	receiver, err := openpgp.NewEntity("payroll", "", "payroll@example.org", nil)
	require.NoError(t, err)
	us, err := openpgp.NewEntity("provhub", "", "provhub@example.org", nil)
	require.NoError(t, err)
	public := filepath.Join(t.TempDir(), "payroll.asc")
	f, err := os.Create(public)
	require.NoError(t, err)
	w, err := armor.Encode(f, openpgp.PublicKeyType, nil)
	require.NoError(t, err)
	require.NoError(t, receiver.Serialize(w))
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	var private strings.Builder
	w, err = armor.Encode(&private, openpgp.PrivateKeyType, nil)
	require.NoError(t, err)
	require.NoError(t, us.SerializePrivate(w, nil))
	require.NoError(t, w.Close())
	cfg["pgp"].(map[string]any)["recipients"] = []string{public}

	x := target(t, cfg, map[string]connector.Secret{"pgp_private_key": connector.NewSecret(private.String())})
	pending(t, x, create("1", "7", "Zoë"))
	m, err := openpgp.ReadMessage(strings.NewReader(only(t, local, "payroll_000001.csv.gz.pgp")), openpgp.EntityList{receiver, us}, nil, nil)
	require.NoError(t, err)
	require.True(t, m.IsSigned)
	file := x.cfg.File
	n := 0
	require.NoError(t, file.Records(m.UnverifiedBody, func(row map[string]any) error {
		require.Equal(t, map[string]any{"ID": "7", "NAME": "Zoë", "STATUS": "active"}, row)
		n++
		return nil
	}))
	require.Equal(t, 1, n)
	require.NoError(t, m.SignatureError)
}
