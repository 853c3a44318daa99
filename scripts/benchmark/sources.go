package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

const directorySource = `    type: ldap
    secrets: {password: bench}
    ldap:
      urls: [%q]
      tls_ca_file: %q
      bind_dn: %q
      directory: openldap
      incremental: none
      people:
        base: %q
        anchor: employeeNumber
        attributes: [{name: email, from: mail, required: true}, {name: employee_id, from: employeeNumber}, {name: given, from: givenName}, {name: family, from: sn}, {name: title}]`

// sources measures the whole reading of a directory when nothing is new. The
// reference is ldapsearch with the same page size and attributes.
func sources(ctx context.Context, b *bench) error {
	d, err := newSlapd(b, fastServers)
	if err != nil {
		return err
	}
	peaks := map[int]int64{}
	for _, n := range b.sizes.entries {
		if peaks[n], err = d.readAll(ctx, n); err != nil {
			return err
		}
	}
	few, many := b.sizes.entries[0], b.sizes.entries[len(b.sizes.entries)-1]
	each := value{float64(peaks[many]-peaks[few]) / float64(many-few), bytesEach}
	l := line{Section: "sources", What: fmt.Sprintf("OpenLDAP: memory of an identity (%s against %s)", digits(float64(many)), digits(float64(few))), Ours: &each}
	if !b.quick {
		l.Goal = below(value{100, bytesEach})
	}
	b.add(l, each.N)
	return nil
}

// readAll adds the lines for n entries and returns the hub's peak of memory.
func (d *slapd) readAll(ctx context.Context, n int) (peak int64, err error) {
	b, who := d.b, "OpenLDAP, "+digits(float64(n))+" entries"
	b.progress("sources: %s", who)
	base, err := d.newUnit(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := d.addAll(ctx, base, people{n: n}); err != nil {
		return 0, err
	}
	s, err := b.newSite(ctx, setting{Plugin: "memory", SecretName: "password", Secret: d.env["LDAP_PASSWORD"], Scope: `person.employee_id == "00000000"`,
		Attributes: []attribute{{"userName", "person.email"}, {"externalId", "person.employee_id"}},
		Source:     fmt.Sprintf(directorySource, d.env["LDAPS_URL"], d.env["CA_FILE"], d.env["LDAP_BIND_DN"], base)})
	if err != nil {
		return 0, err
	}
	defer s.remove()
	first, _, err := s.provhub(ctx, "sync")
	if err != nil {
		return 0, err
	}
	b.add(line{Section: "sources", What: who + ": first sync", Ours: rate(n, first.wall), CPU: inSeconds(first.cpu)}, 0)
	took, peaks := takes{}, []int64{}
	for round := range b.sizes.rounds {
		b.progress("sources: %s: ldapsearch and provhub, round %d of %d", who, round+1, b.sizes.rounds)
		u, err := d.search(ctx, base)
		if err != nil {
			return 0, err
		}
		took.add("reference", u)
		if u, _, err = s.provhub(ctx, "plan"); err != nil {
			return 0, err
		}
		took.add("ours", u)
		peaks = append(peaks, u.peaks["provhub"])
	}
	ours, cpu := took.median("ours")
	reference, _ := took.median("reference")
	l := line{Section: "sources", What: who + ": plan, all read and compared (reference: ldapsearch)", Ours: inSeconds(ours), CPU: inSeconds(cpu),
		Reference: inSeconds(reference), Ratio: ours.Seconds() / reference.Seconds()}
	if !b.quick && n >= 100_000 {
		l.Goal = atMost(1.5)
	}
	b.add(l, l.Ratio)
	b.add(line{Section: "sources", What: who + ": plan, peak of memory", Ours: &value{float64(median(peaks)) / (1 << 20), mebibytes}}, 0)
	return median(peaks), nil
}

// search reads the same entries into a file.
func (d *slapd) search(ctx context.Context, base string) (usage, error) {
	u, out, err := d.run(ctx, "ldapsearch", "-LLL", "-E", "pr=1000/noprompt", "-b", base, "(objectClass=inetOrgPerson)",
		"mail", "employeeNumber", "givenName", "sn", "title", "entryUUID")
	if err != nil {
		return u, err
	}
	return u, os.WriteFile(filepath.Join(d.b.dir, "reference.out"), out, 0o600)
}
