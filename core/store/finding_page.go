package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/identity"
)

// FindingPage is one page of a list of findings.
type FindingPage struct {
	Findings []FindingRow
	// Next is what [FindingFilter].After takes to go on; "": that is the end. A page may be
	// short, or empty, though there is a Next: where little matches, a page ends after a
	// bounded search.
	Next string
}

// findingsLooked is how many findings of a connector are looked at for one page where no
// index leads to those that match.
const findingsLooked = 2_000

// connectorsLooked bounds the connectors that are searched in that way for one page.
const connectorsLooked = 4

// behind sorts behind every situation, kind and place in a connector.
const behind = "~"

// findingOrder is how findings are walked within a connector:
//
//	open   by situation, which the index finding_open leads to
//	over   as they are stored
type findingOrder struct {
	index, always string
	columns       []string
}

var (
	openOrder = findingOrder{"finding_open", "resolved_at = 0", []string{"situation", "kind", "target_id"}}
	overOrder = findingOrder{"", "resolved_at >= 0", []string{"kind", "target_id"}}
)

// FindingPage returns a page of the findings that f selects, by connector and situation;
// those with f.Over by connector. f.Resolved, Source and Anchor do not count here. However
// many there are, it takes the same time.
func (o *Org) FindingPage(ctx context.Context, f FindingFilter) (FindingPage, error) {
	p, err := o.findingPage(ctx, f)
	return p, o.s.fail("read findings", err)
}

func (o *Org) findingPage(ctx context.Context, f FindingFilter) (p FindingPage, err error) {
	w := findingWalk{o: o, order: openOrder, limit: limit(f.Limit)}
	if f.Over {
		w.order = overOrder
		w.rest.and("resolved_at > 0")
	}
	for _, c := range []struct{ column, value string }{{"situation", f.Situation}, {"reaction", f.Reaction}} {
		switch {
		case c.value == "":
		case c.column == w.order.columns[0]:
			w.fixed = c.value
		default:
			w.rest.and(c.column+" = ?", c.value)
		}
	}
	from, place := cutPlace(f.After, len(w.order.columns))
	names := []string{f.Connector}
	if f.Connector == "" {
		if names, err = o.findingConnectors(ctx, w.order, from); err != nil {
			return p, err
		}
	}
	for i, name := range names {
		if name != from {
			place = nil
		}
		if err = w.run(ctx, name, place); err != nil {
			return p, err
		}
		if w.next == "" && w.rest.sql != "" && i >= connectorsLooked && i < len(names)-1 {
			w.next = findingPlace(name, w.order, behind, behind, behind)
		}
		if w.next != "" {
			break
		}
	}
	return FindingPage{w.found, w.next}, nil
}

// findingConnectors returns the connectors that there are findings of, from one on.
func (o *Org) findingConnectors(ctx context.Context, order findingOrder, from string) (names []string, err error) {
	of := `FROM finding WHERE org_id = ? AND ` + order.always
	err = o.all(ctx, &names, `WITH RECURSIVE c(name) AS (SELECT (SELECT MIN(connector) `+of+` AND connector >= ?)
		UNION ALL SELECT (SELECT MIN(connector) `+of+` AND connector > c.name) FROM c WHERE c.name IS NOT NULL)
		SELECT name FROM c WHERE name IS NOT NULL ORDER BY name`, o.id, from, o.id)
	return names, err
}

// findingWalk gathers a page, connector by connector.
type findingWalk struct {
	o     *Org
	order findingOrder
	// fixed is the value of the first column of the order; "": all. rest is what no index
	// leads to.
	fixed string
	rest  conditions
	limit int
	found []FindingRow
	next  string
}

// run walks one connector, from behind place on.
func (w *findingWalk) run(ctx context.Context, name string, place []string) error {
	columns := strings.Join(w.order.columns, ", ")
	where := ` FROM finding`
	if w.order.index != "" {
		where += w.o.s.by(w.order.index)
	}
	where += ` WHERE org_id = ? AND connector = ? AND ` + w.order.always
	args := []any{w.o.id, name}
	if w.fixed != "" {
		where, args = where+` AND `+w.order.columns[0]+` = ?`, append(args, w.fixed)
	}
	if place != nil {
		where += ` AND (` + columns + `) > (?` + strings.Repeat(", ?", len(place)-1) + `)`
		for _, v := range place {
			args = append(args, v)
		}
	}
	where += ` ORDER BY ` + columns + ` LIMIT ?`
	want := w.limit - len(w.found) + 1
	q, all := `SELECT `+findingColumns+where, append(slices.Clone(args), want)
	if w.rest.sql != "" {
		q = `SELECT ` + findingColumns + ` FROM (SELECT ` + findingColumns + where + `) looked WHERE 1 = 1` + w.rest.sql + ` ORDER BY ` + columns + ` LIMIT ?`
		all = append(append(append(slices.Clone(args), findingsLooked), w.rest.args...), want)
	}
	rows, err := w.o.findings(ctx, q, all...)
	if err != nil {
		return err
	}
	more := len(rows) == want
	if more {
		rows = rows[:want-1]
	}
	w.found = append(w.found, rows...)
	switch {
	case more:
		last := w.found[len(w.found)-1]
		w.next = findingPlace(last.Connector, w.order, last.Situation, string(last.Kind), last.TargetID)
	case w.rest.sql != "":
		return w.giveUp(ctx, name, `SELECT situation, kind, target_id`+where+` OFFSET ?`, append(args, 1, findingsLooked-1))
	}
	return nil
}

// giveUp ends the page where the search ended before the connector did.
func (w *findingWalk) giveUp(ctx context.Context, name, q string, args []any) error {
	return w.o.eachRow(ctx, func(rows *sql.Rows) error {
		var situation, kind, id string
		err := rows.Scan(&situation, &kind, &id)
		w.next = findingPlace(name, w.order, situation, kind, id)
		return err
	}, q, args...)
}

// findingPlace names a place in the list; cutPlace reads it.
func findingPlace(connector string, order findingOrder, situation, kind, id string) string {
	if len(order.columns) == 2 {
		return strings.Join([]string{connector, kind, id}, "/")
	}
	return strings.Join([]string{connector, situation, kind, id}, "/")
}

func cutPlace(text string, columns int) (connector string, place []string) {
	parts := strings.SplitN(text, "/", columns+1)
	if len(parts) <= columns {
		return "", nil
	}
	return parts[0], parts[1:]
}

// Finding returns what was found about one object of a target: [ErrNotFound].
func (o *Org) Finding(ctx context.Context, connector string, kind identity.Kind, id string) (FindingRow, error) {
	rows, err := o.findings(ctx, `SELECT `+findingColumns+` FROM finding WHERE org_id = ? AND connector = ? AND kind = ? AND target_id = ?`, o.id, connector, string(kind), id)
	if err == nil && len(rows) == 0 {
		err = refuse(ErrNotFound, "nothing was found about this account in %s", connector)
	}
	if err != nil {
		return FindingRow{}, o.s.fail("read findings", err)
	}
	return rows[0], nil
}

const findingColumns = `connector, kind, target_id, situation, source, anchor, reaction, first_seen, last_seen, resolved_at, object, text, body`

// findings runs a query for findingColumns.
func (o *Org) findings(ctx context.Context, q string, args ...any) (out []FindingRow, err error) {
	err = o.eachRow(ctx, func(rows *sql.Rows) error {
		var r FindingRow
		var first, last, resolved int64
		var body string
		if err := rows.Scan(&r.Connector, &r.Kind, &r.TargetID, &r.Situation, &r.Source, &r.Anchor, &r.Reaction, &first, &last, &resolved, &r.Object, &r.Text, &body); err != nil {
			return err
		}
		r.FirstSeen, r.LastSeen, r.ResolvedAt, r.Body = fromMicros(first), fromMicros(last), fromMicros(resolved), json.RawMessage(body)
		out = append(out, r)
		return nil
	}, q, args...)
	return out, err
}
