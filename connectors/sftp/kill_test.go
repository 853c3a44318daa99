package sftp

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

var (
	killSeed   = flag.Uint64("kill.seed", 1, "seed of the kills")
	killRounds = flag.Int("kill.rounds", 12, "runs of TestKilled, each with kills until its work is done")
)

// childEnv holds the job of a process that is going to be killed.
const childEnv = "PROVHUB_SFTP_TEST_CHILD"

// job is what the process does: batches from one on, each until it is done.
type job struct {
	Config   settings
	Password string
	From     int
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		child(text)
		return
	}
	os.Exit(m.Run())
}

// work is what is to be done in all: batches that make, change and take away.
func work(batch int) []connector.Operation {
	id := func(n int) string { return fmt.Sprintf("%03d", n) }
	op := func(n int) string { return fmt.Sprintf("b%d-%d", batch, n) }
	ops := []connector.Operation{create(op(1), id(2*batch), "Name"), create(op(2), id(2*batch+1), "Name")}
	if batch > 0 {
		ops = append(ops, rename(op(3), id(2*batch-2), "Renamed"), remove(op(4), id(2*batch-1)))
	}
	return ops
}

const batches = 4

// child does the job and says after each batch that it is done.
func child(text string) {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		panic(err)
	}
	raw, err := json.Marshal(j.Config)
	if err != nil {
		panic(err)
	}
	x, err := Definition.Open(context.Background(), raw, connector.Instance{Secrets: map[string]connector.Secret{"password": connector.NewSecret(j.Password)}})
	if err != nil {
		panic(err)
	}
	for b := j.From; b < batches; b++ {
		converge(&loud{}, x.(*Target), work(b)...)
		fmt.Println("done", b)
	}
	if err := x.(*Target).Close(context.Background()); err != nil {
		panic(err)
	}
}

// loud stands for a test in the process that is killed.
type loud struct{ testing.TB }

func (loud) Helper()                           {}
func (loud) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (loud) FailNow()                          { panic("failed") }

// Killed at any moment, again and again, the connector delivers each publication
// once, in order, without gaps, whole: the work is done, and nothing twice.
// Repeat a run with -kill.seed, make it longer with -kill.rounds.
func TestKilled(t *testing.T) {
	for round := range *killRounds {
		seed := *killSeed + uint64(round)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			s := server(t, fakesftp.Fault{On: "any", Do: fakesftp.Slow, Wait: time.Millisecond})
			taken := random.IntN(2) == 0
			if taken {
				s.FS.Consume("people*", "/taken")
			}
			mode := []func(string) settings{people, deltas}[random.IntN(2)]
			j := job{Config: mode(t.TempDir()).with(at(s)).with(settings{"receiver": settings{"folders": []string{"/taken"}}}), Password: s.Password()}
			kills := 0
			for j.From < batches {
				if run(t, &j, time.Duration(20+random.IntN(120))*time.Millisecond) {
					kills++
				}
				require.Less(t, kills, 500)
			}
			t.Logf("killed %d times", kills)
			delivered(t, s, taken)
		})
	}
}

// run runs the process until it has done its job or is killed.
func run(t *testing.T, j *job, after time.Duration) (killed bool) {
	text, err := json.Marshal(j)
	require.NoError(t, err)
	c := exec.Command(os.Args[0], "-test.run=^$")
	c.Env = append(os.Environ(), childEnv+"="+string(text))
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	kill := time.AfterFunc(after, func() { _ = c.Process.Kill() })
	for in := bufio.NewScanner(out); in.Scan(); {
		if n, ok := strings.CutPrefix(in.Text(), "done "); ok {
			b, err := strconv.Atoi(n)
			require.NoError(t, err)
			j.From = b + 1
		}
	}
	err = c.Wait()
	kill.Stop()
	require.False(t, c.ProcessState.Exited() && err != nil, "%s", stderr.String())
	return !c.ProcessState.Exited()
}

// delivered checks what arrived.
func delivered(t *testing.T, s *fakesftp.Server, taken bool) {
	dir := "/outgoing"
	if taken {
		dir = "/taken"
	}
	for _, name := range s.FS.Names() {
		require.NotContains(t, name, ".tmp", "what was left behind is cleared away")
	}
	seen := map[string]int{}
	for _, d := range s.FS.Deliveries() {
		seen[d.Name]++
		require.Equal(t, 1, seen[d.Name], "%s was delivered more than once", d.Name)
	}
	n := len(seen) / 3
	require.GreaterOrEqual(t, n, batches)
	chain(t, s.FS.Get, dir+"/people_%04d.csv.manifest.json", n)
	have := map[string]string{}
	for seq := 1; seq <= n; seq++ {
		replay(t, text(t, s, fmt.Sprintf("%s/people_%04d.csv", dir, seq)), have)
	}
	want := map[string]string{}
	for b := range batches {
		want[fmt.Sprintf("%03d", 2*b)] = "Renamed"
		if b == batches-1 {
			want[fmt.Sprintf("%03d", 2*b)], want[fmt.Sprintf("%03d", 2*b+1)] = "Name", "Name"
		}
	}
	require.Equal(t, want, have)
}

// replay does what a receiver does with a file.
func replay(t *testing.T, file string, have map[string]string) {
	lines := strings.Split(strings.TrimSpace(file), "\n")
	isDelta := strings.HasPrefix(lines[0], "DO,")
	if !isDelta {
		clear(have)
	}
	for _, line := range lines[1:] {
		cells := strings.Split(line, ",")
		action := ""
		if isDelta {
			action, cells = cells[0], cells[1:]
		}
		_, there := have[cells[0]]
		switch action {
		case "A":
			require.False(t, there, "%s is added twice", cells[0])
		case "U", "D":
			require.True(t, there, "%s of %s, who was never added", action, cells[0])
		}
		have[cells[0]] = cells[1]
		if action == "D" {
			delete(have, cells[0])
		}
	}
}
