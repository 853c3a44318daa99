package fakeldap

import (
	"context"
	"fmt"
	"strings"

	ldap "github.com/go-ldap/ldap/v3"
)

// execute does what a request asks for.
func (c *conn) execute(ctx context.Context, m message) answer {
	if err := c.knowsControls(m); err != nil {
		return c.finish(m, err)
	}
	switch m.op {
	case OpBind:
		return c.bind(m)
	case OpExtended:
		return c.extended(m)
	}
	if err := c.mayAsk(m); err != nil {
		return c.finish(m, err)
	}
	var err error
	a := answer{}
	switch m.op {
	case OpSearch:
		a, err = c.search(ctx, m)
	case OpCompare:
		err = c.compare(m)
	case OpAdd:
		a.controls, err = c.add(m)
	case OpModify:
		a.controls, err = c.modify(m)
	case OpModifyDN:
		a.controls, err = c.modifyDN(m)
	case OpDelete:
		a.controls, err = c.delete(m)
	}
	if err != nil {
		failed := c.finish(m, err)
		failed.controls = append(failed.controls, a.controls...)
		return failed
	}
	return a
}

// finish words a failure as the flavor does. The password policy's control goes
// to those who asked for it.
func (c *conn) finish(m message, err error) answer {
	a := answerOf(err)
	if !m.controls.has(oidPasswordPolicy) {
		a.controls = nil
	}
	if c.dir.flavor == ActiveDirectory {
		a.asAD(c.server.dsids.Add(0x11))
	}
	return a
}

// knowsControls refuses what is critical and not known (RFC 4511 §4.1.11).
func (c *conn) knowsControls(m message) error {
	for oid, ctl := range m.controls {
		if !ctl.critical {
			continue
		}
		known := false
		for _, list := range [][]string{controlsOf[c.dir.flavor], hiddenControls[c.dir.flavor]} {
			for _, k := range list {
				known = known || k == oid
			}
		}
		if !known {
			return refuse(unavailableCriticalExtension, "critical control unavailable in context")
		}
	}
	return nil
}

// mayAsk holds an operation against what the identity may do. Finer rules stand
// where the entry is known.
func (c *conn) mayAsk(m message) error {
	who := c.who()
	switch {
	case who.admin:
		return nil
	case m.op == OpSearch:
		return nil // the search itself decides what is seen
	case who.dn.isRoot():
		return refuse(strongerAuthRequired, "modifications require authentication").ad(winBindFirst)
	case m.op == OpCompare:
		return nil
	case m.op == OpModify && ownPasswordOnly(m) && c.dir.dnKey(m.target()) == who.dn.key():
		return nil
	}
	return refuse(insufficientAccessRights, "no write access to entry").ad(winNoRights)
}

// target is the DN a request is about, as the client wrote it.
func (m message) target() string {
	parts := m.body.Children
	switch m.op {
	case OpDelete:
		return text(m.body)
	case OpBind:
		if len(parts) > 1 {
			return text(parts[1])
		}
	case OpModify, OpAdd, OpModifyDN, OpCompare:
		if len(parts) > 0 {
			return text(parts[0])
		}
	case OpSearch:
		if len(parts) > 0 {
			return text(parts[0])
		}
	}
	return ""
}

// detail says what a request is about, for the log: names, never values that are
// written.
func (m message) detail() string {
	parts := m.body.Children
	switch {
	case m.op == OpSearch && len(parts) >= 8:
		filter, err := ldap.DecompileFilter(parts[6])
		if err != nil {
			filter = "(bad filter)"
		}
		var attrs []string
		for _, a := range parts[7].Children {
			attrs = append(attrs, text(a))
		}
		scope, _ := integer(parts[1])
		return fmt.Sprintf("%s %s %s", scopeName(scope), filter, strings.Join(attrs, ","))
	case m.op == OpAdd && len(parts) >= 2:
		var names []string
		for _, a := range parts[1].Children {
			if len(a.Children) > 0 {
				names = append(names, text(a.Children[0]))
			}
		}
		return strings.Join(names, " ")
	case m.op == OpModify && len(parts) >= 2:
		return modifyDetail(parts[1].Children)
	case m.op == OpModifyDN && len(parts) >= 3:
		to := text(parts[1])
		if len(parts) > 3 {
			to += "," + text(parts[3])
		}
		return "to " + to
	case m.op == OpExtended:
		return extendedName(m)
	case m.op == OpCompare && len(parts) >= 2 && len(parts[1].Children) > 0:
		return text(parts[1].Children[0])
	}
	return ""
}
