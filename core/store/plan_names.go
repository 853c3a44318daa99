package store

import (
	"fmt"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
)

// reserveNames takes the names that the plan chose (QUIRKS HR-17). One that was
// taken since is drift.
func (a *application) reserveNames() error {
	if _, err := a.t.exec(`DELETE FROM name_reservation WHERE org_id = ? AND keep_until > 0 AND keep_until < ?`, a.org, micros(a.now)); err != nil {
		return err
	}
	drift := &DriftError{Hash: a.plan.Hash}
	rows, err := a.nameRows(drift)
	if err != nil {
		return err
	}
	taken, err := a.t.insertCount(reservationInsert, rows, takeOwn)
	if err != nil {
		return err
	}
	if int(taken) < len(rows) {
		if err := a.findTaken(drift); err != nil {
			return err
		}
	}
	if drift.Count > 0 {
		return drift
	}
	return nil
}

// nameRows are the reservations, each once. The same name for two accounts of one
// plan is a drift too: one of them was chosen before the other was known.
func (a *application) nameRows(drift *DriftError) ([][]any, error) {
	type name struct {
		connector string
		mapping.Reservation
	}
	owner := map[name]identity.Key{}
	indexed := map[nameAttribute]bool{}
	var rows [][]any
	for _, n := range a.plan.names {
		if k := (nameAttribute{a.org, n.Connector, n.Attribute}); !indexed[k] {
			indexed[k] = true
			if err := a.t.indexNames(k); err != nil {
				return nil, err
			}
		}
		key := name{n.Connector, n.Reservation}
		switch had, ok := owner[key]; {
		case !ok:
			owner[key] = n.Identity()
			rows = append(rows, []any{a.org, n.Connector, n.Attribute, n.Value, n.Source, string(n.AccountKey.Kind), n.Anchor, 0})
		case had != n.Identity():
			drift.nameTaken(n)
		}
	}
	return rows, nil
}

// findTaken lists the names that are another account's.
func (a *application) findTaken(drift *DriftError) error {
	for _, n := range a.plan.names {
		var taken int
		err := a.t.get(&taken, `SELECT COUNT(*) FROM name_reservation WHERE org_id = ? AND connector = ? AND attribute = ? AND value = ?
			AND (source <> ? OR kind <> ? OR anchor <> ?)`, a.org, n.Connector, n.Attribute, n.Value, n.Source, string(n.AccountKey.Kind), n.Anchor)
		if err != nil {
			return err
		}
		if taken > 0 {
			drift.nameTaken(n)
		}
	}
	return nil
}

func (e *DriftError) nameTaken(n plan.NameReservation) {
	e.Count++
	if len(e.What) < driftShown {
		e.What = append(e.What, fmt.Sprintf("the %s chosen for %s belongs to another account of %s now", n.Attribute, n.Anchor, n.Connector))
	}
}
