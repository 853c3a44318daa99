// Package python_test holds the connector in Python to the suite that every
// connector passes.
package python_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connectortest"
)

// python is the interpreter that has gRPC.
func python(t *testing.T) string {
	path := os.Getenv("PROVHUB_TEST_PYTHON")
	if path == "" {
		t.Skip("needs PROVHUB_TEST_PYTHON: run make test")
	}
	return path
}

// touch opens what the plugin is made of, so that a change of it makes `go test`
// run again.
func touch(t *testing.T, roots ...string) {
	t.Helper()
	for _, root := range roots {
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				_, err = os.ReadFile(path)
			}
			return err
		}))
	}
}

func TestConformance(t *testing.T) {
	interpreter := python(t)
	touch(t, "src", "build", "testkit.yaml", "../../schemas/proto")
	binary := filepath.Join(t.TempDir(), "provhub-connector-jsonapi")
	build := exec.Command("./build", binary)
	build.Env = append(os.Environ(), "PYTHON="+interpreter)
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	target, end, err := connectortest.LoadTarget("testkit.yaml", binary)
	require.NoError(t, err)
	t.Cleanup(end)
	connectortest.Run(t, target)
}
