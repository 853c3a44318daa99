package pluginhost

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/provhub/provhub/connectors/connector"
)

// incident waits for the first one.
func incident(t *testing.T, in *Instance) Incident {
	t.Helper()
	eventually(t, "an incident is recorded", func() bool { return len(in.Incidents()) > 0 })
	return in.Incidents()[0]
}

// recovers waits until the plugin works again.
func recovers(t *testing.T, in *Instance) {
	t.Helper()
	eventually(t, "the plugin is back", func() bool {
		return in.WaitReady(t.Context()) == nil && in.Apply(t.Context(), []connector.Operation{op("again", "")})[0].Outcome == connector.OutcomeApplied
	})
}

func TestAPanicLeavesARecordAndANewProcess(t *testing.T) {
	in, logs := started(t)
	r := apply(t, in, op("o-1", "panic nil map"))[0]
	assert.Equal(t, connector.OutcomeUnknown, r.Outcome)
	assert.Equal(t, connector.CodeUnavailable, r.Err.Code)

	i := incident(t, in)
	assert.Equal(t, "the process ended", i.Cause)
	assert.Equal(t, "exit status 2", i.Exit)
	assert.Contains(t, i.Panic, "panic: connector is broken: nil map")
	assert.Contains(t, i.Panic, "apply.go:", "the stack belongs to it")
	assert.Equal(t, []string{"o-1"}, i.InFlight)
	assert.Contains(t, strings.Join(i.Log, "\n"), "panic: connector is broken")
	assert.Contains(t, logs.String(), `"connector":"crm"`)
	recovers(t, in)
	h := in.Health()
	assert.Equal(t, StateReady, h.State)
	assert.Equal(t, 1, h.Restarts)
	assert.Contains(t, h.LastError, "panic: connector is broken")
}

func TestAProcessThatIsKilledIsReplaced(t *testing.T) {
	in, _ := started(t)
	pid := in.Health().PID
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	i := incident(t, in)
	assert.Equal(t, "signal: killed", i.Exit)
	assert.Equal(t, pid, i.PID)
	recovers(t, in)
	assert.NotEqual(t, pid, in.Health().PID)
}

func TestAFrozenProcessIsReplacedAndItsOperationIsUnknown(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	cfg.Timeout, cfg.Times.HealthDeadline = time.Hour, 2*time.Second
	in := startConfig(t, cfg)
	before := time.Now()
	r := apply(t, in, op("o-1", "stop"))[0]
	assert.Equal(t, connector.OutcomeUnknown, r.Outcome)
	assert.Less(t, time.Since(before), patience)
	i := incident(t, in)
	assert.Equal(t, "the plugin does not answer", i.Cause)
	assert.Equal(t, "signal: killed", i.Exit)
	recovers(t, in)
}

func TestAPluginThatHangsDumpsItsGoroutines(t *testing.T) {
	cfg, _ := testConfig(t, "sick", `{}`)
	cfg.Times.HealthDeadline = 50 * time.Millisecond
	in := startConfig(t, cfg)
	i := incident(t, in)
	assert.Equal(t, "the plugin does not answer", i.Cause)
	assert.Contains(t, i.Panic, "SIGQUIT: quit")
	assert.Contains(t, i.Panic, "goroutine ")
}

func TestStoppingIsBounded(t *testing.T) {
	for name, do := range map[string]string{"frozen": "stop", "an operation that never ends": "never", "in good health": ""} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := testConfig(t, "good", `{}`)
			cfg.Timeout, cfg.Times.Health = time.Hour, time.Hour // nobody else finds out
			grace := 500 * time.Millisecond
			if do == "" {
				grace = patience // it takes what it needs
			}
			in, err := Start(t.Context(), cfg)
			require.NoError(t, err)
			answered := make(chan connector.Result, 1)
			go func() { answered <- in.Apply(context.Background(), []connector.Operation{op("o-1", do)})[0] }()
			eventually(t, "it is sent", func() bool { return in.Health().Outstanding == 1 || len(answered) == 1 })

			before := time.Now()
			require.NoError(t, in.Stop(t.Context(), grace))
			assert.Less(t, time.Since(before), patience)
			r := <-answered
			if do == "" {
				assert.Equal(t, connector.OutcomeApplied, r.Outcome)
			} else {
				assert.Equal(t, connector.OutcomeUnknown, r.Outcome)
			}
			assert.Equal(t, StateStopped, in.Health().State)
			assert.Equal(t, connector.CodeUnavailable, apply(t, in, op("o-2", ""))[0].Err.Code)
		})
	}
}

func TestAChildOfThePluginDiesWithIt(t *testing.T) {
	in, _ := started(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	apply(t, in, op("o-1", "child "+pidFile))
	var pid string
	eventually(t, "the child runs", func() bool {
		b, _ := os.ReadFile(pidFile)
		pid = strings.TrimSpace(string(b))
		return strings.HasSuffix(string(b), "\n") && alive(pid)
	})
	before := time.Now()
	stopped(t, in)
	assert.Less(t, time.Since(before), patience)
	eventually(t, "the child is gone", func() bool { return !alive(pid) })
}

func TestAStrayChildHoldsNobodyUp(t *testing.T) {
	in, _ := started(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	apply(t, in, op("o-1", "stray "+pidFile))
	var pid int
	eventually(t, "it runs", func() bool {
		b, _ := os.ReadFile(pidFile)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		return pid > 0
	})
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	before := time.Now()
	stopped(t, in)
	assert.Less(t, time.Since(before), patience, "it left the group and holds stderr")
}

func TestLongLinesBlockNobody(t *testing.T) {
	in, _ := started(t)
	for _, id := range []string{"o-1", "o-2"} {
		assert.Equal(t, connector.OutcomeApplied, apply(t, in, op(id, "longline"))[0].Outcome)
	}
	eventually(t, "both streams are in the log, cut off", func() bool {
		cut, printed := 0, 0
		for _, l := range in.Log(1000) {
			if strings.HasSuffix(l, "[cut off]") {
				cut++
				assert.Less(t, len(l), 17<<10)
			}
			if strings.Contains(l, "printed by the plugin: yyy") {
				printed++
			}
		}
		return cut == 4 && printed == 2
	})
}

func TestNoLogLineUpsetsTheHub(t *testing.T) {
	in, logs := started(t)
	for i, line := range []string{`{"@message": 1}`, `{"@timestamp": []}`, `{`, "\x00", strings.Repeat("[", 10_000)} {
		assert.Equal(t, connector.OutcomeApplied, apply(t, in, op(strconv.Itoa(i), "log "+line))[0].Outcome)
	}
	apply(t, in, op("spam", "spam"), op("print", "print hello from fmt"))
	eventually(t, "a stray print is logged as a warning", func() bool {
		return strings.Contains(logs.String(), `"level":"WARN","msg":"printed by the plugin: hello from fmt"`)
	})
	assert.Empty(t, in.Incidents())
}

func TestAnOversizedAnswerEndsTheStreamNotTheHub(t *testing.T) {
	in, _ := started(t)
	r := apply(t, in, op("o-1", "oversize"))[0]
	assert.Equal(t, connector.OutcomeUnknown, r.Outcome)
	assert.Contains(t, incident(t, in).Cause, "the stream broke: ")
	recovers(t, in)
}

func TestThePluginDiesWithTheHub(t *testing.T) {
	host := exec.Command(os.Args[0])
	host.Env = append(os.Environ(), hostEnv+"="+bad(t, "good"), "XDG_RUNTIME_DIR=", "TMPDIR="+t.TempDir())
	out, err := host.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, host.Start())
	pid, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.True(t, alive(pid), "%q", pid)
	require.NoError(t, host.Process.Kill())
	_ = host.Wait()
	eventually(t, "the plugin is gone", func() bool { return !alive(pid) })
}

func TestABinaryReplacedWhileItRunsIsNotStartedAgain(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	content, err := os.ReadFile(badBinary)
	require.NoError(t, err)
	cfg.Path = filepath.Join(t.TempDir(), "plugin-good")
	require.NoError(t, os.WriteFile(cfg.Path, content, 0o755))
	d, err := Inspect(t.Context(), cfg.Path, "")
	require.NoError(t, err)
	cfg.Dev, cfg.SHA256, cfg.Version = false, d.SHA256, d.Version
	in := startConfig(t, cfg)

	require.NoError(t, os.Remove(cfg.Path))
	require.NoError(t, os.WriteFile(cfg.Path, append(content, 0), 0o755))
	require.NoError(t, syscall.Kill(in.Health().PID, syscall.SIGKILL))
	eventually(t, "it is quarantined", func() bool { return in.Health().State == StateQuarantined })
	assert.Contains(t, in.Health().Alarm, "replaced or tampered with")
	e := apply(t, in, op("o-1", ""))[0].Err
	assert.Equal(t, connector.ClassInstance, e.Class())
	assert.ErrorContains(t, in.WaitReady(t.Context()), "quarantined")
}

func TestCrashesInARowRaiseTheAlarmAndItGoesOn(t *testing.T) {
	in, _ := started(t)
	for n := range alarmCrashes {
		require.NoError(t, in.WaitReady(t.Context()))
		assert.Empty(t, in.Health().Alarm)
		require.NoError(t, syscall.Kill(in.Health().PID, syscall.SIGKILL))
		eventually(t, "it is recorded", func() bool { return len(in.Incidents()) == n+1 })
	}
	assert.NotEmpty(t, in.Health().Alarm)
	recovers(t, in)
}

func TestRestartsNeverGiveUp(t *testing.T) {
	in := newInstance(Config{Times: Times{RestartFirst: 500 * time.Millisecond, RestartMax: time.Minute}, Log: nopLog()})
	waits := in.newBackoff()
	for range 1000 {
		w := waits.NextBackOff()
		require.Positive(t, w)
		require.LessOrEqual(t, w, 90*time.Second)
	}
}

func TestFiftyStartsLeaveNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("starts 50 processes: run without -short")
	}
	descriptors := func() int {
		runtime.GC()
		fds, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(fds)
	}
	cfg, _ := testConfig(t, "good", `{}`) // checks that no folder is left
	pids := []string{}
	once := func() {
		in, err := Start(t.Context(), cfg)
		require.NoError(t, err)
		apply(t, in, op("o-1", ""))
		pids = append(pids, strconv.Itoa(in.Health().PID))
		stopped(t, in)
	}
	once()
	time.Sleep(2 * pipeGrace)
	ignore := goleak.IgnoreCurrent()
	before := descriptors()
	for range 50 {
		once()
	}
	eventually(t, "all descriptors are closed", func() bool { return descriptors() <= before })
	for _, pid := range pids {
		assert.NoDirExists(t, "/proc/"+pid)
	}
	goleak.VerifyNone(t, ignore)
}
