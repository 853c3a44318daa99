package crashtest

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// family is one kind of target: how it is reached through the proxy, and how it is
// read past it.
type family struct {
	name, plugin string
	secret       string // name of the plugin's secret
	match        string // attribute by which an account is found
	rules        string // of the attributes, as YAML in one line
	server       func(*network) (addr string)
	prepare      func(*network)
	config       func(*network) (secret, text string)
	// accounts are all accounts of the test, twice where there are two.
	accounts func(*network) []account
}

var families = []family{
	{
		name: "OpenLDAP", plugin: "ldap", secret: "bind_password", match: "employeeNumber",
		rules:  `[{to: uid, from: person.login}, {to: cn, from: person.login}, {to: sn, from: person.login}, {to: title, from: person.title}, {to: employeeNumber, from: person.id}]`,
		server: func(n *network) string { return n.url("PROVHUB_TEST_LDAPS_URL", false).Host }, prepare: prepareLDAP, config: configLDAP, accounts: accountsLDAP,
	}, {
		name: "SCIM", plugin: "scim", secret: "token", match: "userName",
		rules:  `[{to: userName, from: person.login}, {to: externalId, from: person.id}, {to: title, from: person.title}]`,
		server: func(n *network) string { return n.url("PROVHUB_TEST_SCIM_URL", false).Host }, prepare: prepareSCIM, config: configSCIM, accounts: accountsSCIM,
	}, {
		name: "PostgreSQL", plugin: "sql", secret: "dsn", match: "employee_no",
		rules:  `[{to: login, from: person.login}, {to: employee_no, from: person.id}, {to: title, from: person.title}]`,
		server: func(n *network) string { return n.url("PROVHUB_TEST_PG_TARGET_URL", false).Host }, prepare: prepareSQL, config: configSQL, accounts: accountsSQL,
	}, {
		name: "OpenSSH", plugin: "sftp", secret: "private_key", match: "id",
		rules:  `[{to: id, from: person.id}, {to: login, from: person.login}, {to: title, from: person.title}]`,
		server: func(n *network) string { return n.env("PROVHUB_TEST_SFTP_ADDR") }, prepare: prepareSFTP, config: configSFTP, accounts: accountsSFTP,
	},
}

// --- OpenLDAP

func (n *network) ldapBase() string {
	return "ou=" + n.name + "," + n.env("PROVHUB_TEST_LDAP_PEOPLE_DN")
}

func (n *network) ldapClient() *ldap.Client {
	c, err := ldap.New(ldap.Options{URLs: []string{n.env("PROVHUB_TEST_LDAPS_URL")}, CAFile: n.env("PROVHUB_TEST_CA_FILE"),
		BindDN: n.env("PROVHUB_TEST_LDAP_BIND_DN"), Password: connector.NewSecret(n.env("PROVHUB_TEST_LDAP_PASSWORD"))})
	require.NoError(n.t, err)
	return c
}

func (n *network) ldapEntries(c *ldap.Client, attributes ...string) (out []ldap.Entry) {
	base, err := ldap.ParseDN(n.ldapBase())
	require.NoError(n.t, err)
	_, err = c.List(context.Background(), ldap.Search{Base: base, Attributes: attributes}, func(e ldap.Entry) error { out = append(out, e); return nil })
	require.NoError(n.t, err)
	return out
}

func prepareLDAP(n *network) {
	c := n.ldapClient()
	base, err := ldap.ParseDN(n.ldapBase())
	require.NoError(n.t, err)
	require.NoError(n.t, c.Add(n.t.Context(), base, []ldap.Attribute{{Name: "objectClass", Values: []string{"organizationalUnit"}}}))
	n.t.Cleanup(func() {
		defer c.Close()
		for _, e := range slices.Backward(n.ldapEntries(c, "1.1")) {
			_ = c.Delete(context.Background(), e.DN)
		}
	})
}

func configLDAP(n *network) (secret, text string) {
	return n.env("PROVHUB_TEST_LDAP_PASSWORD"), fmt.Sprintf(`{urls: ["ldaps://%s"], tls_ca_file: %q, bind_dn: %q, directory: openldap-overlays,
      timeout: 1s, connect_timeout: 1s, users: {base: %q, anchor: employeeNumber,
      attributes: [{name: uid}, {name: cn}, {name: sn}, {name: title}, {name: employeeNumber}]}}`,
		n.addr, n.env("PROVHUB_TEST_CA_FILE"), n.env("PROVHUB_TEST_LDAP_BIND_DN"), n.ldapBase())
}

func accountsLDAP(n *network) (out []account) {
	c := n.ldapClient()
	defer c.Close()
	for _, e := range n.ldapEntries(c, "employeeNumber", "title", "pwdAccountLockedTime") {
		if id := e.First("employeeNumber"); id != "" {
			out = append(out, account{id, e.First("title"), e.First("pwdAccountLockedTime") == ""})
		}
	}
	return out
}

// --- SCIM

func prepareSCIM(n *network) {
	n.t.Cleanup(func() {
		for _, u := range n.scimUsers() {
			n.scim(http.MethodDelete, "/Users/"+u.ID, nil)
		}
	})
}

func configSCIM(n *network) (secret, text string) {
	return n.env("PROVHUB_TEST_SCIM_TOKEN"), fmt.Sprintf(`{base_url: %q, dialect: scimmy, allow_insecure: ["127.0.0.1"], timeout: 1s}`,
		n.url("PROVHUB_TEST_SCIM_URL", true))
}

type scimUser struct {
	ID, ExternalID, Title string
	Active                bool
}

// scim makes a request past the proxy; a non-nil out gets the answer.
func (n *network) scim(method, path string, out any) {
	req, err := http.NewRequestWithContext(context.Background(), method, n.env("PROVHUB_TEST_SCIM_URL")+path, nil)
	require.NoError(n.t, err)
	req.Header.Set("Authorization", "Bearer "+n.env("PROVHUB_TEST_SCIM_TOKEN"))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(n.t, err)
	defer resp.Body.Close()
	if out != nil {
		require.Equal(n.t, http.StatusOK, resp.StatusCode)
		require.NoError(n.t, json.NewDecoder(resp.Body).Decode(out))
	}
}

func (n *network) scimUsers() (out []scimUser) {
	for {
		var page struct {
			TotalResults int
			Resources    []scimUser
		}
		n.scim(http.MethodGet, fmt.Sprintf("/Users?count=100&startIndex=%d&filter=%s", len(out)+1, url.QueryEscape(`userName sw "`+n.name+`"`)), &page)
		out = append(out, page.Resources...)
		if len(page.Resources) == 0 || len(out) >= page.TotalResults {
			return out
		}
	}
}

func accountsSCIM(n *network) (out []account) {
	for _, u := range n.scimUsers() {
		out = append(out, account{u.ExternalID, u.Title, u.Active})
	}
	return out
}

// --- PostgreSQL

func (n *network) sqlDSN(through bool) string {
	u := n.url("PROVHUB_TEST_PG_TARGET_URL", through)
	q := u.Query()
	q.Set("search_path", n.name)
	q.Set("connect_timeout", "2")
	u.RawQuery = q.Encode()
	return u.String()
}

func (n *network) sqlOpen() *sql.DB {
	db, err := sql.Open("pgx", n.sqlDSN(false))
	require.NoError(n.t, err)
	return db
}

// The table itself lets a second account of the same person in.
func prepareSQL(n *network) {
	db := n.sqlOpen()
	for _, q := range []string{"CREATE SCHEMA " + n.name,
		"CREATE TABLE app_user (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, login text NOT NULL, employee_no text, title text, active boolean NOT NULL DEFAULT true)"} {
		_, err := db.ExecContext(n.t.Context(), q)
		require.NoError(n.t, err)
	}
	n.t.Cleanup(func() {
		_, err := db.ExecContext(context.Background(), "DROP SCHEMA "+n.name+" CASCADE")
		require.NoError(n.t, cmp.Or(err, db.Close()))
	})
}

func configSQL(n *network) (secret, text string) {
	return n.sqlDSN(true), `{dialect: postgres, statement_timeout: 1s, users: {table: app_user, key: login, id: id, anchor: employee_no, enabled: {column: active}}}`
}

func accountsSQL(n *network) (out []account) {
	db := n.sqlOpen()
	defer db.Close()
	rows, err := db.QueryContext(n.t.Context(), "SELECT employee_no, title, active FROM app_user")
	require.NoError(n.t, err)
	defer rows.Close()
	for rows.Next() {
		var a account
		require.NoError(n.t, rows.Scan(&a.anchor, &a.title, &a.enabled))
		out = append(out, a)
	}
	require.NoError(n.t, rows.Err())
	return out
}

// --- OpenSSH

func (n *network) sftpFolder() string {
	return filepath.Join(n.env("PROVHUB_TEST_SFTP_LOCAL_DIR"), n.name)
}

func prepareSFTP(n *network) {
	require.NoError(n.t, os.Mkdir(n.sftpFolder(), 0o777))
	require.NoError(n.t, os.Chmod(n.sftpFolder(), 0o777)) // sshd writes as another account
	n.t.Cleanup(func() { require.NoError(n.t, os.RemoveAll(n.sftpFolder())) })
}

func configSFTP(n *network) (secret, text string) {
	key, err := os.ReadFile(n.env("PROVHUB_TEST_SFTP_KEY_FILE"))
	require.NoError(n.t, err)
	known, err := os.ReadFile(n.env("PROVHUB_TEST_SFTP_KNOWN_HOSTS"))
	require.NoError(n.t, err)
	var keys []string // of the server, without the address
	for line := range strings.Lines(string(known)) {
		_, k, _ := strings.Cut(strings.TrimSpace(line), " ")
		keys = append(keys, k)
	}
	quoted, err := json.Marshal(keys)
	require.NoError(n.t, err)
	return string(key), fmt.Sprintf(`{host: %q, user: %q, host_keys: %s, folder: %q, file: {name: "people_{seq:6}.csv"}, key: id,
      columns: [{name: id}, {name: login}, {name: title}, {kind: state, header: state, enabled: "on", disabled: "off"}],
      connect_timeout: 1s, stall_timeout: 1s, publish: {after: 50ms, within: 500ms}}`,
		n.addr, n.env("PROVHUB_TEST_SFTP_USER"), quoted, n.env("PROVHUB_TEST_SFTP_REMOTE_DIR")+"/"+n.name)
}

// The newest file tells; the files before it have all numbers from 1.
func accountsSFTP(n *network) (out []account) {
	names, err := filepath.Glob(filepath.Join(n.sftpFolder(), "people_*.csv"))
	require.NoError(n.t, err)
	slices.Sort(names)
	for i, name := range names {
		require.Equal(n.t, fmt.Sprintf("people_%06d.csv", i+1), filepath.Base(name))
	}
	if len(names) == 0 {
		return nil
	}
	text, err := os.ReadFile(names[len(names)-1])
	require.NoError(n.t, err)
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(n.t, err)
	for _, r := range rows[1:] {
		out = append(out, account{r[0], r[2], r[3] == "on"})
	}
	return out
}
