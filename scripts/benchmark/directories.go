package main

import (
	"bufio"
	"context"
	"fmt"
	"time"
)

// inDirectory is what an entry gets.
var inDirectory = []attribute{{"uid", "person.email"}, {"cn", `'person.given + " " + person.family'`}, {"sn", "person.family"}, {"givenName", "person.given"},
	{"mail", "person.email"}, {"title", "person.title"}, {"employeeNumber", "person.employee_id"}}

// directories measures creates and updates of entries in OpenLDAP. The reference
// is ldapadd and ldapmodify of the same entries over one connection.
func directories(ctx context.Context, b *bench) error {
	for _, d := range []struct {
		servers, name string
		rounds        int
		counts        bool
	}{{durableServers, "durable", b.sizes.rounds, true}, {fastServers, "nosync", 1, false}} {
		s, err := newSlapd(b, d.servers)
		if err != nil {
			return err
		}
		took := takes{}
		for round := range d.rounds {
			b.progress("ldap, %s: ldapadd and provhub, round %d of %d", d.name, round+1, d.rounds)
			if err := s.round(ctx, took); err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
		}
		for _, verb := range verbs {
			b.compare("ldap", fmt.Sprintf("OpenLDAP, %s", d.name), verb, b.sizes.operations, took, map[string]string{"create": "ldapadd", "update": "ldapmodify"}[verb], 1, d.counts)
		}
	}
	return nil
}

// round does both. The reference runs before and after, because the directory grows
// with each, and writes to it become slower.
func (s *slapd) round(ctx context.Context, took takes) error {
	n := s.b.sizes.operations
	if err := s.reference(ctx, n, took); err != nil {
		return err
	}
	site, base, err := s.site(ctx, setting{})
	if err != nil {
		return err
	}
	if err := site.createAndUpdate(ctx, n, took); err != nil {
		return err
	}
	if got, err := s.count(ctx, base, "(title=*grade 1)", "1.1", "dn:"); err != nil || got != n {
		return fmt.Errorf("the directory holds %d changed entries, not %d (%w)", got, n, err)
	}
	site.remove()
	return s.reference(ctx, n, took)
}

// reference adds n people to a unit of their own by ldapadd, and changes them by
// ldapmodify.
func (s *slapd) reference(ctx context.Context, n int, took takes) error {
	base, err := s.newUnit(ctx)
	if err != nil {
		return err
	}
	u, err := s.addAll(ctx, base, people{n: n})
	if err != nil {
		return err
	}
	took.add("create/reference", u)
	if u, err = s.retitleAll(ctx, base, everybodyChanged(n)); err != nil {
		return err
	}
	took.add("update/reference", u)
	return nil
}

// site is a site whose target is a unit of its own.
func (s *slapd) site(ctx context.Context, x setting) (_ *site, base string, err error) {
	if base, err = s.newUnit(ctx); err != nil {
		return nil, "", err
	}
	x.Plugin, x.Attributes, x.Match = "ldap", inDirectory, "employeeNumber"
	x.SecretName, x.Secret = "bind_password", s.env["LDAP_PASSWORD"]
	x.Config = fmt.Sprintf(`{urls: [%q], tls_ca_file: %q, bind_dn: %q, directory: openldap-overlays, users: {base: %q, anchor: employeeNumber, attributes: [{name: uid}, {name: cn}, {name: sn}, {name: givenName}, {name: mail}, {name: title}, {name: employeeNumber}]}, groups: [{base: %[4]q, attributes: [{name: cn}]}]}`,
		s.env["LDAPS_URL"], s.env["CA_FILE"], s.env["LDAP_BIND_DN"], base)
	site, err := s.b.newSite(ctx, x)
	return site, base, err
}

// directoryMembers puts everybody into one group.
func directoryMembers(ctx context.Context, b *bench) error {
	s, err := newSlapd(b, fastServers)
	if err != nil {
		return err
	}
	site, base, err := s.site(ctx, setting{})
	if err != nil {
		return err
	}
	defer site.remove()
	if _, err := s.feed(ctx, "ldapadd", func(w *bufio.Writer) {
		fmt.Fprintf(w, "dn: cn=everybody,%s\nobjectClass: groupOfNames\ncn: everybody\nmember: %s\n", base, s.env["LDAP_BIND_DN"])
	}); err != nil {
		return err
	}
	n := b.sizes.members
	if err := site.members(ctx, "ldap-members", "OpenLDAP, nosync, memberOf kept", n); err != nil {
		return err
	}
	if got, err := s.count(ctx, "cn=everybody,"+base, "(objectClass=*)", "member", "member:"); err != nil || got != n+1 {
		return fmt.Errorf("the group has %d members, not %d (%w)", got, n+1, err)
	}
	return nil
}

// everybodyChanged are people whose titles are new.
func everybodyChanged(n int) people {
	return people{n: n, round: 1, changed: func(int) bool { return true }}
}

// members makes accounts for n people, and then adds the line of granting all of
// them the group called everybody.
func (s *site) members(ctx context.Context, section, where string, n int) error {
	s.b.progress("%s: %d accounts for one group", where, n)
	if err := s.source(people{n: n}); err != nil {
		return err
	}
	began := time.Now()
	if _, _, err := s.provhub(ctx, "sync"); err != nil {
		return err
	}
	s.b.add(line{Section: section, What: fmt.Sprintf("%s: first sync of %s accounts", where, digits(float64(n))), Ours: rate(n, time.Since(began))}, 0)
	s.Grant = "everybody"
	if err := s.configure(); err != nil {
		return err
	}
	s.b.progress("%s: %d members", where, n)
	_, apply, err := s.planAndApply(ctx)
	if err != nil {
		return err
	}
	s.b.add(line{Section: section, What: fmt.Sprintf("%s: %s members into one group", where, digits(float64(n))), Ours: rate(n, apply.wall), CPU: inSeconds(apply.cpu)}, 0)
	return nil
}
