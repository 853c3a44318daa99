package cycle

import (
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Who starts, leaves or expires by a date does so by the clock, and a clock that
// is wrong would let everybody leave at once (QUIRKS HR-24). So the time that
// dates are compared with is not simply now:
//
//	a reading is taken over as of the time last believed
//	then the clock moves on to now, and dates that have come in between count
//	but not when it jumped and somebody would leave by that: then a person is asked
const (
	// runJump is how far a run may be from the one before it.
	runJump = 7 * 24 * time.Hour
	// sourceJump is how far a run may be from the date of the source, which many
	// export once a month.
	sourceJump = 32 * 24 * time.Hour
	// skewMax is how far clocks may be apart without anything being wrong.
	skewMax = time.Hour
)

// believed returns the time that dates were last compared with; now when this is
// the first cycle.
func (p *pass) believed() time.Time {
	if p.last.report.Clock.IsZero() || p.clockSetBack() {
		return p.now
	}
	return p.last.report.Clock
}

// clockSetBack reports whether a person accepts a clock that is far behind the
// time last believed: then that was wrong, and everyone is looked at anew.
func (p *pass) clockSetBack() bool {
	return p.Accept != "" && p.now.Before(p.last.report.Clock.Add(-skewMax))
}

// trusted reports whether the clock may move on to now without a question.
func (p *pass) trusted() bool { return p.jump() == "" || p.accepted() }

// later returns now, or the time last believed where that is later: the clock
// never runs backwards by itself.
func (p *pass) later() time.Time {
	if p.now.Before(p.clock) {
		return p.clock
	}
	return p.now
}

// tick moves the clock on to now and changes the states of those whose date has
// come.
func (p *pass) tick(ctx context.Context) error {
	if p.Push != nil {
		return nil // nobody else is looked at
	}
	if p.trusted() {
		return p.advance(ctx)
	}
	leavers, err := p.leavers(ctx)
	if err != nil {
		return err
	}
	if leavers > 0 {
		p.plan.Verdicts = append(p.plan.Verdicts, plan.Verdict{Guarded: plan.GuardClock, Count: leavers, Limit: "none", Window: "run",
			Text: fmt.Sprintf("source %s: %s, and %d people would leave by their dates. Until the clock is confirmed, dates are compared with %s. If it is right, run `provhub sync --accept %.12s`.",
				p.Source.Name, p.jump(), leavers, p.clock.UTC().Format(time.DateOnly), p.report.Source.Snapshot)})
		return nil
	}
	p.report.warn("%s; nobody leaves by that", p.jump())
	if err := p.advance(ctx); err != nil {
		return err
	}
	p.report.Clock = p.clock
	return p.remember(ctx)
}

// jump says in which way the clock cannot be trusted; "" when it can.
func (p *pass) jump() string {
	ran, dated := p.last.report.Clock, p.report.Source.Dated
	switch {
	case ran.IsZero():
		return ""
	case p.now.Before(ran.Add(-skewMax)):
		return fmt.Sprintf("the clock is %s behind the last run", days(ran.Sub(p.now)))
	case p.now.Sub(ran) > runJump:
		return fmt.Sprintf("the clock is %s after the last run", days(p.now.Sub(ran)))
	case !dated.IsZero() && p.now.Sub(dated) > sourceJump:
		return fmt.Sprintf("the clock is %s after the date of the source", days(p.now.Sub(dated)))
	case !dated.IsZero() && dated.Sub(p.now) > 24*time.Hour:
		return fmt.Sprintf("the clock is %s before the date of the source", days(dated.Sub(p.now)))
	}
	return ""
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// leavers counts the people who leave by dates between the time last believed and
// now.
func (p *pass) leavers(ctx context.Context) (n int, err error) {
	err = p.due(ctx, func(id identity.Identity) error {
		if id.State == identity.Leaver {
			n++
		}
		return nil
	})
	return n, err
}

// advance moves the clock on.
func (p *pass) advance(ctx context.Context) error {
	p.clock = p.later()
	var changed []identity.Identity
	write := func() error {
		p.report.Timers += len(changed)
		err := p.Store.SetStates(ctx, changed, p.now)
		changed = changed[:0]
		return err
	}
	err := p.due(ctx, func(id identity.Identity) error {
		if changed = append(changed, id); len(changed) < stageRows {
			return nil
		}
		return write()
	})
	if err != nil {
		return err
	}
	return write()
}

// due calls yield for each person whose date has come at now, with the state and
// the date that follow. Whoever is missing from an incomplete reading waits: the
// date may have been put off in the part that is not there.
func (p *pass) due(ctx context.Context, yield func(identity.Identity) error) error {
	return p.Store.Due(ctx, p.Source.Name, p.now, func(id identity.Identity) error {
		if p.seen != nil {
			if _, m := p.seen.find(id.Kind, id.Anchor); *m&markSeen == 0 {
				return nil
			}
		}
		state, due, err := p.Source.Lifecycle.State(id.Attributes, p.now)
		if err != nil {
			p.report.warn("the date of %s %s has come, and its state cannot be told: %v", id.Kind, id.Anchor, err)
			return nil
		}
		id.State, id.DueAt = state, due
		return yield(id)
	})
}
