package connector

import "time"

// Ref names one object in the target.
type Ref struct {
	// Type is the object type of the schema, such as "user".
	Type string `json:"type,omitempty"`
	// ID is the target's own stable id: a SCIM id, a DN, a primary key. "" when
	// not known yet; then By says how to find it.
	ID string `json:"id,omitempty"`
	// Name is the key people know, for display only.
	Name string `json:"name,omitempty"`
	// Version is an ETag, entryCSN or row version; "" when the target has none.
	Version string `json:"version,omitempty"`
	// By finds the object by a unique attribute while ID is not known. With ID it
	// says what the object must hold: where another object has the id now, as in a
	// database that was restored or exchanged, a target that can tell answers
	// NOT_FOUND.
	By Correlation `json:"by,omitzero"`
}

// String returns the best human name of the object.
func (r Ref) String() string {
	for _, s := range []string{r.Name, r.ID, r.By.Value} {
		if s != "" {
			return s
		}
	}
	return "?"
}

// Correlation finds an object by the value of a unique attribute (SCIM
// externalId, RFC 7643 §3.1; a login column; an anchor attribute).
type Correlation struct {
	Attribute string `json:"attribute,omitempty"`
	Value     string `json:"value,omitempty"`
}

// IsZero reports whether nothing is to be looked for.
func (c Correlation) IsZero() bool { return c.Attribute == "" }

// Enabled says whether an account can be used. The zero value is "not known".
type Enabled string

// The states of an account in the target.
const (
	EnabledUnknown Enabled = ""
	IsEnabled      Enabled = "enabled"
	IsDisabled     Enabled = "disabled"
)

// EnabledIf returns [IsEnabled] for true and [IsDisabled] for false.
func EnabledIf(on bool) Enabled {
	if on {
		return IsEnabled
	}
	return IsDisabled
}

// Object is an account or a group as the target has it now.
type Object struct {
	Ref        Ref        `json:"ref"`
	Attributes Attributes `json:"attributes,omitempty"`
	Enabled    Enabled    `json:"enabled,omitempty"`
	// Grants are the entitlements the account holds. nil means the target does
	// not tell; an empty list means it holds none.
	Grants     []Ref     `json:"grants,omitempty"`
	ModifiedAt time.Time `json:"modified_at,omitzero"`
}
