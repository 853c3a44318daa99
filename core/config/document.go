package config

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

// document is a YAML file with the place of everything in it.
type document struct {
	file   string
	root   *yaml.Node
	faults Faults
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parse reads the YAML; its syntax faults end up in d.faults.
func parse(file string, data []byte) *document {
	d := &document{file: file}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		line := 1 // which the library leaves out
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil && m[1] != "" {
			line, _ = strconv.Atoi(m[1])
		}
		d.add(line, "", "not valid YAML: %s", yamlLine.ReplaceAllString(err.Error(), ""))
		return d
	}
	if len(doc.Content) == 0 {
		d.add(0, "", "the file is empty; `provhub init` writes a commented one")
		return d
	}
	d.root = doc.Content[0]
	if d.root.Kind != yaml.MappingNode {
		d.add(d.root.Line, "", "expected keys such as sources: and connectors:")
		return d
	}
	d.findDuplicates(d.root, "")
	return d
}

func (d *document) add(line int, path, format string, args ...any) {
	d.faults = append(d.faults, Fault{File: d.file, Line: line, Path: path, Text: fmt.Sprintf(format, args...)})
}

// at adds a fault at the place of a node.
func (d *document) at(n *yaml.Node, path, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	d.add(line, path, format, args...)
}

// findDuplicates reports keys given twice: YAML would keep only one of them.
func (d *document) findDuplicates(n *yaml.Node, path string) {
	seen := map[string]int{}
	for i, c := range n.Content {
		switch n.Kind {
		case yaml.MappingNode:
			if i%2 == 1 {
				d.findDuplicates(c, join(path, n.Content[i-1].Value))
				continue
			}
			if first, ok := seen[c.Value]; ok {
				d.at(c, join(path, c.Value), "given twice, first in line %d; take one away", first)
			}
			seen[c.Value] = c.Line
		default:
			d.findDuplicates(c, fmt.Sprintf("%s[%d]", path, i))
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

var compiled = sync.OnceValue(func() *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.Config))
	if err != nil {
		panic("schemas: config schema is not JSON: " + err.Error())
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.schema.json", doc); err != nil {
		panic("schemas: " + err.Error())
	}
	return c.MustCompile("config.schema.json")
})

// checkSchema adds a fault for everything that the JSON Schema refuses.
func (d *document) checkSchema() {
	var v any
	if err := d.root.Decode(&v); err != nil {
		if len(d.faults) == 0 { // else it is told already, with its line
			d.add(0, "", "%s", yamlLine.ReplaceAllString(err.Error(), ""))
		}
		return
	}
	raw, err := json.Marshal(v)
	if err != nil {
		d.add(0, "", "keys must be text: %v", err)
		return
	}
	inst, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		d.add(0, "", "%v", err)
		return
	}
	var ve *jsonschema.ValidationError
	if errors.As(compiled().Validate(inst), &ve) {
		d.explain(ve)
	}
}

// explain adds a fault for each leaf of a validation error.
func (d *document) explain(ve *jsonschema.ValidationError) {
	node, path := d.locate(ve.InstanceLocation)
	switch k := ve.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, p := range k.Properties {
			names := propertiesAt(ve.SchemaURL)
			if v := child(node, p); v != nil && v.Kind == yaml.ScalarNode && slices.Contains(names, p+"s") {
				d.at(keyNode(node, p), join(path, p), "unknown key: it is a list, also of one: write %ss: [%s]", p, v.Value)
				continue
			}
			d.at(keyNode(node, p), join(path, p), "unknown key%s", wording.DidYouMean(p, names))
		}
		return
	case *kind.Required:
		for _, p := range k.Missing {
			d.at(node, join(path, p), "is missing")
		}
		return
	case *kind.OneOf:
		if len(k.Subschemas) > 1 || strings.Contains(ve.SchemaURL, "/grants/") {
			d.at(node, path, "give either entitlement or from, not both and not neither")
			return
		}
	case *kind.Pattern:
		d.at(node, path, "%q is not of the expected form: %s", k.Got, patternMeaning(k.Want))
		return
	case *kind.MinLength:
		if k.Got == 0 {
			d.at(node, path, "must not be empty")
			return
		}
	case *kind.MinItems:
		if k.Got == 0 {
			d.at(node, path, "must have at least one entry")
			return
		}
	case *kind.Enum:
		d.enum(node, path, k)
		return
	case *kind.Contains:
		d.at(node, path, "lacks an entry that it must have%s", constant(ve.Causes))
		return
	case *kind.Type:
		d.at(node, path, "expected %s, found %s", strings.Join(k.Want, " or "), k.Got)
		return
	}
	if len(ve.Causes) > 0 {
		for _, c := range ve.Causes {
			d.explain(c)
		}
		return
	}
	d.at(node, path, "%s", ve.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
}

// enum adds a fault for a value that is none of those there are.
func (d *document) enum(n *yaml.Node, path string, k *kind.Enum) {
	names := make([]string, len(k.Want))
	for i, w := range k.Want {
		names[i] = fmt.Sprint(w)
	}
	got := fmt.Sprint(k.Got)
	d.at(n, path, "%q is none of %s%s", got, strings.Join(names, ", "), wording.DidYouMean(got, names))
}

// constant names the value that entries were compared with in vain.
func constant(causes []*jsonschema.ValidationError) string {
	for _, c := range causes {
		if k, ok := c.ErrorKind.(*kind.Const); ok {
			return fmt.Sprintf(": %q", fmt.Sprint(k.Want))
		}
	}
	return ""
}

// patternMeaning says in words what a pattern of the schema wants.
func patternMeaning(pattern string) string {
	switch {
	case strings.Contains(pattern, "ms|s|m|h|d"):
		return "a duration such as 30s, 5m, 12h or 90d"
	case strings.HasPrefix(pattern, "^(sqlite"):
		return "sqlite:PATH or postgres://…"
	case strings.HasPrefix(pattern, "^[A-Za-z_]"):
		return "letters, digits and _, not beginning with a digit"
	case strings.HasPrefix(pattern, "^[a-z]"):
		return "lower-case letters, digits and dashes, beginning with a letter"
	}
	return pattern
}

// propertiesAt returns the property names of the object schema at url, which
// the schema library gives as "….json#/pointer".
func propertiesAt(url string) []string {
	_, pointer, _ := strings.Cut(url, "#")
	var doc any
	_ = json.Unmarshal(schemas.Config, &doc)
	for _, key := range strings.Split(strings.Trim(pointer, "/"), "/") {
		switch x := doc.(type) {
		case map[string]any:
			if key != "" {
				doc = x[key]
			}
		case []any:
			if i, err := strconv.Atoi(key); err == nil && i < len(x) {
				doc = x[i]
			}
		}
	}
	obj, _ := doc.(map[string]any)
	props, _ := obj["properties"].(map[string]any)
	var names []string
	for name := range props {
		names = append(names, name)
	}
	return names
}

// locate finds the node that a JSON pointer names and writes its path as people do.
func (d *document) locate(pointer []string) (*yaml.Node, string) {
	n, path := d.root, ""
	for _, key := range pointer {
		if i, err := strconv.Atoi(key); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
			n, path = n.Content[i], fmt.Sprintf("%s[%d]", path, i)
			continue
		}
		path = join(path, key)
		if v := child(n, key); v != nil {
			n = v
		}
	}
	return n, path
}

// child returns the value of key in a mapping, nil when there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// keyNode returns the key itself, for its line; n when there is no such key.
func keyNode(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i]
		}
	}
	return n
}
