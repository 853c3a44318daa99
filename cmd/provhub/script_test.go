package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the expected output of the scripts anew")

// pluginsDir holds the plugin binaries that the scripts use.
var pluginsDir string

func TestMain(m *testing.M) {
	testscript.Main(testingM{m}, map[string]func(){
		"provhub":   func() { os.Exit(start()) },
		"targets":   targetsProgram,
		"directory": directoryProgram,
		"scim":      scimProgram,
	})
}

// testingM builds the plugins once, before the scripts, and not again in each
// process that a script starts.
type testingM struct{ *testing.M }

func (m testingM) Run() int {
	dir, err := os.MkdirTemp("", "provhub-plugins-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	pluginsDir = dir
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator),
		"../../plugins/provhub-connector-sql", "../../plugins/provhub-connector-memory",
		"../../plugins/provhub-connector-ldap", "../../plugins/provhub-connector-scim", "../../plugins/provhub-connector-sftp")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugins: %v\n%s", err, out)
		return 1
	}
	return m.M.Run()
}

// TestScripts runs testdata/script: provhub as its users call it.
func TestScripts(t *testing.T) {
	collector, spans := collectorOf(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: false,
		Setup:               setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"nohits":    nohits,
			"id":        capture,
			"tmpfs":     tmpfs,
			"servers":   servers,
			"until":     until,
			"fetch":     fetch,
			"collector": collector,
			"spans":     spans,
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "postgres":
				return os.Getenv("PROVHUB_TEST_PG_TARGET_URL") != "", nil
			case "ldap", "scim", "sftp":
				return os.Getenv(map[string]string{"ldap": "PROVHUB_TEST_LDAP_URL", "scim": "PROVHUB_TEST_SCIM_URL", "sftp": "PROVHUB_TEST_SFTP_ADDR"}[cond]) != "", nil
			case "root":
				return os.Getuid() == 0, nil
			case "mount": // tmpfs can be mounted here
				return mayMount(), nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

func setupScript(env *testscript.Env) error {
	people := filepath.Join("..", "..", "examples", "quickstart")
	for _, f := range []string{filepath.Join("testdata", "site", "provhub.yaml"), filepath.Join(people, "hr.csv"), filepath.Join(people, "hr-next-week.csv")} {
		data, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(env.WorkDir, filepath.Base(f)), data, 0o600); err != nil {
			return err
		}
	}
	env.Setenv("PATH", pluginsDir+string(filepath.ListSeparator)+env.Getenv("PATH"))
	env.Setenv("PROVHUB_PLUGINS_DIR", pluginsDir)
	env.Setenv("PLUGINS", pluginsDir)
	env.Setenv("QUICKSTART_CRM_DSN", "sqlite:"+filepath.Join(env.WorkDir, "crm.db"))
	env.Setenv("QUICKSTART_WIKI_DSN", "sqlite:"+filepath.Join(env.WorkDir, "wiki.db"))
	env.Setenv("PG_TARGET", os.Getenv("PROVHUB_TEST_PG_TARGET_URL"))
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "PROVHUB_TEST_") {
			env.Vars = append(env.Vars, v)
		}
	}
	env.Setenv("XDG_RUNTIME_DIR", "")
	env.Setenv("TMPDIR", os.TempDir())
	return nil
}

// mayMount reports whether a file system can be mounted: root in a container
// often may not.
var mayMount = sync.OnceValue(func() bool {
	dir, err := os.MkdirTemp("", "provhub-mount-")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	if syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k") != nil {
		return false
	}
	return syscall.Unmount(dir, 0) == nil
})

// tmpfs mounts a small file system for the length of the script: tmpfs FOLDER SIZE.
func tmpfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs FOLDER SIZE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+args[1]); err != nil {
		ts.Fatalf("mount: %v", err)
	}
	ts.Defer(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// exits runs a command that must end with the given code: exits 3 provhub sync.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if err != nil {
		var exit *exec.ExitError
		if e, ok := err.(*exec.ExitError); ok {
			exit, code = e, e.ExitCode()
		}
		if exit == nil {
			ts.Fatalf("%v", err)
		}
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// nohits fails when a file below the work folder holds a text: nohits TEXT FILE…
func nohits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: nohits TEXT FILE…")
	}
	for _, f := range args[1:] {
		if strings.Contains(ts.ReadFile(f), args[0]) {
			ts.Fatalf("%s holds %q", f, args[0])
		}
	}
}

// capture sets a variable to the first "id" or "hash" in the output of the last
// command, shortened: id VARIABLE KEY.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: id VARIABLE KEY")
	}
	_, rest, ok := strings.Cut(ts.ReadFile("stdout"), `"`+args[1]+`": "`)
	if !ok {
		ts.Fatalf("the last output has no %q", args[1])
	}
	ts.Setenv(args[0], rest[:12])
}
