package scim

import (
	"encoding/json"
	"math/big"
	"strings"
)

// caseExact lists the attributes of the RFCs whose values compare with regard to
// case (RFC 7643 §7, §3.1 and §8.7; ids wherever they stand).
var caseExact = []Path{
	{Attr: "id"}, {Attr: "externalId"}, {Attr: "password"}, {Attr: "meta", Sub: "version"}, {Attr: "meta", Sub: "resourceType"}, {Attr: "meta", Sub: "location"},
	{Attr: "profileUrl"}, {Attr: "photos", Sub: "value"}, {Attr: "x509Certificates", Sub: "value"},
	{Attr: "members", Sub: "value"}, {Attr: "members", Sub: "$ref"}, {Attr: "groups", Sub: "value"}, {Attr: "groups", Sub: "$ref"},
	{Schema: EnterpriseUser, Attr: "manager", Sub: "value"}, {Schema: EnterpriseUser, Attr: "manager", Sub: "$ref"},
}

// multiValued lists the attributes of the RFCs that hold lists (RFC 7643 §4).
var multiValued = []string{"schemas", "emails", "phoneNumbers", "ims", "photos", "addresses", "groups", "entitlements", "roles", "x509Certificates", "members"}

// CaseExact reports whether values at path compare with regard to case. a is what
// the target told of its schemas; nil and attributes that it does not name leave
// the RFCs.
func (a *AttributeIndex) CaseExact(path Path) bool {
	for _, p := range caseExact {
		if p.Names(path) || p.Sub == "value" && p.Bare().Names(path) {
			return true // an id is exact, whatever a schema says
		}
	}
	if d, ok := a.Attribute(path); ok {
		return d.CaseExact
	}
	return false
}

// MultiValued reports whether path holds a list.
func (a *AttributeIndex) MultiValued(path Path) bool {
	if d, ok := a.Attribute(path.Bare()); ok {
		return d.MultiValued
	}
	for _, name := range multiValued {
		if path.Schema == "" && strings.EqualFold(path.Attr, name) {
			return true
		}
	}
	return false
}

// Equal compares two values as the attribute at path does: text by its caseExact,
// "True" and true as the same, numbers by value, null and absent as the same,
// objects by their members, lists without regard to order.
func (a *AttributeIndex) Equal(path Path, x, y any) bool {
	x, y = plain(x), plain(y)
	if bx, ok := boolOf(x); ok {
		if by, ok := boolOf(y); ok {
			return bx == by
		}
	}
	switch vx := x.(type) {
	case map[string]any:
		vy, ok := y.(map[string]any)
		return ok && a.equalObjects(path, vx, vy)
	case []any:
		vy, ok := y.([]any)
		return ok && a.equalLists(path, vx, vy)
	case string:
		vy, ok := y.(string)
		return ok && (vx == vy || !a.CaseExact(path) && strings.EqualFold(vx, vy))
	}
	if nx, ok := number(x); ok {
		ny, ok := number(y)
		return ok && nx.Cmp(ny) == 0
	}
	return x == y
}

// plain brings v to the types that JSON decodes to; empty lists become nil.
func plain(v any) any {
	switch x := v.(type) {
	case Resource:
		return map[string]any(x)
	case []any, []string, []map[string]any:
		if vs := list(x); len(vs) > 0 {
			return vs
		}
		return nil
	}
	return v
}

func (a *AttributeIndex) equalObjects(path Path, x, y map[string]any) bool {
	all := map[string]bool{}
	for k := range x {
		all[strings.ToLower(k)] = true
	}
	for k := range y {
		all[strings.ToLower(k)] = true
	}
	for k := range all {
		if !a.Equal(Path{Schema: path.Schema, Attr: path.Attr, Sub: k}, member(x, k), member(y, k)) {
			return false
		}
	}
	return true
}

func (a *AttributeIndex) equalLists(path Path, x, y []any) bool {
	if len(x) != len(y) {
		return false
	}
	used := make([]bool, len(y))
next:
	for _, vx := range x {
		for i, vy := range y {
			if !used[i] && a.Equal(path, vx, vy) {
				used[i] = true
				continue next
			}
		}
		return false
	}
	return true
}

// number returns v exactly; ok is false when it is no number.
func number(v any) (n *big.Rat, ok bool) {
	switch x := v.(type) {
	case json.Number:
		// Exponents of any size are valid JSON; a number of a directory has few digits.
		if len(x) > 64 || strings.ContainsAny(string(x), "eE") {
			f, err := x.Float64()
			if err != nil {
				return nil, false
			}
			return new(big.Rat).SetFloat64(f), true
		}
		return new(big.Rat).SetString(string(x))
	case float64:
		n = new(big.Rat).SetFloat64(x)
		return n, n != nil
	case int:
		return new(big.Rat).SetInt64(int64(x)), true
	case int64:
		return new(big.Rat).SetInt64(x), true
	}
	return nil, false
}
