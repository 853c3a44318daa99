package alert

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

// failingWait is how long readings have to fail: a file is often missing while it is
// being replaced.
const failingWait = 2 * time.Minute

// Judge says what is wrong by what is in the database.
func Judge(cfg *config.Config, v *hub.Vitals) (out []Finding) {
	for i := range v.Sources {
		out = append(out, ofSource(cfg, &v.Sources[i], v.At)...)
	}
	for i := range v.Held {
		out = append(out, ofPlan(cfg, &v.Held[i], v.At)...)
	}
	for i := range v.Connectors {
		c := judged{&v.Connectors[i], &cfg.Alerts.After, v.At}
		out = append(out, c.leavers()...)
		out = append(out, c.standing()...)
		out = append(out, c.queue()...)
	}
	for _, n := range v.Nodes {
		if n.Gone() && !replaced(n, v.Nodes) {
			out = append(out, Finding{Condition: NodeGone, Subject: n.Name, Severity: Warning, Since: n.SeenAt,
				Summary: fmt.Sprintf("Node %s is gone since %s without having said so.", n.Name, clock(n.SeenAt)),
				Do:      "Start it again, or look into its log why it ended; the other nodes go on with its work."})
		}
	}
	return out
}

// replaced reports whether a node was started in the place of n after it was gone.
func replaced(n store.Node, nodes []store.Node) bool {
	host := func(n store.Node) string { name, _, _ := strings.Cut(n.Name, "/"); return name }
	return slices.ContainsFunc(nodes, func(m store.Node) bool {
		return !m.Gone() && m.StartedAt.After(n.SeenAt) && m.Address == n.Address && host(m) == host(n)
	})
}

// JudgePlugins says what is wrong with the plugins that this node runs.
func JudgePlugins(plugins map[string]pluginhost.Health) (out []Finding) {
	for name, h := range plugins {
		if h.Alarm == "" {
			continue
		}
		out = append(out, Finding{Condition: PluginCrashing, Subject: name, Severity: Critical, Page: connectorPage(name),
			Summary: fmt.Sprintf("Connector %s: %s.", name, h.Alarm),
			Do:      "Look into the log for what the plugin last said; go back to the version of it that worked, or report the crash to its maker."})
	}
	return out
}

func ofSource(cfg *config.Config, s *hub.SourceVitals, now time.Time) (out []Finding) {
	find := func(c Condition, severity Severity, since time.Time, wait time.Duration, do, format string, args ...any) {
		out = append(out, Finding{Condition: c, Subject: s.Name, Severity: severity, Since: since, Wait: wait,
			Summary: fmt.Sprintf(format, args...), Do: do, Page: "/sources/" + url.PathEscape(s.Name)})
	}
	if !s.ReadAt.IsZero() && now.After(silentFrom(cfg, s)) {
		find(SourceSilent, Critical, s.ReadAt, 0, "Run `provhub source check "+s.Name+"`; meanwhile nobody joins or leaves.",
			"Source %s was last read with success at %s.", s.Name, clock(s.ReadAt))
	}
	if s.Failure != "" {
		find(SourceFailing, Warning, s.Failed, failingWait, "Run `provhub source check "+s.Name+"`, which says what is wrong step by step.",
			"Source %s cannot be read: %s", s.Name, sentence(s.Failure))
	}
	if !s.Refused.IsZero() {
		find(SourceHeld, Critical, s.Refused, 0, "Look with `provhub source diff "+s.Name+"`; if it is right, run `provhub sync --accept`, else have the source mended.",
			"A reading of source %s is suspicious, and nothing of it was taken over.", s.Name)
	}
	return out
}

// silentFrom is from when on a source counts as silent: after the limit, and not before
// its schedule has come twice.
func silentFrom(cfg *config.Config, s *hub.SourceVitals) time.Time {
	from := s.ReadAt.Add(cfg.Alerts.After.SourceSilent)
	if c := cfg.Source(s.Name); c != nil && c.Schedule != nil && c.Schedule.Schedule != nil {
		if next := c.Schedule.Next(s.ReadAt); !next.IsZero() {
			if second := c.Schedule.Next(next); second.After(from) {
				from = second
			}
		}
	}
	return from
}

func ofPlan(cfg *config.Config, p *store.PlanHead, now time.Time) []Finding {
	if now.Sub(p.CreatedAt) < cfg.Alerts.After.PlanHeld {
		return nil
	}
	return []Finding{{Condition: PlanHeld, Subject: p.Source, Severity: Critical, Since: p.CreatedAt, Page: "/plans/" + p.Hash,
		Summary: fmt.Sprintf("Plan %.12s of source %s is held by a guard, and nobody has decided: %s%s.", p.Hash, p.Source, wording.Count(p.Operations, "operation", "operations"), kinds(p.Counts)),
		Do:      fmt.Sprintf("Look at it with `provhub plan show %.12[1]s`, then `provhub plan approve %.12[1]s` or `provhub plan reject %.12[1]s`.", p.Hash)}}
}

// kinds says how many operations of each kind there are, those that take something away
// first.
func kinds(n plan.Counts) string {
	var parts []string
	for _, k := range []plan.Kind{plan.Delete, plan.Disable, plan.Update, plan.Create, plan.Adopt, plan.Enable} {
		if n[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[k], k))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func connectorPage(name string) string { return "/connectors/" + url.PathEscape(name) }

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
