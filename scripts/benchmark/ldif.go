package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
)

// slapd is one OpenLDAP server, by the tools that come with it.
type slapd struct {
	b   *bench
	env map[string]string // of the test servers
}

func newSlapd(b *bench, variable string) (*slapd, error) {
	env, err := setUp(variable, "LDAPS_URL", "LDAP_PEOPLE_DN", "LDAP_BIND_DN", "LDAP_PASSWORD", "CA_FILE")
	return &slapd{b, env}, err
}

// run runs one of the tools over one connection with TLS, as the hub has it.
func (s *slapd) run(ctx context.Context, tool string, args ...string) (usage, []byte, error) {
	args = append([]string{"-x", "-H", s.env["LDAPS_URL"], "-D", s.env["LDAP_BIND_DN"], "-w", s.env["LDAP_PASSWORD"]}, args...)
	return run(ctx, "", []string{"LDAPTLS_CACERT=" + s.env["CA_FILE"]}, tool, args...)
}

// feed runs ldapadd or ldapmodify over a file that write fills.
func (s *slapd) feed(ctx context.Context, tool string, write func(*bufio.Writer)) (usage, error) {
	path := filepath.Join(s.b.dir, "reference.ldif")
	f, err := os.Create(path)
	if err != nil {
		return usage{}, err
	}
	w := bufio.NewWriter(f)
	write(w)
	if err := w.Flush(); err != nil {
		return usage{}, err
	}
	if err := f.Close(); err != nil {
		return usage{}, err
	}
	u, _, err := s.run(ctx, tool, "-f", path)
	return u, err
}

// newUnit makes an organizational unit and returns its DN.
func (s *slapd) newUnit(ctx context.Context) (dn string, err error) {
	s.b.made++
	dn = fmt.Sprintf("ou=bench-%d-%d,%s", os.Getpid(), s.b.made, s.env["LDAP_PEOPLE_DN"])
	_, err = s.feed(ctx, "ldapadd", func(w *bufio.Writer) { fmt.Fprintf(w, "dn: %s\nobjectClass: organizationalUnit\n", dn) })
	return dn, err
}

// count counts lines of what a search below base prints that begin with prefix.
func (s *slapd) count(ctx context.Context, base, filter, attribute, prefix string) (int, error) {
	_, out, err := s.run(ctx, "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-E", "pr=1000/noprompt", "-b", base, filter, attribute)
	return bytes.Count(append([]byte("\n"), out...), []byte("\n"+prefix)), err
}

// addAll adds all people below base, with the object classes that the connector gives
// them: each is a value to be indexed.
func (s *slapd) addAll(ctx context.Context, base string, p people) (usage, error) {
	return s.feed(ctx, "ldapadd", func(w *bufio.Writer) {
		for i := range p.n {
			q := p.at(i)
			fmt.Fprintf(w, "dn: uid=%s,%s\nobjectClass: top\nobjectClass: person\nobjectClass: organizationalPerson\nobjectClass: inetOrgPerson\nuid: %[1]s\n", q.email, base)
			for _, a := range [][2]string{{"cn", q.given + " " + q.family}, {"sn", q.family}, {"givenName", q.given}, {"mail", q.email}, {"title", q.title}, {"employeeNumber", q.id}} {
				// Base64 spares the rules of what may be plain (RFC 2849).
				fmt.Fprintf(w, "%s:: %s\n", a[0], base64.StdEncoding.EncodeToString([]byte(a[1])))
			}
			fmt.Fprintln(w)
		}
	})
}

// retitleAll replaces everybody's title.
func (s *slapd) retitleAll(ctx context.Context, base string, p people) (usage, error) {
	return s.feed(ctx, "ldapmodify", func(w *bufio.Writer) {
		for i := range p.n {
			q := p.at(i)
			fmt.Fprintf(w, "dn: uid=%s,%s\nchangetype: modify\nreplace: title\ntitle: %s\n\n", q.email, base, q.title)
		}
	})
}
