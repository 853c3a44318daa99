package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/provhub/provhub/schemas"
	"github.com/provhub/provhub/wording"
)

const schemaFile = "scim/profile.schema.json"

// profileSchema is the schema as JSON has it, to be compiled or changed.
var profileSchema = sync.OnceValue(func() map[string]any {
	raw, err := schemas.SCIM.ReadFile(schemaFile)
	if err != nil {
		panic(err) // it is embedded
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		panic(schemaFile + ": " + err.Error())
	}
	return doc
})

// wholeProfile checks a profile file.
var wholeProfile = sync.OnceValue(func() *jsonschema.Schema { return compileProfile(profileSchema()) })

// partOfProfile checks values on their own: no key is required and none of the
// identity is allowed.
var partOfProfile = sync.OnceValue(func() *jsonschema.Schema {
	part := map[string]any{}
	for k, v := range profileSchema() {
		part[k] = v
	}
	delete(part, "required")
	props := map[string]any{}
	for k, v := range profileSchema()["properties"].(map[string]any) {
		if !slices.Contains(identityKeys, k) {
			props[k] = v
		}
	}
	part["properties"] = props
	return compileProfile(part)
})

func compileProfile(doc map[string]any) *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	if err := c.AddResource("profile.schema.json", doc); err != nil {
		panic(schemaFile + ": " + err.Error())
	}
	return c.MustCompile("profile.schema.json")
}

// checkProfile returns the values of a profile file. The error has a line for
// every fault: file:line: key: what is wrong.
func checkProfile(file string, data []byte) (map[string]any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: expected keys such as name: and extends:", file)
	}
	root := doc.Content[0]
	asText(root)
	var v map[string]any
	if err := root.Decode(&v); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	values, faults, err := validate(wholeProfile(), v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return values, joinFaults(faults, func(f profileFault) string {
		return fmt.Sprintf("%s:%d: %s", file, lineOf(root, f.at), f)
	})
}

// checkOverrides returns values in the form that JSON gives them.
func checkOverrides(overrides map[string]any) (map[string]any, error) {
	values, faults, err := validate(partOfProfile(), overrides)
	if err != nil {
		return nil, err
	}
	return values, joinFaults(faults, profileFault.String)
}

// asText keeps dates from becoming points in time.
func asText(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, c := range n.Content {
		asText(c)
	}
}

// profileFault is one fault of a profile.
type profileFault struct {
	at   []string // keys and indices down to it
	text string
}

// String returns "key: what is wrong".
func (f profileFault) String() string {
	if len(f.at) == 0 {
		return f.text
	}
	return strings.Join(f.at, ".") + ": " + f.text
}

func joinFaults(faults []profileFault, say func(profileFault) string) error {
	if len(faults) == 0 {
		return nil
	}
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = say(f)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// validate holds v against a schema.
func validate(s *jsonschema.Schema, v map[string]any) (values map[string]any, faults []profileFault, err error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, nil, fmt.Errorf("keys must be text: %w", err)
	}
	inst, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, nil, err
	}
	var ve *jsonschema.ValidationError
	if errors.As(s.Validate(inst), &ve) {
		faults = explain(ve)
		slices.SortFunc(faults, func(a, b profileFault) int { return slices.Compare(a.at, b.at) })
	}
	return inst.(map[string]any), faults, nil
}

var durationPattern = regexp.MustCompile(`ms\|s\|m\|h`)

// explain returns the leaves of a validation error in words.
func explain(ve *jsonschema.ValidationError) []profileFault {
	at := ve.InstanceLocation
	one := func(text string) []profileFault { return []profileFault{{at, text}} }
	switch k := ve.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		var out []profileFault
		for _, p := range k.Properties {
			hint := ""
			if len(at) == 0 {
				hint = wording.DidYouMean(p, settable())
			}
			out = append(out, profileFault{append(slices.Clone(at), p), "unknown key" + hint})
		}
		return out
	case *kind.Required:
		var out []profileFault
		for _, p := range k.Missing {
			out = append(out, profileFault{append(slices.Clone(at), p), "is missing"})
		}
		return out
	case *kind.Enum:
		words := make([]string, len(k.Want))
		for i, w := range k.Want {
			words[i] = fmt.Sprint(w)
		}
		return one(fmt.Sprintf("%v is none of %s%s", k.Got, strings.Join(words, ", "), wording.DidYouMean(fmt.Sprint(k.Got), words)))
	case *kind.Type:
		return one(fmt.Sprintf("expected %s, found %s", strings.Join(k.Want, " or "), k.Got))
	case *kind.Pattern:
		if durationPattern.MatchString(k.Want) {
			return one(fmt.Sprintf("%q is not a duration such as 30s or 5m", k.Got))
		}
		return one(fmt.Sprintf("%q is not of the form %s", k.Got, k.Want))
	}
	if len(ve.Causes) == 0 {
		return one(ve.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
	}
	var out []profileFault
	for _, c := range ve.Causes {
		out = append(out, explain(c)...)
	}
	return out
}

// lineOf returns the line of what stands at keys and indices below n.
func lineOf(n *yaml.Node, at []string) int {
	for _, key := range at {
		next := n
		if i, err := strconv.Atoi(key); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
			next = n.Content[i]
		}
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next = n.Content[i+1]
			}
		}
		n = next
	}
	return n.Line
}
