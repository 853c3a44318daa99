package cycle

import (
	"context"

	"github.com/provhub/provhub/core/source"
)

// taken tells the source that what it gave is kept. It is not told of a reading with
// a reserve, such as one that a guard holds, or in which somebody was passed over: that
// is read again.
func (p *pass) taken(ctx context.Context) error {
	c, ok := p.Reader.(source.Committer)
	if !ok || p.Push != nil || !p.report.Source.Complete || p.report.Missing > 0 || p.again {
		return nil
	}
	if err := c.Committed(ctx); err != nil {
		p.report.warn("%v", err)
	}
	return nil
}

// note adds what the source noticed without being read.
func (p *pass) note() {
	n, ok := p.Reader.(source.Noter)
	if !ok {
		return
	}
	warnings, token := n.Notes()
	p.report.Warnings = append(p.report.Warnings, warnings...)
	if token != nil {
		p.report.Source.Token = token
	}
}
