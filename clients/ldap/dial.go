package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// dial connects to one server, raises the connection to TLS and binds.
func (p *pool) dial(ctx context.Context, s Server) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.ConnectTimeout)
	defer cancel()
	c, err := p.connect(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := p.bind(ctx, c); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// connect makes a connection on which nobody is bound yet.
func (p *pool) connect(ctx context.Context, s Server) (*conn, error) {
	nc, err := (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(ctx, "tcp", s.Address())
	if err != nil {
		return nil, s.tcp().Unreachable(err)
	}
	bounded := &boundedConn{Conn: nc, limit: p.o.Timeout}
	cfg := p.tls.Clone()
	cfg.ServerName = s.Host
	cfg.InsecureSkipVerify = slices.Contains(p.o.AllowInsecure, s.Host)
	c := &conn{server: s, born: time.Now(), used: time.Now()}
	if p.o.plaintext(s) {
		c.start(bounded, false, p.o.Timeout)
		return c, nil
	}
	if !s.TLS {
		err = askForTLS(ctx, bounded)
	}
	t := tls.Client(bounded, cfg)
	if err == nil {
		err = t.HandshakeContext(ctx)
	}
	if err != nil {
		_ = nc.Close()
		return nil, untrusted(s, err)
	}
	c.start(t, true, p.o.Timeout)
	return c, nil
}

// oidStartTLS is the extended operation of RFC 4511 §4.14.
const oidStartTLS = "1.3.6.1.4.1.1466.20037"

// startTLSAnswerMax bounds the answer to it, diagnostic message included.
const startTLSAnswerMax = 64 << 10

// askForTLS sends StartTLS as the first request of a connection and reads its answer,
// and no byte more: what follows is TLS. It comes before go-ldap reads, so that all that
// go-ldap is given comes through the tap.
func askForTLS(ctx context.Context, nc net.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	message := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "LDAPMessage")
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, "messageID"))
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationExtendedRequest, nil, "ExtendedRequest")
	request.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, oidStartTLS, "requestName"))
	message.AppendChild(request)
	if _, err := nc.Write(message.Bytes()); err != nil {
		return err
	}
	answer, err := ber.ReadPacket(io.LimitReader(nc, startTLSAnswerMax))
	if err != nil {
		return err
	}
	return goldap.GetLDAPError(answer)
}

// bind says who we are. An empty password never gets this far: see Options.check.
func (p *pool) bind(ctx context.Context, c *conn) error {
	_, err := await(ctx, func() (struct{}, error) {
		if p.o.External {
			return struct{}{}, c.ldap.ExternalBind()
		}
		_, err := c.ldap.SimpleBind(goldap.NewSimpleBindRequest(p.o.BindDN, p.o.Password.Reveal(), nil))
		return struct{}{}, err
	})
	return faultOf(kindBind, "bind", err)
}

// untrusted is a TLS handshake that failed. There is no way on without TLS.
func untrusted(s Server, err error) error {
	e := &connector.Error{Code: connector.CodeUnavailable, NativeCode: "TLS", Cause: err,
		Message: "the connection to " + s.Address() + " broke while TLS was set up"}
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var answer *goldap.Error
	switch {
	case errors.As(err, &verify):
		return distrusted(s, e, verify.Err)
	case errors.As(err, &record):
		e.Code, e.Message = connector.CodeConfiguration, s.Address()+" does not speak TLS; is the port right?"
	case errors.As(err, &answer) && answer.ResultCode < goldap.ErrorNetwork:
		e.Code, e.Detail = connector.CodeConfiguration, clip(diagnostic(answer))
		e.Message = s.Address() + " does not offer StartTLS; use ldaps://, or list the host in allow_plaintext if that is really meant"
	}
	return e
}

func distrusted(s Server, e *connector.Error, err error) error {
	e.Code = connector.CodeConfiguration
	e.Message = "the certificate of " + s.Host + " is not trusted: " + err.Error()
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		e.Message += "; name its authority in tls_ca_file"
	}
	return e
}

// boundedConn gives every write a time limit, so that a peer that stops reading
// cannot hold up go-ldap's one sender for ever.
type boundedConn struct {
	net.Conn
	limit time.Duration
}

// Write implements [net.Conn].
func (c *boundedConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
