package ldap

import (
	"context"
	"errors"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// Client speaks to one directory. It is safe for concurrent use: operations of
// several goroutines share its connections, many under way on each, and do not
// wait for one another. Operations on one entry must be sent one after the
// other by the caller, since a server may carry out in any order what it has at
// once.
type Client struct{ pool *pool }

// New makes a client. Nothing is dialled before the first call. The error is
// CONFIGURATION.
func New(o Options) (*Client, error) {
	o.fill()
	if err := o.check(); err != nil {
		return nil, &connector.Error{Code: connector.CodeConfiguration, Message: err.Error()}
	}
	p := &pool{o: o, slots: make(chan struct{}, o.Connections*o.Pipeline)}
	for _, u := range o.URLs {
		s, err := ParseURL(u)
		if err != nil {
			return nil, &connector.Error{Code: connector.CodeConfiguration, Message: err.Error()}
		}
		p.servers = append(p.servers, s)
	}
	var err error
	if p.tls, err = o.tlsConfig(); err != nil {
		return nil, &connector.Error{Code: connector.CodeConfiguration, Message: err.Error()}
	}
	return &Client{p}, nil
}

// Close ends all connections at once.
func (c *Client) Close() { c.pool.close() }

// Forgive lets the next call bind again after a bind was refused. Call it when a
// person asks, never by a timer: each refused bind brings the account nearer to
// being locked.
func (c *Client) Forgive() { c.pool.forgive() }

// Encrypted reports whether every server is spoken to over TLS.
func (c *Client) Encrypted() bool { return c.pool.o.Encrypted() }

func (c *Client) timeout() time.Duration { return c.pool.o.Timeout }

// await runs f and returns its result, or the end of ctx if that comes first.
// f then goes on alone until go-ldap's own time limit ends it.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// call sends one request over a shared connection and waits for its answer.
func call[T any](ctx context.Context, c *Client, k kind, about string, f func(*goldap.Conn) (T, error)) (T, error) {
	var none T
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	cn, err := c.pool.acquire(ctx)
	if err != nil {
		return none, err
	}
	if ctx.Err() != nil {
		c.pool.release(cn, nil)
		return none, unsent(ctx)
	}
	v, err := await(ctx, func() (T, error) { return f(cn.ldap) })
	err = faultOf(k, about, err)
	c.pool.release(cn, err)
	return v, err
}

func write(ctx context.Context, c *Client, about string, f func(*goldap.Conn) error) error {
	_, err := call(ctx, c, kindWrite, about, func(l *goldap.Conn) (struct{}, error) { return struct{}{}, f(l) })
	return err
}

// Add makes an entry.
func (c *Client) Add(ctx context.Context, dn DN, attributes []Attribute, controls ...Control) error {
	req := goldap.NewAddRequest(dn.String(), controls)
	for _, a := range attributes {
		req.Attribute(a.Name, a.Values)
	}
	return write(ctx, c, "add an entry", func(l *goldap.Conn) error { return l.Add(req) })
}

// Op is what a modification does to an attribute (RFC 4511 §4.6).
type Op uint

// The modifications.
const (
	OpAdd     Op = goldap.AddAttribute
	OpDelete  Op = goldap.DeleteAttribute  // without values: all of them
	OpReplace Op = goldap.ReplaceAttribute // without values: none are left, and none need have been
)

// Mod is one modification of one attribute.
type Mod struct {
	Op     Op
	Name   string
	Values []string
}

// Modify changes attributes of one entry: all of mods, or none.
func (c *Client) Modify(ctx context.Context, dn DN, mods []Mod, controls ...Control) error {
	req := goldap.NewModifyRequest(dn.String(), controls)
	for _, m := range mods {
		req.Changes = append(req.Changes, goldap.Change{Operation: uint(m.Op), Modification: goldap.PartialAttribute{Type: m.Name, Vals: m.Values}})
	}
	return write(ctx, c, "change an entry", func(l *goldap.Conn) error { return l.Modify(req) })
}

// Move renames an entry, or moves it below superior (nil: it stays where it is).
// The old value of its name is removed.
func (c *Client) Move(ctx context.Context, dn DN, to RDN, superior *DN, controls ...Control) error {
	above := ""
	if superior != nil {
		above = superior.String()
	}
	req := goldap.NewModifyDNWithControlsRequest(dn.String(), to.String(), true, above, controls)
	return write(ctx, c, "rename an entry", func(l *goldap.Conn) error { return l.ModifyDN(req) })
}

// Delete removes one entry without entries below it.
func (c *Client) Delete(ctx context.Context, dn DN, controls ...Control) error {
	req := goldap.NewDelRequest(dn.String(), controls)
	return write(ctx, c, "delete an entry", func(l *goldap.Conn) error { return l.Del(req) })
}

// Compare reports whether an entry holds a value, by the attribute's own rule.
func (c *Client) Compare(ctx context.Context, dn DN, attribute, value string) (bool, error) {
	return call(ctx, c, kindRead, "compare a value", func(l *goldap.Conn) (bool, error) { return l.Compare(dn.String(), attribute, value) })
}

// SetPassword sets a password by the extended operation of RFC 3062, which has
// the server hash it. POLICY when the server's password policy refuses it.
func (c *Client) SetPassword(ctx context.Context, dn DN, password connector.Secret, controls ...Control) error {
	value := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "PasswdModifyRequestValue")
	value.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, dn.String(), "userIdentity"))
	value.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 2, password.Reveal(), "newPasswd"))
	wrapped := ber.Encode(ber.ClassContext, ber.TypePrimitive, 1, nil, "requestValue")
	wrapped.AppendChild(value)
	req := goldap.NewExtendedRequest(OIDPasswordModify, wrapped)
	req.Controls = controls
	return write(ctx, c, "set a password", func(l *goldap.Conn) error {
		_, err := l.Extended(req)
		return err
	})
}

// Login reports whether dn can bind with a password, on a connection of its own.
// An empty password is refused here: servers would take it as anonymous
// (RFC 4513 §5.1.2).
func (c *Client) Login(ctx context.Context, dn DN, password connector.Secret) (bool, error) {
	if password.IsZero() {
		return false, nil
	}
	o := c.pool.o
	o.BindDN, o.Password, o.External = dn.String(), password, false
	as := &pool{o: o, servers: c.pool.servers, tls: c.pool.tls}
	cn, err := as.dial(ctx, c.pool.server())
	if connector.IsCode(err, connector.CodeAuthentication) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	cn.close()
	return true, nil
}

// WhoAmI returns the identity that the server has bound (RFC 4532), "" when it
// does not say.
func (c *Client) WhoAmI(ctx context.Context) (string, error) {
	return call(ctx, c, kindRead, "ask who is bound", func(l *goldap.Conn) (string, error) {
		r, err := l.WhoAmI(nil)
		if err != nil {
			return "", err
		}
		return r.AuthzID, nil
	})
}

// ResultCode returns the LDAP result code that err stands for; ok is false when
// the server gave no answer.
func ResultCode(err error) (code uint16, ok bool) {
	var a *goldap.Error
	if errors.As(err, &a) && a.ResultCode < goldap.ErrorNetwork {
		return a.ResultCode, true
	}
	return 0, false
}

// WindowsCode returns the code that Active Directory put before its message, in
// eight hexadecimal digits, "" when there is none.
func WindowsCode(err error) string {
	var a *goldap.Error
	if errors.As(err, &a) {
		if m := win32.FindStringSubmatch(diagnostic(a)); m != nil {
			return m[1]
		}
	}
	return ""
}

// HasValue reports whether err says that a value to be added is there already.
func HasValue(err error) bool {
	code, _ := ResultCode(err)
	return code == goldap.LDAPResultAttributeOrValueExists || code == goldap.LDAPResultEntryAlreadyExists && WindowsCode(err) == "00000562"
}

// LacksValue reports whether err says that a value to be removed is not there.
func LacksValue(err error) bool {
	code, _ := ResultCode(err)
	return code == goldap.LDAPResultNoSuchAttribute || code == goldap.LDAPResultUnwillingToPerform && WindowsCode(err) == "00000561"
}
