package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/alert"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

func (a *app) alertCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "alert", Short: "See what is wrong, and try how people are told",
		Long: `See what is wrong, and try how people are told. ` + "`provhub serve`" + ` looks every few
seconds; alerts: in the config says after how long something is wrong, and whom to
tell by webhook or mail.`,
		Example: "  provhub alert list\n  provhub alert test --route pager",
	}
	c.AddCommand(a.alertList(), a.alertTest())
	return c
}

// alertsOut is what alert list prints as JSON.
type alertsOut struct {
	Alerts []store.Alert `json:"alerts"`
	// Waiting are messages that did not reach people yet.
	Waiting []store.Notice `json:"waiting"`
}

// noticesShown bounds the messages that are listed.
const noticesShown = 100

func (a *app) alertList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List what is wrong now, and messages that did not reach people yet", Args: none(),
		Long:    "List what is wrong now, as `provhub serve` found it, and messages that did not reach people yet.",
		Example: "  provhub alert list\n  provhub alert list --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			all, err := h.State().Alerts(cmd.Context())
			if err != nil {
				return err
			}
			out := alertsOut{Alerts: slices.DeleteFunc(all, func(al store.Alert) bool { return al.ToldAt.IsZero() || !al.ClearedAt.IsZero() })}
			if out.Waiting, err = h.State().Notices(cmd.Context(), h.Now().AddDate(1, 0, 0), noticesShown); err != nil {
				return err
			}
			if done, err := a.json(out); done {
				return err
			}
			a.printAlerts(out)
			return nil
		}),
	}
}

func (a *app) printAlerts(out alertsOut) {
	if len(out.Alerts) == 0 {
		a.printf("Nothing is wrong, as far as `provhub serve` has seen.\n")
	}
	rows := make([][]any, len(out.Alerts))
	for i, al := range out.Alerts {
		rows[i] = []any{al.Severity, al.Condition, al.Since.Local().Format(time.DateTime), al.Summary + " " + al.Do}
	}
	a.table([]any{"severity", "condition", "since", "what, and what to do"}, rows)
	for _, n := range out.Waiting {
		why := ""
		if n.LastError != "" {
			why = ": " + n.LastError
		}
		a.printf("Not told on %s yet, %s%s\n", n.Route, wording.Count(n.Tries, "try", "tries"), why)
	}
}

func (a *app) alertTest() *cobra.Command {
	var only string
	c := &cobra.Command{
		Use: "test", Short: "Send a test message on every way that the config has", Args: none(),
		Example: "  provhub alert test\n  provhub alert test --route operations",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config()
			if err != nil {
				return err
			}
			if err := knownRoute(cfg, only); err != nil {
				return usageError{err}
			}
			tests, err := alert.TestRoutes(cmd.Context(), cfg, only, time.Now())
			if err != nil {
				return err
			}
			return a.printTests(tests)
		},
	}
	c.Flags().StringVar(&only, "route", "", "only the webhook or mail of this name")
	return c
}

// knownRoute says what is wrong with the name of a way; "" is all of them.
func knownRoute(cfg *config.Config, name string) error {
	var names []string
	for _, w := range cfg.Alerts.Webhooks {
		names = append(names, w.Name)
	}
	for _, m := range cfg.Alerts.Mail {
		names = append(names, m.Name)
	}
	switch {
	case len(names) == 0:
		return errors.New("the config has neither alerts.webhooks nor alerts.mail")
	case name != "" && !slices.Contains(names, name):
		return fmt.Errorf("alerts has neither a webhook nor a mail %q%s", name, wording.DidYouMean(name, names))
	}
	return nil
}

func (a *app) printTests(tests []alert.Test) error {
	var failed error
	rows := make([][]any, len(tests))
	for i, t := range tests {
		rows[i] = []any{t.Route, "taken"}
		if t.Error != "" {
			rows[i][1] = t.Error
			failed = errors.New("not every way takes messages")
		}
	}
	if done, err := a.json(tests); done {
		return errors.Join(failed, err)
	}
	a.table([]any{"way", "what became of it"}, rows)
	return failed
}
