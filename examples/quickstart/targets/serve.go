package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

// Groups that are there before provhub comes.
const directoryGroups = `
dn: cn=management,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: management
member: cn=provhub,ou=services,dc=example,dc=org

dn: cn=sales,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: sales
member: cn=provhub,ou=services,dc=example,dc=org

dn: cn=support,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: support
member: cn=provhub,ou=services,dc=example,dc=org

dn: cn=engineering,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: engineering
member: cn=provhub,ou=services,dc=example,dc=org
`

// serve starts the targets, fills in where they are, and runs a command that finds
// the same in its environment.
func serve(dir string, command []string) error {
	directory, err := fakeldap.New(fakeldap.Options{LDIF: directoryGroups})
	if err != nil {
		return err
	}
	defer directory.Close()
	wiki, err := fakescim.New(fakescim.Options{})
	if err != nil {
		return err
	}
	defer wiki.Close()
	if _, err := wiki.Seed("Group", `{"displayName":"Editors"}`); err != nil {
		return err
	}
	badges, err := fakesftp.New(fakesftp.Options{})
	if err != nil {
		return err
	}
	defer badges.Close()

	where := map[string]string{
		"CRM_DSN":       "sqlite:" + filepath.Join(dir, "crm.db"),
		"DIRECTORY_URL": directory.URL(), "DIRECTORY_PASSWORD": directory.AdminPassword(),
		"WIKI_URL": wiki.URL(), "WIKI_TOKEN": wiki.Token(),
		"BADGES_HOST": badges.Addr(), "BADGES_USER": badges.User(), "BADGES_PASSWORD": badges.Password(), "BADGES_HOST_KEY": badges.HostKey(),
	}
	if where["DIRECTORY_CA"], err = directory.CAFile(dir); err != nil {
		return err
	}
	if where["WIKI_CA"], err = wiki.CAFile(dir); err != nil {
		return err
	}
	if err := execute(where["CRM_DSN"], crm); err != nil {
		return fmt.Errorf("the CRM's database: %w", err)
	}
	if err := fillIn(filepath.Join(dir, "provhub.yaml"), where); err != nil {
		return err
	}
	c := exec.Command(command[0], command[1:]...)
	c.Stdin, c.Stdout, c.Stderr, c.Env = os.Stdin, os.Stdout, os.Stderr, os.Environ()
	for name, value := range where {
		c.Env = append(c.Env, name+"="+value)
	}
	return c.Run()
}

// fillIn replaces ${NAME} in a file.
func fillIn(file string, where map[string]string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	unknown := ""
	filled := os.Expand(string(text), func(name string) string {
		if where[name] == "" {
			unknown = name
		}
		return where[name]
	})
	if unknown != "" {
		return fmt.Errorf("%s: nothing is known of ${%s}", file, unknown)
	}
	return os.WriteFile(file, []byte(filled), 0o600)
}
