package directory

import (
	"maps"
	"strconv"
	"time"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// Resource is one user or group. Its fields are read while the directory is
// held, see [Directory.View]; Attrs and what it holds is never changed in place.
type Resource struct {
	Type     *schema.Type
	ID       string
	Attrs    map[string]any // without id, meta, schemas, members and groups
	Created  time.Time
	Modified time.Time
	// Since is when the resource was made by a request; zero for seeded ones.
	Since   time.Time
	Version int
	// Members of a group, nil for users.
	Members *Members
	// Aside holds what the target keeps to itself, such as a name that it hides.
	Aside map[string]any

	seq int // order of creation
}

// ETag returns the version as a weak validator (RFC 7644 §3.14).
func (r *Resource) ETag() string { return `W/"` + strconv.Itoa(r.Version) + `"` }

// Text returns a core attribute that is a text, "" when it is unassigned.
func (r *Resource) Text(name string) string {
	s, _ := r.Attrs[name].(string)
	return s
}

// Active reports whether the account may be used; unassigned counts as yes.
func (r *Resource) Active() bool { return r.Attrs["active"] != false }

// Clone returns a copy of a JSON value that shares nothing with it.
func Clone(v any) any {
	switch x := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, y := range x {
			m[k] = Clone(y)
		}
		return m
	case []any:
		l := make([]any, len(x))
		for i, y := range x {
			l[i] = Clone(y)
		}
		return l
	}
	return v
}

// cloneAttrs copies attributes deeply.
func cloneAttrs(m map[string]any) map[string]any {
	out := maps.Clone(m)
	for k, v := range out {
		out[k] = Clone(v)
	}
	return out
}
