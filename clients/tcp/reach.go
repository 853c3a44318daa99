// Package tcp finds out whether a host can be reached, before any protocol is
// spoken: the first steps of a check.
package tcp

import (
	"context"
	"errors"
	"net"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/wording"
)

// Server names a server in messages.
type Server struct {
	Address string // host:port
	What    string // what should answer there: "database"
	Key     string // where the config names it: "base_url"
}

// Resolve says how many addresses the host has: "db.example has 2 addresses".
func (s Server) Resolve(ctx context.Context) (found string, err error) {
	host := s.host()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return "", s.Unreachable(err)
	}
	return host + " has " + wording.Count(len(addresses), "address", "addresses"), nil
}

// Connect connects and hangs up: "db.example:5432 answers".
func (s Server) Connect(ctx context.Context) (found string, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return "", s.Unreachable(err)
	}
	return s.Address + " answers", conn.Close()
}

// Unreachable is the error of a connection that did not come about. Nothing has
// left yet.
func (s Server) Unreachable(err error) *connector.Error {
	e := &connector.Error{Code: connector.CodeUnavailable, NativeCode: "dial", Cause: err,
		Message: "nothing answers at " + s.Address + "; is the " + s.What + " running, does a firewall stand between?"}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		e.NativeCode, e.Message = "DNS", "the host "+s.host()+" has no address; check its name in "+s.Key
	case errors.Is(err, context.DeadlineExceeded):
		e.Message = "no connection to " + s.Address + " within the time limit"
	}
	return e
}

func (s Server) host() string {
	if host, _, err := net.SplitHostPort(s.Address); err == nil {
		return host
	}
	return s.Address
}
