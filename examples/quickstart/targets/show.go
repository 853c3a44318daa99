package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// show prints what each target holds about the person with an employee number.
func show(person string) error {
	for _, target := range []struct {
		title string
		show  func(person string) error
	}{
		{"crm, a row of app_user", showRow}, {"directory, LDIF", showEntry},
		{"wiki, the SCIM user", showUser}, {"badges, the latest file", showFile},
	} {
		fmt.Printf("── %s\n", target.title)
		if err := target.show(person); err != nil {
			return fmt.Errorf("%s: %w", target.title, err)
		}
	}
	return nil
}

func showRow(person string) error {
	return query(`select u.login, u.email, u.given_name, u.family_name, case u.active when 1 then 'active' else 'disabled' end, coalesce(group_concat(r.name, ','), 'no roles')
		from app_user u left join app_user_role ur on ur.user_id = u.id left join app_role r on r.id = ur.role_id
		where u.employee_no = '` + strings.ReplaceAll(person, "'", "''") + `' group by u.id`)
}

func showEntry(person string) error {
	trust, err := trusted(os.Getenv("DIRECTORY_CA"))
	if err != nil {
		return err
	}
	c, err := ldap.DialURL(os.Getenv("DIRECTORY_URL"), ldap.DialWithTLSConfig(trust))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Bind("cn=provhub,ou=services,dc=example,dc=org", os.Getenv("DIRECTORY_PASSWORD")); err != nil {
		return err
	}
	found, err := c.Search(ldap.NewSearchRequest("dc=example,dc=org", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(employeeNumber="+ldap.EscapeFilter(person)+")", []string{"uid", "cn", "mail", "title", "manager", "memberOf", "pwdAccountLockedTime"}, nil))
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
	return nil
}

func showUser(person string) error {
	trust, err := trusted(os.Getenv("WIKI_CA"))
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
	r, err := http.NewRequest(http.MethodGet, os.Getenv("WIKI_URL")+"/Users?filter="+url.QueryEscape(`externalId eq "`+person+`"`), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+os.Getenv("WIKI_TOKEN"))
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var list struct {
		Resources []map[string]any
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return err
	}
	for _, user := range list.Resources {
		delete(user, "schemas")
		delete(user, "meta")
		text, err := json.MarshalIndent(user, "", "  ")
		if err != nil {
			return err
		}
		fmt.Println(string(text))
	}
	return nil
}

func showFile(person string) error {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(os.Getenv("BADGES_HOST_KEY")))
	if err != nil {
		return err
	}
	conn, err := ssh.Dial("tcp", os.Getenv("BADGES_HOST"), &ssh.ClientConfig{
		User: os.Getenv("BADGES_USER"), Auth: []ssh.AuthMethod{ssh.Password(os.Getenv("BADGES_PASSWORD"))}, HostKeyCallback: ssh.FixedHostKey(key),
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	files, err := sftp.NewClient(conn)
	if err != nil {
		return err
	}
	defer files.Close()
	names, err := files.Glob("/outgoing/*.csv")
	if err != nil || len(names) == 0 {
		return err
	}
	slices.Sort(names)
	f, err := files.Open(names[len(names)-1])
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	fmt.Println(names[len(names)-1])
	for i, line := range bytes.Split(text, []byte("\n")) {
		if i == 0 || bytes.HasPrefix(line, []byte(person+",")) {
			fmt.Println(string(line))
		}
	}
	return err
}

// trusted is a TLS config that believes the authority in a file, and no other.
func trusted(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
