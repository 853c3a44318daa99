package fakeldap

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed schema/*.schema
var schemaFiles embed.FS

// schemaOf names the files of a flavor.
var schemaOf = map[Flavor][]string{
	OpenLDAP: {"rfc"}, DS389: {"rfc", "389ds"}, ActiveDirectory: {"ad"},
}

// attributeType is an AttributeTypeDescription (RFC 4512 §4.1.2).
type attributeType struct {
	key        string // names[0] in lower case: what values are kept under
	oid        string
	names      []string
	sup        *attributeType
	subtypes   []*attributeType // and their subtypes, and so on
	equality   string
	ordering   string
	substrings bool // it has a substrings rule
	syntax     string
	max        int // characters; 0: no bound known
	single     bool
	noUserMod  bool
	usage      string // "" is userApplications
	definition string // as it is published
	normal     func(string) string
	valid      func(string) bool
}

func (t *attributeType) name() string { return t.names[0] }

// operational attributes are returned only when asked for.
func (t *attributeType) operational() bool { return t.usage != "" }

// objectClass is an ObjectClassDescription (RFC 4512 §4.1.1).
type objectClass struct {
	name       string
	kind       string // STRUCTURAL, AUXILIARY or ABSTRACT
	sups       []*objectClass
	must, may  []*attributeType
	definition string
}

// isA reports whether c is o or below it.
func (c *objectClass) isA(o *objectClass) bool {
	return c == o || slices.ContainsFunc(c.sups, func(s *objectClass) bool { return s.isA(o) })
}

type schema struct {
	flavor  Flavor
	types   map[string]*attributeType // by lower-case name and by OID
	classes map[string]*objectClass
	inOrder struct {
		types   []*attributeType
		classes []*objectClass
	}
}

// loadSchema reads the definitions of a flavor, and more of the caller's own.
func loadSchema(flavor Flavor, more string) (*schema, error) {
	s := &schema{flavor: flavor, types: map[string]*attributeType{}, classes: map[string]*objectClass{}}
	var lines []string
	for _, name := range schemaOf[flavor] {
		b, err := schemaFiles.ReadFile("schema/" + name + ".schema")
		if err != nil {
			return nil, err
		}
		lines = append(lines, strings.Split(string(b), "\n")...)
	}
	lines = append(lines, strings.Split(more, "\n")...)
	for n, line := range lines {
		kind, definition, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(kind, "#") {
			continue
		}
		var err error
		switch kind {
		case "attributeTypes":
			err = s.addType(definition)
		case "objectClasses":
			err = s.addClass(definition)
		default:
			err = fmt.Errorf("%q is neither attributeTypes nor objectClasses", kind)
		}
		if err != nil {
			return nil, fmt.Errorf("fakeldap: schema line %d: %w", n+1, err)
		}
	}
	return s, nil
}

func (s *schema) addType(definition string) error {
	f, err := parseDefinition(definition)
	if err != nil {
		return err
	}
	t := &attributeType{oid: f.oid, names: f.lists["NAME"], usage: f.first("USAGE"), definition: definition,
		single: f.flags["SINGLE-VALUE"], noUserMod: f.flags["NO-USER-MODIFICATION"]}
	if len(t.names) == 0 {
		return fmt.Errorf("attribute type %s has no NAME", f.oid)
	}
	t.key = strings.ToLower(t.names[0])
	t.equality, t.ordering, t.substrings = f.first("EQUALITY"), f.first("ORDERING"), f.first("SUBSTR") != ""
	t.syntax, t.max = bound(f.first("SYNTAX"))
	if sup := f.first("SUP"); sup != "" {
		if t.sup = s.types[strings.ToLower(sup)]; t.sup == nil {
			return fmt.Errorf("%s: its SUP %q is not defined before it", t.names[0], sup)
		}
		t.inherit()
	}
	t.normal, t.valid = s.normaliser(t.equality), validity(t.syntax)
	for _, n := range append([]string{t.oid}, t.names...) {
		s.types[strings.ToLower(n)] = t
	}
	for up := t; up != nil; up = up.sup {
		up.subtypes = append(up.subtypes, t)
	}
	s.inOrder.types = append(s.inOrder.types, t)
	return nil
}

// inherit takes from the supertype what t does not say itself.
func (t *attributeType) inherit() {
	if t.equality == "" {
		t.equality = t.sup.equality
	}
	if t.ordering == "" {
		t.ordering = t.sup.ordering
	}
	t.substrings = t.substrings || t.sup.substrings
	if t.syntax == "" {
		t.syntax, t.max = t.sup.syntax, t.sup.max
	}
}

// bound splits "1.2.3{64}".
func bound(syntax string) (oid string, maximum int) {
	oid, rest, _ := strings.Cut(syntax, "{")
	maximum, _ = strconv.Atoi(strings.TrimSuffix(rest, "}"))
	return oid, maximum
}

// addClass adds an object class, in place of one of the same name.
func (s *schema) addClass(definition string) error {
	f, err := parseDefinition(definition)
	if err != nil {
		return err
	}
	c := &objectClass{name: f.first("NAME"), kind: "STRUCTURAL", definition: definition}
	for _, kind := range []string{"ABSTRACT", "AUXILIARY"} {
		if f.flags[kind] {
			c.kind = kind
		}
	}
	for _, sup := range f.lists["SUP"] {
		up := s.classes[strings.ToLower(sup)]
		if up == nil {
			return fmt.Errorf("%s: its SUP %q is not defined before it", c.name, sup)
		}
		c.sups = append(c.sups, up)
	}
	for _, l := range []struct {
		names []string
		to    *[]*attributeType
	}{{f.lists["MUST"], &c.must}, {f.lists["MAY"], &c.may}} {
		for _, n := range l.names {
			t := s.types[strings.ToLower(n)]
			if t == nil {
				return fmt.Errorf("%s: the attribute type %q is not defined", c.name, n)
			}
			*l.to = append(*l.to, t)
		}
	}
	for _, n := range append([]string{f.oid}, f.lists["NAME"]...) {
		s.classes[strings.ToLower(n)] = c
	}
	s.inOrder.classes = append(slices.DeleteFunc(s.inOrder.classes, func(o *objectClass) bool { return o.name == c.name }), c)
	return nil
}

// description is an AttributeDescription (RFC 4512 §2.5): a type and options.
type description struct {
	typ     *attributeType
	options string // ";lang-de;x-b": lower case, sorted; "" for none
}

func (d description) String() string { return d.typ.name() + d.options }

// covers reports whether a request for d includes attributes of other: its own
// type or a subtype, with all of d's options.
func (d description) covers(other description) bool {
	if other.typ != d.typ && !slices.Contains(d.typ.subtypes, other.typ) {
		return false
	}
	if d.options == "" || d.options == other.options {
		return true
	}
	for _, o := range strings.Split(d.options[1:], ";") {
		if !strings.Contains(other.options+";", ";"+o+";") {
			return false
		}
	}
	return true
}

// describe reads an attribute description; ok is false for an unknown type.
func (s *schema) describe(name string) (d description, ok bool) {
	base, rest, hasOptions := strings.Cut(name, ";")
	d.typ, ok = s.types[strings.ToLower(base)]
	if hasOptions {
		options := strings.Split(strings.ToLower(rest), ";")
		slices.Sort(options)
		d.options = ";" + strings.Join(slices.Compact(options), ";")
	}
	return d, ok
}
