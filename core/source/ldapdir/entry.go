package ldapdir

import (
	"errors"
	"fmt"
	"slices"
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
	if r.named {
		rec.Name = e.DN.Key()
	}
	if r.identify(&rec, k, e); rec.Fault != nil {
		return rec
	}
	attributes, ok := k.Attributes.Fill(&rec, func(i int) (any, error) {
		a := k.Attributes[i]
		return r.value(a.Type, k.rules[i], e.Get(a.From))
	})
	if !ok {
		return rec
	}
	var members []string
	if k.member != "" {
		var err error
		if members, err = memberNames(e.Get(k.member)); err != nil {
			rec.Fail(k.member, "%s: %v", k.member, err)
			return rec
		}
		rec.Members = func() []string { return members }
	}
	rec.Attributes = func() identity.Attributes { return attributes }
	rec.Hash = source.HashOf(attributes, k.names, append([]string{rec.Name}, members...)...)
	return rec
}

// identify finds out whose entry it is.
func (r *Reader) identify(rec *source.Record, k *kind, e ldap.Entry) {
	own := r.dir.Anchor.Attribute
	// A synchronization calls an entry by an id of its own form where that is not
	// entryUUID (389 Directory Server: nsUniqueId): the anchor is the same however the
	// entry was read.
	id, err := r.dir.AnchorOf(e)
	if rec.ID == "" {
		rec.ID = id
	}
	if rec.Anchor = id; k.Anchor != "" {
		rec.Anchor = e.First(k.Anchor)
	}
	switch {
	case err != nil:
		rec.Fail(own, "%v", err)
	case rec.Anchor == "" && k.Anchor != "":
		rec.Fail(k.Anchor, "it has no %s, so that nobody knows whose it is; if it is no person, leave such entries out by a filter such as (%s=*)", k.Anchor, k.Anchor)
	case rec.Anchor == "":
		rec.Fail(own, "it has no %s: is directory %q the right product?", own, r.dir.Name)
	case k.Anchor != "" && len(e.Get(k.Anchor)) > 1:
		rec.Fail(k.Anchor, "it has several values of %s; the anchor is one", k.Anchor)
	}
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
func (r *Reader) value(t source.Type, rule ldap.AttributeRule, raw []string) (any, error) {
	texts := make([]string, len(raw))
	for i, v := range raw {
		text, err := textOf(rule, v)
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	date := func(text string) (string, error) { return r.date(rule, text) }
	return source.Forms{Bool: ldap.ParseBool, Date: date, Reference: nameOf}.Value(t, texts)
}

// nameOf is the name of the entry that a DN means.
func nameOf(text string) (string, error) {
	dn, err := ldap.ParseDN(text)
	if err != nil {
		return "", errors.New("the value is no DN, which type: reference needs")
	}
	return dn.Key(), nil
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

// date returns the day of a point in time in the source's zone; "" for never.
func (r *Reader) date(rule ldap.AttributeRule, text string) (string, error) {
	var at time.Time
	var err error
	switch {
	case rule.Type == "filetime":
		at, err = ldap.ParseFileTime(text)
	case len(text) == len(time.DateOnly) && text[4] == '-':
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return "", fmt.Errorf("the value is no date such as 2026-03-31")
		}
		return text, nil
	default:
		at, err = ldap.ParseTime(text)
	}
	if err != nil || at.IsZero() {
		return "", err
	}
	return at.In(r.zone).Format(time.DateOnly), nil
}
