package sql

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// direct reads outside a transaction.
type direct struct{ db *database }

func (q direct) query(ctx context.Context, st dialect.Statement, n int) ([][]any, error) {
	return traced(ctx, q.db.d, q.db.h, st.SQL, func(ctx context.Context) ([][]any, error) {
		rows, err := q.db.h.DB.QueryContext(ctx, st.SQL, st.Args...)
		if err != nil {
			return nil, err
		}
		return readAll(rows, n)
	})
}

// Get implements [connector.Getter]. A row marked as deleted is NOT_FOUND unless
// the config shows those.
func (t *Target) Get(ctx context.Context, ref connector.Ref, attributes []string) (connector.Object, error) {
	db, release := t.use()
	defer release()
	ctx, cancel := context.WithTimeout(ctx, t.cfg.timeout())
	defer cancel()
	m, err := db.model(ctx, &t.cfg)
	if err != nil {
		return connector.Object{}, err
	}
	if t.cfg.custom() {
		return t.customGet(ctx, db, m, ref, attributes)
	}
	p := &planner{m: m, snap: newSnapshot(), out: &script{about: make([]*record, 1)}}
	q := direct{db}
	for _, n := range m.needsOf(ref) {
		if err := p.snap.load(ctx, db.d, q, n.lookup, false); err != nil {
			return connector.Object{}, faultError(db.d, err)
		}
	}
	r, err := p.target(ref)
	if err != nil {
		return connector.Object{}, err
	}
	if err := p.snap.loadGrants(ctx, db.d, q, r, nil); err != nil {
		return connector.Object{}, faultError(db.d, err)
	}
	return r.object(attributes), nil
}
