package plan

import "github.com/provhub/provhub/connectors/connector"

// Same reports whether two contents of an attribute are the same to the target,
// canonical or not: its case folded unless the attribute is exact about it, and
// without regard to order unless it is ordered. What does not fit the schema is
// the same as nothing else.
func Same(at connector.Attr, x, y connector.Values) bool {
	p, errP := canonical(&at, x)
	q, errQ := canonical(&at, y)
	return errP == nil && errQ == nil && same(&at, p, q)
}
