package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrUnreachable: the database took no connection, or the answer did not come in time.
// A reading may be asked for again; a change may have been made or not.
var ErrUnreachable = errors.New("the database does not answer")

// ended says why a query ended that ran within ctx: that the connection was given up,
// which to its caller is a cancelled context like any other, has another remedy.
func ended(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errCut) {
		return &unreachableError{errCut, err}
	}
	return err
}

// unreachableError is an err with a reason for it that tells more.
type unreachableError struct{ why, err error }

func (e *unreachableError) Error() string { return e.why.Error() + " (" + e.err.Error() + ")" }

func (e *unreachableError) Unwrap() []error { return []error{ErrUnreachable, e.why, e.err} }

// unreachable reports whether err says that there is no talking to the database now: it
// is starting, stopping or full, or the connection broke.
func unreachable(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code == "53300" || strings.HasPrefix(said.Code, "08") || strings.HasPrefix(said.Code, "57P0")
	}
	var broken *net.OpError
	var connect *pgconn.ConnectError
	return errors.As(err, &broken) || errors.As(err, &connect) || pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF)
}
