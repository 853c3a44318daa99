package sftp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

// everywhere runs a test on the fake and on OpenSSH.
func everywhere(t *testing.T, test func(t *testing.T, c *Client, dir string)) {
	t.Run("fake", func(t *testing.T) {
		s := fake(t, fakesftp.Options{})
		test(t, client(t, to(s, s.Addr())), "/outgoing")
	})
	t.Run("openssh", func(t *testing.T) {
		cfg, dir, _ := openSSH(t)
		test(t, client(t, cfg), dir)
	})
}

// QUIRKS FILE-1, FILE-3: the file is there whole, nothing else is, and a file of
// that name is replaced.
func TestUpload(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client, dir string) {
		ctx := context.Background()
		for _, size := range []int{0, 1, 32 << 10, 1<<20 + 17} {
			data := content(size)
			_, err := c.Upload(ctx, put(dir+"/people.csv", data))
			require.NoError(t, err)
			var got bytes.Buffer
			n, err := c.Download(ctx, dir+"/people.csv", 0, &got)
			require.NoError(t, err)
			require.EqualValues(t, size, n)
			require.True(t, bytes.Equal(data, got.Bytes()))
		}
		all, err := c.List(ctx, dir)
		require.NoError(t, err)
		require.Len(t, all, 1, "no temporary file stays")
		info, err := c.Stat(ctx, dir+"/people.csv")
		require.NoError(t, err)
		require.EqualValues(t, 1<<20+17, info.Size)
	})
}

func TestServer(t *testing.T) {
	cfg, dir, _ := openSSH(t)
	s, err := client(t, cfg).Server(context.Background())
	require.NoError(t, err)
	require.Contains(t, s.Version, "OpenSSH")
	require.True(t, s.PosixRename)
	require.True(t, s.Fsync)
	done, err := client(t, cfg).Upload(context.Background(), put(dir+"/a", content(10)))
	require.NoError(t, err)
	require.Equal(t, Uploaded{Synced: true}, done)
}

// QUIRKS FILE-2: a source that ends early, or is longer than announced, is never
// published.
func TestSourceOfAnotherLength(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client, dir string) {
		for name, from := range map[string]io.Reader{
			"short":  bytes.NewReader(content(999)),
			"long":   bytes.NewReader(content(1001)),
			"broken": io.MultiReader(bytes.NewReader(content(999)), iotest.ErrReader(io.ErrUnexpectedEOF)),
			"failed": iotest.ErrReader(errors.New("disk error")),
		} {
			u := put(dir+"/"+name, nil)
			u.Size, u.From = 1000, from
			_, err := c.Upload(context.Background(), u)
			require.Error(t, err, name)
			require.Equal(t, connector.OutcomeFailed, connector.ResultOf("", connector.Ref{}, err).Outcome, name)
		}
		all, err := c.List(context.Background(), dir)
		require.NoError(t, err)
		require.Empty(t, all)
	})
}

// QUIRKS FILE-3: without posix-rename a file of that name is removed first, and
// that is told.
func TestServerWithoutPosixRename(t *testing.T) {
	s := fake(t, fakesftp.Options{Faults: fakesftp.NoExtensions})
	c := client(t, to(s, s.Addr()))
	done, err := c.Upload(context.Background(), put("/outgoing/a", content(100)))
	require.NoError(t, err)
	require.False(t, done.Replaced)
	done, err = c.Upload(context.Background(), put("/outgoing/a", content(50)))
	require.NoError(t, err)
	require.True(t, done.Replaced)
	got, _ := s.FS.Get("/outgoing/a")
	require.Equal(t, content(50), got)
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []fakesftp.Fault
		file   string
		code   connector.Code
		says   string
	}{
		{name: "rename refused", faults: fakesftp.RenameRefused, code: connector.CodeUnavailable, says: "does not say why"},
		{name: "disk full", faults: fakesftp.DiskFull, code: connector.CodeUnavailable, says: "disk is full"},
		{name: "quota", faults: fakesftp.Quota, code: connector.CodeUnavailable, says: "quota"},
		{name: "no permission", faults: fakesftp.NoPermission, code: connector.CodePermission, says: "permission denied"},
		{name: "no folder", file: "/nowhere/a", code: connector.CodeConfiguration, says: "the folder /nowhere is not on the server"},
		{name: "lost before the rename", faults: []fakesftp.Fault{{On: "close", Do: fakesftp.Cut}}, code: connector.CodeUnavailable, says: "connection broke"},
		{name: "lost while writing", faults: []fakesftp.Fault{{On: "write", Nth: 3, Do: fakesftp.Cut}}, code: connector.CodeUnavailable, says: "connection broke"},
		{name: "one write refused", faults: []fakesftp.Fault{{On: "write", Nth: 2, Do: fakesftp.Refuse, Code: 4}}, code: connector.CodeUnavailable, says: "disk full"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := fake(t, fakesftp.Options{Faults: tt.faults})
			if tt.file == "" {
				tt.file = "/outgoing/a"
			}
			_, err := client(t, to(s, s.Addr())).Upload(context.Background(), put(tt.file, content(200_000)))
			require.Contains(t, failed(t, err, tt.code).Message, tt.says)
			require.Empty(t, s.FS.Deliveries(), "nothing got its name")
		})
	}
}

// A rename that was sent and not answered leaves open whether the file is there.
func TestLostRename(t *testing.T) {
	for name, f := range map[string]fakesftp.Fault{
		"took effect":  {On: "posix-rename", Times: 1, Do: fakesftp.LoseReply},
		"did not":      {On: "posix-rename", Times: 1, Do: fakesftp.Cut},
		"never answer": {On: "posix-rename", Times: 1, Do: fakesftp.Hang},
	} {
		t.Run(name, func(t *testing.T) {
			s := fake(t, fakesftp.Options{Faults: []fakesftp.Fault{f}})
			cfg := to(s, s.Addr())
			cfg.Stall = 200 * time.Millisecond
			c := client(t, cfg)
			_, err := c.Upload(context.Background(), put("/outgoing/a", content(10)))
			unknown(t, err)
			there, err := c.Exists(context.Background(), "/outgoing/a")
			require.NoError(t, err, "the next call connects again")
			require.Equal(t, name == "took effect", there)
			require.Equal(t, 2, s.Count("login"))
		})
	}
}

func TestTimeLimits(t *testing.T) {
	s := fake(t, fakesftp.Options{Faults: []fakesftp.Fault{{On: "stat", Do: fakesftp.Hang}}})
	t.Run("of the call", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_, err := client(t, to(s, s.Addr())).Stat(ctx, "/outgoing")
		failed(t, err, connector.CodeTimeout)
	})
	t.Run("of silence", func(t *testing.T) {
		cfg := to(s, s.Addr())
		cfg.Stall = 50 * time.Millisecond
		_, err := client(t, cfg).Stat(context.Background(), "/outgoing")
		require.Contains(t, failed(t, err, connector.CodeUnavailable).Message, "answers nothing")
	})
	t.Run("of a login", func(t *testing.T) {
		addr, err := s.Listen(fakesftp.Fault{On: "connection", Do: fakesftp.Hang})
		require.NoError(t, err)
		cfg := to(s, addr)
		cfg.ConnectTimeout = 100 * time.Millisecond
		err = client(t, cfg).Connect(context.Background())
		require.Contains(t, failed(t, err, connector.CodeUnavailable).Message, "within the time limit")
	})
}

// QUIRKS FILE-20: a connection that is idle is asked after.
func TestKeepAlive(t *testing.T) {
	s := fake(t, fakesftp.Options{})
	cfg := to(s, s.Addr())
	cfg.KeepAlive = 10 * time.Millisecond
	c := client(t, cfg)
	require.NoError(t, c.Connect(context.Background()))
	require.Eventually(t, func() bool { return s.Count("keepalive@openssh.com") >= 3 }, 30*time.Second, 5*time.Millisecond)
	s.Disconnect()
	require.Eventually(t, func() bool { c.mu.Lock(); defer c.mu.Unlock(); return !c.session.alive() }, 30*time.Second, 5*time.Millisecond)
	_, err := c.Stat(context.Background(), "/outgoing")
	require.NoError(t, err)
}

// QUIRKS FILE-20: a listing is whole or an error.
func TestListCut(t *testing.T) {
	s := fake(t, fakesftp.Options{})
	for i := range 250 {
		s.FS.Put("/outgoing/"+time.Duration(i).String(), nil)
	}
	all, err := client(t, to(s, s.Addr())).List(context.Background(), "/outgoing")
	require.NoError(t, err)
	require.Len(t, all, 250)
	for _, do := range []fakesftp.Do{fakesftp.Cut, fakesftp.Refuse} {
		addr, err := s.Listen(fakesftp.Fault{On: "readdir", Nth: 2, Do: do, Code: 4})
		require.NoError(t, err)
		part, err := client(t, to(s, addr)).List(context.Background(), "/outgoing")
		require.Error(t, err)
		require.Empty(t, part)
	}
	_, err = client(t, to(s, s.Addr())).List(context.Background(), "/nowhere")
	failed(t, err, connector.CodeNotFound)
}

func TestDownloadLimits(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client, dir string) {
		ctx := context.Background()
		_, err := c.Upload(ctx, put(dir+"/a", content(1000)))
		require.NoError(t, err)
		_, err = c.Download(ctx, dir+"/a", 999, io.Discard)
		failed(t, err, connector.CodeTooLarge)
		_, err = c.Download(ctx, dir+"/b", 0, io.Discard)
		failed(t, err, connector.CodeNotFound)
		require.NoError(t, c.Remove(ctx, dir+"/a"))
		require.NoError(t, c.Remove(ctx, dir+"/a"), "what is gone is gone")
	})
}

// A file that is still being written is not taken for whole.
func TestDownloadWhileWritten(t *testing.T) {
	cfg, dir, local := openSSH(t)
	name := path.Join(local, "growing")
	require.NoError(t, os.WriteFile(name, content(100_000), 0o644))
	grow := writerFunc(func(p []byte) (int, error) {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.WriteString("more")
		return len(p), err
	})
	_, err := client(t, cfg).Download(context.Background(), dir+"/growing", 0, grow)
	failed(t, err, connector.CodeBusy)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestClosed(t *testing.T) {
	s := fake(t, fakesftp.Options{})
	c := client(t, to(s, s.Addr()))
	require.NoError(t, c.Connect(context.Background()))
	require.NoError(t, c.Close())
	failed(t, c.Connect(context.Background()), connector.CodeUnavailable)
}
