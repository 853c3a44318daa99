package scimapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// record makes the record of a resource.
func (r *Reader) record(of identity.Kind, k *kind, x scim.Resource) source.Record {
	rec := source.Record{Kind: of, ID: x.ID(), Anchor: x.ID()}
	if r.groups != nil {
		rec.Name = x.ID()
	}
	rec.Position = func() string { return fmt.Sprintf("%s/%s", k.typ, x.ID()) }
	fault := func(field, format string, args ...any) source.Record {
		rec.Fault = &source.Fault{Position: rec.Position(), Anchor: rec.Anchor, Field: field, Reason: fmt.Sprintf(format, args...)}
		return rec
	}
	if !k.anchor.IsZero() {
		texts := textsOf(x.Values(k.anchor))
		switch {
		case len(texts) == 0 || texts[0] == "":
			rec.Anchor = ""
			return fault(k.Anchor, "it has no %s, so that nobody knows whose it is; if it is no person, leave such out by a filter", k.Anchor)
		case len(texts) > 1:
			rec.Anchor = ""
			return fault(k.Anchor, "it has several values of %s; the anchor is one", k.Anchor)
		}
		rec.Anchor = texts[0]
	}
	if rec.Anchor == "" {
		return fault("id", "it has no id")
	}
	attributes := make(identity.Attributes, len(k.Attributes))
	for i, a := range k.Attributes {
		v, err := r.value(a, x.Values(k.paths[i]))
		switch {
		case err != nil:
			return fault(a.From, "%s: %v", a.From, err)
		case v == nil && a.Required:
			return fault(a.From, "it has no %s, which is required", a.From)
		case v != nil:
			attributes[a.Name] = v
		}
	}
	var members []string
	if k.members {
		for _, m := range x.Values(scim.MustPath("members.value")) {
			members = append(members, textOf(m))
		}
		slices.Sort(members)
		members = slices.Compact(members)
		rec.Members = func() []string { return members }
	}
	rec.Attributes = func() identity.Attributes { return attributes }
	rec.Hash = source.HashOf(attributes, k.names, members...)
	return rec
}

// value turns what stands at an attribute's path into a value; nil is none.
func (r *Reader) value(a Attribute, raw []any) (any, error) {
	texts := textsOf(raw)
	if len(texts) == 0 {
		return nil, nil
	}
	switch source.Type(a.Type) {
	case source.List:
		slices.Sort(texts)
		return slices.Compact(texts), nil
	case source.Integer:
		n, err := strconv.ParseInt(texts[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the value is no whole number")
		}
		return n, nil
	case source.Number:
		n, err := strconv.ParseFloat(texts[0], 64)
		if err != nil {
			return nil, fmt.Errorf("the value is no number")
		}
		return n, nil
	case source.Bool:
		b, err := strconv.ParseBool(strings.ToLower(texts[0])) // "True" too (QUIRKS SCIM-63)
		if err != nil {
			return nil, fmt.Errorf("the value is neither true nor false")
		}
		return b, nil
	case source.Date:
		return r.date(texts[0])
	}
	return texts[0], nil
}

// date returns the day of a dateTime (RFC 7643 §2.3.5) in the source's zone.
func (r *Reader) date(text string) (any, error) {
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return text, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, fmt.Errorf("the value is no date such as 2026-03-31 or 2026-03-31T22:00:00Z")
	}
	return at.In(r.zone).Format(time.DateOnly), nil
}

func textsOf(raw []any) []string {
	var out []string
	for _, v := range raw {
		if v != nil {
			out = append(out, textOf(v))
		}
	}
	return out
}

// textOf is one value as text; an object as the value it holds.
func textOf(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case map[string]any:
		return scim.Resource(x).Text("value")
	}
	return fmt.Sprint(v)
}
