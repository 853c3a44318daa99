package pluginhost

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/logtest"
)

// badBinary is the misbehaving plugin and memoryBinary the one of
// connectors/memory, built once for all tests.
var badBinary, memoryBinary string

// hostEnv makes the test binary a host of its own: the path of a plugin to start.
const hostEnv = "PROVHUB_TEST_HOST_OF"

func TestMain(m *testing.M) {
	if path := os.Getenv(hostEnv); path != "" {
		beHost(path)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "badplugin")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, b := range []struct {
		path *string
		from string
	}{{&badBinary, "./internal/badplugin"}, {&memoryBinary, "../../plugins/provhub-connector-memory"}} {
		*b.path = filepath.Join(dir, filepath.Base(b.from))
		if out, err := exec.Command("go", "build", "-o", *b.path, b.from).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s for the tests: %v\n%s", b.from, err, out)
			return 1
		}
	}
	return m.Run()
}

// beHost starts the plugin, says its process id and waits to be killed.
func beHost(path string) {
	in, err := Start(context.Background(), Config{InstanceID: "orphan", Path: path, Dev: true, ConfigJSON: json.RawMessage(`{}`)})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(in.Health().PID)
	time.Sleep(time.Minute)
	os.Exit(1)
}

// bad returns a path under which the plugin starts in the given mode.
func bad(t testing.TB, mode string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "badplugin-"+mode)
	require.NoError(t, os.Symlink(badBinary, path))
	return path
}

const password = `s3cret&"word`

// patience is how long tests wait for what should come soon.
const patience = 30 * time.Second

// testConfig runs the plugin in a mode, with a log. It is looked at often and comes
// back at once; what it may take is generous, as a busy machine takes long for everything:
// a test of a limit sets that one.
func testConfig(t testing.TB, mode string, config string) (Config, *logtest.Log) {
	t.Helper()
	logs := &logtest.Log{}
	return Config{
		InstanceID: "crm", Type: "bad", Path: bad(t, mode), Dev: true, ConfigJSON: json.RawMessage(config),
		Secrets:    map[string]connector.Secret{"password": connector.NewSecret(password)},
		Log:        slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		RuntimeDir: runtimeDir(t),
		Timeout:    patience,
		Times: Times{RestartFirst: 10 * time.Millisecond, Start: patience, Health: 100 * time.Millisecond, HealthDeadline: patience,
			AnswerGrace: patience, CancelGrace: patience},
	}, logs
}

// runtimeDir is short, as sockets need, and must be empty at the end.
func runtimeDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hubtest-")
	require.NoError(t, err)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("%d plugin folders were left behind (%v)", len(left), err)
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

func startConfig(t testing.TB, cfg Config) *Instance {
	t.Helper()
	in, err := Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { stopped(t, in) })
	return in
}

// started runs a well-behaved plugin.
func started(t testing.TB) (*Instance, *logtest.Log) {
	t.Helper()
	cfg, logs := testConfig(t, "good", `{}`)
	return startConfig(t, cfg), logs
}

func stopped(t testing.TB, in *Instance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	if err := in.Stop(ctx, time.Second); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// op is a create that does what it is told.
func op(id, do string) connector.Operation {
	return connector.Create{Call: connector.Call{ID: id, Key: id, Attempt: 1}, Type: "user",
		Attributes: connector.Attributes{{Name: "do", Values: connector.Values{do}}}}
}

func apply(t testing.TB, in *Instance, ops ...connector.Operation) []connector.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	rs := in.Apply(ctx, ops)
	require.Len(t, rs, len(ops))
	for i := range rs {
		require.Equal(t, ops[i].Meta().ID, rs[i].ID)
	}
	return rs
}

// eventually waits for a condition of another process.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it did not happen within %s that %s", patience, what)
}

// alive reports whether a process exists and is no zombie.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + strings.TrimSpace(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
