package store

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
)

// causeKey names what an operation fails for, so that all that fail for the same
// thing have the same one: connector, error code, the attributes at fault, and the
// message without what differs from one person to the next. "" for no error.
func causeKey(op *plan.Operation, e *connector.Error) string {
	if e == nil {
		return ""
	}
	h := sha256.New()
	for _, part := range append([]string{op.Connector, e.Code.String(), commonText(op, e.Message)}, e.Attributes...) {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:causeKeyLength]
}

// causeKeyLength is short enough to type, and long enough that two causes of one
// org do not meet.
const causeKeyLength = 12

// Parts of a message that differ between operations which fail for the same thing.
var (
	givenUpText = regexp.MustCompile(`^given up after \d+ attempts: `)
	quotedText  = regexp.MustCompile(`"[^"]*"|“[^”]*”|'[^'\s]*'`)
	// idText are mail addresses, names in a directory, UUIDs, long hexadecimal and all other numbers.
	idText = regexp.MustCompile(`[^\s"']+@[^\s"',;]+|(?i:\b(?:cn|uid|ou|dc)=[^\s"']+)|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b[0-9a-fA-F]{8,}\b|\d+`)
)

// commonText is a message with an ellipsis for what is about this one operation. What an
// operation grants is named: everybody who waits for the same group has one cause.
func commonText(op *plan.Operation, message string) string {
	message = givenUpText.ReplaceAllString(message, "")
	var out strings.Builder
	at := 0
	for _, m := range quotedText.FindAllStringIndex(message, -1) {
		out.WriteString(idText.ReplaceAllString(message[at:m[0]], "…"))
		at = m[1]
		if quoted := message[m[0]:m[1]]; granted(op, strings.Trim(quoted, `"“”'`)) {
			out.WriteString(quoted)
		} else {
			out.WriteString("“…”")
		}
	}
	out.WriteString(idText.ReplaceAllString(message[at:], "…"))
	return out.String()
}

// granted reports whether op adds or removes the entitlement.
func granted(op *plan.Operation, entitlement string) bool {
	return slices.ContainsFunc(op.Grants, func(g plan.GrantChange) bool { return g.Entitlement == entitlement })
}
