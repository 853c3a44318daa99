package ldap

import (
	"context"
	"strconv"
	"strings"
)

// Subschema is the schema that a server publishes (RFC 4512 §4.2). It is a hint:
// some servers publish attributes as mandatory or single-valued that are not.
type Subschema struct {
	attributes map[string]*AttributeType
	classes    map[string]*ObjectClass
}

// AttributeType is one attributeTypes value (RFC 4512 §4.1.2), with what it
// inherits from its superior filled in.
type AttributeType struct {
	OID       string
	Names     []string
	Superior  string
	Equality  string // matching rule; "": values cannot be compared, so not be removed one by one
	Syntax    string // OID
	MaxLength int    // the syntax's bound, 0: none
	Single    bool
	ReadOnly  bool // NO-USER-MODIFICATION
	Operation bool // operational: returned when asked for by name alone
}

// ObjectClass is one objectClasses value (RFC 4512 §4.1.1).
type ObjectClass struct {
	OID       string
	Names     []string
	Superiors []string
	Must, May []string
}

// Subschema reads the schema that holds for the entries of the server.
func (c *Client) Subschema(ctx context.Context, root RootDSE) (*Subschema, error) {
	dn, err := ParseDN(root.Subschema)
	if err != nil || dn.IsRoot() {
		return nil, unreadable("the server does not say where its schema is")
	}
	// Some servers return the entry to this filter alone (RFC 4512 §4.4).
	es, err := c.Find(ctx, Search{Base: dn, Scope: ScopeBase, Filter: Equal("objectClass", "subschema"), Attributes: []string{"attributeTypes", "objectClasses"}})
	if err != nil {
		return nil, err
	}
	if len(es) == 0 {
		return nil, unreadable("the server does not show its schema")
	}
	return ParseSubschema(es[0].Get("attributeTypes"), es[0].Get("objectClasses")), nil
}

// ParseSubschema reads definitions. What cannot be read is left out.
func ParseSubschema(attributeTypes, objectClasses []string) *Subschema {
	s := &Subschema{attributes: map[string]*AttributeType{}, classes: map[string]*ObjectClass{}}
	for _, text := range attributeTypes {
		d := parseDefinition(text)
		if len(d.names) == 0 {
			continue
		}
		a := &AttributeType{OID: d.oid, Names: d.names, Superior: d.first("SUP"), Equality: d.first("EQUALITY"),
			Single: d.flags["SINGLE-VALUE"], ReadOnly: d.flags["NO-USER-MODIFICATION"]}
		a.Operation = d.first("USAGE") != "" && d.first("USAGE") != "userApplications"
		a.Syntax, a.MaxLength = cutBound(d.first("SYNTAX"))
		for _, n := range append(d.names, d.oid) {
			s.attributes[strings.ToLower(n)] = a
		}
	}
	for _, text := range objectClasses {
		d := parseDefinition(text)
		if len(d.names) == 0 {
			continue
		}
		c := &ObjectClass{OID: d.oid, Names: d.names, Superiors: d.lists["SUP"], Must: d.lists["MUST"], May: d.lists["MAY"]}
		for _, n := range append(d.names, d.oid) {
			s.classes[strings.ToLower(n)] = c
		}
	}
	return s
}

// cutBound splits "1.3.6.1.4.1.1466.115.121.1.15{256}".
func cutBound(syntax string) (oid string, bound int) {
	oid, rest, _ := strings.Cut(strings.Trim(syntax, "'"), "{")
	bound, _ = strconv.Atoi(strings.TrimSuffix(rest, "}"))
	return oid, bound
}

// maxSuperiors ends a chain of superiors that runs in a circle.
const maxSuperiors = 32

// Attribute returns an attribute type by any of its names, nil when it is not
// known. What it does not say itself its superiors say.
func (s *Subschema) Attribute(name string) *AttributeType {
	name, _, _ = strings.Cut(name, ";")
	own := s.attributes[strings.ToLower(name)]
	if own == nil {
		return nil
	}
	a := *own
	for up, n := own, 0; n < maxSuperiors && up.Superior != "" && (a.Syntax == "" || a.Equality == ""); n++ {
		if up = s.attributes[strings.ToLower(up.Superior)]; up == nil {
			break
		}
		if a.Syntax == "" {
			a.Syntax, a.MaxLength = up.Syntax, up.MaxLength
		}
		if a.Equality == "" {
			a.Equality = up.Equality
		}
	}
	return &a
}

// Allows reports whether entries of these object classes may hold an attribute,
// and whether they must. Classes that are not known are left out.
func (s *Subschema) Allows(classes []string, attribute string) (may, must bool) {
	same := func(name string) bool {
		if strings.EqualFold(name, attribute) {
			return true
		}
		a := s.attributes[strings.ToLower(name)]
		return a != nil && a == s.attributes[strings.ToLower(attribute)]
	}
	for _, c := range s.withSuperiors(classes) {
		for _, m := range c.Must {
			must = must || same(m)
		}
		for _, m := range c.May {
			may = may || same(m)
		}
	}
	return may || must, must
}

// Unknown returns those of classes that the schema does not have.
func (s *Subschema) Unknown(classes []string) []string {
	var out []string
	for _, c := range classes {
		if s.classes[strings.ToLower(c)] == nil {
			out = append(out, c)
		}
	}
	return out
}

func (s *Subschema) withSuperiors(classes []string) []*ObjectClass {
	var out []*ObjectClass
	seen := map[*ObjectClass]bool{}
	for queue := classes; len(queue) > 0; queue = queue[1:] {
		c := s.classes[strings.ToLower(queue[0])]
		if c == nil || seen[c] {
			continue
		}
		seen[c] = true
		out = append(out, c)
		queue = append(queue[:len(queue):len(queue)], c.Superiors...)
	}
	return out
}
