package memory

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func fast(d time.Duration) connector.Duration { return connector.Duration(d) }

func TestFaultsHappenAsAskedAndToldWhatTookEffect(t *testing.T) {
	create := []string{"create"}
	for _, tt := range []struct {
		name   string
		fault  Fault
		want   []string // the answers to three creates
		exists []bool   // whether each took effect
	}{
		{"every call fails", Fault{Do: Fail, Calls: create, Code: "QUOTA"}, []string{"QUOTA", "QUOTA", "QUOTA"}, []bool{false, false, false}},
		{"the second fails", Fault{Do: Fail, Calls: create, Nth: 2}, []string{"applied", "UNAVAILABLE", "applied"}, []bool{true, false, true}},
		{"twice", Fault{Do: Fail, Calls: []string{"write"}, Times: 2, Code: "BUSY"}, []string{"BUSY", "BUSY", "applied"}, []bool{false, false, true}},
		{"once for ever", Fault{Do: Fail, Once: filepath.Join(t.TempDir(), "once")}, []string{"UNAVAILABLE", "applied", "applied"}, []bool{false, true, true}},
		{"for one person", Fault{Do: Fail, Key: "u2", Code: "PERMISSION"}, []string{"applied", "PERMISSION", "applied"}, []bool{true, false, true}},
		{"another call", Fault{Do: Fail, Calls: []string{"delete", "read"}}, []string{"applied", "applied", "applied"}, []bool{true, true, true}},
		{"the reply is lost", Fault{Do: LoseReply, Calls: create, Nth: 1}, []string{"INTERNAL", "applied", "applied"}, []bool{true, true, true}},
		{"it hangs", Fault{Do: Hang, Nth: 3}, []string{"applied", "applied", "TIMEOUT"}, []bool{true, true, false}},
		{"it hangs when it is done", Fault{Do: HangAfter, Nth: 1}, []string{"TIMEOUT", "applied", "applied"}, []bool{true, true, true}},
		{"it is slow", Fault{Do: Slow, Wait: fast(time.Second)}, []string{"applied", "applied", "applied"}, []bool{true, true, true}},
		{"it is too slow", Fault{Do: Slow, Wait: fast(time.Hour), Nth: 1}, []string{"TIMEOUT", "applied", "applied"}, []bool{false, true, true}},
		{"it answers later", Fault{Do: Pending, Wait: fast(time.Second)}, []string{"pending", "pending", "pending"}, []bool{true, true, true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tg := openTarget(t, Config{Faults: []Fault{tt.fault}})
				var got []string
				var exists []bool
				for _, name := range []string{"u1", "u2", "u3"} {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					_, err := tg.Create(ctx, connector.Create{Call: tg.call(), Type: typeUser, Attributes: user(name)})
					cancel()
					got = append(got, answer(err))
					r, err := tg.store.correlate(schema[0], connector.Correlation{Attribute: "userName", Value: name})
					exists = append(exists, r != nil && err == nil)
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("answers (-want +got):\n%s", d)
				}
				if d := cmp.Diff(tt.exists, exists); d != "" {
					t.Errorf("took effect (-want +got):\n%s", d)
				}
			})
		})
	}
}

// QUIRKS Q-3
func TestALostReplyIsFoundAgainByTheSameOperation(t *testing.T) {
	tg := openTarget(t, Config{Faults: []Fault{{Do: LoseReply, Calls: []string{"create"}, Times: 1, PerOperation: true}}})
	for _, name := range []string{"ann", "bob"} {
		c := connector.Create{Call: tg.call(), Type: typeUser, Attributes: user(name), Correlate: connector.Correlation{Attribute: "userName", Value: name}}
		_, err := tg.Create(t.Context(), c)
		if r := connector.ResultOf("", connector.Ref{}, err); r.Outcome != connector.OutcomeUnknown {
			t.Errorf("%s: got %s", name, r.Outcome)
		}
		c.MaybeApplied = true
		if _, err := tg.Create(t.Context(), c); answer(err) != "unchanged" {
			t.Errorf("%s again: got %v", name, err)
		}
	}
	if got := tg.verbs(); got != "create ann, create bob" {
		t.Errorf("effects: %s", got)
	}
}

func TestAFailureSaysWhatItWasToldTo(t *testing.T) {
	tg := openTarget(t, Config{Faults: []Fault{{Do: Fail, Code: "RATE_LIMITED", Scope: connector.ScopeInstance, RetryAfter: fast(7 * time.Second), Message: "slow down"}}})
	var e *connector.Error
	if err := tg.update(connector.Ref{}); !errors.As(err, &e) || e.Code != connector.CodeRateLimited || e.Scope != connector.ScopeInstance || e.RetryAfter != 7*time.Second || e.Message != "slow down" {
		t.Errorf("got %+v", err)
	}
}

func TestFreezeIgnoresTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := openTarget(t, Config{Faults: []Fault{{Do: Freeze, Wait: fast(time.Minute)}}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, _ = tg.Create(ctx, connector.Create{Call: tg.call(), Type: typeUser, Attributes: user("ann")})
		if took := time.Since(start); took != time.Minute {
			t.Errorf("came back after %s", took)
		}
	})
}

func TestPanicPanics(t *testing.T) {
	tg := openTarget(t, Config{Faults: []Fault{{Do: Panic}}})
	defer func() {
		if recover() == nil || tg.verbs() != "" {
			t.Errorf("effects: %s", tg.verbs())
		}
	}()
	tg.make(typeUser, user("ann"))
}

func TestReadsAreBlindForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := openTarget(t, Config{Faults: []Fault{{Do: Blind, Calls: []string{"read"}, Wait: fast(3 * time.Second)}}})
		ann := tg.make(typeUser, user("ann"))
		by := connector.Ref{Type: typeUser, By: connector.Correlation{Attribute: "userName", Value: "ann"}}
		for _, want := range []string{"NOT_FOUND", "applied"} {
			_, errID := tg.Get(t.Context(), ann, nil)
			_, errBy := tg.Get(t.Context(), by, nil)
			if answer(errID) != want || answer(errBy) != want {
				t.Errorf("got %v and %v; want %s", errID, errBy, want)
			}
			time.Sleep(4 * time.Second)
		}
		if ids, _, _ := tg.list(typeUser, nil); len(ids) != 1 {
			t.Errorf("listed %v", ids)
		}
		tg.make(typeUser, user("bob"))
		if ids, end, _ := tg.list(typeUser, nil); len(ids) != 1 || !end.Complete {
			t.Errorf("listed %v", ids)
		}
	})
}

func TestTheControlFileIsReadBeforeEveryCall(t *testing.T) {
	control := filepath.Join(t.TempDir(), "control.json")
	tg := openTarget(t, Config{Control: control})
	ann := tg.make(typeUser, user("ann"))
	for _, tt := range []struct{ content, want string }{
		{`{"faults":[{"do":"fail","calls":["enable"],"code":"AUTHENTICATION"}]}`, "AUTHENTICATION"},
		{`{"faults":[]}`, "unchanged"},
		{`{"faults":[{"do":"explode"}]}`, "CONFIGURATION"},
		{`{`, "CONFIGURATION"},
		{``, "unchanged"},
	} {
		if err := os.WriteFile(control, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := answer(tg.SetEnabled(t.Context(), connector.SetEnabled{Call: tg.call(), Target: ann, Enabled: true})); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.content, got, tt.want)
		}
	}
}

func TestPollTellsWhenItIsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := openTarget(t, Config{Faults: []Fault{{Do: Pending, Wait: fast(time.Minute)}}})
		_, err := tg.Create(t.Context(), connector.Create{Call: tg.call(), Type: typeUser, Attributes: user("ann")})
		p := connector.Poll{Continuation: connector.ResultOf("", connector.Ref{}, err).Continuation}
		if got := answer(tg.Poll(t.Context(), p)); got != "pending" {
			t.Errorf("at once: %s", got)
		}
		time.Sleep(time.Minute)
		if got := answer(tg.Poll(t.Context(), p)); got != "applied" {
			t.Errorf("later: %s", got)
		}
		if got := answer(tg.Poll(t.Context(), connector.Poll{Continuation: []byte("x")})); got != "INVALID_VALUE" {
			t.Errorf("nonsense: %s", got)
		}
	})
}

func TestTheWrongTokenStopsEveryCall(t *testing.T) {
	tg := openTarget(t, Config{Tokens: []string{sum("open-sesame"), sum("next-token")}})
	ann := tg.make(typeUser, user("ann"))
	rotate := func(v string) string {
		return answer(tg.RotateSecrets(t.Context(), map[string]connector.Secret{"token": connector.NewSecret(v)}))
	}
	if got := []string{rotate("guess"), rotate("next-token")}; cmp.Diff([]string{"AUTHENTICATION", "applied"}, got) != "" {
		t.Errorf("rotating: %v", got)
	}
	tg.read(ann)
	tg.token = connector.NewSecret("stolen")
	_, errGet := tg.Get(t.Context(), ann, nil)
	_, _, errList := tg.list(typeUser, nil)
	for name, err := range map[string]error{"get": errGet, "list": errList, "check": tg.Check(t.Context()), "update": tg.update(ann), "poll": tg.Poll(t.Context(), connector.Poll{})} {
		if answer(err) != "AUTHENTICATION" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	steps, _ := tg.CheckSteps(t.Context())
	var failed, skipped []string
	for _, s := range steps {
		switch s.Status {
		case connector.CheckFail:
			failed = append(failed, s.Name)
		case connector.CheckSkipped:
			skipped = append(skipped, s.Name)
		}
	}
	if d := cmp.Diff([][]string{{"login"}, {"read"}}, [][]string{failed, skipped}); d != "" {
		t.Error(d)
	}
}

func TestABatchCanBeAnsweredWrongly(t *testing.T) {
	for mode, want := range map[Mode][]string{Twice: {"1", "2", "1"}, WrongID: {"nobody-asked-for-this", "2"}} {
		tg := openTarget(t, Config{Atomic: true, Faults: []Fault{{Do: mode, Nth: 1}}})
		ops := []connector.Operation{
			connector.Create{Call: connector.Call{ID: "1", Group: "g"}, Type: typeUser, Attributes: user("ann")},
			connector.Create{Call: connector.Call{ID: "2", Group: "g"}, Type: typeUser, Attributes: user("bob")},
		}
		var got []string
		for _, r := range (atomic{tg.Target}).ApplyBatch(t.Context(), ops) {
			got = append(got, r.ID)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", mode, d)
		}
	}
}

func TestAConfigThatCannotWorkIsToldByPath(t *testing.T) {
	fs := Definition.Validate([]byte(`{"store":"a","journal":"b","tokens":["abc"],"faults":[{"do":"fail"},{"do":"fly","code":"NO","calls":["sing"]}]}`))
	var got []string
	for _, f := range fs {
		got = append(got, f.Path)
	}
	if d := cmp.Diff([]string{"/faults/1/calls/0", "/faults/1/code", "/faults/1/do", "/store", "/tokens/0"}, sorted(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
