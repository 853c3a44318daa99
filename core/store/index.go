package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/core/identity"
)

// Index calls yield for each present identity of source, in no promised order
// and from one goroutine at a time. anchor is used again for the next one.
func (o *Org) Index(ctx context.Context, source string, yield func(kind identity.Kind, anchor []byte, hash identity.Hash) error) error {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	for _, kind := range []identity.Kind{identity.Person, identity.Group} {
		for _, half := range indexHalves {
			p := &indexPage{kind: kind, yield: yield, mu: &mu}
			g.Go(func() error { return o.indexHalf(ctx, source, half, p) })
		}
	}
	return o.s.fail("read the index of source "+source, g.Wait())
}

// indexHalves cut the index by its hashes, which are spread evenly: reading a row
// takes longer than finding it, and two connections read side by side.
var indexHalves = []string{"<", ">="}

func (o *Org) indexHalf(ctx context.Context, source, half string, p *indexPage) error {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT anchor, hash FROM identity
		WHERE org_id = ? AND source = ? AND kind = ? AND absent_since = 0 AND hash `+half+` ?`), o.id, source, string(p.kind), []byte{0x80})
	if err != nil {
		return err
	}
	defer rows.Close()
	var anchor, hash sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&anchor, &hash); err != nil {
			return err
		}
		if err := p.add(anchor, hash); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return p.flush()
}

// indexPage collects entries, so that those who read side by side seldom wait for
// each other.
type indexPage struct {
	kind    identity.Kind
	yield   func(identity.Kind, []byte, identity.Hash) error
	mu      *sync.Mutex // of yield
	anchors []byte      // one after the other
	ends    []int       // where in anchors each one ends
	hashes  []identity.Hash
}

const indexPageRows = 512

func (p *indexPage) add(anchor, hash []byte) error {
	if len(hash) != len(identity.Hash{}) {
		return fmt.Errorf("%s %s: its hash has %d bytes, not %d", p.kind, anchor, len(hash), len(identity.Hash{}))
	}
	p.anchors = append(p.anchors, anchor...)
	p.ends, p.hashes = append(p.ends, len(p.anchors)), append(p.hashes, identity.Hash(hash))
	if len(p.ends) < indexPageRows {
		return nil
	}
	return p.flush()
}

// flush yields the entries and forgets them.
func (p *indexPage) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := 0
	for i, end := range p.ends {
		if err := yielded(p.yield(p.kind, p.anchors[from:end], p.hashes[i])); err != nil {
			return err
		}
		from = end
	}
	p.anchors, p.ends, p.hashes = p.anchors[:0], p.ends[:0], p.hashes[:0]
	return nil
}
