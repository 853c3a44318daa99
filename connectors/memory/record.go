package memory

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// record is one object, as it is kept and as the journal has it. Records are
// never changed once they are stored: a change makes a new one.
type record struct {
	Type       string               `json:"type"`
	ID         string               `json:"id"`
	Attributes connector.Attributes `json:"attributes"`
	Disabled   bool                 `json:"disabled,omitempty"`
	Grants     []connector.Ref      `json:"grants,omitempty"`
	Version    int64                `json:"version"`
	// MadeBy is the idempotency key of the create, so that a repeat is known.
	MadeBy     string    `json:"made_by,omitempty"`
	Password   string    `json:"password_sha256,omitempty"`
	MustChange bool      `json:"must_change,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	ModifiedAt time.Time `json:"modified_at"`
}

// key is the name that people know the object by.
func (r *record) key() string { return r.Attributes.Text(keys[r.Type]) }

func (r *record) ref() connector.Ref {
	return connector.Ref{Type: r.Type, ID: r.ID, Name: r.key(), Version: strconv.FormatInt(r.Version, 10)}
}

// next is a copy of r to be changed, one version on.
func (r *record) next(now time.Time) *record {
	c := *r
	c.Attributes, c.Grants = slices.Clone(r.Attributes), slices.Clone(r.Grants)
	c.Version++
	c.ModifiedAt = now
	return &c
}

// set gives an attribute its values; none takes it away.
func (r *record) set(name string, vs connector.Values) {
	i := slices.IndexFunc(r.Attributes, func(a connector.Attribute) bool { return a.Name == name })
	switch {
	case len(vs) == 0 && i >= 0:
		r.Attributes = slices.Delete(r.Attributes, i, i+1)
	case len(vs) == 0:
	case i >= 0:
		r.Attributes[i] = connector.Attribute{Name: name, Values: vs}
	default:
		r.Attributes = append(r.Attributes, connector.Attribute{Name: name, Values: vs})
	}
}

// serial is the number in an id such as "user-17", 0 when there is none.
func serial(id string) int64 {
	_, digits, _ := strings.Cut(id, "-")
	n, _ := strconv.ParseInt(digits, 10, 64)
	return n
}
