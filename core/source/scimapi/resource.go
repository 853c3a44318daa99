package scimapi

import (
	"encoding/json"
	"errors"
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
	if r.named {
		rec.Name = x.ID()
	}
	rec.Position = func() string { return fmt.Sprintf("%s/%s", k.typ, x.ID()) }
	if identify(&rec, k, x); rec.Fault != nil {
		return rec
	}
	attributes, ok := k.Attributes.Fill(&rec, func(i int) (any, error) {
		return r.forms().Value(k.Attributes[i].Type, textsOf(x.Values(k.paths[i])))
	})
	if !ok {
		return rec
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

// identify finds out whose resource it is: rec has its id for an anchor.
func identify(rec *source.Record, k *kind, x scim.Resource) {
	if !k.anchor.IsZero() {
		texts := textsOf(x.Values(k.anchor))
		rec.Anchor = ""
		switch {
		case len(texts) == 0 || texts[0] == "":
			rec.Fail(k.Anchor, "it has no %s, so that nobody knows whose it is; if it is no person, leave such out by a filter", k.Anchor)
		case len(texts) > 1:
			rec.Fail(k.Anchor, "it has several values of %s; the anchor is one", k.Anchor)
		default:
			rec.Anchor = texts[0]
		}
		return
	}
	if rec.Anchor == "" {
		rec.Fail("id", "it has no id")
	}
}

// forms are those of RFC 7643 §2.3.
func (r *Reader) forms() source.Forms {
	return source.Forms{Bool: parseBool, Date: r.date}
}

func parseBool(text string) (bool, error) {
	b, err := strconv.ParseBool(strings.ToLower(text)) // "True" too (QUIRKS SCIM-63)
	if err != nil {
		return false, errors.New("the value is neither true nor false")
	}
	return b, nil
}

// date returns the day of a dateTime (RFC 7643 §2.3.5) in the source's zone.
func (r *Reader) date(text string) (string, error) {
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return text, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "", fmt.Errorf("the value is no date such as 2026-03-31 or 2026-03-31T22:00:00Z")
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
