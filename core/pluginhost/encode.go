package pluginhost

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// headroom is left in a message for its own framing.
const headroom = 64 << 10

// call is one Apply by a caller: its operations and the answers so far.
type call struct {
	results []connector.Result
	left    int           // not answered
	done    chan struct{} // closed when none is left
	units   []*unit
	span    *span.Span // nil: it is not traced
}

// unit is what goes out in one message and is never split: the operations of
// one group, or a single operation.
type unit struct {
	call    *call
	ops     []*pluginv1.Operation
	index   []int // of each operation in call.results
	verbs   []connector.Verb
	secrets []connector.Secret // carried by the operations
	size    int                // bytes on the wire
	timeout time.Duration      // of all its steps, one after the other

	sent     bool
	deadline time.Time // for the answers, once sent
}

// newCall prepares operations for the wire. What cannot be sent is answered
// here, with the rest of its group.
func newCall(ops []connector.Operation, timeout time.Duration) *call {
	c := &call{results: make([]connector.Result, len(ops)), left: len(ops), done: make(chan struct{})}
	for i := 0; i < len(ops); {
		n := groupLen(ops[i:])
		c.addUnit(ops[i:i+n], i, timeout)
		i += n
	}
	if len(ops) == 0 {
		close(c.done)
	}
	return c
}

// groupLen returns how many operations at the head of ops belong together.
func groupLen(ops []connector.Operation) int {
	group := ops[0].Meta().Group
	n := 1
	for group != "" && n < len(ops) && ops[n].Meta().Group == group {
		n++
	}
	return n
}

func (c *call) addUnit(ops []connector.Operation, at int, timeout time.Duration) {
	u := &unit{call: c}
	for i, op := range ops {
		p, err := encode(op, timeout)
		if err != nil {
			c.refuse(ops, at, i, err)
			return
		}
		u.ops, u.index, u.verbs = append(u.ops, p), append(u.index, at+i), append(u.verbs, op.Verb())
		u.secrets = append(u.secrets, secretsOf(op)...)
		u.timeout += p.GetTimeout().AsDuration()
		u.size += proto.Size(p) + 8
		if u.size > protocol.MaxMessageBytes-headroom {
			c.refuse(ops, at, i, connector.Errorf(connector.CodeTooLarge,
				"the operation has more than %d MiB, the most that fits into one message to the plugin", protocol.MaxMessageBytes>>20))
			return
		}
	}
	c.units = append(c.units, u)
}

func encode(op connector.Operation, timeout time.Duration) (*pluginv1.Operation, error) {
	p, err := protocol.ToProtoOperation(op)
	if err != nil {
		return nil, connector.Errorf(connector.CodeInvalidValue, "the operation cannot be sent: %w", err)
	}
	if p.GetOperationId() == "" {
		return nil, connector.Errorf(connector.CodeInternal, "the operation has no id")
	}
	if op.Meta().Timeout <= 0 {
		p.Timeout = durationpb.New(timeout)
	}
	return p, nil
}

// refuse answers the operations of a unit that is not sent because of ops[bad].
func (c *call) refuse(ops []connector.Operation, at, bad int, err error) {
	for i, op := range ops {
		r := connector.Result{Outcome: connector.OutcomeCancelled, Err: connector.Errorf(connector.CodeDependencyMissing,
			"another step of this change could not be sent")}
		if i == bad {
			r = connector.Result{Outcome: connector.OutcomeFailed, Err: connector.AsError(err)}
		}
		r.ID = op.Meta().ID
		c.answer(at+i, r)
	}
}

// answer stores the result of one operation. The stream's lock is held, unless
// the call is not shared yet.
func (c *call) answer(i int, r connector.Result) {
	c.results[i] = r
	if c.left--; c.left == 0 {
		close(c.done)
	}
}

// answerAll gives every operation of u the same outcome and reason.
func (u *unit) answerAll(o connector.Outcome, e connector.Error) {
	for k := range u.ops {
		u.answer(k, connector.Result{Outcome: o, Err: &e})
	}
}

func (u *unit) answer(k int, r connector.Result) {
	r.ID = u.ops[k].GetOperationId()
	u.call.answer(u.index[k], r)
}

func secretsOf(op connector.Operation) []connector.Secret {
	switch o := op.(type) {
	case connector.Create:
		if !o.Credential.IsZero() {
			return []connector.Secret{o.Credential}
		}
	case connector.SetCredential:
		return []connector.Secret{o.Credential}
	}
	return nil
}
