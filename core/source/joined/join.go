package joined

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

const conflictsMax = 100

// join knows what the parts say of everybody, for one reading.
type join struct {
	parts         []*table
	states        []string
	conflicts     []source.Conflict
	conflictCount int
}

// table is one part: the values taken, by the value of each of its keys.
type table struct {
	*Part
	known  bool
	people [][]any          // what is taken, in the order of Take; nil: no value
	by     []map[string]int // for each key: the number of the person; several: ambiguous

	ambiguous int
}

const severalPeople = -1

func (r *Reader) load(ctx context.Context) (*join, error) {
	j := &join{}
	var err error
	if j.states, err = r.states(ctx); err != nil {
		return nil, err
	}
	for i := range r.parts {
		t := &table{Part: &r.parts[i], by: make([]map[string]int, len(r.parts[i].Keys))}
		for k := range t.by {
			t.by[k] = map[string]int{}
		}
		err := t.All(ctx, func(id identity.Identity) error {
			t.known = true
			t.put(id.Attributes)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", t.Source, err)
		}
		j.parts = append(j.parts, t)
	}
	return j, nil
}

func (t *table) put(a identity.Attributes) {
	values := make([]any, len(t.Take))
	for i, f := range t.Take {
		values[i] = a[f.Name]
	}
	t.people = append(t.people, values)
	for i, k := range t.Keys {
		key := keyOf(a[k.Theirs])
		if key == "" {
			continue
		}
		if _, taken := t.by[i][key]; taken {
			t.by[i][key] = severalPeople
		} else {
			t.by[i][key] = len(t.people) - 1
		}
	}
}

// find returns what the part has for somebody; nil when it has nobody, or several.
func (t *table) find(a identity.Attributes) []any {
	for i, k := range t.Keys {
		key := keyOf(a[k.Ours])
		if key == "" {
			continue
		}
		at, ok := t.by[i][key]
		switch {
		case ok && at == severalPeople:
			t.ambiguous++
			return nil
		case ok:
			return t.people[at]
		}
	}
	return nil
}

// keyOf is a key's value as it is compared; "" when there is none.
func keyOf(v any) string {
	switch x := v.(type) {
	case nil, []string:
		return ""
	case string:
		return strings.ToLower(strings.TrimSpace(x))
	default:
		return fmt.Sprint(x)
	}
}

// add gives a record what the parts own. Its attributes are decoded for that.
func (j *join) add(rec *source.Record) {
	a := rec.Attributes()
	h := sha256.New()
	h.Write(rec.Hash[:])
	for _, t := range j.parts {
		values := t.find(a)
		for i, v := range values {
			fmt.Fprintf(h, "%d %T %q\n", i, v, fmt.Sprint(v))
			if empty(v) {
				continue
			}
			name := t.Take[i].Name
			if own := a[name]; !empty(own) && fmt.Sprint(own) != fmt.Sprint(v) {
				j.conflict(rec, name, own, t.Source, v)
			}
			a[name] = v
		}
		fmt.Fprintf(h, "%s %t\n", t.Source, values != nil)
	}
	copy(rec.Hash[:], h.Sum(nil))
	rec.Attributes = func() identity.Attributes { return a }
}

func empty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case []string:
		return len(x) == 0
	}
	return false
}

func (j *join) conflict(rec *source.Record, attribute string, own any, owner string, v any) {
	if j.conflictCount++; j.conflictCount > conflictsMax {
		return
	}
	j.conflicts = append(j.conflicts, source.Conflict{Anchor: strings.Clone(rec.Anchor), Position: rec.Position(), Attribute: attribute,
		Ours: fmt.Sprint(own), Owner: owner, Theirs: fmt.Sprint(v)})
}

func (j *join) warnings() (out []string) {
	for _, t := range j.parts {
		if !t.known {
			out = append(out, fmt.Sprintf("nothing is known of source %s yet: its attributes are missing; read it with `provhub plan --source %s`", t.Source, t.Source))
		}
		if t.ambiguous > 0 {
			out = append(out, fmt.Sprintf("%d people match several entries of source %s: nothing is taken from it for them", t.ambiguous, t.Source))
		}
	}
	if j.conflictCount > 0 {
		out = append(out, fmt.Sprintf("%d values differ from those of the source that owns them; the owner's count", j.conflictCount))
	}
	return out
}

func (j *join) snapshot(first string) string { return name(first, j.states) }
