package sftp

import (
	"cmp"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
)

// edit works out what an account is after an operation. is is the account as it is
// wanted so far, nil for none; it is not changed. The errors are those of the
// contract.
func (c *Config) edit(op connector.Operation, is *feed.Row) (*feed.Row, error) {
	if v := op.Meta().IfVersion; v != "" && is != nil && v != version(is) {
		return nil, connector.Errorf(connector.CodeVersionConflict, "the account has changed since it was read")
	}
	if x, ok := op.(connector.Create); ok {
		return c.create(x)
	}
	if _, ok := op.(connector.Delete); ok {
		return c.delete(is), nil
	}
	if is == nil {
		return nil, connector.Errorf(connector.CodeNotFound, "there is no such account in the files")
	}
	switch x := op.(type) {
	case connector.Update:
		return c.update(x, is)
	case connector.SetEnabled:
		r := *is
		r.State = feed.Disabled
		if x.Enabled {
			r.State = feed.Enabled
		}
		return &r, nil
	case connector.Grant:
		return c.grant(x, is)
	case connector.Revoke:
		r := *is
		r.Groups = slices.DeleteFunc(slices.Clone(is.Groups), func(g string) bool { return g == groupOf(x.Entitlement) })
		return &r, nil
	}
	return nil, connector.Errorf(connector.CodeUnsupported, "files cannot %s", op.Verb())
}

func (c *Config) create(x connector.Create) (*feed.Row, error) {
	if !x.Credential.IsZero() {
		return nil, connector.Errorf(connector.CodeUnsupported, "files carry no passwords")
	}
	if err := c.accountType().CheckCreate(x); err != nil {
		return nil, err
	}
	r := &feed.Row{State: feed.Enabled}
	if x.Enabled == connector.IsDisabled {
		r.State = feed.Disabled
	}
	for _, a := range x.Attributes {
		r.Attributes = put(r.Attributes, a.Name, a.Values)
	}
	return r, nil
}

func (c *Config) update(x connector.Update, is *feed.Row) (*feed.Row, error) {
	typ := c.accountType()
	if err := typ.CheckUpdate(x); err != nil {
		return nil, err
	}
	r := *is
	r.Attributes = slices.Clone(is.Attributes)
	for _, change := range x.Changes {
		a, _ := typ.Attr(change.Name)
		vs := change.On(a, is.Attributes.Get(change.Name))
		if a.Required && len(vs) == 0 {
			return nil, &connector.Error{Code: connector.CodeInvalidValue, Message: "attribute " + a.Name + " is required", Attributes: []string{a.Name}}
		}
		r.Attributes = put(r.Attributes, change.Name, vs)
	}
	return &r, nil
}

// delete returns what stays of an account: nothing, or a mark for the files.
func (c *Config) delete(is *feed.Row) *feed.Row {
	if is == nil || c.OnDelete != "mark" {
		return nil
	}
	r := *is
	r.State, r.Groups = feed.Deleted, nil
	return &r
}

func (c *Config) grant(x connector.Grant, is *feed.Row) (*feed.Row, error) {
	name := groupOf(x.Entitlement)
	if known := c.Groups.Names; len(known) > 0 && !slices.Contains(known, name) {
		return nil, connector.Errorf(connector.CodeDependencyMissing, "there is no group of this name; groups.names of the config lists them")
	}
	r := *is
	if at, found := slices.BinarySearch(is.Groups, name); !found {
		r.Groups = slices.Insert(slices.Clone(is.Groups), at, name)
	}
	return &r, nil
}

func groupOf(ref connector.Ref) string { return cmp.Or(ref.ID, ref.By.Value, ref.Name) }

// put sets an attribute, sorted by name; without values it is taken out.
func put(as connector.Attributes, name string, vs connector.Values) connector.Attributes {
	at, found := slices.BinarySearchFunc(as, name, func(a connector.Attribute, n string) int { return strings.Compare(a.Name, n) })
	switch {
	case len(vs) == 0 && found:
		return slices.Delete(as, at, at+1)
	case len(vs) == 0:
		return as
	case found:
		as[at].Values = vs
		return as
	}
	return slices.Insert(as, at, connector.Attribute{Name: name, Values: vs})
}

// idOf returns the key of the account that an operation is about.
func (c *Config) idOf(op connector.Operation) (string, error) {
	switch x := op.(type) {
	case connector.Create:
		id := x.Attributes.Text(c.Key)
		if id == "" {
			return "", &connector.Error{Code: connector.CodeInvalidValue, Message: "attribute " + c.Key + " is required", Attributes: []string{c.Key}}
		}
		return id, nil
	case connector.Update:
		return c.idOfRef(x.Target)
	case connector.SetEnabled:
		return c.idOfRef(x.Target)
	case connector.Delete:
		return c.idOfRef(x.Target)
	case connector.Grant:
		return c.idOfRef(x.Principal)
	case connector.Revoke:
		return c.idOfRef(x.Principal)
	}
	return "", connector.Errorf(connector.CodeUnsupported, "files cannot %s", op.Verb())
}

func (c *Config) idOfRef(ref connector.Ref) (string, error) {
	switch {
	case ref.Type != "" && ref.Type != c.typeName():
		return "", connector.Errorf(connector.CodeUnsupported, "objects of type %s are words in the file and no more", ref.Type)
	case ref.ID != "":
		return ref.ID, nil
	case ref.By.Attribute == c.Key:
		return ref.By.Value, nil
	}
	return "", connector.Errorf(connector.CodeUnsupported, "an account is found by %s, not by %q", c.Key, ref.By.Attribute)
}

// proven reports whether an account holds what ref says that it must.
func proven(ref connector.Ref, r *feed.Row) bool {
	return ref.ID == "" || ref.By.IsZero() || r == nil || r.Attributes.Text(ref.By.Attribute) == ref.By.Value
}

func refOf(op connector.Operation) connector.Ref {
	switch x := op.(type) {
	case connector.Update:
		return x.Target
	case connector.SetEnabled:
		return x.Target
	case connector.Delete:
		return x.Target
	case connector.Grant:
		return x.Principal
	case connector.Revoke:
		return x.Principal
	}
	return connector.Ref{}
}
