package ldap

import (
	"context"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// Add makes an entry.
func (c *Client) Add(ctx context.Context, dn DN, attributes []Attribute, controls ...Control) error {
	req := addRequest(dn, attributes, controls)
	return write(ctx, c, aboutAdd, func(l *goldap.Conn) error { return l.Add(req) })
}

const aboutAdd = "add an entry"

func addRequest(dn DN, attributes []Attribute, controls []Control) *goldap.AddRequest {
	req := goldap.NewAddRequest(dn.String(), controls)
	for _, a := range attributes {
		req.Attribute(a.Name, a.Values)
	}
	return req
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
