package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
)

// defaultGuards hold a plan that would take something from more than one person in
// twenty (QUIRKS HR-9).
var defaultGuards = []plan.Guarded{plan.Guarded(plan.Disable), plan.Guarded(plan.Delete), plan.GuardRevoke}

func (b *builder) connectors(cfg *Config, raw *rawConfig) {
	names := b.unique("connectors")
	var sources, secrets []string
	for _, s := range cfg.Sources {
		sources = append(sources, s.Name)
	}
	for _, s := range cfg.Secrets {
		secrets = append(secrets, s.Name)
	}
	for i := range raw.Connectors {
		r, path := &raw.Connectors[i], fmt.Sprintf("connectors[%d]", i)
		names(r.Name, path)
		for name, secret := range r.Secrets {
			b.known(secret, path+".secrets."+name, "secret", secrets)
		}
		c := b.connector(r, path, raw.Tables)
		c.Sources = b.fedBy(r, path, sources)
		cfg.Connectors = append(cfg.Connectors, c)
	}
}

// fedBy returns the sources of a connector; without any in the file, the only one
// there is.
func (b *builder) fedBy(r *rawConnector, path string, all []string) (names []string) {
	if len(r.Sources) == 0 {
		if len(all) > 1 {
			b.add(r.Name.line, path+".sources", "is missing: there are several sources, say which ones feed %s, such as sources: [%s]", r.Name.value, all[0])
		}
		return all
	}
	for i, s := range r.Sources {
		place := fmt.Sprintf("%s.sources[%d]", path, i)
		if slices.Contains(names, s.value) {
			b.add(s.line, place, "%q is in the list already", s.value)
		}
		b.known(s, place, "source", all)
		names = append(names, s.value)
	}
	return names
}

func (b *builder) connector(r *rawConnector, path string, tables map[string]map[string]string) Connector {
	c := Connector{
		Name: r.Name.value, Plugin: r.Plugin, Secrets: map[string]string{},
		Rules:  []mapping.Rules{b.rules(identity.Person, r, path, tables)},
		Policy: b.policy(r, path), Guards: guards(&r.Guards),
		Retry: Retry{
			Attempts: cmp.Or(r.Retry.Attempts, 8),
			First:    cmp.Or(b.duration(r.Retry.First, path+".retry.first"), defaultRetry.First),
			Max:      cmp.Or(b.duration(r.Retry.Max, path+".retry.max"), defaultRetry.Max),
			Timeout:  cmp.Or(b.duration(r.Retry.Timeout, path+".retry.timeout"), defaultRetry.Timeout),
		},
		Quarantine: b.quarantine(&r.Quarantine, path+".quarantine"),
		InFlight:   r.InFlight, Maintenance: b.maintenance(r.Maintenance, path+".maintenance"), Reconcile: b.reconcile(&r.Reconcile, path+".reconcile"),
		Line: r.Name.line,
	}
	for name, secret := range r.Secrets {
		c.Secrets[name] = secret.value
	}
	if g := r.Groups; g != nil {
		c.Rules = append(c.Rules, b.rules(identity.Group, &rawConnector{Name: r.Name, Scope: g.Scope, Attributes: g.Attributes}, path+".groups", tables))
		c.GroupPolicy = g.policy()
	}
	config, err := toJSON(&r.Config)
	if err != nil {
		b.at(&r.Config, path+".config", "%v", err)
	}
	c.Config = config
	return c
}

// policy is what becomes of groups in the target. They cannot be disabled, and what
// others may still use is kept unless the config says otherwise.
func (g *rawGroupRules) policy() plan.Policy {
	p := plan.Policy{
		Forbid: g.Forbid, OnLeave: cmp.Or(g.Gone, plan.ReactKeep), OnSuspend: plan.ReactKeep,
		OutOfScope: cmp.Or(g.OutOfScope, plan.ReactKeep), Recreate: g.Recreate, Protected: g.Protect,
	}
	if g.Match != nil {
		p.Match, p.OnMatch = g.Match.By, plan.MatchReaction(cmp.Or(g.Match.Then, "park"))
	}
	return p
}

func (b *builder) rules(kind identity.Kind, r *rawConnector, path string, tables map[string]map[string]string) mapping.Rules {
	out := mapping.Rules{Connector: r.Name.value, Kind: kind, Scope: b.rule(r.Scope), Tables: tables}
	seen := map[string]int{}
	for i, a := range r.Attributes {
		if first, ok := seen[a.To.value]; ok {
			b.add(a.To.line, fmt.Sprintf("%s.attributes[%d].to", path, i), "%q has a rule already, in line %d", a.To.value, first)
		}
		seen[a.To.value] = a.To.line
		out.Attributes = append(out.Attributes, mapping.AttributeRule{
			To: a.To.value, From: b.rule(a.From), Apply: mapping.Apply(cmp.Or(a.Apply, "always")), Reserve: a.Reserve,
		})
	}
	for _, g := range r.Grants {
		out.Grants = append(out.Grants, mapping.GrantRule{
			Entitlement: g.Entitlement.value, EntitlementFrom: b.rule(g.From), When: b.rule(g.When),
			Place: b.place(max(g.Entitlement.line, g.From.line)),
		})
	}
	return out
}

func (b *builder) rule(t text) mapping.Rule {
	if t.value == "" {
		return mapping.Rule{}
	}
	return mapping.Rule{Expr: t.value, Place: b.place(t.line)}
}

func (b *builder) place(line int) string {
	return fmt.Sprintf("%s:%d", filepath.Base(b.file), line)
}

func (b *builder) policy(r *rawConnector, path string) plan.Policy {
	p := plan.Policy{
		Forbid:        r.Forbid,
		OnLeave:       cmp.Or(r.On.Leave, plan.ReactDisable),
		OnSuspend:     cmp.Or(r.On.Suspend, plan.ReactDisable),
		OutOfScope:    cmp.Or(r.On.OutOfScope, plan.ReactDisable),
		DeleteAfter:   b.duration(r.DeleteAfter, path+".delete_after"),
		RevokeOnLeave: r.RevokeOnLeave == nil || *r.RevokeOnLeave,
		PreCreate:     r.PreCreate, Protected: r.Protect,
	}
	if r.Match != nil {
		p.Match, p.OnMatch = r.Match.By, plan.MatchReaction(cmp.Or(r.Match.Then, "park"))
	}
	return p
}

func guards(r *rawGuards) plan.Guards {
	g := plan.Guards{Run: map[plan.Guarded]plan.Limit{}, Day: map[plan.Guarded]plan.Limit{}}
	for _, k := range defaultGuards {
		g.Run[k] = plan.Limit{Percent: 5}
	}
	for k, l := range r.Run {
		g.Run[plan.Guarded(k)] = l.limit()
	}
	for k, l := range g.Run {
		g.Day[k] = plan.Limit{Max: 2 * l.Max, Percent: min(2*l.Percent, 100), MinPopulation: l.MinPopulation}
	}
	for k, l := range r.Day {
		g.Day[plan.Guarded(k)] = l.limit()
	}
	return g
}
