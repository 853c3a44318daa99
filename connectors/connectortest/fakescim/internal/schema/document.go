package schema

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The schemas of RFC 7643 §4.
const (
	UserURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

//go:embed rfc7643/*.json
var standard embed.FS

// Attr describes an attribute (RFC 7643 §7). What a document leaves out has the
// defaults of §2.2: an optional, single-valued, writable text without regard to
// case.
type Attr struct {
	Name            string   `json:"name"`
	Type            string   `json:"type"`
	Description     string   `json:"description,omitempty"`
	MultiValued     bool     `json:"multiValued"`
	Required        bool     `json:"required"`
	CaseExact       bool     `json:"caseExact"`
	Mutability      string   `json:"mutability"`
	Returned        string   `json:"returned"`
	Uniqueness      string   `json:"uniqueness"`
	CanonicalValues []string `json:"canonicalValues,omitempty"`
	ReferenceTypes  []string `json:"referenceTypes,omitempty"`
	SubAttributes   []*Attr  `json:"subAttributes,omitempty"`
}

// Document is a schema (RFC 7643 §7).
type Document struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Attributes  []*Attr `json:"attributes"`
}

var types = []string{"string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"}

// Parse reads a schema document.
func Parse(text []byte) (*Document, error) {
	var d Document
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("schema document: %w", err)
	}
	if d.ID == "" || d.Name == "" {
		return nil, fmt.Errorf("schema document: id or name is missing")
	}
	return &d, complete(d.ID, d.Attributes)
}

// complete fills in the defaults of the attributes below path.
func complete(path string, as []*Attr) error {
	for _, a := range as {
		for _, f := range []struct {
			at       *string
			standard string
			known    []string
		}{
			{&a.Type, "string", types},
			{&a.Mutability, "readWrite", []string{"readWrite", "readOnly", "immutable", "writeOnly"}},
			{&a.Returned, "default", []string{"default", "always", "never", "request"}},
			{&a.Uniqueness, "none", []string{"none", "server", "global"}},
		} {
			if *f.at == "" {
				*f.at = f.standard
			}
			if !slices.Contains(f.known, *f.at) {
				return fmt.Errorf("schema document: %s: %s: %q is not one of %s", path, a.Name, *f.at, strings.Join(f.known, ", "))
			}
		}
		if err := complete(path+": "+a.Name, a.SubAttributes); err != nil {
			return err
		}
	}
	return nil
}

func mustStandard(name string) *Document {
	b, err := standard.ReadFile("rfc7643/" + name + ".json")
	if err != nil {
		panic(err) // the files are embedded above
	}
	d, err := Parse(b)
	if err != nil {
		panic(err)
	}
	return d
}

// find returns the attribute called name, in any case; nil when there is none.
func find(as []*Attr, name string) *Attr {
	i := slices.IndexFunc(as, func(a *Attr) bool { return strings.EqualFold(a.Name, name) })
	if i < 0 {
		return nil
	}
	return as[i]
}

// Attr returns an attribute of the document by name, in any case; nil when it has none.
func (d *Document) Attr(name string) *Attr { return find(d.Attributes, name) }

// Sub returns a sub-attribute by name, in any case; nil when there is none.
func (a *Attr) Sub(name string) *Attr { return find(a.SubAttributes, name) }

// Complex reports whether the values are objects.
func (a *Attr) Complex() bool { return a.Type == "complex" }

// Text reports whether the values are texts that can be searched in.
func (a *Attr) Text() bool { return a.Type == "string" || a.Type == "reference" }
