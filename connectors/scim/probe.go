package scim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// actionProbe tries out what the service does.
const actionProbe = "probe"

// probeArguments say how far a probe goes.
type probeArguments struct {
	Write   bool   `json:"write,omitempty" doc:"Also make, change and remove synthetic accounts and one group; without it nothing is changed"`
	Members int    `json:"members,omitempty" default:"3" doc:"With write: accounts to make, and so the most members tried in one request; at most 250"`
	Domain  string `json:"domain,omitempty" default:"example.com" doc:"With write: mail domain of the synthetic accounts, for products that take only their own"`
	Former  string `json:"former,omitempty" doc:"Profile that an earlier probe wrote, as YAML: the result then tells what has changed since"`
}

const membersMax = 250

var probeAction = connector.Action{
	Name: actionProbe, Arguments: connector.SchemaFor[probeArguments](),
	Description: "Try out what the service does and write the dialect profile that fits it",
}

// probeResult is what a probe found.
type probeResult struct {
	Profile     string       `json:"profile"`               // YAML: extends the profile in use
	Summary     []string     `json:"summary"`               // for people
	Findings    []finding    `json:"findings"`              // sorted by key
	Differences []difference `json:"differences"`           // to the profile in use
	Changes     []difference `json:"changes,omitempty"`     // since the former profile
	LeftBehind  []leftover   `json:"left_behind,omitempty"` // what the probe made and could not remove
	Stopped     string       `json:"stopped,omitempty"`     // why it ended early
	Requests    int          `json:"requests"`
}

// difference is one column of a profile in two versions.
type difference struct {
	Key  string `json:"key"`
	Was  any    `json:"was"`
	Is   any    `json:"is"`
	From string `json:"from"` // who says what it was
}

// leftover is something that the probe made and that is still there.
type leftover struct {
	Type string `json:"type"` // users or groups
	ID   string `json:"id"`   // "" when the service did not tell
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Invoke implements [connector.Actor].
func (t *Target) Invoke(ctx context.Context, in connector.Invocation, progress func(connector.Progress)) (json.RawMessage, error) {
	if in.Name != actionProbe {
		return nil, connector.Errorf(connector.CodeUnsupported, "there is no action %q", in.Name)
	}
	args := probeArguments{Members: 3, Domain: "example.com"}
	if len(in.Arguments) > 0 {
		if err := json.Unmarshal(in.Arguments, &args); err != nil {
			return nil, invalid("", "the arguments of probe: %s", strings.TrimPrefix(err.Error(), "json: "))
		}
	}
	if args.Members < 1 || args.Members > membersMax {
		return nil, invalid("members", "members is from 1 to %d", membersMax)
	}
	former, err := formerValues(args.Former)
	if err != nil {
		return nil, invalid("former", "former: %w", err)
	}
	s := t.current()
	p := &prober{Client: s.Client, dialect: t.cfg.Dialect, args: args, progress: progress, found: map[string]*finding{}, token: strings.ToLower(rand.Text()[:10])}
	stopped := p.run(ctx)
	if stopped != nil && len(p.found) == 0 && len(p.made) == 0 {
		return nil, stopped
	}
	return json.Marshal(p.result(former, stopped))
}

// prober is one probe under way.
type prober struct {
	*client.Client
	dialect  string // of the config: what the profile extends
	args     probeArguments
	progress func(connector.Progress)
	token    string // in the names of all that it makes
	active   any    // of new accounts, in the form that the service takes; nil: none

	postponed bool // what is seen of pages, until there are accounts

	found    map[string]*finding
	notes    []string
	made     []*synthetic
	left     []leftover
	requests int
}

// step is one part of a probe.
type step struct {
	what string
	run  func(context.Context) error
}

// run makes all steps, and then removes what they made, whatever happened.
func (p *prober) run(ctx context.Context) (stopped error) {
	steps := []step{
		{"what the service says of itself", p.discovery}, {"filters", p.filters}, {"pages", p.pages}, {"parameters", p.parameters},
	}
	if p.args.Write {
		steps = append(steps,
			step{"a new account", p.create}, step{"finding it", p.lookups}, step{"PATCH", p.patches}, step{"clearing", p.clears},
			step{"disabling", p.disabling}, step{"PUT", p.puts}, step{"versions", p.versions},
			step{"groups", p.groups}, step{"members", p.members}, step{"pages of its own accounts", p.ownPages}, step{"deleting", p.deleting})
	}
	defer func() {
		// Not bound to ctx: who stops a probe does not want its accounts to stay.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
		defer cancel()
		p.cleanUp(clean)
	}()
	for i, s := range steps {
		p.progress(connector.Progress{Done: int64(i), Total: int64(len(steps)), Message: s.what})
		if err := s.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	p.progress(connector.Progress{Done: int64(len(steps)), Total: int64(len(steps)), Message: "done"})
	return nil
}

// cleanUpTime bounds the removal of what a probe made.
const cleanUpTime = 2 * time.Minute

// result puts together what was found.
func (p *prober) result(former map[string]any, stopped error) probeResult {
	r := probeResult{Summary: p.notes, LeftBehind: p.left, Requests: p.requests, Findings: []finding{}, Differences: []difference{}}
	for _, key := range sortedKeys(p.found) {
		r.Findings = append(r.Findings, *p.found[key])
	}
	if stopped != nil {
		r.Stopped = stopped.Error()
	}
	inUse := map[string]any{}
	for _, s := range p.Client.Profile().Settings() {
		var v any
		if json.Unmarshal([]byte(s.Value), &v) == nil {
			inUse[s.Key] = v
		}
	}
	name := p.Client.Profile().Name
	r.Differences = differences(inUse, p.found, "profile "+name)
	if former != nil {
		r.Changes = differences(former, p.found, "former profile")
	}
	r.Profile = p.document()
	return r
}

// differences returns the columns that were otherwise, as JSON has them. What
// was did not say is no difference, nor is the order of a list.
func differences(was map[string]any, found map[string]*finding, from string) []difference {
	out := []difference{}
	for _, key := range sortedKeys(found) {
		old, ok := was[key]
		if is := found[key].Value; ok && asJSON(sorted(old)) != asJSON(sorted(is)) {
			out = append(out, difference{Key: key, Was: old, Is: is, From: from})
		}
	}
	return out
}

// sorted returns v as JSON has it, with the texts of lists in order.
func sorted(v any) any {
	var through any
	if err := json.Unmarshal([]byte(asJSON(v)), &through); err != nil {
		return v
	}
	return inOrder(through)
}

func inOrder(v any) any {
	switch x := v.(type) {
	case []any:
		slices.SortFunc(x, func(a, b any) int { return strings.Compare(asJSON(a), asJSON(b)) })
	case map[string]any:
		for name, e := range x {
			x[name] = inOrder(e)
		}
	}
	return v
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// fatal reports whether nothing more can be asked after err: the service was not
// reached or does not know us. A refusal is none.
func fatal(err error) bool {
	var refused *client.Fault
	switch {
	case err == nil:
		return false
	case errors.As(err, &refused):
		return refused.Status == http.StatusUnauthorized
	}
	return !errors.Is(err, connector.Unchanged) && !connector.IsCode(err, connector.CodeRateLimited)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
