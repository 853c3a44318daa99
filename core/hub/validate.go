package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/core/secret"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/grouped"
	"github.com/provhub/provhub/wording"
)

// ValidateOptions say how far a validation goes.
type ValidateOptions struct {
	// Offline starts no plugin and asks no server: what only they know is not checked.
	Offline bool
	Log     *slog.Logger
}

// Validation is what a validation found besides faults.
type Validation struct {
	Sources    int      `json:"sources"`
	Connectors int      `json:"connectors"`
	Rules      int      `json:"rules"`
	Warnings   []string `json:"warnings,omitempty"`
}

// Validate checks what the config file alone cannot tell: rules against the
// source's columns and the target's attributes, and the plugins' own configs. All
// faults come back together, as [config.Faults].
func Validate(ctx context.Context, cfg *config.Config, o ValidateOptions) (Validation, error) {
	v := validator{cfg: cfg, log: o.Log, Validation: Validation{Sources: len(cfg.Sources), Connectors: len(cfg.Connectors)}}
	for i := range cfg.Sources {
		if s := &cfg.Sources[i]; s.CSV != nil && (s.Pickup == nil || s.Pickup.SFTP == nil) || !o.Offline {
			v.source(ctx, s)
		}
	}
	for i := range cfg.Connectors {
		c := &cfg.Connectors[i]
		var programs []map[identity.Kind]*mapping.Program
		for _, name := range c.Sources {
			programs = append(programs, v.rules(c, cfg.Source(name)))
		}
		v.count(c)
		if !o.Offline {
			v.plugin(ctx, c, programs)
		}
	}
	if len(v.faults) > 0 {
		slices.SortStableFunc(v.faults, func(a, b config.Fault) int { return a.Line - b.Line })
		return v.Validation, v.faults
	}
	return v.Validation, nil
}

type validator struct {
	Validation
	cfg    *config.Config
	log    *slog.Logger
	faults config.Faults
}

func (v *validator) fault(line int, path, format string, args ...any) {
	v.faults = append(v.faults, config.Fault{File: v.cfg.Path, Line: line, Path: path, Text: fmt.Sprintf(format, args...)})
}

// source compares the configured columns with the header of the source. A file
// that is not there yet is no fault of the config.
func (v *validator) source(ctx context.Context, s *config.Source) {
	reader, err := openSource(v.cfg, s)
	if err != nil {
		v.fault(s.Line, "", "%v", err)
		return
	}
	defer closeReader(reader)
	files := []source.Reader{reader}
	if g, ok := reader.(*grouped.Reader); ok {
		files = g.Parts()
	}
	for _, f := range files {
		v.header(ctx, s, f)
	}
}

func (v *validator) header(ctx context.Context, s *config.Source, reader source.Reader) {
	stop := errors.New("the header is enough")
	_, err := reader.Read(ctx, func(*source.Record) error { return stop })
	switch {
	case err == nil, errors.Is(err, stop):
	case errors.Is(err, fs.ErrNotExist):
		v.Warnings = append(v.Warnings, fmt.Sprintf("source %s: its columns were not checked: %v", s.Name, err))
	default:
		v.fault(s.Line, "source "+s.Name, "%v", err)
	}
}

// rules compiles the rules of one connector against one of its sources. A fault that
// they have for another one too is told once.
func (v *validator) rules(c *config.Connector, s *config.Source) map[identity.Kind]*mapping.Program {
	fields, err := fieldsOf(v.cfg, s)
	if err != nil {
		v.fault(c.Line, "", "%v", err)
		return nil
	}
	programs, err := compile(c, s, fields)
	for _, f := range ruleFaults(v.cfg.Path, err) {
		if len(c.Sources) > 1 {
			f.Path = "people of " + s.Name
		}
		if !slices.ContainsFunc(v.faults, func(x config.Fault) bool { return x.Line == f.Line && x.Text == f.Text }) {
			v.faults = append(v.faults, f)
		}
	}
	return programs
}

// count counts the rules of one connector.
func (v *validator) count(c *config.Connector) {
	for _, r := range c.Rules {
		v.Rules += len(r.Attributes) + len(r.Grants)
		if r.Scope.Expr != "" {
			v.Rules++
		}
	}
}

// ruleFaults turns the errors of rules into faults of the config file.
func ruleFaults(path string, err error) config.Faults {
	var out config.Faults
	var walk func(error)
	walk = func(err error) {
		switch x := err.(type) {
		case nil:
		case *mapping.Error:
			text := strings.TrimPrefix(x.Error(), x.Place+": ")
			out = append(out, config.Fault{File: path, Line: lineOf(x.Place), Text: text})
		case interface{ Unwrap() []error }:
			for _, e := range x.Unwrap() {
				walk(e)
			}
		default:
			out = append(out, config.Fault{File: path, Text: err.Error()})
		}
	}
	walk(err)
	return out
}

// lineOf returns the line of a place such as "provhub.yaml:31", 0 when there is none.
func lineOf(place string) int {
	var n int
	if i := strings.LastIndexByte(place, ':'); i >= 0 {
		_, _ = fmt.Sscan(place[i+1:], &n)
	}
	return n
}

// plugin starts the plugin of one connector: it checks its config, and when the
// target answers, the attributes that the rules write.
func (v *validator) plugin(ctx context.Context, c *config.Connector, programs []map[identity.Kind]*mapping.Program) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	pc, err := instanceConfig(v.cfg, c, v.log)
	if err != nil {
		v.fault(c.Line, "connector "+c.Name, "%v", err)
		return
	}
	if pc.Secrets, err = secret.ForConnector(v.cfg, c); err != nil {
		v.fault(c.Line, "connector "+c.Name, "%v", err)
		return
	}
	in, err := pluginhost.Start(ctx, pc)
	var ce *pluginhost.ConfigError
	var te *connector.Error
	switch {
	case errors.As(err, &ce):
		for _, f := range ce.Findings {
			v.finding(c, f)
		}
		return
	case errors.As(err, &te) && te.Class() == connector.ClassTransient:
		v.Warnings = append(v.Warnings, fmt.Sprintf("connector %s: the target does not answer, its attributes were not checked: %s", c.Name, te.Message))
		return
	case err != nil:
		v.fault(c.Line, "connector "+c.Name, "%v", err)
		return
	}
	defer func() { _ = in.Stop(context.WithoutCancel(ctx), time.Second) }()
	v.attributes(c, plan.Narrow(in.Schema(), in.Capabilities()), programs)
	for _, text := range unmatchable(c, known{Schema: in.Schema(), Capabilities: in.Capabilities()}) {
		v.fault(c.Line, "connector "+c.Name, "%s", text)
	}
}

func (v *validator) finding(c *config.Connector, f connector.Finding) {
	text := f.Summary
	if f.Detail != "" {
		text += "; " + f.Detail
	}
	if f.Warning {
		v.Warnings = append(v.Warnings, fmt.Sprintf("connector %s: config%s: %s", c.Name, f.Path, text))
		return
	}
	v.fault(c.Line, "connector "+c.Name+" config"+strings.ReplaceAll(f.Path, "/", "."), "%s", text)
}

// attributes checks the names that rules use against the target.
func (v *validator) attributes(c *config.Connector, schema connector.Schema, programs []map[identity.Kind]*mapping.Program) {
	for _, r := range c.Rules {
		ot, ok := plan.ObjectType(schema, r.Kind)
		if !ok {
			v.fault(c.Line, "connector "+c.Name, "the target has no object type for a %s", r.Kind)
			continue
		}
		var names []string
		for _, a := range ot.Attributes {
			names = append(names, a.Name)
		}
		for _, a := range r.Attributes {
			if attr, ok := ot.Attr(a.To); !ok {
				v.fault(lineOf(a.From.Place), "connector "+c.Name, "the target has no attribute %q%s", a.To, wording.DidYouMean(a.To, names))
			} else if attr.ReadOnly {
				v.fault(lineOf(a.From.Place), "connector "+c.Name, "attribute %q is set by the target and cannot be written", a.To)
			}
		}
		for _, of := range programs { // one for each source
			if p := of[r.Kind]; p != nil {
				v.misfits(p.Fits(ot))
			}
		}
		v.required(c, r, ot)
	}
}

// misfits adds the faults of rules that are not told yet for another source.
func (v *validator) misfits(err error) {
	for _, f := range ruleFaults(v.cfg.Path, err) {
		if !slices.Contains(v.faults, f) {
			v.faults = append(v.faults, f)
		}
	}
}

// required reports attributes that the target wants at creation and no rule gives.
func (v *validator) required(c *config.Connector, r mapping.Rules, ot connector.ObjectType) {
	for _, a := range ot.Attributes {
		mapped := slices.ContainsFunc(r.Attributes, func(m mapping.AttributeRule) bool { return m.To == a.Name })
		if a.Required && !a.ReadOnly && !mapped {
			v.fault(c.Line, "connector "+c.Name, "the target needs attribute %q to make an account, and no rule gives it", a.Name)
		}
	}
}

// FaultsOf returns the faults behind err, or err itself as one fault.
func FaultsOf(err error) any {
	var faults config.Faults
	if !errors.As(err, &faults) {
		faults = config.Faults{{Text: err.Error()}}
	}
	return struct {
		Valid  bool          `json:"valid"`
		Faults config.Faults `json:"faults"`
	}{false, faults}
}
