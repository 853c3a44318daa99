package pickup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

// openSSH is a lab whose folder is on the real server; what the test puts there, it
// puts into the server's disk.
func openSSH(t testing.TB) (l *lab, local string) {
	t.Helper()
	env := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			t.Skip("needs " + name + ": run make test")
		}
		return v
	}
	c := SFTP{Addr: env("PROVHUB_TEST_SFTP_ADDR"), User: env("PROVHUB_TEST_SFTP_USER"), KnownHosts: env("PROVHUB_TEST_SFTP_KNOWN_HOSTS"), KeyFile: env("PROVHUB_TEST_SFTP_KEY_FILE")}
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	name := "pickup-" + hex.EncodeToString(b)
	remoteDir := path.Join(env("PROVHUB_TEST_SFTP_REMOTE_DIR"), name)
	local = filepath.Join(env("PROVHUB_TEST_SFTP_LOCAL_DIR"), name)
	f, err := dial(c, nil)
	require.NoError(t, err)
	defer f.close()
	require.NoError(t, f.mkdir(t.Context(), remoteDir))
	t.Cleanup(func() { _ = os.RemoveAll(local) })
	l = newLab(t)
	l.c.SFTP, l.c.Folder = &c, remoteDir
	return l, local
}

// QUIRKS FILE-5, FILE-9
func TestFilesOnARealServer(t *testing.T) {
	l, local := openSSH(t)
	l.c.Archive = l.c.Folder + "/taken"
	l.c.Done = "{file}.done"
	put := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(local, name), []byte(text), 0o644))
	}
	l.refuses("no complete file that matches")
	put("hr_20260303_full.csv.gz", packed(t, header+"1,Ann\n2,Bob\n"))
	l.refuses("hr_20260303_full.csv.gz.done")
	put("hr_20260303_full.csv.gz.done", "")
	l.reads("whole", "1=Ann 2=Bob")
	require.Equal(t, []string{"taken"}, l.in(local))
	require.Equal(t, []string{"hr_20260303_full.csv.gz", "hr_20260303_full.csv.gz.done"}, l.in(filepath.Join(local, "taken")))
	l.reads("unchanged", "1=Ann 2=Bob")

	put("hr_20260302_full.csv.gz", packed(t, header+"1,Old\n"))
	put("hr_20260302_full.csv.gz.done", "")
	l.reads("unchanged", "1=Ann 2=Bob")
	l.noted("is older than hr_20260303_full.csv.gz")

	// A file of that name is in the archive already.
	put("hr_20260304_full.csv.gz", packed(t, header+"1,Anna\n"))
	put("hr_20260304_full.csv.gz.done", "")
	require.NoError(t, os.WriteFile(filepath.Join(local, "taken", "hr_20260304_full.csv.gz"), []byte("another"), 0o644))
	l.reads("whole", "1=Anna")
	require.Len(t, l.in(filepath.Join(local, "taken")), 7)

	c := *l.c.SFTP
	c.KnownHosts, c.HostKeys = "", []string{"SHA256:uNiVztksCsDhcc0u9e8BrrqXxkIrrGZzjxJuYhRAqmQ"}
	l.c.SFTP = &c
	l.refuses("host key")
}

// A large file over the real server, and how it is read as a stream.
func TestALargeFileOnARealServer(t *testing.T) {
	l, local := openSSH(t)
	var b strings.Builder
	b.WriteString(header)
	for i := range 200_000 {
		b.WriteString(strings.Repeat("9", 1+i%5) + hex.EncodeToString([]byte{byte(i >> 16), byte(i >> 8), byte(i)}) + ",somebody with a name\n")
	}
	require.NoError(t, os.WriteFile(filepath.Join(local, "hr_20260303_full.csv"), []byte(b.String()), 0o644))
	_, err := l.sync()
	require.NoError(t, err)
	require.Len(t, l.people, 200_000)
}

// faked is a lab whose folder is on a server that lets us down.
func faked(t testing.TB, faults ...fakesftp.Fault) (*lab, *fakesftp.Server) {
	t.Helper()
	s, err := fakesftp.New(fakesftp.Options{Folders: []string{"/out"}})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	addr, err := s.Listen(faults...)
	require.NoError(t, err)
	l := newLab(t)
	l.c.Folder = "/out"
	l.c.SFTP = &SFTP{Addr: addr, User: s.User(), HostKeys: []string{s.HostKey()}}
	l.secrets = map[string]connector.Secret{"password": connector.NewSecret(s.Password())}
	return l, s
}

// QUIRKS FILE-20: a connection that ends anywhere in the download leaves nothing
// behind, and the next run reads the file whole.
func TestAConnectionThatIsCutInTheDownload(t *testing.T) {
	people := header + strings.Repeat("1,Ann\n", 100_000)
	for _, after := range []int64{1, 2_000, 60_000, 300_000, 500_000} {
		l, s := faked(t)
		s.FS.Put("/out/hr_20260303_full.csv", []byte(people))
		var left atomic.Int64
		left.Store(after)
		c := *l.c.SFTP
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			return &cutConn{conn, &left}, err
		}
		l.c.SFTP = &c
		_, err := l.sync()
		require.Error(t, err)
		require.Empty(t, l.people)
		left.Store(1 << 40)
		_, err = l.sync()
		require.NoError(t, err)
		require.Equal(t, "Ann", l.people["1"])
	}
}

// cutConn breaks after so many bytes were read.
type cutConn struct {
	net.Conn
	left *atomic.Int64
}

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.left.Add(-int64(n)) < 0 {
		_ = c.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

// A listing that breaks off is no empty folder (QUIRKS FILE-20).
func TestAListingThatBreaksOff(t *testing.T) {
	l, s := faked(t, fakesftp.Fault{On: "readdir", Do: fakesftp.Cut})
	s.FS.Put("/out/hr_20260303_full.csv", []byte(header+"1,Ann\n"))
	_, err := l.sync()
	require.ErrorContains(t, err, "folder sftp://")
	require.NotContains(t, err.Error(), "no complete file")
}

// A file that grows while it is fetched is not read, whatever was looked at before.
func TestAFileThatGrowsWhileItIsFetched(t *testing.T) {
	l, s := faked(t, fakesftp.Fault{On: "read", Nth: 1, Do: fakesftp.Slow, Wait: 3 * time.Second})
	s.FS.Put("/out/hr_20260303_full.csv", []byte(header+"1,Ann\n"))
	go func() {
		for s.Count("read") == 0 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		s.FS.Put("/out/hr_20260303_full.csv", []byte(header+"1,Ann\n2,Bob\n"))
	}()
	_, err := l.sync()
	require.ErrorContains(t, err, "changed while it was read")
}

// A move whose answer is lost is no loss: the file is looked for in both places.
func TestTheAnswerToAMoveIsLost(t *testing.T) {
	l, s := faked(t, fakesftp.Fault{On: "posix-rename", Do: fakesftp.LoseReply, Times: 1})
	l.c.Archive = "/out/taken"
	s.FS.Put("/out/hr_20260303_full.csv", []byte(header+"1,Ann\n"))
	r := l.open().(*Reader)
	report, err := r.Read(t.Context(), take(l.people))
	require.NoError(t, err)
	require.Error(t, r.Committed(t.Context()))
	r.Close()
	l.token, l.Report = report.Token, report
	l.reads("unchanged", "1=Ann")
}
