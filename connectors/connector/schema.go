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
	Name       string // "user"
	Kind       ObjectKind
	NativeName string // "inetOrgPerson", "app_user"
	Attributes []Attr
	// Verbs lists what can be done with this type; empty means everything the
	// target implements.
	Verbs []Verb
	// Correlation lists the unique attributes that [Getter] can look up by.
	Correlation []string
	// Grants lists the entitlement object types an account of this type can hold.
	Grants []string
	// DisableMeans says, for people, what disabling does: "sets active to false".
	DisableMeans string
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
	Name     string
	Type     ValueType // "" means TypeString
	Multi    bool
	Ordered  bool // with Multi: order matters when comparing
	Required bool // on create
	// ReadOnly: set by the target. CreateOnly: cannot be changed later.
	// WriteOnly: never returned by reads.
	ReadOnly, CreateOnly, WriteOnly bool
	// Naming: part of the object's name; changing it is a [Rename] where the
	// target implements [Renamer].
	Naming bool
	// Unique: no two objects share a value. CaseExact: compare case-sensitively
	// (RFC 7643 §2.2 caseExact).
	Unique, CaseExact bool
	Secret            bool
	MaxLength         int      // in characters; 0: no limit known
	Canonical         []string // the only values accepted; empty: any
	RefersTo          string   // with TypeReference: an object type
	Description       string
}
