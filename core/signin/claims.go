package signin

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/provhub/provhub/wording"
)

// roleOf returns the role of the first grant that fits, "" when none does.
func roleOf(grants []Grant, claims map[string]any) Role {
	for _, g := range grants {
		if slices.Contains(texts(claim(claims, g.Claim)), g.Value) {
			return g.Role
		}
	}
	return ""
}

// whyNoRole says why no grant fits, for those who write grants: it names claims, and
// none of their values.
func whyNoRole(grants []Grant, claims map[string]any) string {
	var parts, told []string
	for _, g := range grants {
		if slices.Contains(told, g.Claim) {
			continue
		}
		told = append(told, g.Claim)
		switch n := len(texts(claim(claims, g.Claim))); n {
		case 0:
			parts = append(parts, fmt.Sprintf("the provider gives no claim %s; is its scope asked for in web.oidc.scopes?", g.Claim))
		default:
			parts = append(parts, fmt.Sprintf("claim %s has %s, and web.oidc.roles gives no role for it", g.Claim, wording.Count(n, "value", "values")))
		}
	}
	return strings.Join(parts, "; ")
}

// claim finds a claim by its name, or by a path such as realm_access.roles when there
// is none of that name: names may be URLs, which have dots too.
func claim(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	first, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil
	}
	inner, _ := claims[first].(map[string]any)
	if inner == nil {
		return nil
	}
	return claim(inner, rest)
}

// texts returns the values of a claim: a text, a list of texts, a boolean.
func texts(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case bool:
		return []string{fmt.Sprint(x)}
	case []any:
		var out []string
		for _, e := range x {
			out = append(out, texts(e)...)
		}
		return out
	}
	return nil
}

// actorMax bounds what a provider may call somebody.
const actorMax = 128

// actorOf is who the audit trail names: the mail address where the provider has
// verified it, else the subject, which nobody chooses. Names that people give
// themselves are not used.
func actorOf(claims map[string]any) string {
	name, _ := claims["sub"].(string)
	verified := slices.Contains(texts(claims["email_verified"]), "true")
	if mail, _ := claims["email"].(string); mail != "" && verified {
		name = mail
	}
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	if len(name) > actorMax {
		name = strings.ToValidUTF8(name[:actorMax], "")
	}
	return "oidc:" + name
}
