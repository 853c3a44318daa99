package fakeldap

import (
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// bind answers a bind request (RFC 4511 §4.2).
func (c *conn) bind(m message) answer {
	c.mu.Lock()
	c.identity = identity{} // a bind that fails leaves the connection anonymous
	c.mu.Unlock()
	who, err := c.authenticate(m)
	a := answer{}
	if err != nil {
		a = c.finish(m, err)
	}
	if err == nil {
		c.mu.Lock()
		c.identity = who
		c.mu.Unlock()
	}
	return a
}

func (c *conn) authenticate(m message) (identity, error) {
	parts, err := children(m.body, 3)
	if err != nil {
		return identity{}, err
	}
	if version, err := integer(parts[0]); err != nil || version != 3 {
		return identity{}, refuse(protocolError, "requested protocol version not supported")
	}
	name, auth := text(parts[1]), parts[2]
	switch {
	case auth.ClassType != ber.ClassContext:
	case auth.Tag == 0:
		return c.simple(name, text(auth))
	case auth.Tag == 3 && len(auth.Children) > 0:
		if text(auth.Children[0]) != "EXTERNAL" {
			return identity{}, refuse(authMethodNotSupported, "SASL(-4): no mechanism available: only EXTERNAL is")
		}
		return c.external()
	}
	return identity{}, refuse(authMethodNotSupported, "unknown authentication method")
}

// external takes the identity of the client's certificate (RFC 4513 §5.2.3).
func (c *conn) external() (identity, error) {
	if c.peer.isRoot() {
		return identity{}, refuse(inappropriateAuthentication, "SASL(-15): mechanism too weak for this user: no client certificate was shown")
	}
	c.dir.mu.RLock()
	defer c.dir.mu.RUnlock()
	return c.dir.identify(c.peer), nil
}

// identify tells an administrator from others.
func (d *directory) identify(name dn) identity {
	return identity{dn: name, admin: d.dnKey(d.options.AdminDN) == name.key()}
}

// simple checks a name and password. Both empty is anonymous (RFC 4513 §5.1.1).
func (c *conn) simple(name, password string) (identity, error) {
	switch {
	case password == "" && name == "":
		return identity{}, nil
	case password == "" && c.dir.flavor == ActiveDirectory:
		return identity{}, nil // succeeds, as anonymous: QUIRKS LDAP-18
	case password == "":
		return identity{}, refuse(unwillingToPerform, "unauthenticated bind (DN with no password) disallowed")
	case !c.encrypted() && c.dir.options.RequireTLS && c.dir.flavor == ActiveDirectory:
		return identity{}, refuse(strongerAuthRequired, "").ad(winIntegrityNeeded)
	case !c.encrypted() && c.dir.options.RequireTLS:
		return identity{}, refuse(13, "confidentiality required")
	}
	d := c.dir
	d.mu.Lock() // failures are counted
	defer d.mu.Unlock()
	e, err := d.account(name)
	if err != nil {
		return identity{}, err
	}
	if err := d.signIn(e, password, d.clock()); err != nil {
		if r, ok := err.(*refusal); ok {
			r.controls = policyControl(d.policyError(e))
		}
		return identity{}, err
	}
	return d.identify(e.dn), nil
}

// account finds the entry that a bind names; nil when there is none. Active
// Directory also takes a user principal name and DOMAIN\name.
func (d *directory) account(name string) (*entry, error) {
	if d.flavor == ActiveDirectory {
		if e := d.accountByLogon(name); e != nil {
			return e, nil
		}
	}
	parsed, err := d.parseDN(name)
	if err != nil {
		if d.flavor == ActiveDirectory {
			return nil, nil
		}
		return nil, err
	}
	return d.lookup(parsed), nil
}

// signIn checks a password and the state of the account. e may be nil: nobody
// is told that an entry does not exist, except by Active Directory.
func (d *directory) signIn(e *entry, password string, now time.Time) error {
	if d.flavor == ActiveDirectory {
		return d.signInAD(e, password, now)
	}
	refused := refuse(invalidCredentials, "")
	if e == nil {
		return refused
	}
	if d.flavor == DS389 && strings.EqualFold(first(d.text(e, "nsaccountlock")), "true") {
		// 389-ds tells after the password was right.
		if !e.secret.matches(password) {
			return refused
		}
		return refuse(unwillingToPerform, "Account inactivated. Contact system administrator.")
	}
	if d.locked(e) {
		return refused
	}
	if !e.secret.matches(password) {
		d.failed(e, now)
		return refused
	}
	e.failures = 0
	return nil
}

// failed counts a wrong password and locks the account when there are too many.
func (d *directory) failed(e *entry, now time.Time) {
	e.failures++
	if limit := d.options.Passwords.MaxFailures; limit > 0 && e.failures >= limit {
		e.lockedAt = now
	}
}

// locked reports a lock by policy: after too many failures, or by an
// administrator's pwdAccountLockedTime.
func (d *directory) locked(e *entry) bool {
	return !e.lockedAt.IsZero() || len(d.text(e, "pwdaccountlockedtime")) > 0
}

// text returns the values of the attribute called name.
func (d *directory) text(e *entry, name string) []string {
	if t := d.types[name]; t != nil {
		return d.values(e, t)
	}
	return nil
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
