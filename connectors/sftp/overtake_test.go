package sftp

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// A leaver is locked out while the receiver has not answered an earlier change: with
// the next number, and whatever it says of the earlier one.
func TestADisableOvertakesAResponse(t *testing.T) {
	for name, base := range map[string]settings{"full": people(t.TempDir()), "delta": deltas(t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			real, dir, local := openSSH(t)
			require.NoError(t, os.Mkdir(filepath.Join(local, "acks"), 0o777))
			require.NoError(t, os.Chmod(filepath.Join(local, "acks"), 0o777))
			answer := func(name, text string) {
				require.NoError(t, os.WriteFile(filepath.Join(local, "acks", name), []byte(text), 0o644))
			}
			file := func(name string) string {
				b, err := os.ReadFile(filepath.Join(local, name))
				require.NoError(t, err)
				return string(b)
			}
			acks := settings{"folder": dir + "/acks", "name": "{base}.rsp", "key": "ID", "status": "RESULT", "ok": []string{"OK"}, "message": "WHY", "poll": "1ms", "wait": "1h"}
			x := target(t, base.with(real).with(settings{"acks": acks}), nil)

			made := apply(t, x, create("1", "7", "Zoë"), create("2", "8", "Ann"))
			answer("people_0001.rsp", "ID,RESULT,WHY\n7,OK,\n8,OK,\n")
			for _, r := range made {
				require.Equal(t, connector.OutcomeApplied, pollUntil(t, x, r).Outcome)
			}
			moved := apply(t, x, rename("3", "7", "Zoe"))[0]
			require.Equal(t, connector.OutcomePending, moved.Outcome)
			require.Equal(t, connector.CodeBusy, apply(t, x, rename("4", "7", "Zora"))[0].Err.Code, "another change waits for the response")

			locked := apply(t, x, disable("5", "7"))[0]
			require.Equal(t, connector.OutcomePending, locked.Outcome, "%v", locked.Err)
			require.Contains(t, file("people_0003.csv"), map[string]string{"full": "7,Zoe,,disabled,\n", "delta": "U,7,Zoe,,disabled,\n"}[name])
			require.Equal(t, connector.OutcomePending, pollFor(t, x, locked).Outcome, "it is done when the receiver says so")

			// The earlier one is refused now; that does not touch the later one.
			answer("people_0002.rsp", "ID,RESULT,WHY\n7,BAD,no such name\n")
			require.Equal(t, connector.CodeInvalidValue, pollUntil(t, x, moved).Err.Code)
			require.Equal(t, connector.OutcomePending, pollFor(t, x, locked).Outcome)
			answer("people_0003.rsp", "ID,RESULT,WHY\n7,OK,\n")
			require.Equal(t, connector.OutcomeApplied, pollUntil(t, x, locked).Outcome)
			o, err := x.Get(t.Context(), user("7"), nil)
			require.NoError(t, err)
			require.Equal(t, connector.IsDisabled, o.Enabled)

			// A create that is not answered yet is overtaken by a delete, too.
			apply(t, x, create("6", "9", "Bo"))
			gone := apply(t, x, remove("7", "9"))[0]
			require.Equal(t, connector.OutcomePending, gone.Outcome, "%v", gone.Err)
			if name == "full" {
				require.NotContains(t, file("people_0005.csv"), "Bo")
			} else {
				require.Contains(t, file("people_0005.csv"), "D,9,Bo")
			}
			again := apply(t, x, enable("8", "7"))[0]
			require.Equal(t, connector.OutcomePending, again.Outcome)
			back := apply(t, x, disable("9", "7"))[0]
			require.Equal(t, connector.OutcomePending, back.Outcome, "an enabling that is not answered is taken back")
			require.Contains(t, file("people_0007.csv"), "disabled")
		})
	}
}
