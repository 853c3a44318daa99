package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/source/csvfile"
	"github.com/provhub/provhub/core/store"
)

// wide measures a plan over many connectors when one person in a hundred
// changed. Only the plugins are left out: the cycle gets the schema of the memory
// connector from the library.
func wide(ctx context.Context, b *bench) error {
	n, targets := b.sizes.widePeople, b.sizes.wideTargets
	b.progress("%d connectors × %d people: first load", targets, n)
	s, err := b.wideSite(ctx, n, targets)
	if err != nil {
		return err
	}
	defer s.remove()
	st, err := store.Open(ctx, s.State)
	if err != nil {
		return err
	}
	defer st.Close()
	c, err := s.cycle(ctx, st.Org("bench"))
	if err != nil {
		return err
	}
	var took []time.Duration
	var planned int
	for round := range b.sizes.rounds {
		b.progress("%d connectors × %d people, 1 %% changed: round %d of %d", targets, n, round+1, b.sizes.rounds)
		if err := s.source(people{n: n, round: round + 1, changed: func(i int) bool { return i%100 == 7 }}); err != nil {
			return err
		}
		began := time.Now()
		p, _, err := c.Run(ctx, began)
		if err != nil {
			return err
		}
		if _, err := c.Store.SavePlan(ctx, p, store.PlanProposed, "benchmark", began); err != nil {
			return err
		}
		took = append(took, time.Since(began))
		if planned = len(p.Operations); planned != n/100*targets {
			return fmt.Errorf("%d operations were planned, not %d", planned, n/100*targets)
		}
	}
	l := line{Section: "wide", What: fmt.Sprintf("%d connectors × %s people, 1 %% changed: plan of %s operations", targets, digits(float64(n)), digits(float64(planned))),
		Ours: inSeconds(median(took))}
	if !b.quick {
		l.Goal = below(value{10, seconds})
	}
	b.add(l, l.Ours.N)
	return nil
}

// wideSite is a site in which everybody has an account in every connector. The
// first connector's accounts are made the usual way, the others' are copies of
// them in the ledger.
func (b *bench) wideSite(ctx context.Context, n, targets int) (*site, error) {
	s, err := b.newSite(ctx, setting{Plugin: "memory", Attributes: inMemory, Connectors: []string{connectorName(0)}})
	if err != nil {
		return nil, err
	}
	if err := s.source(people{n: n}); err != nil {
		return nil, err
	}
	if _, _, err := s.provhub(ctx, "sync"); err != nil {
		return nil, err
	}
	for i := 1; i < targets; i++ {
		s.Connectors = append(s.Connectors, connectorName(i))
	}
	return s, copyAccounts(ctx, strings.TrimPrefix(s.State, "sqlite:"), s.Connectors)
}

func connectorName(i int) string { return fmt.Sprintf("app%03d", i) }

// cycle is the pass over the site's source that the hub would make.
func (s *site) cycle(ctx context.Context, org *store.Org) (*cycle.Cycle, error) {
	if err := s.configure(); err != nil {
		return nil, err
	}
	cfg, err := s.load()
	if err != nil {
		return nil, err
	}
	reader, err := csvfile.New(*cfg.Sources[0].CSV)
	if err != nil {
		return nil, err
	}
	schema, caps, err := memoryTarget(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := org.Rules(ctx, cfg.Sources[0].Name)
	if err != nil {
		return nil, err
	}
	c := &cycle.Cycle{Store: org, Source: cfg.Sources[0], Reader: reader}
	for i := range cfg.Connectors {
		cc := &cfg.Connectors[i]
		programs, err := compile(cc, c)
		if err != nil {
			return nil, err
		}
		c.Connectors = append(c.Connectors, cycle.Connector{Name: cc.Name, Programs: programs, Policy: cc.Policy, Guards: cc.Guards,
			Schema: schema, Capabilities: caps, RulesHash: rules[cc.Name]})
	}
	return c, nil
}

func compile(cc *config.Connector, c *cycle.Cycle) (map[identity.Kind]*mapping.Program, error) {
	programs := map[identity.Kind]*mapping.Program{}
	for _, r := range cc.Rules {
		p, err := mapping.Compile(c.Reader.Fields(), c.Source.Reference != "", r)
		if err != nil {
			return nil, err
		}
		programs[r.Kind] = p
	}
	return programs, nil
}

// memoryTarget is what a target of the memory connector holds and can do.
func memoryTarget(ctx context.Context) (connector.Schema, connector.Capabilities, error) {
	t, err := memory.Definition.Open(ctx, json.RawMessage(`{}`), connector.Instance{ID: "benchmark"})
	if err != nil {
		return nil, connector.Capabilities{}, err
	}
	schema, err := t.Schema(ctx)
	return schema, connector.CapabilitiesOf(t, memory.Definition), err
}
