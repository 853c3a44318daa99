package library

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/google/uuid"

	"github.com/provhub/provhub/connectors/connector"
)

func idFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("uuid5", f2("uuid5", uuid5)),
		cel.Function("sha256", f1("sha256", sure1(sha256Hex))),
		cel.Function("dn_escape", f1("dn_escape", sure1(dnEscape))),
		cel.Function("rdn", f2("rdn", rdn)),
		cel.Function("ref", cel.Overload("ref_string", []*cel.Type{cel.StringType}, ReferenceType,
			cel.UnaryBinding(reference))),
	}
}

// namespaces are those of RFC 9562 §6.6.
var namespaces = map[string]uuid.UUID{
	"dns": uuid.NameSpaceDNS, "url": uuid.NameSpaceURL, "oid": uuid.NameSpaceOID, "x500": uuid.NameSpaceX500,
}

func namespace(text string) (uuid.UUID, error) {
	if ns, ok := namespaces[text]; ok {
		return ns, nil
	}
	ns, err := uuid.Parse(text)
	if err != nil {
		return ns, faultf("the namespace is neither a UUID nor one of dns, url, oid, x500")
	}
	return ns, nil
}

func uuid5(space, name string) (string, error) {
	ns, err := namespace(space)
	if err != nil {
		return "", err
	}
	return uuid.NewSHA1(ns, []byte(name)).String(), nil
}

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// dnEscape escapes an attribute value for a distinguished name (RFC 4514 §2.4).
func dnEscape(s string) string {
	var out strings.Builder
	for i, r := range s {
		first, last := i == 0, i+utf8.RuneLen(r) == len(s)
		switch {
		case r == 0:
			out.WriteString(`\00`)
			continue
		case strings.ContainsRune(`"+,;<>\`, r), r == ' ' && (first || last), r == '#' && first:
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}

// rdn is one part of a distinguished name: rdn("cn", name).
func rdn(attribute, value string) (string, error) {
	for i, r := range attribute {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '-' && r != '.' && (r < '0' || r > '9')) {
			return "", faultf("the attribute type has a character that is not allowed there")
		}
	}
	if attribute == "" || blank(value) {
		return "", faultf("an attribute type or its value is empty")
	}
	return attribute + "=" + dnEscape(value), nil
}

// AnchorAttribute is how a reference names the other identity: by its anchor in
// the source. Which object of the target that is, is found out when it is sent.
const AnchorAttribute = "anchor"

// reference names another person by anchor. An empty text names nobody.
func reference(v ref.Val) ref.Val {
	anchor, ok := v.(types.String)
	switch {
	case !ok:
		return types.MaybeNoSuchOverloadErr(v)
	case blank(string(anchor)):
		return unset
	}
	return &opaque{typ: ReferenceType, value: connector.Ref{
		Type: "person",
		By:   connector.Correlation{Attribute: AnchorAttribute, Value: string(anchor)},
	}}
}
