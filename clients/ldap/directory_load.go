package ldap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/provhub/provhub/schemas"
)

// rootDirectory is the description that all others extend.
const rootDirectory = "rfc"

// maxParents bounds a chain of descriptions, and ends a circle.
const maxParents = 8

// Directories returns the names of the descriptions that are built in.
func Directories() []string {
	files, _ := fs.Glob(schemas.LDAP, "ldap/*.yaml") // the pattern is good
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return files
}

// LoadDirectory reads the description of a directory: a name that is built in,
// or a file of one's own that ends in .yaml. overrides are keys of the
// description that replace those of the file, as deep as they go; lists are
// replaced whole. The error names the file, or the override, and the key.
func LoadDirectory(name string, overrides map[string]any) (*Directory, error) {
	var chain []map[string]any // leaf first
	for at := name; ; {
		layer, file, err := readDirectory(at)
		if err != nil {
			return nil, err
		}
		chain = append(chain, layer)
		next, _ := layer["extends"].(string)
		switch {
		case layer["name"] == rootDirectory:
			return compose(chain, overrides)
		case next == "":
			next = rootDirectory
		case len(chain) > maxParents:
			return nil, fmt.Errorf("directory %s: extends leads through more than %d descriptions; does it go in a circle?", name, maxParents)
		case isFile(next) && !filepath.IsAbs(next):
			next = filepath.Join(filepath.Dir(file), next)
		}
		at = next
	}
}

func isFile(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml")
}

// readDirectory reads and checks one file.
func readDirectory(name string) (layer map[string]any, file string, err error) {
	file = name
	var data []byte
	if isFile(name) {
		data, err = os.ReadFile(name)
	} else {
		file = "ldap/" + name + ".yaml"
		data, err = schemas.LDAP.ReadFile(file)
	}
	if errors.Is(err, fs.ErrNotExist) && !isFile(name) {
		return nil, "", fmt.Errorf("there is no directory %q; built in are %s, and the path of a .yaml file of your own works too", name, strings.Join(Directories(), ", "))
	}
	if err != nil {
		return nil, "", fmt.Errorf("the description of the directory cannot be read: %w", err)
	}
	if err := yaml.Unmarshal(data, &layer); err != nil {
		return nil, "", fmt.Errorf("%s: %w", file, err)
	}
	return layer, file, checkDirectory(file, layer)
}

// directorySchema is schemas/ldap/directory.schema.json, compiled once.
var directorySchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	const file = "ldap/directory.schema.json"
	data, err := schemas.LDAP.ReadFile(file)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(file, doc); err != nil {
		return nil, err
	}
	return c.Compile(file)
})

// checkDirectory holds a description against the schema. All faults are told.
func checkDirectory(where string, d map[string]any) error {
	s, err := directorySchema()
	if err != nil {
		return err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	var bad *jsonschema.ValidationError
	if err := s.Validate(doc); errors.As(err, &bad) {
		return fmt.Errorf("%s: %s", where, strings.Join(faults(bad), "; "))
	}
	return nil
}

// faults lists the leaves of a validation error, each with the key at fault.
func faults(e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		return []string{fmt.Sprintf("at /%s: %s", strings.Join(e.InstanceLocation, "/"), strings.TrimSpace(e.ErrorKind.LocalizedString(printer)))}
	}
	var out []string
	for _, c := range e.Causes {
		out = append(out, faults(c)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// compose lays the descriptions over one another, the last of chain lowest.
func compose(chain []map[string]any, overrides map[string]any) (*Directory, error) {
	whole := map[string]any{}
	for _, layer := range slices.Backward(chain) {
		overlay(whole, layer)
	}
	if len(overrides) > 0 {
		overlay(whole, overrides)
		if err := checkDirectory("overrides", whole); err != nil {
			return nil, err
		}
	}
	data, err := json.Marshal(whole)
	if err != nil {
		return nil, err
	}
	d := &Directory{}
	return d, json.Unmarshal(data, d)
}

// overlay lays over on top of base. Objects are merged, everything else replaced.
func overlay(base, over map[string]any) {
	for k, v := range over {
		above, ok := v.(map[string]any)
		below, both := base[k].(map[string]any)
		if ok && both {
			merged := maps.Clone(below)
			overlay(merged, above)
			v = merged
		}
		base[k] = v
	}
}

// printer words the faults of a description.
var printer = message.NewPrinter(language.English)
