package memory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector"
)

func TestGetFindsByIDOrByWhatIsUnique(t *testing.T) {
	tg := openTarget(t, Config{})
	ann := tg.make(typeUser, user("Ann", attr("externalId", "A1"), attr("mail", "x@x.example")))
	tg.make(typeUser, user("bob", attr("mail", "x@x.example")))
	by := func(attribute, value string) connector.Ref {
		return connector.Ref{Type: typeUser, By: connector.Correlation{Attribute: attribute, Value: value}}
	}
	for _, tt := range []struct {
		name string
		ref  connector.Ref
		want string
	}{
		{"by id", connector.Ref{Type: typeUser, ID: ann.ID}, "applied"},
		{"by name in another case", by("userName", "ANN"), "applied"},
		{"by anchor", by("externalId", "A1"), "applied"},
		{"by anchor in another case", by("externalId", "a1"), "NOT_FOUND"},
		{"by what two have", by("mail", "x@x.example"), "AMBIGUOUS"},
		{"by what is not there", by("shoe", "43"), "INVALID_VALUE"},
		{"by nothing", connector.Ref{Type: typeUser}, "NOT_FOUND"},
		{"another type", connector.Ref{Type: typeGroup, ID: ann.ID}, "NOT_FOUND"},
		{"no such type", connector.Ref{Type: "printer", ID: "1"}, "INVALID_VALUE"},
	} {
		obj, err := tg.Get(t.Context(), tt.ref, []string{"mail"})
		if got := answer(err); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
		if err == nil && (obj.Ref.ID != ann.ID || len(obj.Attributes) != 1) {
			t.Errorf("%s: got %+v", tt.name, obj)
		}
	}
}

func TestAListingMissesNobodyWhoIsThereAllTheTime(t *testing.T) {
	tg := openTarget(t, Config{PageSize: 3})
	var want []string
	for i := range 10 {
		want = append(want, tg.make(typeUser, user(fmt.Sprintf("u%d", i))).ID)
	}
	n := 0
	got, end, err := tg.list(typeUser, func(o connector.Object) error {
		n++
		switch n {
		case 1: // the first of this page and the last of all go, one comes
			for _, id := range []string{want[0], want[9]} {
				if err := tg.Delete(t.Context(), connector.Delete{Call: tg.call(), Target: connector.Ref{Type: typeUser, ID: id}}); err != nil {
					t.Error(err)
				}
			}
			tg.make(typeUser, user("late"))
		}
		return nil
	})
	if d := cmp.Diff(append(want[:9:9], "user-11"), got); err != nil || !end.Complete || d != "" {
		t.Errorf("%v, %+v (-want +got):\n%s", err, end, d)
	}
	// What changed meanwhile is told by the token of the listing's beginning.
	var changed []string
	_, expired, err := tg.Changes(t.Context(), connector.ChangesQuery{Type: typeUser, SyncToken: end.SyncToken}, func(c connector.TargetChange) error {
		changed = append(changed, fmt.Sprintf("%s %v", c.Ref.ID, c.Object != nil))
		return nil
	})
	if d := cmp.Diff([]string{want[0] + " false", want[9] + " false", "user-11 true"}, changed); err != nil || expired || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

func TestListingsEndAsTheyShould(t *testing.T) {
	tg := openTarget(t, Config{Faults: []Fault{{Do: Truncate, Calls: []string{"list"}, Nth: 2}}})
	for i := range 10 {
		tg.make(typeUser, user(fmt.Sprintf("u%d", i)))
	}
	if ids, end, err := tg.list(typeUser, nil); len(ids) != 10 || !end.Complete || err != nil {
		t.Errorf("%d, %+v, %v", len(ids), end, err)
	}
	if ids, end, err := tg.list(typeUser, nil); len(ids) != 5 || end.Complete || err != nil {
		t.Errorf("cut short: %d, %+v, %v", len(ids), end, err)
	}
	if ids, end, err := tg.list(typeRole, nil); len(ids) != 0 || !end.Complete || err != nil {
		t.Errorf("nothing there: %d, %+v, %v", len(ids), end, err)
	}
	stop := errors.New("enough")
	if _, end, err := tg.list(typeUser, func(connector.Object) error { return stop }); !errors.Is(err, stop) || end.Complete {
		t.Errorf("stopped: %+v, %v", end, err)
	}
	var ids []string
	_, err := tg.List(t.Context(), connector.ListQuery{Type: typeUser, PageSize: 2, PageToken: []byte("user-8")}, func(o connector.Object) error { ids = append(ids, o.Ref.ID); return nil })
	if d := cmp.Diff([]string{"user-9", "user-10"}, ids); err != nil || d != "" {
		t.Errorf("after a token: %v (-want +got):\n%s", err, d)
	}
	if _, err := tg.List(t.Context(), connector.ListQuery{Type: typeUser, PageToken: []byte("x")}, nil); answer(err) != "INVALID_VALUE" {
		t.Errorf("nonsense token: %v", err)
	}
}

func TestChangesResumeFromAnyTokenAndTellWhenTheyCannot(t *testing.T) {
	tg := openTarget(t, Config{RenameChangesID: true})
	_, end, err := tg.list(typeUser, nil)
	if err != nil {
		t.Fatal(err)
	}
	ann := tg.make(typeUser, user("ann"))
	if _, err := tg.Rename(t.Context(), connector.Rename{Call: tg.call(), Target: ann, NewName: "anne"}); err != nil {
		t.Fatal(err)
	}
	tg.make(typeGroup, connector.Attributes{attr("displayName", "staff")})
	read := func(token []byte) (got []string, tokens [][]byte) {
		_, expired, err := tg.Changes(t.Context(), connector.ChangesQuery{Type: typeUser, SyncToken: token}, func(c connector.TargetChange) error {
			got, tokens = append(got, fmt.Sprintf("%s %v", c.Ref.ID, c.Object != nil)), append(tokens, c.SyncToken)
			return nil
		})
		if err != nil || expired {
			t.Errorf("got %v, expired %v", err, expired)
		}
		return got, tokens
	}
	got, tokens := read(end.SyncToken)
	if d := cmp.Diff([]string{"user-1 true", "user-1 false", "user-2 true"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got, _ := read(tokens[1]); cmp.Diff([]string{"user-1 false", "user-2 true"}, got) != "" {
		t.Errorf("in the middle of a rename: %v", got) // told twice rather than not at all
	}
	if got, _ := read(tokens[2]); len(got) != 0 {
		t.Errorf("at the end: %v", got)
	}
	for _, token := range []string{"elsewhere:1", "x", string(tokens[0]) + "9"} {
		if _, expired, err := tg.Changes(t.Context(), connector.ChangesQuery{Type: typeUser, SyncToken: []byte(token)}, nil); !expired || err != nil {
			t.Errorf("%s: expired %v, %v", token, expired, err)
		}
	}
}

func TestFollowingTellsChangesAsTheyCome(t *testing.T) {
	tg := openTarget(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	seen, done := make(chan string, 10), make(chan error)
	go func() {
		_, _, err := tg.Changes(ctx, connector.ChangesQuery{Type: typeUser, Follow: true}, func(c connector.TargetChange) error { seen <- c.Ref.Name; return nil })
		done <- err
	}()
	// A follower begins at "now": offer changes until it has begun.
	for i := 0; len(seen) == 0; i++ {
		tg.make(typeUser, user(fmt.Sprintf("u%d", i)))
		time.Sleep(time.Millisecond)
	}
	tg.make(typeUser, user("last"))
	for name := range seen {
		if name == "last" {
			break
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAJournalBringsEverythingBack(t *testing.T) {
	path := journalPath(t)
	tg := openTarget(t, Config{Journal: path})
	ann := tg.make(typeUser, user("ann", attr("hireDate", connector.Date("2026-03-31")), attr("seat", int64(7)), attr("phone", "1", "2")))
	bob := tg.make(typeUser, user("bob", attr("manager", ann)))
	staff := tg.make(typeGroup, connector.Attributes{attr("displayName", "staff")})
	if err := errors.Join(
		tg.Grant(t.Context(), connector.Grant{Call: tg.call(), Principal: bob, Entitlement: staff}),
		tg.SetEnabled(t.Context(), connector.SetEnabled{Call: tg.call(), Target: bob}),
		tg.SetCredential(t.Context(), connector.SetCredential{Call: tg.call(), Target: ann, Credential: connector.NewSecret("long-enough")}),
	); err != nil {
		t.Fatal(err)
	}
	gone := tg.make(typeUser, user("gone"))
	if err := tg.Delete(t.Context(), connector.Delete{Call: tg.call(), Target: gone}); err != nil {
		t.Fatal(err)
	}
	_ = tg.update(ann, connector.Change{Name: "shoe"}) // refused: no line

	forget(path)
	again := openTarget(t, Config{Journal: path})
	for _, typ := range []string{typeUser, typeGroup} {
		want, _ := tg.store.Objects(typ)
		got, err := again.store.Objects(typ)
		if d := cmp.Diff(want, got); err != nil || len(want) == 0 || d != "" {
			t.Errorf("%ss: %v (-before +after):\n%s", typ, err, d)
		}
	}
	if ok, _ := again.store.HasPassword(typeUser, ann.ID, "long-enough"); !ok {
		t.Error("the password is lost")
	}
	if next := again.make(typeUser, user("next")); next.ID != "user-4" {
		t.Errorf("the next id is %s", next.ID)
	}
	es, err := ReadJournal(path)
	var got []string
	for _, e := range es {
		got = append(got, fmt.Sprintf("%s %s %s %s", e.Verb, e.Key, e.Entitlement, e.Operation))
	}
	want := []string{"create ann  op-1", "create bob  op-2", "create staff  op-3", "grant bob group-1 op-4", "disable bob  op-5", "set_credential ann  op-6", "create gone  op-7", "delete gone  op-8", "create next  op-1"}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

func TestTwoProcessesShareAJournal(t *testing.T) {
	path := journalPath(t)
	one := openTarget(t, Config{Journal: path})
	forget(path)
	two := openTarget(t, Config{Journal: path})
	ann := one.make(typeUser, user("ann"))
	if got := two.read(ann); got.Ref.Name != "ann" {
		t.Errorf("got %+v", got)
	}
	if _, err := two.Create(t.Context(), connector.Create{Call: connector.Call{ID: "x", Key: "x"}, Type: typeUser, Attributes: user("ann")}); answer(err) != "ALREADY_EXISTS" {
		t.Errorf("got %v", err)
	}
	var wg sync.WaitGroup
	for i, tg := range []*target{one, two} {
		wg.Go(func() {
			for k := range 50 {
				tg.make(typeUser, user(fmt.Sprintf("p%d-%d", i, k)))
			}
		})
	}
	wg.Wait()
	objs, err := one.store.Objects(typeUser)
	ids := map[string]bool{}
	for _, o := range objs {
		ids[o.Ref.ID] = true
	}
	if err != nil || len(ids) != 101 {
		t.Errorf("%d objects, %v", len(ids), err)
	}
}

func TestALineCutByAKillDoesNotCount(t *testing.T) {
	path := journalPath(t)
	tg := openTarget(t, Config{Journal: path})
	tg.make(typeUser, user("ann"))
	whole := readFile(t, path)
	tg.make(typeUser, user("bob"))
	for cut := len(whole); cut < len(readFile(t, path)); cut += 37 {
		p := journalPath(t)
		if err := os.WriteFile(p, []byte(readFile(t, path)[:cut]), 0o600); err != nil {
			t.Fatal(err)
		}
		again := openTarget(t, Config{Journal: p})
		again.make(typeUser, user("bob"))
		if es, err := ReadJournal(p); err != nil || len(es) != 2 {
			t.Errorf("cut at %d: %d effects, %v", cut, len(es), err)
		}
	}
}
