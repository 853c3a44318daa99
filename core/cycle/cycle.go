// Package cycle is one pass over a source: read it, compare it with what is
// stored, work out what every account should hold, and plan the difference. It
// is the page to read first:
//
//	source ──► compare ──► stage ──► commit     read.go, index.go; delta.go, push.go
//	                                   │
//	          dates that have come ──► states   clock.go
//	                                   │
//	  who changed ──► mapping ──► plan.Diff     evaluate.go, match.go
//	                                   │
//	          conflicts, guards, order, hash    Run; survey.go looks, and plans nothing
//
// A cycle changes what is known about people, and nothing else: the plan it gives
// is neither stored nor carried out.
package cycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
)

// Cycle is everything that one pass over one source needs. It may be run again
// and again, by one caller at a time who holds the working role.
type Cycle struct {
	Store  *store.Org
	Source config.Source
	Reader source.Reader
	// Connectors are those that get their people from this source.
	Connectors []Connector
	// LeftOut names further connectors of this source that nothing can be planned for
	// now. Everyone is looked at in them when they are back.
	LeftOut []string
	// Accept is the snapshot, or at least its first eight characters, of which a
	// person has said: it is right, though many are missing from it, it is older than
	// the last one, or the clock has jumped. Another snapshot is refused then.
	Accept string
	// Others are the plans of other sources that were made just before and are not in
	// the queue yet: what they make and which names they take is somebody's already.
	Others []*plan.Plan
	// Push takes over single records, besides the schedule; nil: the source is read.
	Push *Push
	// Progress is told how far the pass is, from time to time; nil: nobody asks.
	Progress func(Progress)
	// Timed is told how long each phase took, also one that failed; nil: nobody asks.
	Timed func(phase string, took time.Duration)
}

// Connector is one target as a cycle sees it.
type Connector struct {
	Name string
	// Programs are the compiled rules; a kind without rules is not provisioned here.
	Programs     map[identity.Kind]*mapping.Program
	Policy       plan.Policy // of people
	GroupPolicy  plan.Policy
	Guards       plan.Guards
	Schema       connector.Schema
	Capabilities connector.Capabilities
	// Unfindable says why existing accounts cannot be found as Policy.Match wants, so that
	// none is made; "": they can.
	Unfindable string
	// RulesHash names rules and policy: when it is not the one that was last
	// applied, everyone is looked at again.
	RulesHash string
	// Sources are all that feed it, this one too; nil: only this one.
	Sources []string
	// Target is asked for existing accounts that match; nil: it cannot be asked.
	Target Finder
}

// fedBy returns the sources that feed the connector; source is the one being read.
func (c *Connector) fedBy(source string) []string {
	if c.Sources == nil {
		return []string{source}
	}
	return c.Sources
}

// policy returns what holds for identities of a kind.
func (c *Connector) policy(kind identity.Kind) *plan.Policy {
	if kind == identity.Group {
		return &c.GroupPolicy
	}
	return &c.Policy
}

// Finder looks into a target.
type Finder interface {
	// Get reads one object; see [connector.Getter].
	Get(ctx context.Context, ref connector.Ref, attributes []string) (connector.Object, error)
	// List lists all objects; see [connector.Lister].
	List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error)
}

// Progress says how far a cycle is.
type Progress struct {
	Phase string // "read" (records of the source) or "plan" (identities)
	Done  int
}

// Run makes one pass at now and returns the sealed plan and how it went. The plan
// is to be held when it has verdicts. An error means that nothing was concluded
// from the source; one bad record, person or target is none.
//
// Whole readings are made one at a time; a push may come in between. Of two that end
// beside each other the later one begins again, or takes the other into account.
func (c *Cycle) Run(ctx context.Context, now time.Time) (p *plan.Plan, r Report, err error) {
	for range passesMax {
		if c.Push != nil {
			c.Push.keys = nil
		}
		if p, r, err = c.pass(ctx, now); !errors.Is(err, store.ErrMoved) {
			break
		}
	}
	return p, r, err
}

// passesMax bounds how often a pass begins again because another one came first.
const passesMax = 20

func (c *Cycle) pass(ctx context.Context, now time.Time) (*plan.Plan, Report, error) {
	p := &pass{Cycle: c, now: now, reserved: reservations(c.Others)}
	for _, phase := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"recall", p.recall},     // how the last reading went
		{"read", p.read},         // the source against the store, as of the time last believed
		{"taken", p.taken},       // the source may put away what was read
		{"timers", p.tick},       // dates that have come since
		{"evaluate", p.evaluate}, // whoever changed, in every connector; everyone where the rules changed
		{"guard", p.guard},       // is it too much at once?
	} {
		began := time.Now()
		within, s := span.Start(ctx, phase.name)
		err := phase.run(within)
		s.End(err)
		if c.Timed != nil {
			c.Timed(phase.name, time.Since(began))
		}
		if err != nil {
			return nil, p.report, fmt.Errorf("source %s: %w", c.Source.Name, err)
		}
	}
	plan.Seal(&p.plan)
	return &p.plan, p.report, nil
}

// pass is one run of a cycle.
type pass struct {
	*Cycle
	now    time.Time
	last   last
	clock  time.Time // what lifecycle and policies take for now; see clock.go
	report Report
	plan   plan.Plan
	// observed are existing accounts that are to be known and never touched.
	observed []identity.Account
	// seen are those of an incomplete reading who were in it; nil when it was complete.
	seen *index
	// reserved are the names that plans of other sources take.
	reserved map[reservation]bool
	// groups are the names of the source's groups by anchor; nil: not asked yet.
	groups map[string]string
	// unusable knows whose record could not be used; nil when all could.
	unusable *index
	// look only looks: nothing is taken over; nil: the pass is a real one.
	look *Look
	// survey is what looks at everybody; nil: a plan is made.
	survey *survey
	// byName: managers are named otherwise than by anchor.
	byName bool
	// partial: only some records were read.
	partial bool
	// again: some of what was read was passed over, and it is read whole the next time.
	again bool
	// refused is set when nothing of the reading was taken over.
	refused *Refused
}

// guard holds the plan when a connector would be hit too hard, and names what the
// plan was made from.
func (p *pass) guard(ctx context.Context) error {
	var notes []plan.Note
	p.plan.Operations, notes = plan.Conflicts(p.plan.Operations)
	p.plan.Faults = append(p.plan.Faults, notes...)
	p.forgetNames(notes)
	hit := map[string]bool{}
	for i := range p.plan.Operations {
		hit[p.plan.Operations[i].Connector] = true
	}
	for i := range p.Connectors {
		if c := &p.Connectors[i]; hit[c.Name] {
			population, err := p.Store.Population(ctx, c.Name, p.Source.Name, p.now)
			if err != nil {
				return err
			}
			p.plan.Verdicts = append(p.plan.Verdicts, c.Guards.Check(c.Name, p.plan.Operations, population)...)
		}
	}
	p.plan.Inputs.Source, p.plan.Inputs.Config = p.Source.Name, configHash(p.Connectors)
	p.plan.Rules = map[string]string{}
	for _, c := range p.Connectors {
		p.plan.Rules[c.Name] = c.RulesHash
	}
	for _, name := range p.LeftOut {
		// Applying the plan forgets which changes this connector has not seen, so that
		// afterwards it must see everyone.
		p.plan.Rules[name] = ""
	}
	return nil
}

// forgetNames gives back the names chosen for operations that were taken out.
func (p *pass) forgetNames(out []plan.Note) {
	if len(out) == 0 {
		return
	}
	gone := map[identity.AccountKey]bool{}
	for _, n := range out {
		gone[n.AccountKey] = true
	}
	p.plan.Names = slices.DeleteFunc(p.plan.Names, func(n plan.NameReservation) bool { return gone[n.AccountKey] })
}

// configHash names the rules and policies of all connectors, in whatever order
// they are listed.
func configHash(cs []Connector) string {
	var lines []string
	for _, c := range cs {
		lines = append(lines, fmt.Sprintf("%q %q\n", c.Name, c.RulesHash))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}
