package dispatch

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// pollAfter is how long to wait when the target does not say.
const pollAfter = 30 * time.Second

// poll is a step that the target has accepted and not finished.
type poll struct {
	Step         string `json:"step"`
	Continuation []byte `json:"continuation"`
}

// decodePolls reads what is kept with the operation. What cannot be read counts
// as nothing: then the account is looked up.
func decodePolls(b []byte) []poll {
	var ps []poll
	if json.Unmarshal(b, &ps) != nil {
		return nil
	}
	return ps
}

func encodePolls(ps []poll) []byte {
	if len(ps) == 0 {
		return nil
	}
	b, err := json.Marshal(ps)
	if err != nil {
		panic(err) // strings and bytes always encode
	}
	return b
}

// poll asks after the steps that were accepted earlier. Those without a final
// answer stay in a.polls.
func (a *attempt) poll(ctx context.Context) {
	asked := a.polls
	a.polls = nil
	for _, p := range asked {
		steps, _, fault := Steps(a.w, a.shape)
		if fault != nil {
			a.raise(failed(connector.VerbPoll, fault), "")
			return
		}
		// One that is not among the steps any more was confirmed in some other way.
		if at := slices.IndexFunc(steps, func(s Step) bool { return s.Name == p.Step }); at >= 0 {
			a.ask(ctx, steps[at], p)
		}
	}
}

func (a *attempt) ask(ctx context.Context, s Step, p poll) {
	c := s.Meta()
	c.Group, c.GroupSize = "", 0
	a.sent = true
	r := resultOf(a.apply(ctx, []connector.Operation{connector.Poll{Call: c, Continuation: p.Continuation}}), s)
	if r.Outcome == connector.OutcomePending && len(r.Continuation) == 0 {
		r.Continuation = p.Continuation
	}
	if v := Classify(s.Verb(), r); !v.Next.alive() && v.Next != NextSettle {
		a.polls = append(a.polls, p) // nobody spoke for the work itself: ask again
	}
	a.answered(ctx, s, r)
}
