package secret_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/secret"
)

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("GOOD", "hunter2")
	t.Setenv("EMPTY", "")
	for _, tc := range []struct {
		name string
		s    config.Secret
		want string // value, or what the error says
		fail bool
	}{
		{"an environment variable", config.Secret{Env: "GOOD"}, "hunter2", false},
		{"one that is not set", config.Secret{Env: "NOT_THERE"}, "NOT_THERE is not set", true},
		{"one that is empty", config.Secret{Env: "EMPTY"}, "EMPTY is empty", true},
		{"a file loses one line end", config.Secret{File: write("a", "p w \r\n", 0o600)}, "p w ", false},
		{"a file that others may read is refused", config.Secret{File: write("b", "x", 0o644)}, "chmod 600", true},
		{"an empty file", config.Secret{File: write("c", "\n", 0o600)}, "is empty", true},
		{"no file", config.Secret{File: filepath.Join(dir, "none")}, "no such file", true},
		{"a folder", config.Secret{File: dir}, "is not a file", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := secret.Resolve(tc.s)
			switch {
			case tc.fail && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error is %v, want %q in it", err, tc.want)
			case !tc.fail && (err != nil || got.Reveal() != tc.want):
				t.Errorf("got %q, %v", got.Reveal(), err)
			case strings.Contains(fmt.Sprintf("%v %+v %#v %s %q", got, got, got, got, got), "hunter2"):
				t.Error("the secret prints")
			}
		})
	}
}
