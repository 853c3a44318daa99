package sftp

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
	"github.com/provhub/provhub/connectors/sftp/feed"
)

// converge sends operations as the hub does, until each is applied: what is in
// doubt is looked up and sent again, what is pending is asked after.
func converge(t testing.TB, x *Target, ops ...connector.Operation) {
	t.Helper()
	waiting := map[string][]byte{}
	again := map[string]bool{}
	for range 200 {
		var send []connector.Operation
		for _, op := range ops {
			c := op.Meta()
			switch ticket, polled := waiting[c.ID]; {
			case polled:
				send = append(send, connector.Poll{Call: c, Continuation: ticket})
			case again[c.ID]:
				send = append(send, repeated(op))
			default:
				send = append(send, op)
			}
		}
		var left []connector.Operation
		for i, r := range apply(t, x, send...) {
			again[ops[i].Meta().ID] = true
			switch {
			case r.Outcome.Done():
				continue
			case r.Outcome == connector.OutcomePending:
				waiting[ops[i].Meta().ID] = r.Continuation
			case r.Outcome == connector.OutcomeUnknown:
				delete(waiting, ops[i].Meta().ID)
			default:
				require.Equal(t, connector.ClassTransient, r.Err.Class(), r.Err)
			}
			left = append(left, ops[i])
		}
		if ops = left; len(ops) == 0 {
			return
		}
	}
	require.Fail(t, "the operations do not come to an end")
}

// repeated is op as the hub sends it when it may have taken effect.
func repeated(op connector.Operation) connector.Operation {
	switch x := op.(type) {
	case connector.Create:
		x.MaybeApplied = true
		return x
	case connector.Update:
		x.MaybeApplied = true
		return x
	}
	return op
}

// QUIRKS FILE-1, FILE-16, §7.2: whatever request is lost, with or without effect,
// each publication is delivered once, whole, with the bytes that were meant; also
// when the receiver takes files the moment they are there.
func TestEveryRequestLost(t *testing.T) {
	for _, mode := range []string{"full", "delta"} {
		for _, taken := range []bool{false, true} {
			for _, do := range []fakesftp.Do{fakesftp.Cut, fakesftp.LoseReply} {
				t.Run(fmt.Sprintf("%s, taken %t, %s", mode, taken, do), func(t *testing.T) {
					ended := false
					for nth := 1; !ended && nth < 200; nth++ {
						ended = losesOne(t, mode, taken, fakesftp.Fault{On: "any", Nth: nth, Times: 1, Do: do})
					}
					require.True(t, ended, "no end of requests")
				})
			}
		}
	}
}

// losesOne runs two publications of which one request is lost. unharmed tells that
// there were fewer requests.
func losesOne(t *testing.T, mode string, taken bool, f fakesftp.Fault) (unharmed bool) {
	s := server(t)
	if taken {
		s.FS.Consume("people*", "/taken")
	}
	cfg := people(t.TempDir())
	if mode == "delta" {
		cfg = deltas(t.TempDir())
	}
	x := target(t, cfg.with(at(s)).with(settings{"receiver": settings{"folders": []string{"/taken"}}}), secretsOf(s))
	s.SetFaults(f)
	converge(t, x, create("1", "7", "Zoë"), create("2", "8", "Ann"))
	converge(t, x, rename("3", "7", "Zoe"), remove("4", "8"))
	logins := s.Count("login")
	require.NoError(t, x.Close(context.Background()))

	seen := map[string]int{}
	for _, d := range s.FS.Deliveries() {
		seen[d.Name]++
	}
	want := []string{"/outgoing/people_0001.csv", "/outgoing/people_0001.csv.done", "/outgoing/people_0001.csv.manifest.json",
		"/outgoing/people_0002.csv", "/outgoing/people_0002.csv.done", "/outgoing/people_0002.csv.manifest.json"}
	for _, name := range want {
		require.Equal(t, 1, seen[name], "%s after the loss of request %d (%s)", name, f.Nth, f.Do)
	}
	require.Len(t, seen, len(want))
	dir := "/outgoing"
	if taken {
		dir = "/taken"
	}
	chain(t, s.FS.Get, dir+"/people_%04d.csv.manifest.json", 2)
	body := map[string][2]string{
		"full":  {"ID,NAME,MAIL,STATUS,ROLES\n7,Zoë,,active,\n8,Ann,,active,\n", "ID,NAME,MAIL,STATUS,ROLES\n7,Zoe,,active,\n"},
		"delta": {"DO,ID,NAME,MAIL,STATUS,ROLES\nA,7,Zoë,,active,\nA,8,Ann,,active,\n", "DO,ID,NAME,MAIL,STATUS,ROLES\nU,7,Zoe,,active,\nD,8,Ann,,deleted,\n"},
	}[mode]
	for i := range body {
		require.Equal(t, body[i], text(t, s, fmt.Sprintf("%s/people_%04d.csv", dir, i+1)))
	}
	for _, name := range s.FS.Names() {
		require.False(t, strings.HasSuffix(name, ".tmp"), "%s stays", name)
	}
	s.Close()
	return logins == 1
}

// cutter passes a connection on until so many bytes have gone through it, in both
// directions together; later connections are whole.
func cutter(t testing.TB, to string, after int64) (addr string, passed *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	passed = &atomic.Int64{}
	var first atomic.Bool
	first.Store(true)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				return
			}
			limit := int64(1) << 60
			if first.Swap(false) && after > 0 {
				limit = after
			}
			end := func() { _ = in.Close(); _ = out.Close() }
			var n atomic.Int64
			pipe := func(dst, src net.Conn) {
				defer end()
				buf := make([]byte, 512)
				for {
					k, err := src.Read(buf)
					if over := n.Add(int64(k)) - limit; over > 0 {
						k = max(0, k-int(over))
						err = io.EOF
					}
					passed.Add(int64(k))
					if _, werr := dst.Write(buf[:k]); werr != nil || err != nil {
						return
					}
				}
			}
			go pipe(out, in)
			go pipe(in, out)
		}
	}()
	return l.Addr().String(), passed
}

// The same on the real server, with the connection cut after every so many bytes:
// in the handshake, the login, the listing, the writing, the renames. An upload that was
// cut begins anew (QUIRKS FILE-17).
func TestEveryByteCut(t *testing.T) {
	base, _, _ := openSSH(t)
	run := func(after int64) int64 {
		cfg, dir, local := openSSH(t)
		addr, passed := cutter(t, base["host"].(string), after)
		x := target(t, people(t.TempDir()).with(cfg).with(settings{"host": addr, "stall_timeout": "5s"}), nil)
		converge(t, x, create("1", "7", "Zoë"), create("2", "8", "Ann"))
		require.NoError(t, x.Close(context.Background()))
		entries, err := os.ReadDir(local)
		require.NoError(t, err)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		require.Equal(t, []string{"people_0001.csv", "people_0001.csv.done", "people_0001.csv.manifest.json"}, names, "after %d bytes in %s", after, dir)
		b, err := os.ReadFile(filepath.Join(local, "people_0001.csv"))
		require.NoError(t, err)
		require.Equal(t, "ID,NAME,MAIL,STATUS,ROLES\n7,Zoë,,active,\n8,Ann,,active,\n", string(b), "after %d bytes", after)
		m, err := os.ReadFile(filepath.Join(local, "people_0001.csv.manifest.json"))
		require.NoError(t, err)
		manifest, err := feed.DecodeManifest(m)
		require.NoError(t, err)
		require.EqualValues(t, 1, manifest.Sequence)
		require.Equal(t, sum(b), manifest.Files[0].SHA256)
		return passed.Load()
	}
	whole := run(0)
	step := int64(197) // prime: it meets every part of the packets in the end
	if testing.Short() {
		step = 997
	}
	rounds := 0
	for after := int64(1); after < whole; after += step {
		run(after)
		rounds++
	}
	t.Logf("%d bytes, cut %d times", whole, rounds)
	require.Greater(t, rounds, 5)
}

// Nothing under a final name is ever a part of a file, however long it takes.
func TestNoHalfFileIsEverSeen(t *testing.T) {
	cfg, _, local := openSSH(t)
	x := target(t, people(t.TempDir()).with(cfg), nil)
	stop := make(chan struct{})
	seen := make(chan string, 1)
	go func() {
		defer close(seen)
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Microsecond):
			}
			b, err := os.ReadFile(filepath.Join(local, "people_0001.csv"))
			if err == nil && strings.Count(string(b), "\n") != 3001 {
				seen <- fmt.Sprintf("%d bytes", len(b))
				return
			}
		}
	}()
	var ops []connector.Operation
	for i := range 3000 {
		ops = append(ops, create(fmt.Sprint(i), fmt.Sprintf("%06d", i), strings.Repeat("x", 200)))
	}
	must(t, x, ops...)
	close(stop)
	require.Empty(t, <-seen)
}
