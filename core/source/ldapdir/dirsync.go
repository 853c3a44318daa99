package ldapdir

import (
	"context"

	"github.com/provhub/provhub/clients/ldap"
)

// readAgain is how many entries are read again by one search.
const readAgain = 100

// synced reads what the domain controller tells by DirSync. It tells which objects
// changed, and of those only the attributes that did: they are read again (QUIRKS
// LDAP-32).
func (p *pass) synced(ctx context.Context, t *token, now domain) error {
	var changed []string
	next, err := p.client.DirSync(ctx, now.context, t.Cookie, func(c ldap.Changed) error {
		if c.Deleted {
			for _, part := range p.parts() {
				if err := p.gone(part, c.GUID); err != nil {
					return err
				}
			}
			return nil
		}
		if changed = append(changed, c.GUID); len(changed) < readAgain {
			return nil
		}
		err := p.reread(ctx, changed)
		changed = changed[:0]
		return err
	})
	if err == nil {
		err = p.reread(ctx, changed)
	}
	t.Cookie = next
	return err
}

// reread yields the entries as they are now; those that are not among people or
// groups, or no more, as gone.
func (p *pass) reread(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	filters := make([]ldap.Filter, len(ids))
	for i, id := range ids {
		var err error
		if filters[i], err = p.dir.ByAnchor(id); err != nil {
			return err
		}
	}
	for _, part := range p.parts() {
		found, err := p.client.Find(ctx, p.search(part.kind, ldap.And(part.filter, ldap.Or(filters...))))
		if err != nil {
			return err
		}
		there := map[string]bool{}
		for _, e := range found {
			id, err := p.dir.AnchorOf(e)
			if err != nil {
				return err
			}
			there[id] = true
			if err := p.take(part, e, id); err != nil {
				return err
			}
		}
		for _, id := range ids {
			if there[id] {
				continue
			}
			if err := p.gone(part, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// startCookie is the cookie of a controller that has told everything.
func (r *Reader) startCookie(ctx context.Context, nc ldap.DN) ([]byte, error) {
	return r.client.DirSync(ctx, nc, nil, func(ldap.Changed) error { return nil })
}
