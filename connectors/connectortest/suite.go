package connectortest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Options say how much of the suite is run.
type Options struct {
	// Only runs checks whose id, or its beginning, is listed; nil: all.
	Only []string
	// Quick sends a tenth of the operations in the heavy checks.
	Quick bool
	// Prefix makes it a live run, against a target that others use: no faults are
	// made, everything that is made is named with the prefix, and what is named so is
	// deleted before and after. It takes three characters or more; "": not live.
	Prefix string
	// Progress is told of each outcome as it comes; nil: nobody.
	Progress func(Outcome)
}

// Status is how a check ended.
type Status string

// The statuses.
const (
	Pass    Status = "pass"
	Failed  Status = "fail"
	Skipped Status = "skip"
)

// Outcome is how one check ended in one way of running the plugin.
type Outcome struct {
	Host   string `json:"host"` // "in-process" or "process"
	ID     string `json:"id"`
	Title  string `json:"title"`
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"` // why it failed or was skipped
	// NotTried are parts of the check that do not apply here, and why.
	NotTried []string      `json:"not_tried,omitempty"`
	Trace    []string      `json:"trace,omitempty"` // of a failure: the last operations, their results and faults
	Log      string        `json:"log,omitempty"`   // of a failure: what the plugin logged last
	Took     time.Duration `json:"took"`
}

// Report is the result of a suite.
type Report struct {
	Connector string    `json:"connector"`
	Version   string    `json:"version"`
	Outcomes  []Outcome `json:"outcomes"`
	// Swept is how many objects a live run has removed besides those that its checks
	// removed themselves.
	Swept int           `json:"swept,omitempty"`
	Took  time.Duration `json:"took"`
}

// Failed reports whether a check failed.
func (r Report) Failed() bool { return r.Count(Failed) > 0 }

// Count returns how many checks ended so.
func (r Report) Count(s Status) int {
	n := 0
	for _, o := range r.Outcomes {
		if o.Status == s {
			n++
		}
	}
	return n
}

// Suite runs the checks against a target, in each way it can be run. The error
// says why nothing could be tested; failures are in the report.
func Suite(ctx context.Context, t Target, o Options) (Report, error) {
	if err := t.check(); err != nil {
		return Report{}, err
	}
	if t.prefix = o.Prefix; o.Prefix != "" {
		if len(o.Prefix) < minPrefix {
			return Report{}, errPrefix
		}
		o.Quick, t.Faults = true, nil
	}
	var report Report
	began := time.Now()
	for _, h := range hostsOf(&t) {
		s := &session{target: &t, host: h, options: o}
		if err := s.start(ctx); err != nil {
			return report, err
		}
		report.Connector, report.Version = s.connector, s.version
		if err := s.sweep(ctx, &report); err != nil {
			return report, err
		}
		for _, c := range s.checks() {
			out := s.run(ctx, c)
			report.Outcomes = append(report.Outcomes, out)
			if o.Progress != nil {
				o.Progress(out)
			}
		}
		if err := s.sweep(context.WithoutCancel(ctx), &report); err != nil {
			return report, err
		}
		s.close()
	}
	report.Took = time.Since(began)
	return report, ctx.Err()
}

func (t *Target) check() error {
	if t.Definition == nil && t.Binary == "" {
		return errors.New("connectortest: a target without a definition and without a binary")
	}
	if len(t.Config) == 0 {
		t.Config = []byte("{}")
	}
	var ids []string
	for _, c := range Checks() {
		ids = append(ids, c.ID)
	}
	for id, reason := range t.Skip {
		if !slices.Contains(ids, id) || strings.TrimSpace(reason) == "" {
			return fmt.Errorf("connectortest: skip %q: there is no such check, or no reason is given", id)
		}
	}
	return nil
}

// session runs checks in one way of running the plugin. One process serves all
// checks that do not need their own.
type session struct {
	target             *Target
	host               host
	options            Options
	shared             running
	connector, version string
}

// start starts the plugin that the checks share.
func (s *session) start(ctx context.Context) error {
	run, err := s.host.start(ctx)
	if err != nil {
		return fmt.Errorf("connectortest (%s): %w", s.host.name(), err)
	}
	s.shared = run
	d, err := newEnv(s.target, s.host, run, "start", 1).describe(ctx)
	s.connector, s.version = d.GetType(), d.GetVersion()
	return err
}

// sweep removes what a live run leaves; without a prefix there is nothing to do.
func (s *session) sweep(ctx context.Context, r *Report) error {
	if s.target.prefix == "" {
		return nil
	}
	if pid := s.shared.pid(); pid != 0 && !exists(pid) { // the last check killed it
		s.shared.stop()
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	return s.clean(ctx, r)
}

func (s *session) close() {
	if s.shared != nil {
		s.shared.stop()
	}
}

// checks returns the checks that make sense here.
func (s *session) checks() []Check {
	return slices.DeleteFunc(Checks(), func(c Check) bool {
		wanted := len(s.options.Only) == 0 || slices.ContainsFunc(s.options.Only, func(id string) bool {
			return c.ID == id || len(id) == 1 && strings.HasPrefix(c.ID, id)
		})
		return !wanted || c.Process && s.host.name() != "process"
	})
}

// Limits of a check, and of a heavy one. They end what hangs; how fast things are
// is not judged by them.
const (
	defaultLimit = 5 * time.Minute
	heavyLimit   = 15 * time.Minute
)

// run runs one check.
func (s *session) run(ctx context.Context, c Check) Outcome {
	out := Outcome{Host: s.host.name(), ID: c.ID, Title: c.Title, Status: Skipped, Reason: s.target.Skip[c.ID]}
	if out.Reason != "" {
		return out
	}
	if c.Limit == 0 {
		c.Limit = defaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	began := time.Now()
	e, err := s.env(ctx, c)
	if err == nil {
		err = runGuarded(ctx, c, e)
		s.end(context.WithoutCancel(ctx), c, e)
	}
	out.Took = time.Since(began)
	reason, isSkip := skipReason(err)
	switch {
	case err == nil:
		out.Status, out.NotTried = Pass, e.notTried()
	case isSkip:
		out.Reason = reason
	default:
		out.Status, out.Reason = Failed, err.Error()
		if e != nil {
			out.Trace, out.Log = e.story.last(), e.lastLogged()
		}
	}
	return out
}

// env makes what the check works with.
func (s *session) env(ctx context.Context, c Check) (*Env, error) {
	run := s.shared
	if c.Own {
		var err error
		if run, err = s.host.start(ctx); err != nil {
			return nil, err
		}
	} else if pid := run.pid(); pid != 0 && !exists(pid) { // a check killed it
		run.stop()
		if err := s.start(ctx); err != nil {
			return nil, err
		}
		run = s.shared
	}
	return newEnv(s.target, s.host, run, c.ID, s.scale()), nil
}

// scale returns which share of their operations the heavy checks send.
func (s *session) scale() float64 {
	share := 1.0
	if s.options.Quick {
		share = 0.1
	}
	if s.target.Share > 0 {
		share = min(share, s.target.Share)
	}
	return share
}

// end cleans up after a check.
func (s *session) end(ctx context.Context, c Check, e *Env) {
	ctx, cancel := context.WithTimeout(ctx, defaultLimit)
	defer cancel()
	e.cleanUp(ctx)
	if c.Own {
		e.run.stop()
	}
}

func runGuarded(ctx context.Context, c Check, e *Env) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the check panicked, which is a bug of the suite: %v\n%s", p, debug.Stack())
		}
	}()
	if !c.Bare {
		if err := e.open(ctx); err != nil {
			return err
		}
	}
	return c.Func(ctx, e)
}

// maxTold bounds how much of the plugin's log a report holds.
const maxTold = 4096

func (e *Env) lastLogged() string {
	log := e.run.log()
	if len(log) > maxTold {
		log = "…" + log[len(log)-maxTold:]
	}
	return log
}
