// Package plugins_test runs what the guide for authors says.
package plugins_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// commands are the lines of the guide that a reader types, in order.
func commands(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var out []string
	for line := range strings.Lines(string(b)) {
		command, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		program, _, _ := strings.Cut(command, " ")
		if indented && (program == "provhub" || program == "go" || program == "cd") {
			out = append(out, command)
		}
	}
	return out
}

// replaced are the commands that need something a test does not have.
var replaced = map[string]string{
	"go mod tidy":                                            "true", // asks the network; --replace makes it needless
	"provhub plugin new acme --kind http":                    "provhub plugin new acme --kind http --replace $ROOT",
	"go test ./...":                                          "go test -short -run /process/E ./...", // all of it: see plugins/scaffold
	"provhub plugin test .":                                  "provhub plugin test . --quick --only C,D",
	"provhub plugin test . --quick --format junit":           "provhub plugin test . --quick --only A1 --format junit",
	"provhub plugin test . --live sandbox.yaml --prefix zz-": "cp testkit.yaml sandbox.yaml && provhub plugin test . --live sandbox.yaml --prefix zz- --only E1,E8",
}

func TestTheCommandsOfTheGuideWork(t *testing.T) {
	if testing.Short() {
		t.Skip("builds provhub and a plugin: run without -short")
	}
	bin, dir := t.TempDir(), t.TempDir()
	out, err := exec.Command("go", "build", "-o", bin, "../cmd/provhub").CombinedOutput()
	require.NoError(t, err, string(out))
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	all := commands(t)
	require.Greater(t, len(all), 14)
	for command := range replaced {
		require.Contains(t, all, command, "the guide has changed: so must its test")
	}
	script := []string{"set -e"}
	for _, command := range all {
		run, ok := replaced[command]
		if !ok {
			run = command
		}
		script = append(script, "echo '$ "+strings.ReplaceAll(command, "'", "")+"'", run)
	}
	cmd := exec.Command("sh", "-c", strings.Join(script, "\n"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "ROOT="+root, "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, want := range []string{"applied in", `"complete": true`, `<testsuite name="conformance acme`, "Pinned acme 0.1.0", "0 failed"} {
		require.Contains(t, string(out), want)
	}
}
