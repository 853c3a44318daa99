package fakeldap

import (
	"context"
	"slices"
	"strings"
	"time"
)

// fate is what becomes of a request's answer and connection.
type fate int

const (
	sendAnswer fate = iota
	sendNothing
	cutConn
	resetConn
)

// answer executes a request, unless a fault is in the way.
func (c *conn) answer(ctx context.Context, m message) (answer, fate) {
	for _, f := range c.struck(m, Slow, Reset, Hang, Disconnect, LateSuccess, Refuse, Busy, Unavailable, ReadOnly, BindFails) {
		switch f.Kind {
		case Slow:
			if !wait(ctx, f.Delay) {
				return answer{}, sendNothing
			}
		case Reset:
			return answer{}, resetConn
		case Hang:
			<-ctx.Done()
			return answer{}, sendNothing
		case Disconnect:
			c.disconnect(refuse(unavailable, "the server is shutting down"))
			return answer{}, cutConn
		case LateSuccess:
			time.Sleep(f.Delay)
			ctx = context.WithoutCancel(ctx)
		default:
			return c.finish(m, f.refusal(c.dir.flavor)), sendAnswer
		}
	}
	if m.op == OpSearch {
		m.faults = c.struck(m, SizeLimit, TimeLimit, AdminLimit, Truncated, References, CookieRefused, SyncExpired, Respelled, ReplicaLag)
	}
	a := c.execute(ctx, m)
	for _, f := range c.struck(m, Meanwhile) {
		f.Do()
	}
	if a.code == success && len(c.struck(m, DropAfterWrite)) > 0 {
		return a, cutConn
	}
	return a, sendAnswer
}

// wait returns false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// refusal is what a fault answers.
func (f Fault) refusal(flavor Flavor) *refusal {
	switch f.Kind {
	case Busy:
		return refuse(busy, "the server is busy")
	case Unavailable:
		return refuse(unavailable, "the server is shutting down")
	case ReadOnly:
		r := refuse(referralCode, "")
		r.referrals = []string{f.URL}
		return r
	case BindFails:
		r := refuse(invalidCredentials, "").ad(winBadLogon)
		if r.attr = f.Data; r.attr == "" {
			r.attr = logonWrong
		}
		return r
	}
	r := refuse(code(f.Code), "%s", f.Text)
	if f.Win32 != 0 {
		r.win, r.code = win32(f.Win32), winErrors[win32(f.Win32)].code
	}
	return r
}

// fault returns the fault of the kind that hit this search; nil: none did.
func (m message) fault(kind FaultKind) *Fault {
	if i := slices.IndexFunc(m.faults, func(f Fault) bool { return f.Kind == kind }); i >= 0 {
		return &m.faults[i]
	}
	return nil
}

// interrupt ends a listing where a fault says so. sent counts its entries.
func (c *conn) interrupt(m message, sent int) error {
	for _, f := range m.faults {
		if sent < f.Count {
			continue
		}
		switch f.Kind {
		case SizeLimit:
			return refuse(sizeLimitExceeded, "")
		case TimeLimit:
			return refuse(timeLimitExceeded, "")
		case AdminLimit:
			return refuse(adminLimitExceeded, "").ad(winAdminLimit)
		case Truncated:
			c.cut()
			return errAbandoned
		case References:
			if sent == f.Count {
				c.send(envelope(m.id, application(tagSearchReference, octets(f.URL)), nil))
			}
		}
	}
	return nil
}

// tooFresh reports whether a replica that lags behind has not got the entry yet.
func (c *conn) tooFresh(m message, e *entry) bool {
	f := m.fault(ReplicaLag)
	return f != nil && c.dir.clock().Sub(e.created) < f.Delay
}

// respell writes a DN as a server may that keeps another spelling
// (QUIRKS LDAP-3): every other part in capitals, and blanks after the commas.
func (m message) respell(name dn) string {
	if m.fault(Respelled) == nil {
		return name.String()
	}
	parts := make([]string, len(name.rdns))
	for i, r := range name.rdns {
		if parts[i] = r.text; i%2 == 0 {
			parts[i] = strings.ToUpper(r.text)
		}
	}
	return strings.Join(parts, ", ")
}
