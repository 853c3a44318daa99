package ldap

import (
	"context"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
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
	return callOn(ctx, c, k, about, func(cn *conn) (T, error) { return f(cn.ldap) })
}

func callOn[T any](ctx context.Context, c *Client, k kind, about string, f func(*conn) (T, error)) (v T, err error) {
	var none T
	ctx, sp := span.Request(ctx, about)
	defer func() { sp.End(err) }()
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	cn, err := c.pool.acquire(ctx)
	if err != nil {
		return none, err
	}
	sp.To(cn.server.Host, cn.server.Port)
	if ctx.Err() != nil {
		c.pool.release(cn, nil)
		return none, unsent(ctx)
	}
	v, err = await(ctx, func() (T, error) { return f(cn) })
	err = faultOf(k, about, err)
	c.pool.release(cn, err)
	return v, err
}

func write(ctx context.Context, c *Client, about string, f func(*goldap.Conn) error) error {
	_, err := call(ctx, c, kindWrite, about, func(l *goldap.Conn) (struct{}, error) { return struct{}{}, f(l) })
	return err
}
