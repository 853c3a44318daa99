package scim

import (
	"slices"
	"strings"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// model is what the service holds, as config, profile and the service itself
// say. It is made anew by every discovery and never changed.
type model struct {
	p      *client.Profile
	users  *objectType
	groups *objectType // nil: the product has none
	// problems say what the service does not tell of itself, and why.
	problems []string
}

// objectType is one kind of resource.
type objectType struct {
	name      string
	kind      connector.ObjectKind
	resource  client.ResourceType
	attrs     []attribute
	anchor    string // attribute that proves whose object it is; "" for none
	protected []rule

	method        client.UpdateMethod
	public        connector.ObjectType // as the hub sees it
	verbs         []connector.Verb
	correlation   []string
	grants        []string
	tellsGrants   bool // reads show what an account holds
	disableMeans  string
	needsPassword bool     // on create
	obfuscated    []string // what a disabled account does not show
}

// attribute is an attribute of the hub's and where it lies in the resource.
type attribute struct {
	connector.Attr
	path client.Path
	// kept: the target itself keeps values unique; others must be looked for.
	kept bool
}

func (t *objectType) attr(name string) (attribute, bool) {
	i := slices.IndexFunc(t.attrs, func(a attribute) bool { return a.Name == name })
	if i < 0 {
		return attribute{}, false
	}
	return t.attrs[i], true
}

// naming is the attribute that people know the objects by: userName, displayName.
func (t *objectType) naming() attribute {
	i := slices.IndexFunc(t.attrs, func(a attribute) bool { return a.Naming })
	if i < 0 {
		return attribute{}
	}
	return t.attrs[i]
}

// publish fills in what the hub sees of the type.
func (t *objectType) publish() {
	t.public = connector.ObjectType{
		Name: t.name, Kind: t.kind, NativeName: nativeNames[t.resource], Verbs: t.verbs,
		Correlation: t.correlation, Grants: t.grants, DisableMeans: t.disableMeans,
	}
	for _, a := range t.attrs {
		t.public.Attributes = append(t.public.Attributes, a.Attr)
	}
}

var nativeNames = map[client.ResourceType]string{client.Users: "User", client.Groups: "Group"}

// types lists the object types, accounts first.
func (m *model) types() []*objectType {
	if m.groups == nil {
		return []*objectType{m.users}
	}
	return []*objectType{m.users, m.groups}
}

func (m *model) schema() connector.Schema {
	var s connector.Schema
	for _, t := range m.types() {
		s = append(s, t.public)
	}
	return s
}

// typeOf returns the object type called name, INVALID_VALUE when there is none.
// "" is the accounts'.
func (m *model) typeOf(name string) (*objectType, error) {
	switch {
	case name == "" || name == m.users.name:
		return m.users, nil
	case m.groups != nil && name == m.groups.name:
		return m.groups, nil
	}
	return nil, connector.Errorf(connector.CodeInvalidValue, "there is no object type %q", name)
}

// can returns UNSUPPORTED unless verb can be done with objects of the type.
func (t *objectType) can(verb connector.Verb) error {
	if slices.Contains(t.verbs, verb) {
		return nil
	}
	return connector.Errorf(connector.CodeUnsupported, "the product cannot %s a %s", strings.ReplaceAll(string(verb), "_", " "), t.name)
}

// in reports whether a list of a profile names the attribute at path, or the
// one that it is part of: "name" means name.givenName too.
func in(list []string, path client.Path) bool {
	return slices.ContainsFunc(list, func(name string) bool {
		o, err := client.ParsePath(name)
		return err == nil && (path.Names(o) || path.Bare().Names(o))
	})
}
