package sftp

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// How many changes a second go into the outbox, in batches as the hub sends them.
func BenchmarkAccept(b *testing.B) {
	s := server(b)
	x := target(b, people(b.TempDir()).with(at(s)).with(settings{"publish": settings{"after": "1h", "within": "1h"}}), secretsOf(s))
	n := 0
	for b.Loop() {
		var ops []connector.Operation
		for range 256 {
			n++
			ops = append(ops, create(fmt.Sprint(n), fmt.Sprintf("%08d", n), "Somebody or other", "mail", "somebody@example.org"))
		}
		apply(b, x, ops...)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "changes/s")
}

// A full file of a million accounts, from the state to its name on the real server,
// against OpenSSH's own `sftp put` of the same bytes. Peak memory is that of the
// process since it began.
func BenchmarkFullFile(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	cfg, dir, local := openSSH(b)
	x := target(b, people(b.TempDir()).with(cfg).with(settings{"done": nil}), nil)
	fill(b, x, n)
	var bytes int64
	b.ResetTimer()
	for b.Loop() {
		_, err := x.Invoke(context.Background(), connector.Invocation{Name: "publish", Arguments: []byte(`{"full": true}`)}, func(connector.Progress) {})
		require.NoError(b, err)
	}
	b.StopTimer()
	ours := b.Elapsed() / time.Duration(b.N)
	last, _, err := x.box.Last(context.Background(), modeFull)
	require.NoError(b, err)
	require.EqualValues(b, n, last.Rows)
	bytes = last.Files[0].Size
	b.ReportMetric(float64(bytes)/ours.Seconds()/1e6, "MB/s")
	b.ReportMetric(float64(peak(b)), "peak-MB")
	theirs := sftpPut(b, cfg, filepath.Join(local, last.Files[0].Name), dir)
	b.ReportMetric(theirs.Seconds(), "sftp-put-s")
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "times-sftp-put")
}

// fill makes accounts that the receiver has, past the hub.
func fill(b *testing.B, x *Target, n int) {
	require.NoError(b, x.prepare(context.Background()))
	require.NoError(b, x.box.Restore(context.Background(), outbox.Batch{Seq: 1, Mode: modeFull, Rows: int64(n)}, func(keep func(outbox.Record) error) error {
		for i := range n {
			id := fmt.Sprintf("%08d", i)
			r, err := x.record(id, &feed.Row{State: feed.Enabled, Groups: []string{"reader"},
				Attributes: attrs("displayName", "Somebody or Other the "+id+"th", "employeeNumber", id, "mail", "somebody."+id+"@example.org")})
			if err != nil {
				return err
			}
			if err := keep(r); err != nil {
				return err
			}
		}
		return nil
	}, time.Now()))
}

// sftpPut times OpenSSH's client with a file, of which the fastest of three counts.
func sftpPut(b *testing.B, cfg settings, file, dir string) time.Duration {
	host, port, err := net.SplitHostPort(cfg["host"].(string))
	require.NoError(b, err)
	known := filepath.Join(b.TempDir(), "known_hosts")
	var lines string
	for _, k := range cfg["host_keys"].([]string) {
		lines += fmt.Sprintf("[%s]:%s %s\n", host, port, k)
	}
	require.NoError(b, os.WriteFile(known, []byte(lines), 0o600))
	best := time.Hour
	for range 3 {
		c := exec.Command("sftp", "-q", "-o", "UserKnownHostsFile="+known, "-i", cfg["key_file"].(string), "-P", port, "-b", "-", cfg["user"].(string)+"@"+host)
		c.Stdin = strings.NewReader("put " + file + " " + dir + "/put\n")
		begun := time.Now()
		out, err := c.CombinedOutput()
		require.NoError(b, err, string(out))
		best = min(best, time.Since(begun))
	}
	return best
}

// peak returns the most memory this process has had, in megabytes.
func peak(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kb int64
	_, err = fmt.Sscan(rest, &kb)
	require.NoError(b, err)
	return kb / 1024
}
