package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

func (a *app) auditCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "audit", Short: "Who did what, when and why",
		Example: "  provhub audit list --object crm/1001\n  provhub audit verify",
	}
	c.AddCommand(a.auditList(), a.auditVerify())
	return c
}

func (a *app) auditList() *cobra.Command {
	var f store.AuditFilter
	var since string
	var newest bool
	var before int64
	c := &cobra.Command{
		Use: "list", Short: "List audit entries, the oldest first", Args: none(),
		Example: "  provhub audit list --newest --limit 20\n  provhub audit list --actor alice --since 2026-03-01\n  provhub audit list --action plan.approve --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			if since != "" {
				t, err := time.ParseInLocation(time.DateOnly, since, time.Local)
				if err != nil {
					return usageError{fmt.Errorf("--since %q is not a date such as 2026-03-31", since)}
				}
				f.Since = t
			}
			var entries []store.AuditEntry
			var err error
			if newest {
				entries, err = h.State().AuditNewest(cmd.Context(), f, before)
			} else {
				entries, err = h.State().Audit(cmd.Context(), f)
			}
			if err != nil {
				return err
			}
			if done, err := a.json(entries); done {
				return err
			}
			rows := make([][]any, len(entries))
			for i, e := range entries {
				rows[i] = []any{e.Seq, e.At.Local().Format("2006-01-02 15:04:05"), e.Actor, e.Action, shortObject(e), auditText(e.Detail)}
			}
			if len(rows) == 0 {
				a.printf("No audit entry matches.\n")
			}
			a.table([]any{"seq", "at", "who", "did", "to", "detail"}, rows)
			if f.Limit > 0 && len(entries) == f.Limit {
				on := "--after"
				if newest {
					on = "--newest --before"
				}
				a.printf("\nThere may be more: %s %d goes on, --limit takes more.\n", on, entries[len(entries)-1].Seq)
			}
			return nil
		}),
	}
	c.Flags().StringVar(&f.Actor, "actor", "", "only by this person or program")
	c.Flags().StringVar(&f.Action, "action", "", "only this action, such as plan.approve")
	c.Flags().StringVar(&f.Object, "object", "", "only about this: a plan's hash, an operation's id, connector/person")
	c.Flags().StringVar(&since, "since", "", "only from this day on")
	c.Flags().Int64Var(&f.After, "after", 0, "go on after this sequence number")
	c.Flags().BoolVar(&newest, "newest", false, "the newest first")
	c.Flags().Int64Var(&before, "before", 0, "with --newest: go on before this sequence number")
	c.Flags().IntVar(&f.Limit, "limit", 100, "at most this many")
	c.MarkFlagsMutuallyExclusive("newest", "after")
	return c
}

// shortObject shortens the hash of a plan as people type it.
func shortObject(e store.AuditEntry) string {
	if strings.HasPrefix(e.Action, "plan.") {
		return short(e.Object)
	}
	return e.Object
}

// auditText tells the details in the order that people read: what, why, the rest.
func auditText(detail json.RawMessage) string {
	var d map[string]any
	if json.Unmarshal(detail, &d) != nil {
		return string(detail)
	}
	var parts []string
	for _, k := range []string{"op", "name", "role", "write", "target", "before", "status", "reason", "why", "counts", "ready", "code", "error", "until", "stopped", "paused"} {
		if v, ok := d[k]; ok && detailText(v) != "" {
			parts = append(parts, fmt.Sprintf("%s: %s", k, detailText(v)))
		}
	}
	return strings.Join(parts, "; ")
}

func detailText(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprint(v)
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%v %s", m[k], k))
	}
	return strings.Join(parts, ", ")
}

func (a *app) auditVerify() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Prove that no audit entry was changed, removed or reordered", Args: none(),
		Example: "  provhub audit verify",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			n, err := h.State().AuditVerify(cmd.Context())
			var t *store.TamperedError
			if err != nil && !errors.As(err, &t) {
				return err
			}
			out := struct {
				Entries int64  `json:"entries"`
				Intact  bool   `json:"intact"`
				Seq     int64  `json:"first_bad,omitempty"`
				Problem string `json:"problem,omitempty"`
			}{Entries: n, Intact: err == nil}
			if t != nil {
				out.Seq, out.Problem = t.Seq, t.What
			}
			if done, jerr := a.json(out); done {
				if jerr == nil && t != nil {
					return &exitError{code: exitFailed}
				}
				return jerr
			}
			if t != nil {
				return t
			}
			a.printf("The audit trail is intact: %s, each chained to the one before.\n", wording.Count(int(n), "entry", "entries"))
			return nil
		}),
	}
}
