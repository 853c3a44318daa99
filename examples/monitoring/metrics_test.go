package monitoring

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// target is something that a dashboard panel or an alert rule asks of Prometheus.
type query struct{ where, expr, legend string }

// ask returns what the dashboard and the rules ask, with the variables filled in.
func ask(t *testing.T) (all []query) {
	t.Helper()
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &board))
	fill := strings.NewReplacer("$__rate_interval", "1m", "$connector", ".*", "$source", ".*")
	for _, p := range board.Panels {
		for _, e := range p.Targets {
			all = append(all, query{"panel " + p.Title, fill.Replace(e.Expr), e.LegendFormat})
		}
	}
	require.Greater(t, len(all), 40)
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	text, err = os.ReadFile("rules.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &rules))
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			require.NotEmpty(t, r.Annotations["what_to_do"], r.Alert)
			labels := strings.ReplaceAll(r.Annotations["summary"]+r.Annotations["what_to_do"], "$labels.", "")
			all = append(all, query{"rule " + r.Alert, r.Expr, labels})
		}
	}
	require.Greater(t, len(all), 55)
	return all
}

// labelsOf are the labels of each metric that a scrape gave, and those that Prometheus adds.
func labelsOf(scrape string) map[string][]string {
	out := map[string][]string{"up": {"job", "instance"}}
	sample, label := regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? \S+$`), regexp.MustCompile(`([a-z_]+)="`)
	for _, m := range sample.FindAllStringSubmatch(scrape, -1) {
		labels := []string{"job", "instance"}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			labels = append(labels, l[1])
		}
		out[m[1]] = labels
	}
	return out
}

var (
	metricIn = regexp.MustCompile(`\b(up|(?:provhub|process|go)_[a-z_]+)\b(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"`)
	grouping = regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
	shown    = regexp.MustCompile(`\{\{\s*([a-z_]+)\s*\}\}`)
)

// unknown says which metrics and labels q names that are not there.
func unknown(q query, there map[string][]string) (faults []string) {
	var labels []string
	for _, m := range metricIn.FindAllStringSubmatch(q.expr, -1) {
		of, ok := there[m[1]]
		if !ok {
			faults = append(faults, m[1])
		}
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(of, l[1]) {
				faults = append(faults, m[1]+"{"+l[1]+"}")
			}
		}
		labels = append(labels, of...)
	}
	kept := labels
	if groups := grouping.FindAllStringSubmatch(q.expr, -1); groups != nil {
		kept = nil
		for _, g := range groups {
			for l := range strings.SplitSeq(g[1], ",") {
				if l = strings.TrimSpace(l); !slices.Contains(labels, l) {
					faults = append(faults, "by ("+l+")")
				}
				kept = append(kept, l)
			}
		}
	}
	for _, l := range shown.FindAllStringSubmatch(q.legend, -1) {
		if !slices.Contains(kept, l[1]) {
			faults = append(faults, "{{"+l[1]+"}}")
		}
	}
	return faults
}

// Panels and rules name nothing that /metrics does not give.
func TestDashboardAndRulesAskForWhatIsThere(t *testing.T) {
	n := watched(t)
	_, scrape := n.get("/metrics")
	there := labelsOf(scrape)
	for _, q := range ask(t) {
		require.Empty(t, unknown(q, there), "%s: %s", q.where, q.expr)
	}
	for bad, names := range map[query][]string{
		{expr: "sum(provhub_operation_total)"}:                                               {"provhub_operation_total"},
		{expr: `provhub_open_operations{stat="parked"}`}:                                     {"provhub_open_operations{stat}"},
		{expr: "max by (conector) (provhub_parked_leavers)"}:                                 {"by (conector)"},
		{expr: "max by (connector) (provhub_open_operations)", legend: "{{state}}"}:          {"{{state}}"},
		{expr: `sum by (connector, le) (rate(provhub_attempt_duration_seconds_bucket[1m]))`}: nil,
	} {
		require.Equal(t, names, unknown(bad, there), bad.expr)
	}
}

// No two panels lie over each other or have one id, so that Grafana shows them as meant.
func TestPanelsDoNotOverlap(t *testing.T) {
	var board struct {
		Panels []struct {
			ID      int
			GridPos struct{ H, W, X, Y int }
		}
	}
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &board))
	taken, ids := map[[2]int]int{}, map[int]bool{}
	for _, p := range board.Panels {
		require.False(t, ids[p.ID], "panel %d is there twice", p.ID)
		ids[p.ID] = true
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24)
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				require.Zero(t, taken[at], "panels %d and %d", p.ID, taken[at])
				taken[at] = p.ID
			}
		}
	}
}
