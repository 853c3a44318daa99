package ldap

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

// QUIRKS LDAP-11, §7.2: a lost answer is unknown; looking first, the repeat makes
// no second account.
func TestALostAnswerNeverMakesTwo(t *testing.T) {
	f := newFake(t, fakeldap.Options{})
	target := f.open(f.config(usual))
	ctx := context.Background()
	f.inject(fakeldap.Fault{Kind: fakeldap.DropAfterWrite, Ops: []fakeldap.Op{fakeldap.OpAdd}, OncePerDN: true})
	c := create("jane", "E1", "displayName", "Jane")
	_, err := target.Create(ctx, c)
	require.Equal(t, connector.OutcomeUnknown, outcome(err))
	c.MaybeApplied = true
	ref, err := target.Create(ctx, c)
	require.Equal(t, connector.Unchanged, err)
	require.Len(t, f.Children(f.In(fakeldap.People)), 1)

	// Somebody else renames it before we look: the anchor finds it.
	d := create("jack", "E2")
	_, err = target.Create(ctx, d)
	require.Equal(t, connector.OutcomeUnknown, outcome(err))
	require.NoError(t, f.Rename("uid=jack,"+f.In(fakeldap.People), "uid=jack.doe,"+f.In(fakeldap.People)))
	d.MaybeApplied = true
	_, err = target.Create(ctx, d)
	require.Equal(t, connector.OutcomeAdopted, outcome(err), "%v", err)
	require.Len(t, f.Children(f.In(fakeldap.People)), 2)

	for name, change := range map[string]func() error{
		"update": func() error {
			return target.Update(ctx, connector.Update{Target: connector.Ref{Type: "user", ID: ref.ID}, Changes: []connector.Change{replace("displayName", "J")}})
		},
		"disable": func() error {
			return target.SetEnabled(ctx, connector.SetEnabled{Target: connector.Ref{Type: "user", ID: ref.ID}})
		},
		"rename": func() error {
			_, err := target.Rename(ctx, connector.Rename{Target: connector.Ref{Type: "user", ID: ref.ID}, NewName: "j"})
			return err
		},
		"delete": func() error {
			return target.Delete(ctx, connector.Delete{Target: connector.Ref{Type: "user", ID: ref.ID}})
		},
	} {
		if name == "delete" {
			continue // last, below
		}
		clear := f.inject(fakeldap.Fault{Kind: fakeldap.DropAfterWrite, Times: 1})
		require.Equal(t, connector.OutcomeUnknown, outcome(change()), name)
		clear()
		require.Equal(t, connector.OutcomeUnchanged, outcome(change()), "%s took effect", name)
	}
	clear := f.inject(fakeldap.Fault{Kind: fakeldap.DropAfterWrite, Times: 1})
	gone := func() error {
		return target.Delete(ctx, connector.Delete{Target: connector.Ref{Type: "user", ID: ref.ID}})
	}
	require.Equal(t, connector.OutcomeUnknown, outcome(gone()))
	clear()
	require.Equal(t, connector.Unchanged, gone())
}

// Where the answer to an add brings the entry, nothing is read afterwards; where it does
// not, the entry is read.
func TestACreateIsReadBackWithItsAnswer(t *testing.T) {
	for _, tt := range []struct {
		flavor fakeldap.Flavor
		config string
		reads  int
	}{{fakeldap.OpenLDAP, usual, 0}, {fakeldap.ActiveDirectory, corp, 1}} {
		f := newFake(t, fakeldap.Options{Flavor: tt.flavor})
		target := f.open(f.config(tt.config))
		mustCreate(t, target, anyone(tt.flavor, 1)) // the first asks what there is to know of the server
		f.ResetStats()
		ref, err := target.Create(context.Background(), anyone(tt.flavor, 2))
		require.NoError(t, err)
		requests := f.Requests()
		added := slices.IndexFunc(requests, func(r fakeldap.Request) bool { return r.Op == fakeldap.OpAdd })
		require.Equal(t, 1, added, "it is looked for, and added")
		reads := 0
		for _, r := range requests[added:] {
			if r.Op == fakeldap.OpSearch {
				reads++
			}
		}
		require.Equal(t, tt.reads, reads, "%v", requests)
		ref.Type = "user"
		require.Equal(t, get(t, target, ref).Ref, ref)
	}
}

// A merged change of members whose answer is lost is unknown for each of them.
func TestALostAnswerToMergedGrants(t *testing.T) {
	f := newFake(t, fakeldap.Options{})
	target := f.open(f.config(usual))
	var refs []connector.Ref
	for i := range 20 {
		refs = append(refs, mustCreate(t, target, anyone(fakeldap.OpenLDAP, i)))
	}
	g := mustCreate(t, target, group("all"))
	send := func() []connector.Outcome {
		out := make([]connector.Outcome, len(refs))
		var wg sync.WaitGroup
		for i, ref := range refs {
			wg.Go(func() {
				out[i] = outcome(target.Grant(context.Background(), connector.Grant{Principal: ref, Entitlement: g}))
			})
		}
		wg.Wait()
		return out
	}
	clear := f.inject(fakeldap.Fault{Kind: fakeldap.DropAfterWrite})
	first := send()
	require.Contains(t, first, connector.OutcomeUnknown)
	require.NotContains(t, first, connector.OutcomeApplied)
	clear()
	for i, o := range send() {
		if first[i] == connector.OutcomeUnknown {
			require.Equal(t, connector.OutcomeUnchanged, o)
		} else { // its account could not be read: nothing had been sent for it
			require.Equal(t, connector.OutcomeApplied, o)
		}
	}
}

// QUIRKS LDAP-6: a listing that was cut is not complete.
func TestListingsThatAreCut(t *testing.T) {
	for _, kind := range []fakeldap.FaultKind{fakeldap.SizeLimit, fakeldap.TimeLimit, fakeldap.AdminLimit, fakeldap.References} {
		f := newFake(t, fakeldap.Options{})
		target := f.open(f.config(usual, `"groups": [`, `"page_size": 2, "groups": [`))
		for i := range 5 {
			mustCreate(t, target, anyone(fakeldap.OpenLDAP, i))
		}
		f.inject(fakeldap.Fault{Kind: kind, Count: 3, URL: "ldap://other.example.org", Below: f.In(fakeldap.People)})
		n := 0
		end, err := target.List(context.Background(), connector.ListQuery{Type: "user"}, func(connector.Object) error { n++; return nil })
		require.NoError(t, err)
		require.False(t, end.Complete, kind)
		require.GreaterOrEqual(t, n, 3)
	}
}

// A base that vanished must not make everybody look deleted.
func TestABaseThatIsGoneIsNoAbsence(t *testing.T) {
	f := newFake(t, fakeldap.Options{})
	target := f.open(f.config(usual))
	ref := mustCreate(t, target, create("jane", "E1"))
	require.NoError(t, f.Remove(f.In(fakeldap.People)))
	ctx := context.Background()
	_, err := target.Get(ctx, ref, nil)
	require.True(t, connector.IsCode(err, connector.CodeConfiguration), "%v", err)
	require.True(t, connector.IsCode(target.Delete(ctx, connector.Delete{Target: ref}), connector.CodeConfiguration))
	_, err = target.List(ctx, connector.ListQuery{Type: "user"}, func(connector.Object) error { return nil })
	require.True(t, connector.IsCode(err, connector.CodeConfiguration), "%v", err)
}

// QUIRKS LDAP-51, Q-11: the whole instance stops at the first refused bind, and
// a check tries once more.
func TestARefusedBindStopsTheInstance(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	wrong, err := Definition.Open(context.Background(), f.config(corp), connector.Instance{Secrets: map[string]connector.Secret{secretPassword: connector.NewSecret("wrong-Qx7vM2")}})
	require.NoError(t, err)
	target := wrong.(*Target)
	defer func() { _ = target.Close(context.Background()) }()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := target.Create(context.Background(), adUser("jane", "E1"))
			if e := connector.AsError(err); e == nil || e.Class() != connector.ClassInstance || outcome(err) != connector.OutcomeFailed {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, f.Stats().BindsFailed)
	steps, _ := target.CheckSteps(context.Background())
	require.Equal(t, connector.CheckFail, steps[3].Status)
	require.Equal(t, "bind", steps[3].Name)
	require.Equal(t, 2, f.Stats().BindsFailed)
	require.NoError(t, target.RotateSecrets(context.Background(), f.secrets()))
	mustCreate(t, target, adUser("jane", "E1"))
}

// QUIRKS LDAP-3: servers answer with other spelling than was written.
func TestOtherSpellingsOfNames(t *testing.T) {
	f := newFake(t, fakeldap.Options{})
	f.inject(fakeldap.Fault{Kind: fakeldap.Respelled})
	target := f.open(f.config(usual, `"anchor"`, `"container": {"attribute": "place", "values": [{"value": "main", "base": "ou=people,{base}"}]}, "anchor"`))
	ctx := context.Background()
	ref := mustCreate(t, target, create("jane", "E1", "place", "main"))
	require.Equal(t, "main", get(t, target, ref).Attributes.Text("place"))
	require.Equal(t, connector.Unchanged, target.Update(ctx, connector.Update{Target: ref, Changes: []connector.Change{replace("place", "main")}}))
	g := mustCreate(t, target, group("staff"))
	require.NoError(t, target.Grant(ctx, connector.Grant{Principal: ref, Entitlement: g}))
	require.Len(t, get(t, target, ref).Grants, 1)
	require.NoError(t, target.Delete(ctx, connector.Delete{Target: ref}))
}

// A time limit that passes while the directory is slow does not hold up others.
func TestASlowDirectoryEndsInTime(t *testing.T) {
	f := newFake(t, fakeldap.Options{})
	target := f.open(f.config(usual, `"bind_dn"`, `"timeout": "300ms", "bind_dn"`))
	ref := mustCreate(t, target, create("jane", "E1"))
	f.inject(fakeldap.Fault{Kind: fakeldap.Hang})
	began := time.Now()
	err := target.Update(context.Background(), connector.Update{Target: ref, Changes: []connector.Change{replace("displayName", "x")}})
	require.Equal(t, connector.OutcomeUnknown, outcome(err))
	require.True(t, connector.IsCode(err, connector.CodeTimeout), "%v", err)
	require.Less(t, time.Since(began), 30*time.Second)
}
