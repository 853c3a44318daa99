package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/provhub/provhub/connectors/connector"
)

// schemaCheck finds what is wrong with a JSON document by its schema.
type schemaCheck struct {
	schema *jsonschema.Schema
	// subject and member are what people call the document and what is in it:
	// "the config" and "option of this connector".
	subject, member string
}

// newSchemaCheck compiles a schema. It panics when that is not a JSON Schema,
// which is a bug in the connector; of says whose it is.
func newSchemaCheck(of string, schema json.RawMessage, subject, member string) *schemaCheck {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		panic(fmt.Sprintf("sdk: the schema of %s is not JSON: %v", of, err))
	}
	const name = "schema.json"
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		panic(fmt.Sprintf("sdk: the schema of %s: %v", of, err))
	}
	s, err := c.Compile(name)
	if err != nil {
		panic(fmt.Sprintf("sdk: the schema of %s: %v", of, err))
	}
	return &schemaCheck{schema: s, subject: subject, member: member}
}

// findings returns all faults at once, in the order of their paths. No document
// at all counts as an empty one.
func (c *schemaCheck) findings(content json.RawMessage) []connector.Finding {
	if len(bytes.TrimSpace(content)) == 0 {
		content = json.RawMessage("{}")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		return []connector.Finding{{Summary: c.subject + " is not JSON: " + err.Error()}}
	}
	var ve *jsonschema.ValidationError
	if !errors.As(c.schema.Validate(doc), &ve) {
		return nil
	}
	fs := c.explain(nil, ve)
	slices.SortStableFunc(fs, func(a, b connector.Finding) int { return strings.Compare(a.Path, b.Path) })
	return fs
}

// explain gives one finding for each fault: the leaves of the error tree.
func (c *schemaCheck) explain(fs []connector.Finding, ve *jsonschema.ValidationError) []connector.Finding {
	for _, cause := range ve.Causes {
		fs = c.explain(fs, cause)
	}
	if len(ve.Causes) > 0 {
		return fs
	}
	at := pointer(ve.InstanceLocation...)
	switch k := ve.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			fs = append(fs, connector.Finding{Path: at + pointer(name), Summary: "is required and not set", Detail: c.describe(append(ve.InstanceLocation, name))})
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			fs = append(fs, connector.Finding{Path: at + pointer(name), Summary: "is not an " + c.member, Detail: c.known(ve.InstanceLocation)})
		}
	case *kind.Pattern:
		fs = append(fs, connector.Finding{Path: at, Summary: "is not of the form " + k.Want, Detail: c.describe(ve.InstanceLocation)})
	default:
		fs = append(fs, connector.Finding{Path: at, Summary: k.LocalizedString(english), Detail: c.describe(ve.InstanceLocation)})
	}
	return fs
}

var english = message.NewPrinter(language.English)

// describe returns what the schema says about the option at path.
func (c *schemaCheck) describe(path []string) string {
	if s := c.at(path); s != nil {
		return s.Description
	}
	return ""
}

// known lists the options of the object at path.
func (c *schemaCheck) known(path []string) string {
	s := c.at(path)
	if s == nil || len(s.Properties) == 0 {
		return ""
	}
	noun, _, _ := strings.Cut(c.member, " ")
	return noun + "s here: " + strings.Join(slices.Sorted(maps.Keys(s.Properties)), ", ")
}

// at returns the schema of the option at path, nil when there is none.
func (c *schemaCheck) at(path []string) *jsonschema.Schema {
	s := c.schema
	for _, step := range path {
		switch {
		case s == nil:
			return nil
		case s.Properties[step] != nil:
			s = s.Properties[step]
		case s.Items2020 != nil:
			s = s.Items2020
		default:
			s, _ = s.AdditionalProperties.(*jsonschema.Schema)
		}
	}
	return s
}

// pointer renders a JSON Pointer (RFC 6901); the empty path is the whole.
func pointer(path ...string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p))
	}
	return b.String()
}
