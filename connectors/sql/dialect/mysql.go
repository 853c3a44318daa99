package dialect

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// MySQL is MySQL 8 and MariaDB 10.5 and later.
var MySQL = &Dialect{
	Name: "mysql", Title: "MySQL/MariaDB", Proven: true,
	quoteOpen: "`", quoteClose: "`", placeholder: question,
	lockSuffix: " FOR UPDATE", page: pageLimit, newID: idLast, ReadCommitted: true,
	Classify: classifyMySQL, ReadTable: readMySQLTable, MissingRights: mysqlRights,
	Version: "SELECT CONCAT(IF(VERSION() LIKE '%MariaDB%', 'MariaDB ', 'MySQL '), VERSION())",
	open:    openMySQL,
}

const mysqlExample = "mysql://user:password@host:3306/database?tls=true"

func openMySQL(dsn string, o Options) (*Handle, error) {
	text, err := mysqlDSN(dsn)
	if err != nil {
		return nil, err
	}
	c, err := mysql.ParseDSN(text)
	if err != nil {
		return nil, errDSN("MySQL or MariaDB", mysqlExample)
	}
	if err := refuseMySQLOptions(c); err != nil {
		return nil, err
	}
	e := Endpoint{Network: c.Net, Host: c.Addr}
	if c.Net == "tcp" {
		if e.Host, e.Port, err = net.SplitHostPort(c.Addr); err != nil {
			return nil, errDSN("MySQL or MariaDB", mysqlExample)
		}
	}
	// tls=true checks the certificate; skip-verify and preferred do not.
	if c.TLSConfig == "" && !local(e.Network, e.Host) {
		c.TLSConfig = "true"
	}
	e.TLS = c.TLSConfig == "true"
	if err := o.demandTLS(e, "tls=true"); err != nil {
		return nil, err
	}
	if e.TLS {
		if c.TLS, err = o.tlsConfig(e.Host); err != nil {
			return nil, err
		}
	}
	mysqlSession(c, o)
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, errDSN("MySQL or MariaDB", mysqlExample)
	}
	return &Handle{DB: o.limit(sql.OpenDB(connector)), Endpoint: e, KeepPrepared: true}, nil
}

// mysqlDSN turns a URL into the driver's own form, which is taken as well.
func mysqlDSN(dsn string) (string, error) {
	if !strings.HasPrefix(dsn, "mysql://") && !strings.HasPrefix(dsn, "mariadb://") {
		return dsn, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errDSN("MySQL or MariaDB", mysqlExample)
	}
	password, _ := u.User.Password()
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "3306")
	}
	return fmt.Sprintf("%s:%s@tcp(%s)/%s?%s", u.User.Username(), password, host, strings.TrimPrefix(u.Path, "/"), u.RawQuery), nil
}

// refuseMySQLOptions refuses what would let a value become SQL or send a
// password or a file in the clear.
func refuseMySQLOptions(c *mysql.Config) error {
	for _, o := range []struct {
		on        bool
		name, why string
	}{
		{c.MultiStatements, "multiStatements", "a value could then carry a second statement"},
		{c.InterpolateParams, "interpolateParams", "values must be bound by the server"},
		{c.AllowAllFiles, "allowAllFiles", "the server could read any file of this machine"},
		{c.AllowFallbackToPlaintext && c.TLSConfig != "preferred", "allowFallbackToPlaintext", "the connection must not lose its encryption"},
		{c.AllowOldPasswords, "allowOldPasswords", "that hash is broken"},
	} {
		if o.on {
			return fmt.Errorf(`the secret "dsn" sets %s; take it out: %s`, o.name, o.why)
		}
	}
	return nil
}

// mysqlSession sets what every connection starts with: rows found instead of
// rows changed, and no silent truncation.
func mysqlSession(c *mysql.Config, o Options) {
	c.ClientFoundRows, c.ParseTime, c.Loc = true, true, time.UTC
	c.Logger = &mysql.NopLogger{}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	c.Params["sql_mode"] = "CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
	c.Params["time_zone"] = "'+00:00'"
	if s := int(o.StatementTimeout.Seconds()); s > 0 {
		c.Params["innodb_lock_wait_timeout"] = fmt.Sprint(s)
	}
}

var mysqlNumbers = map[uint16]Kind{
	1062: KindUnique, 1586: KindUnique, 1452: KindForeignKey, 1216: KindForeignKey, 1451: KindReferenced, 1217: KindReferenced,
	1048: KindNotNull, 1364: KindNotNull, 3819: KindCheck, 4025: KindCheck, 1406: KindTooLong, 1264: KindBadValue, 1265: KindBadValue, 1292: KindBadValue,
	1366: KindBadValue, 1690: KindBadValue, 1365: KindDivision,
	1213: KindContention, 1205: KindContention, 1020: KindContention, 1615: KindContention, 1040: KindBusy, 1203: KindBusy, 1226: KindBusy, 1114: KindFull, 1021: KindFull,
	1053: KindUnavailable, 1927: KindLost, 1317: KindTimeout, 1969: KindTimeout, 3024: KindTimeout,
	1045: KindAuth, 1698: KindAuth, 1862: KindAuth, 3118: KindAuth, 4151: KindAuth, 1130: KindAuth,
	1044: KindPermission, 1142: KindPermission, 1143: KindPermission, 1227: KindPermission, 1370: KindPermission, 1290: KindReadOnly, 1792: KindReadOnly, 1836: KindReadOnly,
	1146: KindMissing, 1054: KindMissing, 1049: KindMissing, 1305: KindMissing, 1064: KindMissing, 1318: KindMissing, 1051: KindMissing, 1109: KindMissing,
	1644: KindApplication,
}

func classifyMySQL(err error) (Fault, bool) {
	var my *mysql.MySQLError
	switch {
	case errors.As(err, &my):
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, mysql.ErrMalformPkt), errors.Is(err, mysql.ErrPktSync):
		return Fault{Kind: KindLost}, true
	case errors.Is(err, mysql.ErrPktTooLarge):
		return Fault{Kind: KindTooLong, Native: "MySQL packet"}, true
	case errors.Is(err, mysql.ErrNoTLS):
		return Fault{Kind: KindCertificate, Native: "TLS"}, true
	case errors.Is(err, mysql.ErrCleartextPassword), errors.Is(err, mysql.ErrNativePassword), errors.Is(err, mysql.ErrOldPassword), errors.Is(err, mysql.ErrUnknownPlugin):
		return Fault{Kind: KindAuth}, true
	default:
		return Fault{}, false
	}
	f := Fault{Kind: mysqlNumbers[my.Number], Native: fmt.Sprintf("MySQL %d", my.Number)}
	if f.Kind == "" {
		f.Kind = KindUnclassified
	}
	if my.SQLState == [5]byte{'4', '5', '0', '0', '0'} {
		f.Kind, f.Text = KindApplication, my.Message
	}
	switch f.Kind {
	case KindUnique, KindCheck:
		f.Constraint = nameIn(mysqlConstraint, my.Message)
	case KindNotNull, KindTooLong, KindBadValue:
		f.Column = nameIn(mysqlColumn, my.Message)
	}
	return f, true
}

// Where MySQL and MariaDB put the name. Each is tied to an end of the message,
// because a value in the middle could say anything.
var (
	mysqlConstraint = regexp.MustCompile("(?:^CONSTRAINT `([^`]*)` failed|^Check constraint '([^']*)' is violated|for key '([^']*)'$)")
	mysqlColumn     = regexp.MustCompile("(?:^(?:Column|Field) '([^']*)' |column (?:`[^`]*`\\.)*[`']([^`']*)[`'] at row \\d+$)")
)

// nameIn returns the group of re that matched, "" when none did.
func nameIn(re *regexp.Regexp, message string) string {
	for i, name := range re.FindStringSubmatch(message) {
		if i > 0 && name != "" {
			return name
		}
	}
	return ""
}
