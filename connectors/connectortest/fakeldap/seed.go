package fakeldap

import (
	"fmt"
	"strings"
)

// The folders that every directory begins with, below the base DN.
const (
	People   = "ou=people"
	Groups   = "ou=groups"
	Disabled = "ou=disabled"
	services = "ou=services"
)

// In returns the DN of a folder: In(People) is ou=people,dc=example,dc=org.
func (s *Server) In(folder string) string { return folder + "," + s.options.BaseDN }

// Load adds entries from LDIF text, past all rules except the schema. A
// userPassword in clear becomes the entry's password; entryUUID, nsUniqueId or
// objectGUID become its id. Parents come before children. A faulty record leaves
// the directory as it was.
func (s *Server) Load(ldif string) error {
	records, err := parseLDIF(ldif)
	if err != nil {
		return fmt.Errorf("fakeldap: LDIF: %w", err)
	}
	return s.dir.write(somebody, func(t *tx) error {
		for _, r := range records {
			if err := t.load(r); err != nil {
				return fmt.Errorf("fakeldap: LDIF line %d: %s: %w", r.line, r.dn, err)
			}
		}
		return nil
	})
}

// load adds one entry.
func (t *tx) load(r record) error {
	name, err := t.parseDN(r.dn)
	if err != nil {
		return err
	}
	e := &entry{dn: name}
	password := ""
	var inputs []input
	for _, n := range r.names {
		switch strings.ToLower(n) {
		case "entryuuid", "nsuniqueid":
			e.id = parseID(r.values[n][0])
			continue
		case "objectguid":
			e.id = rawID(r.values[n][0])
			continue
		case "userpassword":
			password = r.values[n][0]
			continue
		}
		in, err := t.accept(n, r.values[n], true)
		if err != nil {
			return err
		}
		inputs = append(inputs, in)
	}
	if err := writable(inputs, false); err != nil {
		return err
	}
	if _, err := t.fillEntry(e, inputs); err != nil {
		return err
	}
	if password != "" {
		e.secret = seal(password)
	}
	if t.flavor == ActiveDirectory {
		if err := t.completeAD(e, inputs, true); err != nil {
			return err
		}
		if password != "" && t.isA(e, "user") && first(r.values["pwdLastSet"]) == "" {
			t.put(e, "pwdlastset", filetime(t.clock()))
		}
	}
	if err := t.check(e); err != nil {
		return err
	}
	if t.lookup(name) != nil {
		return refuse(entryAlreadyExists, "the entry exists already")
	}
	if t.lookup(name.parent()) == nil && name.key() != t.suffix.key() {
		return refuse(noSuchObject, "its parent does not exist")
	}
	if parent := t.lookup(name.parent()); parent != nil {
		e.dn = parent.dn.child(name.rdns[0])
	}
	t.insert(e)
	return nil
}

// seed makes the tree that every flavor begins with, and loads Options.LDIF.
func (s *Server) seed() error {
	first := s.dir.suffix.rdns[0].avas[0]
	if key := first.typ.key; key != "dc" && key != "o" && key != "ou" {
		return badOption("BaseDN", s.options.BaseDN, "it must begin with dc, o or ou")
	}
	if err := s.Load(s.seedLDIF(first)); err != nil {
		return err
	}
	return s.Load(s.options.LDIF)
}

func (s *Server) seedLDIF(top ava) string {
	var b strings.Builder
	base := s.options.BaseDN
	entry := func(name string, lines ...string) {
		fmt.Fprintf(&b, "dn: %s\n%s\n\n", name, strings.Join(lines, "\n"))
	}
	ad := s.options.Flavor == ActiveDirectory
	switch {
	case ad:
		entry(base, "objectClass: domainDNS", top.typ.name()+": "+top.value)
	case top.typ.key == "dc":
		entry(base, "objectClass: domain", "dc: "+top.value)
	case top.typ.key == "o":
		entry(base, "objectClass: organization", "o: "+top.value)
	default:
		entry(base, "objectClass: organizationalUnit", "ou: "+top.value)
	}
	folders := []string{People, Groups, Disabled}
	if !ad {
		folders = append(folders, services)
	}
	for _, f := range folders {
		entry(f+","+base, "objectClass: organizationalUnit", "ou: "+strings.TrimPrefix(f, "ou="))
	}
	if ad {
		entry("CN=Users,"+base, "objectClass: container", "cn: Users")
		entry("CN=Domain Users,CN=Users,"+base, "objectClass: group", "cn: Domain Users", "sAMAccountName: Domain Users")
		entry("CN=Domain Admins,CN=Users,"+base, "objectClass: group", "cn: Domain Admins", "sAMAccountName: Domain Admins", "adminCount: 1")
	}
	b.WriteString(s.adminLDIF(ad))
	return b.String()
}

// adminLDIF is the administrator's entry, when its DN is below the base.
func (s *Server) adminLDIF(ad bool) string {
	name, err := s.dir.parseDN(s.options.AdminDN)
	if err != nil || !name.within(s.dir.suffix) || name.rdns[0].avas[0].typ.key != "cn" {
		return ""
	}
	cn := name.rdns[0].avas[0].value
	if ad {
		return fmt.Sprintf("dn: %s\nobjectClass: user\ncn: %s\nsAMAccountName: %s\nuserPrincipalName: %s@%s\nuserAccountControl: 66048\nuserPassword: %s\n",
			s.options.AdminDN, cn, cn, cn, domainOf(s.dir.suffix), s.options.AdminPassword)
	}
	return fmt.Sprintf("dn: %s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: %s\nuserPassword: %s\n",
		s.options.AdminDN, cn, s.options.AdminPassword)
}
