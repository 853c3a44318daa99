package crashtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A database that goes away under load, in an orderly way and not: all nodes go on when
// it is back, nothing is lost and nothing is done twice.
func TestDatabaseRestarted(t *testing.T) { // QUIRKS Q-16
	db := newDatabase(t)
	t.Parallel()
	c := newCluster(t, db.url, 4, 100)
	for range 2 {
		c.start(db.url)
	}
	c.settle()
	r := rand.New(rand.NewPCG(1, 3))
	stop := c.load(rand.New(rand.NewPCG(1, 5)))
	for _, end := range []struct {
		name   string
		signal syscall.Signal
	}{
		{"stopped", syscall.SIGINT}, // PostgreSQL's fast shutdown
		{"broken off", syscall.SIGQUIT},
	} {
		c.stirAll(end.name)
		c.until(patience, "the nodes are busy", func() bool { return c.open(c.apps...) > 100 })
		gone := time.Now()
		db.end(end.signal)
		time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
		c.catchUp()
		for _, n := range c.nodes {
			t.Logf("%s: node %d began its last call %v after the database was asked to end", end.name, n.pid(), max(c.lastCall(n).Sub(gone), 0).Round(10*time.Millisecond))
		}
		db.start()
		back := time.Now()
		var worst time.Duration
		for _, a := range c.apps {
			worst = max(worst, c.served(a, 0, back))
		}
		t.Logf("%s: all connectors are served again %v after the database was back", end.name, worst.Round(10*time.Millisecond))
	}
	stop()
	c.settle()
	c.check()
}

// database is a PostgreSQL of the test's own.
type database struct {
	t   *testing.T
	dir string
	url string
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	(&network{t: t}).env("PROVHUB_TEST_PG_URL") // where there is one, there can be another
	dir, err := os.MkdirTemp("", "provhub-crashtest-database-")
	require.NoError(t, err)
	d := &database{t: t, dir: dir}
	t.Cleanup(func() {
		d.run("down", "--purge", "postgres")
		require.NoError(t, os.RemoveAll(dir))
	})
	require.NoError(t, os.Chmod(dir, 0o755)) // the server has an account of its own
	env := d.start()
	for _, line := range strings.Split(env, "\n") {
		if url, ok := strings.CutPrefix(line, "export PROVHUB_TEST_PG_URL='"); ok {
			d.url = strings.TrimSuffix(url, "'")
		}
	}
	require.NotEmpty(t, d.url, env)
	return d
}

// start starts the server, at the same address each time, and returns the env file.
func (d *database) start() string {
	d.t.Helper()
	d.run("up", "-q", "postgres")
	b, err := os.ReadFile(filepath.Join(d.dir, "env"))
	require.NoError(d.t, err)
	return string(b)
}

// end has the server end, and waits until it has.
func (d *database) end(signal syscall.Signal) {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.dir, "postgres", "proc"))
	require.NoError(d.t, err)
	var pid int
	_, err = fmt.Sscan(string(b), &pid)
	require.NoError(d.t, err)
	require.NoError(d.t, syscall.Kill(pid, signal))
	d.run("down", "postgres")
}

func (d *database) run(script string, args ...string) {
	d.t.Helper()
	out, err := exec.Command("../../scripts/testenv/"+script, append([]string{"-d", d.dir}, args...)...).CombinedOutput()
	require.NoError(d.t, err, "%s", out)
}
