package plan

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/wording"
)

// String renders the operation in one line for logs and errors, with no
// attribute values: "disable 1001 on crm: left: …".
func (o Operation) String() string {
	return fmt.Sprintf("%s %s on %s: %s", o.Kind, o.Anchor, o.Connector, o.Reason)
}

// CountsOf counts operations by kind.
func CountsOf(ops []Operation) Counts {
	c := Counts{}
	for i := range ops {
		c[ops[i].Kind]++
	}
	return c
}

// String counts operations in the order in which people read them: "3 creates, 1 disable".
func (c Counts) String() string {
	var parts []string
	for _, k := range Kinds {
		if c[k] > 0 {
			parts = append(parts, wording.Count(c[k], string(k), string(k)+"s"))
		}
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}
