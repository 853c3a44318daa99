package dialect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"

	"github.com/provhub/provhub/connectors/connector"
)

// Kind is what a database error means, whatever the product calls it.
type Kind string

// The kinds of database errors.
const (
	KindUnique       Kind = "unique"         // a unique value is taken
	KindForeignKey   Kind = "foreign key"    // what the row refers to is missing
	KindReferenced   Kind = "referenced"     // other rows still refer to it
	KindNotNull      Kind = "not null"       //
	KindCheck        Kind = "check"          // a CHECK constraint
	KindTooLong      Kind = "too long"       //
	KindBadValue     Kind = "bad value"      // not a value of the column's type
	KindContention   Kind = "contention"     // deadlock, serialization, lock wait
	KindBusy         Kind = "busy"           // too many connections, throttled
	KindUnavailable  Kind = "unavailable"    // cannot be reached, starting, stopping
	KindLost         Kind = "lost"           // the connection broke under us
	KindTimeout      Kind = "timeout"        //
	KindAuth         Kind = "authentication" //
	KindPermission   Kind = "permission"     //
	KindMissing      Kind = "missing"        // table, column, procedure, or bad SQL
	KindReadOnly     Kind = "read only"      //
	KindFull         Kind = "full"           // disk or quota
	KindCertificate  Kind = "certificate"    //
	KindApplication  Kind = "application"    // raised by a trigger or procedure
	KindDivision     Kind = "division"       // by zero: how a guarded statement fails
	KindUnclassified Kind = "unclassified"   //
)

// Fault is one database error, read.
type Fault struct {
	Kind Kind
	// Native names it as the product does: "SQLSTATE 23505", "MySQL 1062".
	Native string
	// Constraint, Table and Column are at fault, where the product tells.
	Constraint, Table, Column string
	// Text is what a trigger or a procedure says; empty for the product's own
	// messages, because those repeat values.
	Text string
}

// meaning is the code and the plain words of a kind.
type meaning struct {
	code connector.Code
	text string
}

var meanings = map[Kind]meaning{
	KindUnique:       {connector.CodeAlreadyExists, "another row holds a value that must be unique"},
	KindForeignKey:   {connector.CodeDependencyMissing, "what the row refers to is not in the database yet"},
	KindReferenced:   {connector.CodePolicy, "other rows still refer to this one, so the database keeps it"},
	KindNotNull:      {connector.CodeInvalidValue, "the column needs a value and got none"},
	KindCheck:        {connector.CodeInvalidValue, "a CHECK constraint of the table refuses the value"},
	KindTooLong:      {connector.CodeInvalidValue, "the value is too long for the column"},
	KindBadValue:     {connector.CodeInvalidValue, "the value does not fit the type of the column"},
	KindContention:   {connector.CodeBusy, "another transaction was in the way; the account's transaction was rolled back whole"},
	KindBusy:         {connector.CodeBusy, "the database takes no more connections or requests now"},
	KindUnavailable:  {connector.CodeUnavailable, "the database cannot be reached or is not ready"},
	KindLost:         {connector.CodeUnavailable, "the connection to the database broke"},
	KindTimeout:      {connector.CodeTimeout, "the database did not answer within the time limit"},
	KindAuth:         {connector.CodeAuthentication, `the database refuses the login; check user and password in the secret "dsn"`},
	KindPermission:   {connector.CodePermission, "the login may not do this; grant the right, or see what check reports"},
	KindMissing:      {connector.CodeConfiguration, "a name in the SQL is not there, or the SQL is not valid; check the config against the database"},
	KindReadOnly:     {connector.CodePermission, "the database is read only"},
	KindFull:         {connector.CodeUnavailable, "the database has no space left"},
	KindCertificate:  {connector.CodeConfiguration, "the server's certificate is not trusted; set tls_ca_file to its authority"},
	KindApplication:  {connector.CodePolicy, "a trigger or procedure of the database refuses the change"},
	KindDivision:     {connector.CodeInvalidValue, "an expression of the database divides by zero"},
	KindUnclassified: {connector.CodeInternal, "the database answers with an error that has no class yet"},
}

// Error returns the fault as the connector's error. Its text names constraint
// and column and holds no values.
func (f Fault) Error() *connector.Error {
	m := meanings[f.Kind]
	e := &connector.Error{Code: m.code, Message: m.text, NativeCode: f.Native, Detail: f.Text}
	if f.Kind == KindUnavailable || f.Kind == KindFull {
		e.Scope = connector.ScopeInstance // an outage costs no account an attempt
	}
	switch {
	case f.Constraint != "":
		e.Message += " (constraint " + f.Constraint + ")"
	case f.Column != "":
		e.Message += " (column " + f.Column + ")"
	}
	return e
}

// FaultOf reads any error that came out of a driver of this dialect.
func (d *Dialect) FaultOf(err error) Fault {
	if f, ok := d.Classify(err); ok {
		return f
	}
	return transportFault(err)
}

// transportFault reads what no product made: the network, TLS, the context.
func transportFault(err error) Fault {
	var netErr net.Error
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &cert), errors.As(err, &authority), errors.As(err, &host):
		return Fault{Kind: KindCertificate, Native: "TLS"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.Canceled):
		return Fault{Kind: KindTimeout}
	case errors.As(err, &dns):
		return Fault{Kind: KindUnavailable, Native: "DNS"}
	case errors.As(err, &op) && op.Op == "dial":
		return Fault{Kind: KindUnavailable, Native: "dial"}
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &netErr):
		return Fault{Kind: KindLost}
	}
	return Fault{Kind: KindUnclassified}
}
