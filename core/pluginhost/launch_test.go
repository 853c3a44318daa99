package pluginhost

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/logtest"
)

func TestAPluginThatDoesNotComeUpSaysWhy(t *testing.T) {
	for _, c := range []struct{ mode, want string }{
		{"exit", "ended at its start (exit status 3)"},
		{"exit", "no licence file"}, // what it wrote
		{"rubbish", `printed "Hello, world!" where the handshake of a plugin is expected`},
		{"flood", "where the handshake of a plugin is expected"},
		{"mute", "did not get ready within 1s"},
		{"future", "does not speak protocol 1"},
		{"nocert", "could not be reached after its start"},
		{"other", `is a plugin of type "other", not "bad"`},
	} {
		t.Run(c.mode, func(t *testing.T) {
			cfg, _ := testConfig(t, c.mode, `{}`)
			if c.mode == "mute" { // the others may take as long as a busy machine needs
				cfg.Times.Start = time.Second
			}
			_, err := Start(t.Context(), cfg)
			var e *StartError
			require.ErrorAs(t, err, &e)
			assert.Contains(t, err.Error(), c.want)
			assert.Contains(t, err.Error(), cfg.Path)
		})
	}
}

func TestAFileThatIsNoPluginIsRefusedWithTheReason(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), mode))
		return path
	}
	foreign, err := os.ReadFile(badBinary)
	require.NoError(t, err)
	foreign[18], foreign[19] = 183, 0 // ELF e_machine: AArch64
	for name, c := range map[string]struct{ path, want string }{
		"missing":        {filepath.Join(dir, "nowhere"), "does not exist"},
		"a folder":       {dir, "is not a file"},
		"not executable": {write("plain", "x", 0o644), "is not executable"},
		"empty":          {write("empty", "", 0o755), "is empty"},
		"no program":     {write("text", "just text", 0o755), "it is not an executable file"},
		"no interpreter": {write("script", "#!/no/such/interpreter\n", 0o755), "its interpreter or loader is not on this machine"},
		"other platform": {write("arm", string(foreign), 0o755), "was built for linux/arm64, this machine is " + Platform()},
		"a command":      {"/bin/true", "a program that is no plugin ends the same way"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Inspect(t.Context(), c.path, "")
			require.ErrorContains(t, err, c.want)
			assert.Contains(t, err.Error(), c.path)
		})
	}
}

func TestAScriptCanBeAPlugin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\nexec "+bad(t, "good")+"\n"), 0o755))
	d, err := Inspect(t.Context(), path, "")
	require.NoError(t, err)
	assert.Equal(t, "bad", d.Type)
}

func TestAReplacedBinaryIsNotRun(t *testing.T) {
	d, err := Inspect(t.Context(), bad(t, "good"), "")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "plugin")
	content, err := os.ReadFile(badBinary)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(content, 0), 0o755))

	_, err = Inspect(t.Context(), path, d.SHA256)
	var e *MismatchError
	require.ErrorAs(t, err, &e)
	assert.Contains(t, err.Error(), path)
	assert.Contains(t, err.Error(), d.SHA256[:12])
	assert.NotContains(t, err.Error(), d.SHA256)
	assert.Contains(t, err.Error(), "provhub plugin pin "+path)
}

func TestWhatWasHashedIsWhatRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plugin-good")
	content, err := os.ReadFile(badBinary)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, content, 0o755))
	b, err := openBinary(path, "")
	require.NoError(t, err)
	defer b.file.Close()

	evil := filepath.Join(t.TempDir(), "ran")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\ntouch "+evil+"\n"), 0o755))

	r := newRunner(b, t.TempDir(), &logtest.Log{})
	r.prepare(nil)
	require.NoError(t, r.Start(t.Context()))
	<-r.exited // without the cookie it explains itself and exits
	assert.NoFileExists(t, evil)
	assert.Equal(t, "exit status 1", r.exitStatus())
}

func TestAPluginGetsOnlyWhatItNeeds(t *testing.T) {
	t.Setenv("PROVHUB_STATE_PASSWORD", "hub-database-password")
	t.Setenv("ORACLE_HOME", "/opt/oracle")
	cfg, _ := testConfig(t, "good", `{}`)
	cfg.Env = []string{"ORACLE_HOME"}
	in := startConfig(t, cfg)

	obj, err := in.Get(t.Context(), connector.Ref{Type: "user", ID: "environment"}, nil)
	require.NoError(t, err)
	env := map[string]bool{}
	for _, v := range obj.Attributes.Get("env") {
		name, _, _ := strings.Cut(v.(string), "=")
		env[name] = true
	}
	assert.False(t, env["PROVHUB_STATE_PASSWORD"], "the hub's environment reached the plugin")
	assert.True(t, env["ORACLE_HOME"] && env["PATH"] && env["GOMEMLIMIT"], "%v", env)
	assert.Equal(t, "/dev/null", obj.Attributes.Text("stdin"))
	assert.Equal(t, connector.Values{cfg.Path}, obj.Attributes.Get("args"))
	assert.Equal(t, password, obj.Attributes.Text("password"), "the secret comes with Configure")
	assert.NotContains(t, string(mustJSON(t, obj.Attributes.Get("env"))), "s3cret")

	info, err := os.Stat(obj.Attributes.Text("cwd"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	assert.True(t, strings.HasPrefix(obj.Attributes.Text("cwd"), cfg.RuntimeDir))
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

func TestAStartThatIsCancelledLeavesNothing(t *testing.T) {
	// At any moment: also before there is a process to kill.
	for _, after := range []time.Duration{0, 5 * time.Millisecond, 30 * time.Millisecond, 200 * time.Millisecond} {
		cfg, _ := testConfig(t, "mute", `{}`)
		cfg.Times.Start = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), after)
		before := time.Now()
		_, err := Start(ctx, cfg)
		cancel()
		require.Error(t, err)
		assert.Less(t, time.Since(before), patience)
	}
}

func TestARefusedConfigListsItsFindingsWithoutSecrets(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{"refuse":true}`)
	_, err := Start(t.Context(), cfg)
	var e *ConfigError
	require.ErrorAs(t, err, &e)
	assert.ErrorContains(t, err, "/refuse: must be false, not *** (leave it out)")

	fs, d, err := Validate(t.Context(), cfg)
	require.NoError(t, err)
	assert.Equal(t, []connector.Finding{{Path: "/refuse", Summary: "must be false"}}, fs)
	assert.Equal(t, "bad", d.Type)
}

func TestATargetThatWillNotOpenIsTheTargetsError(t *testing.T) {
	for config, code := range map[string]connector.Code{
		`{"target_down":true}`: connector.CodeAuthentication, `{"schema_down":true}`: connector.CodeUnavailable,
	} {
		cfg, _ := testConfig(t, "good", config)
		_, err := Start(t.Context(), cfg)
		require.True(t, connector.IsCode(err, code), "%v", err)
		assert.NotContains(t, err.Error(), "s3cret")
	}
}

func TestAnUnpinnedPluginIsNotStarted(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	cfg.Dev = false
	_, err := Start(t.Context(), cfg)
	require.ErrorContains(t, err, "provhub plugin pin "+cfg.Path)
}

func TestTheRuntimeFolderMustLeaveRoomForASocket(t *testing.T) {
	_, err := newRunDir(filepath.Join(t.TempDir(), strings.Repeat("d", 100)))
	require.Error(t, err)
	long := filepath.Join(t.TempDir(), strings.Repeat("d", 60))
	require.NoError(t, os.Mkdir(long, 0o700))
	_, err = newRunDir(long)
	require.ErrorContains(t, err, "XDG_RUNTIME_DIR")
	left, err := os.ReadDir(long)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestLeftoverFoldersOfDeadHubsAreRemoved(t *testing.T) {
	base := t.TempDir()
	old := time.Now().Add(-time.Hour)
	dead, used, young := filepath.Join(base, runDirPrefix+"dead"), filepath.Join(base, runDirPrefix+"used"), filepath.Join(base, runDirPrefix+"young")
	for _, d := range []string{dead, used, young, filepath.Join(base, "other")} {
		require.NoError(t, os.Mkdir(d, 0o700))
		require.NoError(t, os.Chtimes(d, old, old))
	}
	require.NoError(t, os.Chtimes(young, time.Now(), time.Now()))
	lock, err := lockDir(used)
	require.NoError(t, err)
	defer lock.Close()

	assert.Equal(t, 1, cleanRuntimeDir(base))
	assert.NoDirExists(t, dead)
	assert.DirExists(t, used)
	assert.DirExists(t, young)
	assert.DirExists(t, filepath.Join(base, "other"))
}
