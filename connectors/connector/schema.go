package connector

// Schema lists the object types of a target, as it has them now.
type Schema []ObjectType

// Type returns the object type called name.
func (s Schema) Type(name string) (ObjectType, bool) {
	for _, t := range s {
		if t.Name == name {
			return t, true
		}
	}
	return ObjectType{}, false
}

// ObjectKind says what an object type is for.
type ObjectKind string

// The kinds of object types.
const (
	KindAccount     ObjectKind = "account"
	KindGroup       ObjectKind = "group"
	KindEntitlement ObjectKind = "entitlement" // a role, licence or permission set
	KindOther       ObjectKind = "other"
)

// ObjectType describes one kind of object: what it is called, what it holds
// and what can be done with it.
type ObjectType struct {
	Name       string     `json:"name"` // "user"
	Kind       ObjectKind `json:"kind"`
	NativeName string     `json:"native_name,omitempty"` // "inetOrgPerson", "app_user"
	Attributes []Attr     `json:"attributes"`
	// Verbs lists what can be done with this type; empty means everything the
	// target implements.
	Verbs []Verb `json:"verbs,omitempty"`
	// Correlation lists the unique attributes that [Getter] can look up by.
	Correlation []string `json:"correlation,omitempty"`
	// Grants lists the entitlement object types an account of this type can hold.
	Grants []string `json:"grants,omitempty"`
	// DisableMeans says, for people, what disabling does: "sets active to false".
	DisableMeans string `json:"disable_means,omitempty"`
}

// Attr returns the attribute called name.
func (t ObjectType) Attr(name string) (Attr, bool) {
	for _, a := range t.Attributes {
		if a.Name == name {
			return a, true
		}
	}
	return Attr{}, false
}

// ValueType is the type of an attribute's values.
type ValueType string

// The value types. Keep them dull: a new one needs a new protocol.
const (
	TypeString    ValueType = "string"
	TypeInteger   ValueType = "integer"
	TypeDouble    ValueType = "double"
	TypeBool      ValueType = "bool"
	TypeTimestamp ValueType = "timestamp"
	TypeDate      ValueType = "date"
	TypeBytes     ValueType = "bytes"
	TypeReference ValueType = "reference"
	TypeObject    ValueType = "object"
)

// Attr describes one attribute. The zero value of everything but Name and Type
// is the usual case: single-valued, optional, written and read freely, compared
// without regard to case.
type Attr struct {
	Name     string    `json:"name"`
	Type     ValueType `json:"type,omitempty"` // "" means TypeString
	Multi    bool      `json:"multi,omitempty"`
	Ordered  bool      `json:"ordered,omitempty"`  // with Multi: order matters when comparing
	Required bool      `json:"required,omitempty"` // on create
	// ReadOnly: set by the target. CreateOnly: cannot be changed later.
	// WriteOnly: never returned by reads.
	ReadOnly   bool `json:"read_only,omitempty"`
	CreateOnly bool `json:"create_only,omitempty"`
	WriteOnly  bool `json:"write_only,omitempty"`
	// Naming: part of the object's name; changing it is a [Rename] where the
	// target implements [Renamer].
	Naming bool `json:"naming,omitempty"`
	// Unique: no two objects share a value. CaseExact: compare case-sensitively
	// (RFC 7643 §2.2 caseExact).
	Unique      bool     `json:"unique,omitempty"`
	CaseExact   bool     `json:"case_exact,omitempty"`
	Secret      bool     `json:"secret,omitempty"`
	MaxLength   int      `json:"max_length,omitempty"` // in characters; 0: no limit known
	Canonical   []string `json:"canonical,omitempty"`  // the only values accepted; empty: any
	RefersTo    string   `json:"refers_to,omitempty"`  // with TypeReference: an object type
	Description string   `json:"description,omitempty"`
}
