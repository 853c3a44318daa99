package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

// opsFilter are the flags that select operations.
type opsFilter struct {
	connector, person, plan, code, cause, with, lane string
	states, kinds                                    []string
	older, since                                     string
}

func (f *opsFilter) add(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.connector, "connector", "", "only this connector")
	s.StringVar(&f.person, "person", "", "only this person: the anchor, or a value such as the e-mail address")
	s.StringVar(&f.plan, "plan", "", "only this plan, by hash")
	s.StringVar(&f.code, "code", "", "only this error code, such as ALREADY_EXISTS")
	s.StringVar(&f.cause, "cause", "", "only what fails for this cause: a key of `provhub ops causes`, or how it begins")
	s.StringSliceVar(&f.states, "state", nil, "only these states: ready, leased, sent, retry, unknown, parked, done, superseded, skipped")
	s.StringSliceVar(&f.kinds, "kind", nil, "only these: create, adopt, update, enable, disable, delete")
	s.StringVar(&f.lane, "lane", "", "only this lane: leaver, pushed, revoke or normal")
	s.StringVar(&f.with, "with", "", "ops: only what is handed to the operators; helpdesk: only what is not")
	s.StringVar(&f.older, "older", "", "only what was planned longer ago than this, such as 2h or 3d")
	s.StringVar(&f.since, "since", "", "only what was planned since: a day such as 2026-03-31, or this long ago, such as 2h")
}

// any reports whether any flag restricts.
func (f *opsFilter) any() bool {
	return f.connector+f.person+f.plan+f.code+f.cause+f.with+f.lane+f.older+f.since != "" || len(f.states)+len(f.kinds) > 0
}

var lanes = map[string][]plan.Lane{
	"leaver": {plan.LaneUrgent, plan.LaneLeaver}, "pushed": {plan.LaneUrgent, plan.LanePushed}, "revoke": {plan.LaneRevoke}, "normal": {plan.LaneNormal},
}

// filter checks the flags and looks up what they name.
func (f *opsFilter) filter(ctx context.Context, h *hub.Hub, all bool) (out store.OpFilter, err error) {
	out = store.OpFilter{Connector: f.connector, Code: strings.ToUpper(f.code), With: f.with}
	var errs []error
	fail := func(err error) { errs = append(errs, err) }
	if out.States, err = parseStates(f.states, all); err != nil {
		fail(err)
	}
	for _, k := range f.kinds {
		if kind := plan.Kind(strings.ToLower(k)); slices.Contains(plan.Kinds, kind) {
			out.Kinds = append(out.Kinds, kind)
		} else {
			fail(fmt.Errorf("--kind %q is none; kinds are %s", k, kindNames()))
		}
	}
	if out.Lanes = lanes[f.lane]; out.Lanes == nil && f.lane != "" {
		fail(fmt.Errorf("--lane %q is none; lanes are leaver, pushed, revoke and normal", f.lane))
	}
	if f.with != "" && f.with != store.WithOps && f.with != store.WithHelpdesk {
		fail(fmt.Errorf("--with %q is nobody; it is ops or helpdesk", f.with))
	}
	if out.From, err = parseMoment("--since", f.since, h.Now()); err != nil {
		fail(err)
	}
	if out.Until, err = parseMoment("--older", f.older, h.Now()); err != nil {
		fail(err)
	}
	if len(errs) > 0 {
		return out, usageError{errors.Join(errs...)}
	}
	return out, f.lookUp(ctx, h, &out)
}

// lookUp replaces what people type by what the store knows.
func (f *opsFilter) lookUp(ctx context.Context, h *hub.Hub, out *store.OpFilter) (err error) {
	if f.person != "" {
		if out.Source, out.Anchor, err = h.AnchorOf(ctx, f.person); err != nil {
			return err
		}
	}
	if f.cause != "" {
		if out.Cause, err = h.State().CauseKey(ctx, strings.ToLower(f.cause)); err != nil {
			return usageError{err}
		}
	}
	if f.plan != "" {
		p, err := h.State().Plan(ctx, f.plan)
		if err != nil {
			return usageError{fmt.Errorf("--plan %s: %w", f.plan, err)}
		}
		out.Plan = p.Hash
	}
	return nil
}

func kindNames() string {
	names := make([]string, len(plan.Kinds))
	for i, k := range plan.Kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

var allStates = append([]store.OpState{store.OpDone, store.OpSuperseded, store.OpSkipped}, store.OpenStates...)

func parseStates(names []string, all bool) ([]store.OpState, error) {
	if all && len(names) == 0 {
		return allStates, nil
	}
	known := make([]string, len(allStates))
	for i, s := range allStates {
		known[i] = string(s)
	}
	var out []store.OpState
	for _, n := range names {
		s := store.OpState(strings.ToLower(strings.TrimSpace(n)))
		if !slices.Contains(allStates, s) {
			return nil, fmt.Errorf("--state %q is none%s; states are %s", n, wording.DidYouMean(n, known), strings.Join(known, ", "))
		}
		out = append(out, s)
	}
	return out, nil
}

// parseMoment reads a day, or how long ago something was: "2h", "3d". "" is the zero
// time.
func parseMoment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t, nil
	}
	days, isDays := strings.CutSuffix(text, "d")
	if isDays {
		var n int
		if _, err := fmt.Sscanf(days, "%d", &n); err == nil && n >= 0 && fmt.Sprint(n) == days {
			return now.AddDate(0, 0, -n), nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return time.Time{}, fmt.Errorf("%s %q is neither a day such as 2026-03-31 nor a time such as 2h, 90m or 3d", flag, text)
	}
	return now.Add(-d), nil
}
