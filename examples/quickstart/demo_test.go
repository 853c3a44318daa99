package quickstart

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The demo does what it says: every command ends with the exit code that it names,
// and each target holds what provhub says it does.
func TestDemo(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin+string(filepath.Separator), "../../cmd/provhub", "../../plugins/provhub-connector-ldap",
		"../../plugins/provhub-connector-scim", "../../plugins/provhub-connector-sftp", "../../plugins/provhub-connector-sql")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	demo := exec.Command("./demo")
	demo.Env = append(os.Environ(), "PROVHUB_DEMO_BIN="+bin)
	out, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := string(out)
	for _, leaver := range []string{
		"pavel.novak@acme.example  Pavel  Novák  disabled  no roles", "pwdAccountLockedTime: 000001010000Z", `"active": false`, "1017,Pavel Novák,Prague,blocked",
	} {
		if strings.Count(text, leaver) != 1 {
			t.Errorf("the leaver is not disabled everywhere: %q is not in the output once", leaver)
		}
	}
	for _, want := range []string{"1017,Pavel Novák,Prague,valid", "manager: uid=chloe.dubois", "ALREADY_EXISTS", "HELD, nothing is sent", "The audit trail is intact"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the output", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}
