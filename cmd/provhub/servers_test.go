package main

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/rogpeppe/go-internal/testscript"
)

// servers gives the script a part of each test server that is its own, and takes it
// back at the end. It sets RUN, which names it and begins the ids of its people, and
// PEOPLE, GROUPS, DIRECTORY, FOLDER: where they are.
func servers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: servers")
	}
	run := "s" + strings.ToLower(rand.Text()[:7])
	people, groups := "ou="+run+","+os.Getenv("PROVHUB_TEST_LDAP_PEOPLE_DN"), "ou="+run+","+os.Getenv("PROVHUB_TEST_LDAP_GROUPS_DN")
	folder := filepath.Join(os.Getenv("PROVHUB_TEST_SFTP_LOCAL_DIR"), run)
	for name, value := range map[string]string{
		"RUN": run, "PEOPLE": people, "GROUPS": groups, "FOLDER": os.Getenv("PROVHUB_TEST_SFTP_REMOTE_DIR") + "/" + run, "FILES": folder,
	} {
		ts.Setenv(name, value)
	}
	ts.Check(os.MkdirAll(folder, 0o777))
	ts.Check(os.Chmod(folder, 0o777)) // whoever sshd logs us in as
	c, err := dialDirectory()
	ts.Check(err)
	for _, dn := range []string{people, groups} {
		ts.Check(c.Add(&ldap.AddRequest{DN: dn, Attributes: []ldap.Attribute{{Type: "objectClass", Vals: []string{"organizationalUnit"}}}}))
	}
	ts.Defer(func() {
		defer c.Close()
		for _, dn := range []string{people, groups} {
			sweepDirectory(c, dn)
		}
		sweepService(run)
		_ = os.RemoveAll(folder)
	})
	for _, group := range []string{"staff", "sales"} {
		ts.Check(addGroup(c, group, groups))
	}
}

func dialDirectory() (*ldap.Conn, error) {
	ca, err := os.ReadFile(os.Getenv("PROVHUB_TEST_CA_FILE"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	c, err := ldap.DialURL(os.Getenv("PROVHUB_TEST_LDAPS_URL"), ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}))
	if err != nil {
		return nil, err
	}
	return c, c.Bind(os.Getenv("PROVHUB_TEST_LDAP_BIND_DN"), os.Getenv("PROVHUB_TEST_LDAP_PASSWORD"))
}

func addGroup(c *ldap.Conn, name, base string) error {
	return c.Add(&ldap.AddRequest{DN: "cn=" + name + "," + base, Attributes: []ldap.Attribute{
		{Type: "objectClass", Vals: []string{"groupOfNames"}}, {Type: "member", Vals: []string{os.Getenv("PROVHUB_TEST_LDAP_BIND_DN")}}}})
}

// sweepDirectory removes an entry with all below it.
func sweepDirectory(c *ldap.Conn, dn string) {
	found, err := c.SearchWithPaging(ldap.NewSearchRequest(dn, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"1.1"}, nil), 100)
	if err != nil {
		return
	}
	slices.SortFunc(found.Entries, func(a, b *ldap.Entry) int { return len(b.DN) - len(a.DN) })
	for _, e := range found.Entries {
		_ = c.Del(&ldap.DelRequest{DN: e.DN})
	}
}

// directoryProgram is what scripts call directory: it looks at, and changes, the
// script's part of the directory.
//
//	directory show FILTER       its entries that match, as LDIF
//	directory group NAME        make a group
func directoryProgram() {
	if err := directory(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "directory:", err)
		os.Exit(1)
	}
}

func directory(args []string) error {
	c, err := dialDirectory()
	if err != nil {
		return err
	}
	defer c.Close()
	switch {
	case len(args) == 2 && args[0] == "group":
		return addGroup(c, args[1], os.Getenv("GROUPS"))
	case len(args) != 2 || args[0] != "show":
		return fmt.Errorf("usage: directory show FILTER, directory group NAME")
	}
	for _, base := range []string{os.Getenv("PEOPLE"), os.Getenv("GROUPS")} {
		found, err := c.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, args[1], []string{"*", "pwdAccountLockedTime"}, nil))
		if err != nil {
			return err
		}
		for _, e := range found.Entries {
			fmt.Println("dn:", e.DN)
			for _, a := range e.Attributes {
				for _, v := range a.Values {
					fmt.Printf("%s: %s\n", a.Name, v)
				}
			}
		}
	}
	return nil
}

// scimProgram is what scripts call scim: scim FILTER prints the users that match, one
// a line, as JSON.
func scimProgram() {
	users, err := scimUsers(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "scim:", err)
		os.Exit(1)
	}
	for _, u := range users {
		text, err := json.Marshal(u)
		if err != nil {
			fmt.Fprintln(os.Stderr, "scim:", err)
			os.Exit(1)
		}
		fmt.Println(string(text))
	}
}

func scimUsers(filter string) ([]map[string]any, error) {
	body, err := scimCall(http.MethodGet, "/Users?count=200&filter="+url.QueryEscape(filter))
	if err != nil {
		return nil, err
	}
	var list struct{ Resources []map[string]any }
	return list.Resources, json.Unmarshal(body, &list)
}

func scimCall(method, path string) ([]byte, error) {
	r, err := http.NewRequest(method, os.Getenv("PROVHUB_TEST_SCIM_URL")+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+os.Getenv("PROVHUB_TEST_SCIM_TOKEN"))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// sweepService removes the users whose externalId begins with run.
func sweepService(run string) {
	users, err := scimUsers(`externalId sw "` + run + `"`)
	if err != nil {
		return
	}
	for _, u := range users {
		_, _ = scimCall(http.MethodDelete, "/Users/"+fmt.Sprint(u["id"]))
	}
}
