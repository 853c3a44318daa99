package scim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/provhub/provhub/schemas"
	"github.com/provhub/provhub/wording"
)

// RootProfile is the profile that all others extend in the end.
const RootProfile = "rfc7644"

// identityKeys describe a profile; they are not handed down to its children.
var identityKeys = []string{"name", "version", "extends", "description", "vendor_doc", "verified", "verified_on", "src"}

// maxParents bounds a chain of profiles, so that a circle ends.
const maxParents = 8

// layer is one profile of a chain, or what was said on top of it.
type layer struct {
	kind   OriginKind
	name   string
	doc    string            // source of all its values
	src    map[string]string // source of single values, by key
	values map[string]any    // by key, as JSON has them
}

// Profiles returns the names of the profiles that come with the program, sorted.
func Profiles() []string {
	files, err := fs.Glob(schemas.SCIM, "scim/*.yaml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".yaml")
	}
	slices.Sort(files)
	return files
}

// LoadProfile reads the profile called name, with its parents. A name that holds a
// slash or ends in .yaml is a file of the user's own, whose extends is the name of
// a profile that comes with the program or a file relative to it. "" is
// [RootProfile]. The error names file, line and key of every fault.
func LoadProfile(name string) (*Profile, error) {
	if name == "" {
		name = RootProfile
	}
	var chain []layer // leaf first
	for at := name; ; {
		l, extends, err := readLayer(at)
		if err != nil {
			return nil, err
		}
		chain = append(chain, l)
		if l.name == RootProfile {
			break
		}
		if len(chain) > maxParents {
			return nil, fmt.Errorf("SCIM profile %s: extends leads through more than %d profiles; does it go in a circle?", name, maxParents)
		}
		if isFile(at) && isFile(extends) && !filepath.IsAbs(extends) {
			extends = filepath.Join(filepath.Dir(at), extends)
		}
		at = extends
	}
	slices.Reverse(chain)
	return compose(chain)
}

func isFile(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml")
}

// readLayer reads one file. extends is its parent, the root when it names none.
func readLayer(name string) (l layer, extends string, err error) {
	file, data, err := profileText(name)
	if err != nil {
		return layer{}, "", err
	}
	values, err := checkProfile(file, data)
	if err != nil {
		return layer{}, "", err
	}
	var id ProfileIdentity
	if err := convert(values, &id); err != nil {
		return layer{}, "", fmt.Errorf("%s: %w", file, err)
	}
	l = layer{kind: OriginProfile, name: id.Name, doc: id.VendorDoc, src: id.Src, values: values}
	switch {
	case !isFile(name) && id.Name == RootProfile:
		l.kind = OriginDefault
	case id.Name == RootProfile:
		return layer{}, "", fmt.Errorf("%s: name: %s is the name of the profile that all others extend; choose another", file, RootProfile)
	case id.Extends == "":
		id.Extends = RootProfile
	}
	return l, id.Extends, nil
}

func profileText(name string) (file string, data []byte, err error) {
	if isFile(name) {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", nil, fmt.Errorf("SCIM profile: %w", err)
		}
		return name, data, nil
	}
	file = name + ".yaml"
	data, err = schemas.SCIM.ReadFile("scim/" + file)
	if err != nil {
		return "", nil, fmt.Errorf("there is no SCIM profile %q%s; there are %s, and files ending in .yaml", name, wording.DidYouMean(name, Profiles()), strings.Join(Profiles(), ", "))
	}
	return file, data, nil
}

// compose lays the values of a chain over each other, root first.
func compose(chain []layer) (*Profile, error) {
	p := &Profile{layers: chain, origin: map[string]Origin{}, values: map[string]any{}}
	for _, l := range chain {
		for key, v := range l.values {
			if slices.Contains(identityKeys, key) {
				continue
			}
			p.values[key] = v
			p.origin[key] = l.originOf(key)
		}
	}
	all := maps.Clone(p.values)
	for _, l := range chain {
		if l.kind == OriginDefault || l.kind == OriginProfile {
			for _, key := range identityKeys {
				delete(all, key)
				if v, ok := l.values[key]; ok {
					all[key] = v
				}
			}
		}
	}
	if err := convert(all, p); err != nil {
		return nil, err
	}
	return p, nil
}

// convert fills into from JSON values, refusing keys that it does not know.
func convert(values map[string]any, into any) error {
	raw, err := json.Marshal(values)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, whole := into.(*Profile); whole {
		d.DisallowUnknownFields()
	}
	return d.Decode(into)
}
