package memory

import (
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

// show is a record as the target shows it, with only the attributes named; nil
// means all. References to what is gone are not shown.
func (s *Store) show(r *record, attributes []string) connector.Object {
	o := connector.Object{Ref: r.ref(), ModifiedAt: r.ModifiedAt}
	for _, a := range r.Attributes {
		if attributes != nil && !slices.Contains(attributes, a.Name) {
			continue
		}
		if ref, ok := a.Values[0].(connector.Ref); ok {
			now, there := s.follow(ref)
			if !there {
				continue
			}
			a.Values = connector.Values{now}
		}
		o.Attributes = append(o.Attributes, a)
	}
	if r.Type == typeUser {
		o.Enabled = connector.EnabledIf(!r.Disabled)
		o.Grants = s.grantsOf(r)
	}
	return o
}

// grantsOf returns what the account holds, never nil.
func (s *Store) grantsOf(r *record) []connector.Ref {
	out := []connector.Ref{}
	for _, g := range r.Grants {
		if now, there := s.follow(g); there {
			now.Name = s.objects[now.Type][now.ID].key()
			out = append(out, now)
		}
	}
	return out
}

// follow returns where a stored reference points today; ok is false when its
// object is gone.
func (s *Store) follow(ref connector.Ref) (now connector.Ref, ok bool) {
	now = connector.Ref{Type: ref.Type, ID: ref.ID}
	for next, ok := s.moved[now]; ok; next, ok = s.moved[now] {
		now = next
	}
	_, ok = s.objects[now.Type][now.ID]
	return now, ok
}
