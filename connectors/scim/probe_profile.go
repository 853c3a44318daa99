package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	client "github.com/provhub/provhub/clients/scim"
)

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// document writes the profile: what was measured on top of the profile in use,
// and for each value the requests that it rests on.
func (p *prober) document() string {
	base := p.Client.Profile()
	head := []struct{ key, value string }{
		{"name", base.Name + "-probed"}, {"extends", orElse(p.dialect, client.RootProfile)},
		{"description", "Measured by provhub's probe; read it before you use it."},
		{"verified", "tried-on"}, {"verified_on", now().Format(time.DateOnly)},
	}
	doc := &yaml.Node{Kind: yaml.MappingNode}
	add := func(key string, value *yaml.Node) { doc.Content = append(doc.Content, scalar(key), value) }
	for _, h := range head {
		add(h.key, scalar(h.value))
	}
	add("version", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"})
	src := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range sortedKeys(p.found) {
		f := p.found[key]
		var lines []string
		for _, e := range f.Evidence {
			lines = append(lines, e.String())
		}
		add(key, plain(f.Value))
		src.Content = append(src.Content, scalar(key), scalar(strings.Join(lines, "\n")))
	}
	if len(src.Content) > 0 {
		add("src", src)
	}
	out, err := yaml.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("scim: a profile cannot be written: %v", err)) // it is made of text and numbers
	}
	return string(out)
}

func scalar(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}

// plain is a value as YAML has it, with the words that YAML would misread quoted.
func plain(v any) *yaml.Node {
	var through any
	n := &yaml.Node{}
	if err := json.Unmarshal([]byte(asJSON(v)), &through); err != nil {
		return scalar(fmt.Sprint(v))
	}
	if err := n.Encode(through); err != nil {
		return scalar(fmt.Sprint(v))
	}
	return n
}

// formerValues reads the profile of an earlier probe; nil for "".
func formerValues(text string) (map[string]any, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var v map[string]any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		return nil, err
	}
	if v["name"] == nil {
		return nil, errors.New("it is no profile: it has no name")
	}
	return v, nil
}
