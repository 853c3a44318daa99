package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var ctx = context.Background()

// failer is what [testing.T] and [rapid.T] have in common.
type failer interface {
	require.TestingT
	Helper()
}

func opened(t failer, dir string) *Box {
	t.Helper()
	b, err := Open(ctx, dir)
	require.NoError(t, err)
	return b
}

func save(t failer, b *Box, key, id, want string, now time.Time) {
	t.Helper()
	require.NoError(t, b.Accept(ctx, now, func(tx *Tx) error {
		r := Record{ID: id}
		if want != "" {
			r.Want, r.Line = []byte(want), []byte(id+"="+want+"\n")
		}
		if err := tx.Save(r); err != nil {
			return err
		}
		_, err := tx.Note(key, id)
		return err
	}))
}

func lines(t failer, s *Snapshot) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, s.Lines(ctx, func(line []byte) error { out.Write(line); return nil }))
	return out.String()
}

// model is what the outbox should hold.
type model struct {
	want, shown map[string]string
	waiting     map[string]bool // changed and not taken
	carried     map[string]bool // by the publication that is not confirmed
	seq         int64
	sealed      bool
	batch       Batch
}

// Whatever happens in whatever order, the process ending included: want is what was
// accepted last, shown is what was confirmed last, numbers have no gaps, and a
// change is confirmed when its account is.
func TestModel(t *testing.T) {
	root := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		dir := fmt.Sprintf("%s/%d", root, runs)
		b := opened(t, dir)
		defer func() { _ = b.Close() }()
		m := &model{want: map[string]string{}, shown: map[string]string{}, waiting: map[string]bool{}, carried: map[string]bool{}}
		keys := 0
		now := time.Unix(1_700_000_000, 0)
		t.Repeat(map[string]func(*rapid.T){
			"accept": func(t *rapid.T) {
				id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
				want := rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "want")
				require.NoError(t, b.Accept(ctx, now, func(tx *Tx) error {
					held, err := tx.Load(id)
					require.Equal(t, m.carried[id], held.Frozen)
					require.Equal(t, m.want[id], string(held.Want))
					require.Equal(t, m.carried[id] || m.waiting[id], held.Pending)
					return err
				}))
				if want == "" && m.want[id] == "" {
					return
				}
				if m.carried[id] { // it overtakes the response
					m.show(id)
					delete(m.carried, id)
				}
				keys++
				save(t, b, fmt.Sprint(keys), id, want, now)
				m.waiting[id] = true
				if m.want[id] = want; want == "" {
					delete(m.want, id)
				}
			},
			"publish": func(t *rapid.T) {
				if m.sealed {
					return
				}
				x, snap, ok, err := b.Take(ctx, "full", "run", false)
				require.NoError(t, err)
				require.Equal(t, len(m.waiting) > 0, ok)
				if !ok {
					return
				}
				defer snap.Release()
				require.Equal(t, m.seq+1, x.Seq)
				var want strings.Builder
				for _, id := range slices.Sorted(maps.Keys(m.want)) {
					want.WriteString(id + "=" + m.want[id] + "\n")
				}
				require.Equal(t, want.String(), lines(t, snap))
				var changed []string
				require.NoError(t, snap.Changed(ctx, x, func(id string, shown, want []byte) error {
					require.Equal(t, m.shown[id], string(shown))
					require.Equal(t, m.want[id], string(want))
					changed = append(changed, id)
					return nil
				}))
				require.Equal(t, slices.Sorted(maps.Keys(m.waiting)), changed)
				if rapid.Bool().Draw(t, "abandon") {
					require.NoError(t, b.Abandon(ctx, x))
					return
				}
				require.NoError(t, b.Seal(ctx, x, now))
				m.seq, m.sealed, m.batch = x.Seq, true, x
				m.carried, m.waiting = m.waiting, map[string]bool{}
			},
			"confirm": func(t *rapid.T) {
				if !m.sealed {
					return
				}
				if rapid.Bool().Draw(t, "by row") {
					m.respond(t, b, now)
				} else {
					require.NoError(t, b.MarkPublished(ctx, m.batch, now, true))
					for id := range m.carried {
						m.show(id)
					}
				}
				m.carried, m.sealed = map[string]bool{}, false
			},
			"end of the process": func(t *rapid.T) {
				require.NoError(t, b.Close())
				b = opened(t, dir)
			},
			"": func(t *rapid.T) { m.check(t, b) },
		})
	})
}

func (m *model) show(id string) {
	if m.shown[id] = m.want[id]; m.want[id] == "" {
		delete(m.shown, id)
	}
}

// respond confirms some accounts and has the receiver refuse the others.
func (m *model) respond(t *rapid.T, b *Box, now time.Time) {
	require.NoError(t, b.MarkPublished(ctx, m.batch, now, false))
	var vs []Verdict
	for _, id := range slices.Sorted(maps.Keys(m.carried)) {
		refused := rapid.Bool().Draw(t, "refused")
		vs = append(vs, Verdict{ID: id, Refused: refused, Code: 60, Message: "no"})
		if !refused {
			m.show(id)
		} else if m.want[id] = m.shown[id]; m.shown[id] == "" {
			delete(m.want, id)
		}
	}
	require.NoError(t, b.Respond(ctx, m.batch, append(vs, Verdict{ID: "stranger", Refused: true}), func(id string, shown []byte) (Record, error) {
		return Record{ID: id, Want: shown, Line: []byte(id + "=" + string(shown) + "\n")}, nil
	}))
}

func (m *model) check(t *rapid.T, b *Box) {
	all, more, err := b.List(ctx, "", 10)
	require.NoError(t, err)
	require.False(t, more)
	have := map[string]string{}
	for _, r := range all {
		have[r.ID] = string(r.Want)
	}
	require.Equal(t, m.shown, have)
	require.Equal(t, len(m.waiting) > 0, b.Waiting().Changes > 0)
	x, ok, err := b.Unpublished(ctx)
	require.NoError(t, err)
	require.Equal(t, m.sealed, ok)
	if ok {
		require.Equal(t, m.seq, x.Seq)
	}
}

// A change is what its publication is, unless the receiver said otherwise of it.
func TestChanges(t *testing.T) {
	b := opened(t, t.TempDir())
	defer b.Close()
	state := func(key string) ChangeState {
		c, ok, err := b.Change(ctx, key)
		require.NoError(t, err)
		require.True(t, ok)
		return c.State
	}
	now := time.Now()
	save(t, b, "1", "a", "x", now)
	save(t, b, "2", "b", "x", now)
	x, snap, _, err := b.Take(ctx, "full", "r", false)
	require.NoError(t, err)
	snap.Release()
	save(t, b, "3", "c", "x", now)
	require.Equal(t, Accepted, state("1"))
	require.NoError(t, b.Seal(ctx, x, now))
	require.NoError(t, b.MarkPublished(ctx, x, now, false))
	require.Equal(t, []ChangeState{Published, Published, Accepted}, []ChangeState{state("1"), state("2"), state("3")})
	require.NoError(t, b.Respond(ctx, x, []Verdict{{ID: "a", Refused: true, Code: 60, Message: "no"}}, nil))
	require.Equal(t, []ChangeState{Rejected, Published}, []ChangeState{state("1"), state("2")})
	open, err := b.Unconfirmed(ctx)
	require.NoError(t, err)
	require.Len(t, open, 1)
	require.NoError(t, b.Respond(ctx, x, []Verdict{{ID: "b"}}, nil))
	require.Equal(t, Confirmed, state("2"))
	open, err = b.Unconfirmed(ctx)
	require.NoError(t, err)
	require.Empty(t, open, "every row is answered")
	_, ok, err := b.Change(ctx, "nobody")
	require.NoError(t, err)
	require.False(t, ok)
}

// What is not confirmed is kept for ever, the rest for a while.
func TestForgetting(t *testing.T) {
	b := opened(t, t.TempDir())
	defer b.Close()
	long := time.Now().Add(-2 * keepChanges)
	publish := func(now time.Time) {
		x, snap, ok, err := b.Take(ctx, "full", "r", false)
		require.NoError(t, err)
		require.True(t, ok)
		snap.Release()
		require.NoError(t, b.Seal(ctx, x, now))
		require.NoError(t, b.MarkPublished(ctx, x, now, true))
	}
	save(t, b, "old", "a", "x", long)
	publish(long)
	save(t, b, "older and waiting", "b", "x", long)
	save(t, b, "new", "c", "x", time.Now())
	_, ok, _ := b.Change(ctx, "old")
	require.True(t, ok)
	publish(time.Now())
	_, ok, _ = b.Change(ctx, "old")
	require.False(t, ok)
	_, ok, _ = b.Change(ctx, "new")
	require.True(t, ok)
}

// Nothing of an error is kept, in a unit or in all.
func TestAcceptWholeOrNot(t *testing.T) {
	b := opened(t, t.TempDir())
	defer b.Close()
	bad := errors.New("bad")
	require.NoError(t, b.Accept(ctx, time.Now(), func(tx *Tx) error {
		require.ErrorIs(t, tx.Savepoint(func() error {
			require.NoError(t, tx.Save(Record{ID: "a", Want: []byte("x")}))
			return bad
		}), bad)
		return tx.Savepoint(func() error { return tx.Save(Record{ID: "b", Want: []byte("x")}) })
	}))
	require.ErrorIs(t, b.Accept(ctx, time.Now(), func(tx *Tx) error {
		require.NoError(t, tx.Save(Record{ID: "c", Want: []byte("x")}))
		return bad
	}), bad)
	require.NoError(t, b.Accept(ctx, time.Now(), func(tx *Tx) error {
		for id, there := range map[string]bool{"a": false, "b": true, "c": false} {
			held, err := tx.Load(id)
			require.NoError(t, err)
			require.Equal(t, there, held.Want != nil, id)
		}
		return nil
	}))
}

// One folder, one process; one process, one box.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, dir)
	again := opened(t, dir)
	require.Same(t, b, again)
	require.NoError(t, again.Close())
	save(t, b, "1", "a", "x", time.Now())
	require.NoError(t, b.SetMeta(ctx, "schema", "99"))
	require.NoError(t, b.Close())
	_, err := Open(ctx, dir)
	require.ErrorContains(t, err, "is of version 99")

	other := t.TempDir()
	f, err := os.Create(other + "/lock")
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, lockFile(f)) // as another process does
	limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	_, err = Open(limited, other)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// Who waits to publish can stop waiting.
func TestLock(t *testing.T) {
	b := opened(t, t.TempDir())
	defer b.Close()
	unlock, err := b.Lock(ctx)
	require.NoError(t, err)
	limited, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err = b.Lock(limited)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	unlock()
	unlock, err = b.Lock(ctx)
	require.NoError(t, err)
	unlock()
}
