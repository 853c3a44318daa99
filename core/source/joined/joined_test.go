package joined

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// list is a source of people.
type list struct {
	people   []identity.Attributes
	snapshot string
}

func (l *list) Fields() []source.Field {
	return []source.Field{{Name: "id", Type: source.Text}, {Name: "mail", Type: source.Text}, {Name: "name", Type: source.Text}}
}

func (l *list) Read(_ context.Context, yield func(*source.Record) error) (source.Report, error) {
	for _, p := range l.people {
		rec := source.Record{Kind: identity.Person, Anchor: p.Text("id"), Hash: identity.Hash{1},
			Position: func() string { return "hr.csv:2" }, Attributes: func() identity.Attributes { return p }}
		if err := yield(&rec); err != nil {
			return source.Report{}, err
		}
	}
	return source.Report{Snapshot: l.snapshot, Complete: true}, nil
}

func (l *list) Fingerprint(context.Context) (string, time.Time, error) {
	return l.snapshot, time.Time{}, nil
}

// directory is what is known of another source.
type directory struct {
	people []identity.Attributes
	state  string
}

func (d *directory) part(keys ...Key) Part {
	return Part{Source: "ad", Keys: keys, Take: []source.Field{{Name: "groups", Type: source.List}, {Name: "mail", Type: source.Text}},
		State: func(context.Context) (string, error) { return d.state, nil },
		All: func(_ context.Context, yield func(identity.Identity) error) error {
			for _, p := range d.people {
				if err := yield(identity.Identity{Attributes: p}); err != nil {
					return err
				}
			}
			return nil
		}}
}

func read(t *testing.T, r *Reader) (map[string]identity.Attributes, map[string]string, source.Report) {
	t.Helper()
	people, hashes := map[string]identity.Attributes{}, map[string]string{}
	report, err := r.Read(t.Context(), func(rec *source.Record) error {
		people[rec.Anchor], hashes[rec.Anchor] = rec.Attributes(), hex.EncodeToString(rec.Hash[:])
		return nil
	})
	require.NoError(t, err)
	return people, hashes, report
}

// QUIRKS HR-7: each attribute has one owner.
func TestEachAttributeHasItsOwner(t *testing.T) {
	hr := &list{snapshot: "s", people: []identity.Attributes{{"id": "1", "name": "Ann", "mail": "old@x.test"}, {"id": "2", "name": "Bo", "mail": "bo@x.test"}, {"id": "3", "name": "Cy"}}}
	ad := &directory{state: "7", people: []identity.Attributes{
		{"no": int64(1), "name": "ANN", "mail": "ann@x.test", "groups": []string{"sales"}}, {"no": "2", "mail": "", "groups": []string{}}}}
	r := New(hr, []Part{ad.part(Key{"id", "no"})})
	people, _, report := read(t, r)
	require.Equal(t, identity.Attributes{"id": "1", "name": "Ann", "mail": "ann@x.test", "groups": []string{"sales"}}, people["1"])
	require.Equal(t, identity.Attributes{"id": "2", "name": "Bo", "mail": "bo@x.test"}, people["2"], "where the owner has no value, the first one's counts")
	require.Equal(t, identity.Attributes{"id": "3", "name": "Cy"}, people["3"])
	require.Equal(t, []source.Conflict{{Position: "hr.csv:2", Anchor: "1", Attribute: "mail", Ours: "old@x.test", Owner: "ad", Theirs: "ann@x.test"}}, report.Conflicts)
	require.Equal(t, []string{"1 values differ from those of the source that owns them; the owner's count"}, report.Warnings)
	require.True(t, slices.ContainsFunc(r.Fields(), func(f source.Field) bool { return f == source.Field{Name: "groups", Type: source.List} }))
	require.Len(t, r.Fields(), 4)
}

func TestChangeInAPartIsAChange(t *testing.T) {
	hr := &list{snapshot: "s", people: []identity.Attributes{{"id": "1"}, {"id": "2"}}}
	ad := &directory{state: "7", people: []identity.Attributes{{"no": "1", "mail": "a@x.test"}}}
	r := New(hr, []Part{ad.part(Key{"id", "no"})})
	_, before, report := read(t, r)
	name, _, err := r.Fingerprint(t.Context())
	require.NoError(t, err)
	require.Equal(t, report.Snapshot, name)

	ad.people[0]["mail"], ad.state = "b@x.test", "8"
	_, after, _ := read(t, r)
	require.NotEqual(t, before["1"], after["1"])
	require.Equal(t, before["2"], after["2"])
	again, _, err := r.Fingerprint(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, name, again)
}

func TestSeveralMatchesGiveNothing(t *testing.T) {
	hr := &list{people: []identity.Attributes{{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bo"}}}
	ad := &directory{state: "7", people: []identity.Attributes{{"cn": "Ann", "mail": "a@x.test"}, {"cn": "ANN ", "mail": "b@x.test"}, {"no": "2", "cn": "Other", "mail": "c@x.test"}}}
	people, _, report := read(t, New(hr, []Part{ad.part(Key{"id", "no"}, Key{"name", "cn"})}))
	require.Empty(t, people["1"].Text("mail"))
	require.Equal(t, "c@x.test", people["2"].Text("mail"), "the first key that finds somebody counts")
	require.Equal(t, []string{"1 people match several entries of source ad: nothing is taken from it for them"}, report.Warnings)
}

func TestPartThatWasNeverReadIsTold(t *testing.T) {
	_, _, report := read(t, New(&list{people: []identity.Attributes{{"id": "1"}}}, []Part{(&directory{}).part(Key{"id", "no"})}))
	require.Contains(t, report.Warnings[0], "nothing is known of source ad yet")
}

func TestErrorsNameThePart(t *testing.T) {
	p := (&directory{}).part(Key{"id", "no"})
	p.All = func(context.Context, func(identity.Identity) error) error { return errors.New("the disk is gone") }
	_, err := New(&list{}, []Part{p}).Read(t.Context(), nil)
	require.EqualError(t, err, "source ad: the disk is gone")
}
