package dialect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

type mssqlError int32

func (e mssqlError) Error() string         { return "mssql: canary" }
func (e mssqlError) SQLErrorNumber() int32 { return int32(e) }

type oraError int

func (e oraError) Error() string { return "ORA: canary" }
func (e oraError) Code() int     { return int(e) }

// Every error a hub must tell apart, by its native number, with the class that
// says what is done next.
func TestErrorCodes(t *testing.T) {
	pg := func(state string) error {
		return fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: state, Message: "canary", Detail: "Key (mail)=(canary) exists", ConstraintName: "user_mail_key"})
	}
	my := func(n uint16, msg string) error { return &mysql.MySQLError{Number: n, Message: msg} }
	cases := []struct {
		d      *Dialect
		err    error
		code   connector.Code
		native string
	}{
		{Postgres, pg("23505"), connector.CodeAlreadyExists, "SQLSTATE 23505"},
		{Postgres, pg("23503"), connector.CodeDependencyMissing, "SQLSTATE 23503"},
		{Postgres, pg("23502"), connector.CodeInvalidValue, "SQLSTATE 23502"},
		{Postgres, pg("23514"), connector.CodeInvalidValue, "SQLSTATE 23514"},
		{Postgres, pg("22001"), connector.CodeInvalidValue, "SQLSTATE 22001"},
		{Postgres, pg("22P02"), connector.CodeInvalidValue, "SQLSTATE 22P02"},
		{Postgres, pg("40001"), connector.CodeBusy, "SQLSTATE 40001"},
		{Postgres, pg("40P01"), connector.CodeBusy, "SQLSTATE 40P01"},
		{Postgres, pg("55P03"), connector.CodeBusy, "SQLSTATE 55P03"},
		{Postgres, pg("53300"), connector.CodeBusy, "SQLSTATE 53300"},
		{Postgres, pg("57P01"), connector.CodeUnavailable, "SQLSTATE 57P01"},
		{Postgres, pg("57P03"), connector.CodeUnavailable, "SQLSTATE 57P03"},
		{Postgres, pg("08006"), connector.CodeUnavailable, "SQLSTATE 08006"},
		{Postgres, pg("57014"), connector.CodeTimeout, "SQLSTATE 57014"},
		{Postgres, pg("28P01"), connector.CodeAuthentication, "SQLSTATE 28P01"},
		{Postgres, pg("42501"), connector.CodePermission, "SQLSTATE 42501"},
		{Postgres, pg("42P01"), connector.CodeConfiguration, "SQLSTATE 42P01"},
		{Postgres, pg("42703"), connector.CodeConfiguration, "SQLSTATE 42703"},
		{Postgres, pg("XX000"), connector.CodeInternal, "SQLSTATE XX000"},
		{MySQL, my(1062, "Duplicate entry 'canary' for key 'user_mail'"), connector.CodeAlreadyExists, "MySQL 1062"},
		{MySQL, my(1452, "canary"), connector.CodeDependencyMissing, "MySQL 1452"},
		{MySQL, my(1451, "canary"), connector.CodePolicy, "MySQL 1451"},
		{MySQL, my(1406, "Data too long for column 'mail' at row 1"), connector.CodeInvalidValue, "MySQL 1406"},
		{MySQL, my(1366, "Incorrect integer value: 'canary' for column 'mail' at row 1"), connector.CodeInvalidValue, "MySQL 1366"},
		{MySQL, my(1213, "canary"), connector.CodeBusy, "MySQL 1213"},
		{MySQL, my(1205, "canary"), connector.CodeBusy, "MySQL 1205"},
		{MySQL, my(1040, "canary"), connector.CodeBusy, "MySQL 1040"},
		{MySQL, my(1045, "canary"), connector.CodeAuthentication, "MySQL 1045"},
		{MySQL, my(1142, "canary"), connector.CodePermission, "MySQL 1142"},
		{MySQL, my(1146, "canary"), connector.CodeConfiguration, "MySQL 1146"},
		{MySQL, mysql.ErrInvalidConn, connector.CodeUnavailable, ""},
		{SQLServer, mssqlError(2627), connector.CodeAlreadyExists, "SQL Server 2627"},
		{SQLServer, mssqlError(2601), connector.CodeAlreadyExists, "SQL Server 2601"},
		{SQLServer, mssqlError(1205), connector.CodeBusy, "SQL Server 1205"},
		{SQLServer, mssqlError(1222), connector.CodeBusy, "SQL Server 1222"},
		{SQLServer, mssqlError(40501), connector.CodeBusy, "SQL Server 40501"},
		{SQLServer, mssqlError(40613), connector.CodeUnavailable, "SQL Server 40613"},
		{SQLServer, mssqlError(49919), connector.CodeBusy, "SQL Server 49919"},
		{SQLServer, mssqlError(18456), connector.CodeAuthentication, "SQL Server 18456"},
		{SQLServer, mssqlError(99), connector.CodeInternal, "SQL Server 99"},
		{Oracle, oraError(1), connector.CodeAlreadyExists, "ORA-00001"},
		{Oracle, oraError(60), connector.CodeBusy, "ORA-00060"},
		{Oracle, oraError(8177), connector.CodeBusy, "ORA-08177"},
		{Oracle, oraError(12541), connector.CodeUnavailable, "ORA-12541"},
		{Oracle, oraError(3113), connector.CodeUnavailable, "ORA-03113"},
		{Oracle, oraError(20007), connector.CodePolicy, "ORA-20007"},
		{Oracle, oraError(1017), connector.CodeAuthentication, "ORA-01017"},
		{SQLite, context.DeadlineExceeded, connector.CodeTimeout, ""},
		{SQLite, io.ErrUnexpectedEOF, connector.CodeUnavailable, ""},
		{MySQL, &net.OpError{Op: "dial", Err: errors.New("refused")}, connector.CodeUnavailable, "dial"},
		{MySQL, &net.DNSError{Name: "canary"}, connector.CodeUnavailable, "DNS"},
		{MySQL, errors.New("canary"), connector.CodeInternal, ""},
	}
	for _, c := range cases {
		e := c.d.FaultOf(c.err).Error()
		require.Equal(t, c.code, e.Code, "%s %v", c.d.Name, c.err)
		require.Equal(t, c.native, e.NativeCode)
		require.NotContains(t, e.Error()+e.Detail, "canary", "no values: %v", c.err)
	}
	require.Contains(t, Postgres.FaultOf(pg("23505")).Error().Message, "user_mail_key")
	require.Contains(t, MySQL.FaultOf(my(1062, "Duplicate entry 'for key 'canary' for key 'user_mail'")).Error().Message, "(constraint user_mail)")
	require.Contains(t, MySQL.FaultOf(my(1406, "Data too long for column 'mail' at row 1")).Error().Message, "(column mail)")
}

// What an app's own trigger says is the one text worth handing on, for the debug
// log.
func TestTextOfTriggers(t *testing.T) {
	e := Postgres.FaultOf(&pgconn.PgError{Code: "P0001", Message: "no seats left"}).Error()
	require.Equal(t, connector.CodePolicy, e.Code)
	require.Equal(t, "no seats left", e.Detail)
	require.NotContains(t, e.Message, "seats")
	e = MySQL.FaultOf(&mysql.MySQLError{Number: 1644, SQLState: [5]byte{'4', '5', '0', '0', '0'}, Message: "no seats left"}).Error()
	require.Equal(t, "no seats left", e.Detail)
}
