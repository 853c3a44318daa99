package ldapdir

import (
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// wanted are the attributes to be asked for.
func (r *Reader) wanted(k *kind) []string {
	names := []string{r.dir.Anchor.Attribute, "modifyTimestamp"}
	if k.Anchor != "" {
		names = append(names, k.Anchor)
	}
	if k.member != "" {
		names = append(names, k.member)
	}
	for _, a := range k.Attributes {
		names = append(names, a.From)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// record makes the record of an entry. id is what the directory calls it; "": it
// is read from the entry.
func (r *Reader) record(of identity.Kind, k *kind, e ldap.Entry, id string) source.Record {
	rec := source.Record{Kind: of, ID: id, Position: func() string { return e.DN.String() }}
	if r.groups != nil {
		rec.Name = e.DN.Key()
	}
	var err error
	if rec.ID == "" {
		rec.ID, err = r.dir.AnchorOf(e)
	}
	if rec.Anchor = rec.ID; k.Anchor != "" {
		rec.Anchor = e.First(k.Anchor)
	}
	fault := func(field, format string, args ...any) source.Record {
		rec.Fault = &source.Fault{Position: rec.Position(), Anchor: rec.Anchor, Field: field, Reason: fmt.Sprintf(format, args...)}
		return rec
	}
	switch {
	case err != nil:
		return fault(r.dir.Anchor.Attribute, "%v", err)
	case rec.Anchor == "" && k.Anchor != "":
		return fault(k.Anchor, "the entry has no %s, so that nobody knows whose it is; if it is no person, leave such entries out by a filter such as (%s=*)", k.Anchor, k.Anchor)
	case rec.Anchor == "":
		return fault(r.dir.Anchor.Attribute, "the entry has no %s: is directory %q the right product?", r.dir.Anchor.Attribute, r.dir.Name)
	case k.Anchor != "" && len(e.Get(k.Anchor)) > 1:
		return fault(k.Anchor, "the entry has several values of %s; the anchor is one", k.Anchor)
	}
	attributes := make(identity.Attributes, len(k.Attributes))
	for i, a := range k.Attributes {
		v, err := r.value(a, k.rules[i], e.Get(a.From))
		switch {
		case err != nil:
			return fault(a.From, "%s: %v", a.From, err)
		case v == nil && a.Required:
			return fault(a.From, "the entry has no %s, which is required", a.From)
		case v != nil:
			attributes[a.Name] = v
		}
	}
	var members []string
	if k.member != "" {
		if members, err = memberNames(e.Get(k.member)); err != nil {
			return fault(k.member, "%s: %v", k.member, err)
		}
		rec.Members = func() []string { return members }
	}
	rec.Attributes = func() identity.Attributes { return attributes }
	rec.Hash = source.HashOf(attributes, k.names, append([]string{rec.Name}, members...)...)
	return rec
}

// memberNames returns members in the form in which records are named.
func memberNames(dns []string) ([]string, error) {
	out := make([]string, 0, len(dns))
	for _, text := range dns {
		dn, err := ldap.ParseDN(text)
		if err != nil {
			return nil, err
		}
		out = append(out, dn.Key())
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// value reads the values of an attribute; nil is no value.
func (r *Reader) value(a Attribute, rule ldap.AttributeRule, raw []string) (any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	texts := make([]string, len(raw))
	for i, v := range raw {
		t, err := textOf(rule, v)
		if err != nil {
			return nil, err
		}
		texts[i] = t
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
	case source.Bool:
		return ldap.ParseBool(texts[0])
	case source.Date:
		return r.date(rule, texts[0])
	}
	return texts[0], nil
}

// textOf is a value as text.
func textOf(rule ldap.AttributeRule, v string) (string, error) {
	if rule.Type == "guid" {
		return ldap.GUIDText([]byte(v))
	}
	if rule.Type == "bytes" || !utf8.ValidString(v) {
		return "", fmt.Errorf("the value is not text")
	}
	return v, nil
}

// date returns the day of a point in time in the source's zone; nil for never.
func (r *Reader) date(rule ldap.AttributeRule, text string) (any, error) {
	var at time.Time
	var err error
	switch {
	case rule.Type == "filetime":
		at, err = ldap.ParseFileTime(text)
	case len(text) == len(time.DateOnly) && text[4] == '-':
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return nil, fmt.Errorf("the value is no date such as 2026-03-31")
		}
		return text, nil
	default:
		at, err = ldap.ParseTime(text)
	}
	if err != nil || at.IsZero() {
		return nil, err
	}
	return at.In(r.zone).Format(time.DateOnly), nil
}
