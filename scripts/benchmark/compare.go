package main

import (
	"context"
	"fmt"
	"time"
)

// takes are measurements by name.
type takes map[string][]usage

func (t takes) add(key string, u usage) { t[key] = append(t[key], u) }

// median is what was measured under key.
func (t takes) median(key string) (wall, cpu time.Duration) {
	var walls, cpus []time.Duration
	for _, u := range t[key] {
		walls, cpus = append(walls, u.wall), append(cpus, u.cpu)
	}
	return median(walls), median(cpus)
}

// planAndApply plans, and sends what was planned; it fails when anything is left
// open.
func (s *site) planAndApply(ctx context.Context) (plan, apply usage, err error) {
	if plan, _, err = s.provhub(ctx, "plan"); err != nil {
		return plan, apply, err
	}
	hash, err := s.newestPlan(ctx)
	if err != nil {
		return plan, apply, err
	}
	apply, _, err = s.provhub(ctx, "apply", hash)
	return plan, apply, err
}

// createAndUpdate makes accounts for n people and then changes all of them.
func (s *site) createAndUpdate(ctx context.Context, n int, took takes) error {
	for i, verb := range verbs {
		p := people{n: n}
		if i > 0 {
			p = everybodyChanged(n)
		}
		if err := s.source(p); err != nil {
			return err
		}
		plan, apply, err := s.planAndApply(ctx)
		if err != nil {
			return err
		}
		took.add(verb+"/apply", apply)
		took.add(verb+"/whole", usage{wall: plan.wall + apply.wall, cpu: plan.cpu + apply.cpu})
	}
	return nil
}

// compare adds the lines of one verb: apply alone, against the reference, and the
// whole way.
func (b *bench) compare(section, where, verb string, n int, took takes, reference string, most float64, counts bool) {
	what := fmt.Sprintf("%s: %s %ss: ", where, digits(float64(n)), verb)
	wall, cpu := took.median(verb + "/apply")
	l := line{Section: section, What: what + "apply and send", Ours: rate(n, wall), CPU: inSeconds(cpu)}
	if len(took[verb+"/reference"]) > 0 {
		ref, _ := took.median(verb + "/reference")
		l.What += " (reference: " + reference + ")"
		l.Reference, l.Ratio = rate(n, ref), wall.Seconds()/ref.Seconds()
		if counts && !b.quick {
			l.Goal = atMost(most)
		}
	}
	b.add(l, l.Ratio)
	wall, cpu = took.median(verb + "/whole")
	b.add(line{Section: section, What: what + "read, plan, apply and send", Ours: rate(n, wall), CPU: inSeconds(cpu)}, 0)
}
