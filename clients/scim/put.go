package scim

import (
	"github.com/provhub/provhub/connectors/connector"
)

// partial returns the body of a PUT that holds what changes and nothing else:
// body is the whole resource as it shall be.
func (p *Profile) partial(u Update, body Resource, changes []Change) Resource {
	out := Resource{"schemas": member(body, "schemas"), "id": u.ID}
	for _, ch := range changes {
		from, to := map[string]any(body), map[string]any(out)
		if ch.Path.Schema != "" {
			from = object(member(body, ch.Path.Schema))
			ext := object(member(out, ch.Path.Schema))
			if ext == nil {
				ext = map[string]any{}
				out[ch.Path.Schema] = ext
				out.declare(ch.Path.Schema)
			}
			to = ext
		}
		v := member(from, ch.Path.Attr)
		if v == nil && p.ClearStyle == ClearEmptyString {
			v = "" // left out it would stay; null says the same where nothing else is said
		}
		to[ch.Path.Attr] = v
	}
	return out
}

// markCleared says in a whole body what is emptied, where leaving it out does not.
func (p *Profile) markCleared(body Resource, changes []Change) error {
	for _, ch := range changes {
		if !ch.clears() || len(body.Values(ch.Path.Bare())) > 0 {
			continue
		}
		at := map[string]any(body)
		if ch.Path.Schema != "" {
			if at = object(member(body, ch.Path.Schema)); at == nil {
				continue
			}
		}
		switch p.ClearStyle {
		case ClearNull:
			at[key(at, ch.Path.Attr)] = nil
		case ClearEmptyString:
			at[key(at, ch.Path.Attr)] = ""
		case ClearUnsupported:
			return refused(connector.CodeUnsupported, ch.Path, "cannot be emptied on this target (profile %s, clear_style)", p.Name)
		}
	}
	return nil
}
