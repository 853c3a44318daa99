package memory

import (
	"context"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Get implements [connector.Getter].
func (t *Target) Get(ctx context.Context, ref connector.Ref, attributes []string) (obj connector.Object, err error) {
	fs, err := t.begin(ctx, occasion{call: callGet, key: t.keyOf(ref)})
	if err != nil {
		return obj, err
	}
	err = t.store.do(func(tx *tx) error {
		r, err := tx.s.get(ref, sight(fs))
		if err == nil {
			obj = tx.s.show(r, attributes)
		}
		return err
	})
	if err == nil {
		err = after(ctx, fs)
	}
	return obj, err
}

// sight returns which objects a read can see; nil: all.
func sight(fs []Fault) func(*record) bool {
	blind, ok := find(fs, Blind)
	if !ok {
		return nil
	}
	return func(r *record) bool { return time.Since(r.CreatedAt) > blind.wait() }
}

// get finds one object, by id if ref has one.
func (s *Store) get(ref connector.Ref, sees func(*record) bool) (*record, error) {
	typ, ok := schema.Type(ref.Type)
	if !ok {
		return nil, connector.Errorf(connector.CodeInvalidValue, "there is no object type %q", ref.Type)
	}
	var r *record
	if ref.ID != "" {
		r = s.objects[ref.Type][ref.ID]
	} else {
		var err error
		if r, err = s.correlate(typ, ref.By); err != nil {
			return nil, err
		}
	}
	if r == nil || sees != nil && !sees(r) {
		return nil, connector.Errorf(connector.CodeNotFound, "there is no such %s", ref.Type)
	}
	return r, nil
}

// correlate finds the one object with an attribute's value, nil when there is none.
func (s *Store) correlate(typ connector.ObjectType, by connector.Correlation) (*record, error) {
	if by.IsZero() {
		return nil, nil
	}
	a, ok := typ.Attr(by.Attribute)
	if !ok {
		return nil, invalid(by.Attribute, "a %s has no attribute %s to look it up by", typ.Name, by.Attribute)
	}
	if a.Unique {
		return s.objects[typ.Name][s.unique[uniqueKey{typ.Name, a.Name, folded(a, by.Value)}]], nil
	}
	var found *record
	for _, r := range s.objects[typ.Name] {
		if slices.ContainsFunc(r.Attributes.Get(a.Name), func(v connector.Value) bool { return a.Equal(v, by.Value) }) {
			if found != nil {
				return nil, connector.Errorf(connector.CodeAmbiguous, "several %ss have this %s", typ.Name, a.Name)
			}
			found = r
		}
	}
	return found, nil
}

// List implements [connector.Lister]. It reads page by page, so that others may
// write in between; what is there from beginning to end is listed once.
func (t *Target) List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (end connector.ListEnd, err error) {
	fs, err := t.begin(ctx, occasion{call: callList})
	if err != nil {
		return end, err
	}
	if _, ok := schema.Type(q.Type); !ok {
		return end, connector.Errorf(connector.CodeInvalidValue, "there is no object type %q", q.Type)
	}
	last := string(q.PageToken)
	if last != "" && serial(last) == 0 {
		return end, connector.Errorf(connector.CodeInvalidValue, "the page token is not one of this target")
	}
	size := q.PageSize
	if size <= 0 {
		size = max(1, t.cfg.PageSize)
	}
	_, truncate := find(fs, Truncate)
	for {
		page, token, err := t.page(q, last, size, sight(fs), truncate)
		if err != nil {
			return end, err
		}
		if end.SyncToken == nil {
			end.SyncToken = token // as it was at the beginning: changes since then are told again
		}
		for _, o := range page {
			if err := yield(o); err != nil {
				return end, err
			}
			last = o.Ref.ID
		}
		if len(page) < size || truncate {
			end.Complete = !truncate
			return end, after(ctx, fs)
		}
		if err := ctx.Err(); err != nil {
			return end, err
		}
	}
}

// page reads the next objects after last; half of all when truncated.
func (t *Target) page(q connector.ListQuery, last string, size int, sees func(*record) bool, truncate bool) (page []connector.Object, token []byte, err error) {
	err = t.store.do(func(tx *tx) error {
		if truncate {
			size = len(tx.s.objects[q.Type]) / 2
		}
		for _, r := range tx.s.after(q.Type, last, size, sees) {
			page = append(page, tx.s.show(r, q.Attributes))
		}
		token = tx.s.token(len(tx.s.effects))
		return nil
	})
	return page, token, err
}
