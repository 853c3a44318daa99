package web

import (
	"slices"
	"time"

	"github.com/provhub/provhub/core/alert"
	"github.com/provhub/provhub/core/store"
)

// alertsPage is what is wrong, and what people could not be told yet.
type alertsPage struct {
	Now    time.Time
	Alerts []store.Alert
	// Waiting are messages that did not reach people yet.
	Waiting []store.Notice
	// Ways: the config says how people are told.
	Ways bool
}

// noticesShown bounds the messages that are listed.
const noticesShown = 50

func (s *site) showAlerts(v *visit) error {
	p := alertsPage{Now: s.now()}
	var err error
	if p.Alerts, err = openAlerts(v); err != nil {
		return err
	}
	if p.Waiting, err = v.hub.State().Notices(v.Context(), p.Now.AddDate(1, 0, 0), noticesShown); err != nil {
		return err
	}
	a := v.hub.Config().Alerts
	p.Ways = len(a.Webhooks)+len(a.Mail) > 0
	return s.page(v, "alerts", "Alerts", p)
}

// openAlerts returns what is wrong for long enough that people are told, the critical
// before the others, each the oldest first.
func openAlerts(v *visit) ([]store.Alert, error) {
	all, err := v.hub.State().Alerts(v.Context())
	all = slices.DeleteFunc(all, func(a store.Alert) bool { return a.ToldAt.IsZero() })
	slices.SortStableFunc(all, func(a, b store.Alert) int { return rank(a) - rank(b) })
	return all, err
}

func rank(a store.Alert) int {
	switch {
	case !a.ClearedAt.IsZero():
		return 2
	case a.Severity == string(alert.Critical):
		return 0
	}
	return 1
}
