package plan

import "fmt"

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
