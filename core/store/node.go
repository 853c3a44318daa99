package store

import (
	"context"
	"time"
)

// Node is a process that serves this org.
type Node struct {
	// Name is its own among all nodes: "host/1234".
	Name    string `json:"node"`
	Version string `json:"version"`
	// Address is where it listens; "": nowhere.
	Address   string    `json:"address,omitempty"`
	StartedAt time.Time `json:"started_at"`
	// SeenAt is when it last said that it is there, and Silent how long ago that is, both
	// by the database's clock.
	SeenAt time.Time     `json:"seen_at"`
	Silent time.Duration `json:"silent"`
	// Connectors are those that it sends for.
	Connectors []string `json:"connectors"`
}

// goneAfter is when a node that was not heard of counts as gone: it tells every two
// seconds that it is there.
const goneAfter = 6 * time.Second

// Gone reports whether the node is not there any more.
func (n Node) Gone() bool { return n.Silent > goneAfter }

// nodeKept is how long a node that is gone is still listed.
const nodeKept = 24 * time.Hour

// Seen notes that a node is there: Name, Version, Address, StartedAt and Connectors.
func (o *Org) Seen(ctx context.Context, n Node) error {
	connectors, err := encode(n.Connectors)
	if err != nil {
		return err
	}
	clock := o.s.dialect.clock
	return o.write(ctx, "node", func(t *tx) error {
		if _, err := t.exec(`INSERT INTO node (org_id, node, version, address, started_at, seen_at, connectors) VALUES (?, ?, ?, ?, ?, `+clock+`, ?)
			ON CONFLICT (org_id, node) DO UPDATE SET version = excluded.version, address = excluded.address, started_at = excluded.started_at,
				seen_at = excluded.seen_at, connectors = excluded.connectors`,
			o.id, n.Name, n.Version, n.Address, micros(n.StartedAt), connectors); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM node WHERE org_id = ? AND seen_at < `+clock+` - ?`, o.id, nodeKept.Microseconds())
		return err
	})
}

// Nodes returns the nodes by name, those that are gone for less than a day included.
func (o *Org) Nodes(ctx context.Context) ([]Node, error) {
	var rows []struct {
		Node, Version, Address, Connectors string
		StartedAt                          int64 `db:"started_at"`
		SeenAt                             int64 `db:"seen_at"`
		Silent                             int64
	}
	err := o.all(ctx, &rows, `SELECT node, version, address, connectors, started_at, seen_at, `+o.s.dialect.clock+` - seen_at AS silent
		FROM node WHERE org_id = ? ORDER BY node`, o.id)
	if err != nil {
		return nil, o.s.fail("read the nodes", err)
	}
	out := make([]Node, len(rows))
	for i, r := range rows {
		out[i] = Node{Name: r.Node, Version: r.Version, Address: r.Address, StartedAt: fromMicros(r.StartedAt), SeenAt: fromMicros(r.SeenAt),
			Silent: time.Duration(max(r.Silent, 0)) * time.Microsecond}
		if err := decode(r.Connectors, &out[i].Connectors); err != nil {
			return nil, o.s.fail("read the nodes", err)
		}
	}
	return out, nil
}

// Forget takes a node out that has stopped.
func (o *Org) Forget(ctx context.Context, node string) error {
	return o.write(ctx, "node", func(t *tx) error {
		_, err := t.exec(`DELETE FROM node WHERE org_id = ? AND node = ?`, o.id, node)
		return err
	})
}
