package ldap

import (
	"context"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// OIDDirSync is the control by which a domain controller tells what changed
// ([MS-ADTS] §3.1.1.3.4.1.3).
const OIDDirSync = goldap.ControlTypeDirSync

// dirSyncBytes bounds one answer of a domain controller.
const dirSyncBytes = 1 << 20

// Changed is one object that a DirSync listing tells of. The attributes that come
// with it are those that changed only; what it holds now is to be read.
type Changed struct {
	GUID    string // as [GUIDText]
	Deleted bool   // what came is its tombstone
}

// DirSync tells which objects of a naming context were changed, added or deleted
// since cookie, and returns the cookie to go on from. nc must be the context's root.
// cookie nil: every object there is. The account that binds sees what it may read
// (the flag LDAP_DIRSYNC_OBJECT_SECURITY) and needs no right to replicate. Another
// domain controller may tell of everything again. [ErrRefreshRequired] when the
// cookie is refused; it may come after objects were told.
func (c *Client) DirSync(ctx context.Context, nc DN, cookie []byte, yield func(Changed) error) (next []byte, err error) {
	next = cookie
	for more := true; more; {
		var entries []*goldap.Entry
		if entries, next, more, err = c.dirSyncPage(ctx, nc, next); err != nil {
			return nil, err
		}
		for _, e := range entries {
			guid, err := GUIDText(e.GetRawAttributeValue("objectGUID"))
			if err != nil {
				return nil, unreadable("an object of a DirSync listing has no objectGUID")
			}
			if err := yield(Changed{GUID: guid, Deleted: strings.EqualFold(e.GetAttributeValue("isDeleted"), "TRUE")}); err != nil {
				return nil, err
			}
		}
	}
	return next, ctx.Err()
}

// dirSyncPage asks for one answer. Tombstones have an objectClass but no
// objectCategory: the filter goes by the former (QUIRKS LDAP-32).
func (c *Client) dirSyncPage(ctx context.Context, nc DN, cookie []byte) (entries []*goldap.Entry, next []byte, more bool, err error) {
	req := searchRequest(Search{Base: nc, Filter: Present("objectClass")}, c.timeout())
	res, err := call(ctx, c, kindRead, "follow the changes", func(l *goldap.Conn) (*goldap.SearchResult, error) {
		return l.DirSync(req, goldap.DirSyncObjectSecurity, dirSyncBytes, cookie)
	})
	if fault := connector.AsError(err); fault != nil && cookie != nil && strings.Contains(fault.NativeCode, "0000203D") {
		return nil, nil, false, ErrRefreshRequired
	}
	if err != nil {
		return nil, nil, false, err
	}
	answer, ok := goldap.FindControl(res.Controls, OIDDirSync).(*goldap.ControlDirSync)
	if !ok || len(answer.Cookie) == 0 {
		return nil, nil, false, unreadable("the server ended the listing of changes without a cookie; only a domain controller of Active Directory gives one")
	}
	return res.Entries, answer.Cookie, answer.Flags != 0, nil
}
