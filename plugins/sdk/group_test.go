package sdk

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/provhub/provhub/connectors/connector"
)

func applyAll(j *journal) func(context.Context, []connector.Operation) []connector.Result {
	return func(_ context.Context, ops []connector.Operation) []connector.Result {
		line := ""
		var rs []connector.Result
		for _, op := range ops {
			line += op.Meta().ID + " "
			rs = append(rs, connector.ResultOf(op.Meta().ID, connector.Ref{}, nil))
		}
		j.add("%s", line)
		return rs
	}
}

func TestAGroupWaitsUntilAllOfItIsHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		r := newRig(t, batcher{apply: applyAll(&j)}, 1, 1)
		r.send(update("a1", group("a", 2)), update("b1"), update("c1", group("c", 2)))
		synctest.Wait()
		r.wantOpen("a1", "c1")
		r.send(update("c2", group("c", 2)), update("a2", group("a", 2)))
		synctest.Wait()
		for _, id := range []string{"a1", "a2", "b1", "c1", "c2"} {
			r.want(id, connector.OutcomeApplied, 0)
		}
		if d := cmp.Diff([]string{"b1 ", "c1 c2 ", "a1 a2 "}, j.all()); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
	})
}

func TestAGroupThatStaysIncompleteIsNotAttempted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		r := newRig(t, batcher{apply: applyAll(&j)}, 4, 1)
		r.send(update("1", group("g", 3), key("ann"), within(5*time.Second)), update("2", group("g", 3), key("ann")), update("next", key("ann")))
		synctest.Wait()
		r.wantOpen("1", "2", "next")
		time.Sleep(6 * time.Second)
		synctest.Wait()
		r.want("1", connector.OutcomeCancelled, connector.CodeUnavailable)
		r.want("2", connector.OutcomeCancelled, connector.CodeUnavailable)
		r.want("next", connector.OutcomeApplied, 0)

		r.send(update("3", group("h", 2)))
		r.in.engine.halfClose(r.out)
		synctest.Wait()
		r.want("3", connector.OutcomeCancelled, connector.CodeUnavailable)
	})
}

func TestBatchesFillUpToTheSizeOrTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		r := newRig(t, batcher{apply: applyAll(&j)}, 4, 3)
		start := time.Now()
		r.send(update("1"), update("2"))
		time.Sleep(batchWindow - time.Millisecond)
		synctest.Wait()
		r.wantOpen("1", "2")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		r.want("1", connector.OutcomeApplied, 0)
		r.send(update("3"), update("4"), update("5"), update("6"))
		synctest.Wait()
		r.want("5", connector.OutcomeApplied, 0) // a full batch does not wait
		r.wantOpen("6")
		r.in.engine.halfClose(r.out) // nothing more can come
		synctest.Wait()
		r.want("6", connector.OutcomeApplied, 0)
		if got := time.Since(start); got != batchWindow {
			t.Errorf("took %s; want one window, %s", got, batchWindow)
		}
		if d := cmp.Diff([]string{"1 2 ", "3 4 5 ", "6 "}, j.all()); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
	})
}

// Whatever is sent: groups stay whole and in order, no two of one ordering key
// meet in a batch, keys keep their order, and everything is answered once.
func TestBatchesKeepGroupsWholeAndAccountsApart(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type unitOf struct{ key, group string }
		var sent []connector.Update
		owner := map[string]unitOf{}
		n := rapid.IntRange(1, 12).Draw(rt, "units")
		for u := range n {
			who := unitOf{key: rapid.SampledFrom([]string{"", "ann", "bob", "eve"}).Draw(rt, "key"), group: fmt.Sprint("g", u)}
			size := rapid.IntRange(1, 4).Draw(rt, "size")
			for i := range size {
				id := fmt.Sprintf("%d.%d", u, i)
				owner[id] = who
				sent = append(sent, update(id, key(who.key), group(who.group, size)))
			}
		}
		batch := rapid.IntRange(0, 5).Draw(rt, "batch")
		synctest.Test(t, func(t *testing.T) {
			var calls [][]string
			var r *rig
			r = newRig(t, batcher{apply: func(_ context.Context, ops []connector.Operation) []connector.Result {
				time.Sleep(time.Millisecond)
				var ids []string
				var rs []connector.Result
				for _, op := range ops {
					ids = append(ids, op.Meta().ID)
					rs = append(rs, connector.ResultOf(op.Meta().ID, connector.Ref{}, nil))
				}
				r.in.engine.mu.Lock()
				calls = append(calls, ids)
				r.in.engine.mu.Unlock()
				return rs
			}}, 3, batch)
			for _, op := range sent {
				r.send(op)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			last := map[string]string{} // by key: the unit seen last
			for _, ids := range calls {
				inBatch := map[string]string{}
				for i, id := range ids {
					who := owner[id]
					if g, ok := inBatch[who.key]; ok && who.key != "" && g != who.group {
						rt.Fatalf("two groups of %s in one batch: %v", who.key, ids)
					}
					inBatch[who.key] = who.group
					if i > 0 && owner[ids[i-1]].group == who.group && ids[i-1] >= id {
						rt.Fatalf("group out of order: %v", ids)
					}
					if who.key != "" {
						if len(last[who.key]) > 0 && lessUnit(id, last[who.key]) {
							rt.Fatalf("%s: %s after %s", who.key, id, last[who.key])
						}
						last[who.key] = id
					}
				}
			}
			for id := range owner {
				r.want(id, connector.OutcomeApplied, 0)
			}
		})
	})
}

func lessUnit(a, b string) bool {
	var ua, ub, i int
	_, _ = fmt.Sscanf(a, "%d.%d", &ua, &i)
	_, _ = fmt.Sscanf(b, "%d.%d", &ub, &i)
	return ua < ub
}

func TestABatcherIsHeldToOneAnswerEach(t *testing.T) {
	for _, tt := range []struct {
		name  string
		apply func(context.Context, []connector.Operation) []connector.Result
		want  map[string]connector.Outcome
	}{
		{"one is forgotten", func(_ context.Context, ops []connector.Operation) []connector.Result {
			return []connector.Result{connector.ResultOf("2", connector.Ref{}, nil)}
		}, map[string]connector.Outcome{"1": connector.OutcomeUnknown, "2": connector.OutcomeApplied}},
		{"one is answered twice", func(_ context.Context, ops []connector.Operation) []connector.Result {
			one := connector.ResultOf("1", connector.Ref{}, nil)
			return []connector.Result{one, connector.ResultOf("2", connector.Ref{}, nil), one}
		}, map[string]connector.Outcome{"1": connector.OutcomeUnknown, "2": connector.OutcomeApplied}},
		{"one is somebody else's", func(_ context.Context, ops []connector.Operation) []connector.Result {
			return []connector.Result{connector.ResultOf("1", connector.Ref{}, nil), connector.ResultOf("9", connector.Ref{}, nil)}
		}, map[string]connector.Outcome{"1": connector.OutcomeApplied, "2": connector.OutcomeUnknown}},
		{"it panics", func(context.Context, []connector.Operation) []connector.Result { panic("no") },
			map[string]connector.Outcome{"1": connector.OutcomeUnknown, "2": connector.OutcomeUnknown}},
		{"an answer says nothing", func(_ context.Context, ops []connector.Operation) []connector.Result {
			return []connector.Result{{ID: "1"}, connector.ResultOf("2", connector.Ref{}, nil)}
		}, map[string]connector.Outcome{"1": connector.OutcomeUnknown, "2": connector.OutcomeApplied}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, batcher{apply: tt.apply}, 4, 2)
				r.send(update("1"), update("2"))
				synctest.Wait()
				for id, outcome := range tt.want {
					code := connector.Code(0)
					if outcome == connector.OutcomeUnknown {
						code = connector.CodeInternal
					}
					r.want(id, outcome, code)
				}
			})
		})
	}
}

func TestAGroupWithAStepThatTheBatcherDoesNotDoIsNotAttempted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		r := newRig(t, batcher{apply: applyAll(&j)}, 4, 1)
		r.send(update("1", group("g", 2)), connector.Delete{Call: connector.Call{ID: "2", Group: "g", GroupSize: 2}})
		synctest.Wait()
		r.want("1", connector.OutcomeCancelled, connector.CodeDependencyMissing)
		r.want("2", connector.OutcomeFailed, connector.CodeUnsupported)
		if len(j.all()) != 0 {
			t.Errorf("calls: %v", j.all())
		}
	})
}

func TestABatchThatHangsIsAnsweredFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer func() { close(release); synctest.Wait() }()
		r := newRig(t, batcher{apply: func(context.Context, []connector.Operation) []connector.Result { <-release; return nil }}, 2, 2)
		r.send(update("1", within(time.Second)), update("2", within(3*time.Second)))
		time.Sleep(4 * time.Second)
		synctest.Wait()
		r.want("1", connector.OutcomeUnknown, connector.CodeTimeout)
		r.want("2", connector.OutcomeUnknown, connector.CodeTimeout)
	})
}

// Steps of one account, on a target that takes them one at a time.
func TestLaterStepsFindTheObjectThatAnEarlierOneMade(t *testing.T) {
	by := connector.Correlation{Attribute: "userName", Value: "ann"}
	call := func(id string) connector.Call {
		return connector.Call{ID: id, Group: "g", GroupSize: 4, OrderingKey: "ann"}
	}
	synctest.Test(t, func(t *testing.T) {
		var j journal
		r := newRig(t, renamer{lab{func(_ context.Context, op connector.Operation) error {
			switch o := op.(type) {
			case connector.Grant:
				j.add("grant to %q", o.Principal.ID)
			case connector.Update:
				j.add("update %q", o.Target.ID)
			}
			return nil
		}}}, 4, 0)
		r.send(
			connector.Create{Call: call("1"), Type: "user", Correlate: by},
			connector.Grant{Call: call("2"), Principal: connector.Ref{Type: "user", By: by}, Entitlement: connector.Ref{ID: "staff"}},
			connector.Rename{Call: call("3"), Target: connector.Ref{By: by}, NewName: "cn=ann"},
			connector.Update{Call: call("4"), Target: connector.Ref{ID: "id-of-ann"}},
		)
		synctest.Wait()
		for _, id := range []string{"1", "2", "3", "4"} {
			r.want(id, connector.OutcomeApplied, 0)
		}
		if d := cmp.Diff([]string{`grant to "id-of-ann"`, `update "cn=ann"`}, j.all()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// The name may belong to another person: a grant that finds the account by
// name would reach the wrong one.
func TestNothingIsGrantedWhenTheAccountCouldNotBeMade(t *testing.T) {
	by := connector.Correlation{Attribute: "userName", Value: "ann"}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lab{func(_ context.Context, op connector.Operation) error {
			if op.Verb() == connector.VerbCreate {
				return connector.Errorf(connector.CodeAlreadyExists, "taken")
			}
			t.Errorf("%s was attempted", op.Verb())
			return nil
		}}, 4, 0)
		r.send(connector.Create{Call: connector.Call{ID: "1", Group: "g", GroupSize: 2}, Correlate: by},
			connector.Grant{Call: connector.Call{ID: "2", Group: "g", GroupSize: 2}, Principal: connector.Ref{By: by}})
		synctest.Wait()
		r.want("1", connector.OutcomeFailed, connector.CodeAlreadyExists)
		r.want("2", connector.OutcomeCancelled, connector.CodeDependencyMissing)
	})
}

// A group that is missing holds back its own grant, not the others.
func TestAStepThatFailsDoesNotHoldBackItsNeighbours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lab{func(_ context.Context, op connector.Operation) error {
			if op.Meta().ID == "1" {
				return connector.Errorf(connector.CodeDependencyMissing, "no such group")
			}
			return nil
		}}, 4, 0)
		r.send(connector.Grant{Call: connector.Call{ID: "1", Group: "g", GroupSize: 2}}, connector.Grant{Call: connector.Call{ID: "2", Group: "g", GroupSize: 2}})
		synctest.Wait()
		r.want("1", connector.OutcomeFailed, connector.CodeDependencyMissing)
		r.want("2", connector.OutcomeApplied, 0)
	})
}

func TestAStepThatHangsLeavesTheRestOfItsGroupAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer func() { close(release); synctest.Wait() }()
		r := newRig(t, lab{func(_ context.Context, op connector.Operation) error {
			if op.Meta().ID == "2" {
				<-release
			}
			return nil
		}}, 2, 0)
		r.send(update("1", group("g", 3)), update("2", group("g", 3), within(time.Second)), update("3", group("g", 3)))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		r.want("1", connector.OutcomeApplied, 0)
		r.want("2", connector.OutcomeUnknown, connector.CodeTimeout)
		r.want("3", connector.OutcomeCancelled, connector.CodeDependencyMissing)
	})
}
