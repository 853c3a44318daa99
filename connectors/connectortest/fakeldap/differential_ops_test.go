package fakeldap

import (
	"fmt"
	"slices"
	"strings"

	ldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func pick[T any](d *differ, of ...T) T { return of[d.rng.IntN(len(of))] }

// name is an RDN of a small population, so that operations meet.
func (d *differ) name() string {
	return pick(d, "uid=anna", "uid=ben", "uid=Ben", "uid=cleo", "uid=dora\\, the first", "uid=  eva ", "uid=frédéric", "uid=gus+cn=Gus G", "uid=hex\\2b",
		"cn=staff", "cn=crew", "cn=Ümit  Ö", "ou=box", "uid=\\20pad\\20", "uid=a\\0ab")
}

func (d *differ) place() string {
	return pick(d, d.root, "ou=a,"+d.root, "ou=b,"+d.root, "OU=A, "+d.root, "ou=box,"+d.root, "ou=none,"+d.root)
}

// dn is sometimes none at all.
func (d *differ) dn() string {
	if d.rng.IntN(40) == 0 {
		return pick(d, "uid=", "nonsense", "uid=a,,"+d.root, "nosuchtype=x,"+d.root, "uid=x,dc=elsewhere", "")
	}
	return d.name() + "," + d.place()
}

// other is a DN that is not the one being written: slapd's memberof does not
// follow a group that is a member of itself.
func (d *differ) other() string {
	for {
		dn := d.dn()
		a, errA := ldap.ParseDN(dn)
		b, errB := ldap.ParseDN(d.own)
		if errA != nil || errB != nil || !a.EqualFold(b) {
			return dn
		}
	}
}

// attr leaves out manager: slapd's refint follows renames in a thread of its own,
// whenever it gets to it.
func (d *differ) attr() string {
	return pick(d, "description", "mail", "telephoneNumber", "sn", "cn", "uid", "employeeNumber", "displayName", "secretary", "member", "seeAlso",
		"objectClass", "title", "businessCategory", "uidNumber", "entryUUID", "modifyTimestamp", "nosuchattr", "description;lang-de", "gecos",
		"postalAddress", "preferredLanguage", "jpegPhoto", "pwdAccountLockedTime", "memberOf", "c", "surname", "roomNumber", "labeledURI")
}

func (d *differ) value(attr string) string {
	base, _, _ := strings.Cut(attr, ";")
	switch base {
	case "secretary", "member", "seeAlso", "memberOf":
		return pick(d, d.other(), d.other(), d.other(), "not a dn")
	case "objectClass":
		return pick(d, "inetOrgPerson", "person", "top", "organizationalUnit", "groupOfNames", "extensibleObject", "simpleSecurityObject", "nonsense", "posixAccount", "organizationalPerson")
	case "uidNumber":
		return pick(d, "1", "42", "042", "-7", "x")
	case "entryUUID":
		return "597ae2f6-16a6-1027-98f4-d28b5365dc14"
	case "modifyTimestamp", "pwdAccountLockedTime":
		return pick(d, "000001010000Z", "20260101000000Z", "yesterday")
	case "c":
		return pick(d, "DE", "de", "Germany")
	}
	return pick(d, "x", "X", "x  y", " x y ", "Zoë", "zoë", "ZOË", "\u00c5", "A\u030a", "", "1234", "12 34", "+49 30 12-34", "+493012 34", "a@b.c", "ß", "SS", "\xff", "tab\there", "long "+strings.Repeat("z", 300))
}

// entry makes attributes for an add: mostly right, sometimes not.
func (d *differ) entry(dn string) *ldap.AddRequest {
	r := ldap.NewAddRequest(dn, nil)
	d.own = dn
	rdn, _ := ldap.ParseDN(dn)
	class := pick(d, "inetOrgPerson", "inetOrgPerson", "inetOrgPerson", "groupOfNames", "organizationalUnit", "person", "device")
	attrs := map[string][]string{"objectClass": {class}}
	switch class {
	case "inetOrgPerson", "person":
		attrs["sn"], attrs["cn"] = []string{"Sn"}, []string{"Cn"}
	case "groupOfNames":
		attrs["member"], attrs["cn"] = []string{d.dn()}, []string{"Cn"}
	case "device":
		attrs["cn"] = []string{"Cn"}
	}
	if rdn != nil && len(rdn.RDNs) > 0 && d.rng.IntN(15) > 0 {
		for _, a := range rdn.RDNs[0].Attributes {
			attrs[a.Type] = append(attrs[a.Type], a.Value)
		}
	}
	for range d.rng.IntN(3) {
		if a := d.attr(); a != "objectClass" {
			attrs[a] = append(attrs[a], d.value(a))
		}
	}
	if d.rng.IntN(12) == 0 {
		delete(attrs, pick(d, "sn", "cn", "objectClass", "member"))
	}
	for _, name := range sortedKeys(attrs) {
		r.Attribute(name, attrs[name])
	}
	return r
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// step does one random operation.
func (d *differ) step(i int) {
	switch k := d.rng.IntN(100); {
	case k < 25:
		r := d.entry(d.dn())
		d.compare(fmt.Sprintf("%d add %q %v", i, r.DN, r.Attributes), func(c *ldap.Conn) error { return c.Add(r) })
	case k < 60:
		d.modify(i)
	case k < 72:
		d.rename(i)
	case k < 77:
		dn := d.dn()
		d.compare(fmt.Sprintf("%d delete %q", i, dn), func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest(dn, nil)) })
	case k < 82:
		dn, attr := d.dn(), d.attr()
		value := d.value(attr)
		d.compare(fmt.Sprintf("%d compare %q %s %q", i, dn, attr, value), func(c *ldap.Conn) error {
			ok, err := c.Compare(dn, attr, value)
			if err == nil {
				return fmt.Errorf("%v", ok)
			}
			return err
		})
	case k < 87: // never with "", which stands for the account that all tests share
		dn, password := d.name()+","+d.place(), pick(d, "short", "Long-enough-1", "Long-enough-2", "Long-enough-3", "Long-enough-4", "Long-enough-5", "{SSHA}abcdefgh")
		d.compare(fmt.Sprintf("%d password %q %q", i, dn, password), func(c *ldap.Conn) error {
			_, err := c.PasswordModify(ldap.NewPasswordModifyRequest(dn, "", password))
			return err
		})
	default:
		d.search(i)
	}
}

func (d *differ) modify(i int) {
	d.own = d.dn()
	r := ldap.NewModifyRequest(d.own, nil)
	if d.rng.IntN(5) == 0 {
		r.Controls = []ldap.Control{ldap.NewControlString("1.2.840.113556.1.4.1413", true, "")}
	}
	for range 1 + d.rng.IntN(3) {
		attr := d.attr()
		var values []string
		for range d.rng.IntN(3) {
			values = append(values, d.value(attr))
		}
		switch d.rng.IntN(7) {
		case 0, 1, 2:
			r.Add(attr, values)
		case 3, 4:
			r.Replace(attr, values)
		case 5:
			r.Delete(attr, values)
		default:
			// With permissive modify, slapd's answer to an increment of nothing depends
			// on the modification before it.
			r.Controls = nil
			r.Increment("uidNumber", pick(d, "1", "-3", "x"))
		}
	}
	d.compare(fmt.Sprintf("%d modify %q %v %+v", i, r.DN, r.Controls, r.Changes), func(c *ldap.Conn) error { return c.Modify(r) })
}

func (d *differ) rename(i int) {
	to := ""
	if d.rng.IntN(2) == 0 {
		to = d.place()
	}
	r := ldap.NewModifyDNRequest(d.dn(), d.name(), d.rng.IntN(2) == 0, to)
	if d.hasChildren(r.DN) { // memberof does not follow when a whole subtree moves
		return
	}
	d.compare(fmt.Sprintf("%d rename %+v", i, *r), func(c *ldap.Conn) error { return c.ModifyDN(r) })
}

func (d *differ) hasChildren(dn string) bool {
	res, err := d.sides[1].Search(ldap.NewSearchRequest(dn, ldap.ScopeSingleLevel, 0, 1, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
	return res != nil && len(res.Entries) > 0 && (err == nil || ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded))
}

// filter leaves out ~=, whose meaning each server chooses for itself (RFC 4511
// §4.5.1.7.6).
func (d *differ) filter(depth int) string {
	if depth > 0 && d.rng.IntN(2) == 0 {
		a, b := d.filter(depth-1), d.filter(depth-1)
		return pick(d, "(&"+a+b+")", "(|"+a+b+")", "(!"+a+")")
	}
	attr := d.attr()
	if attr == "entryUUID" { // each server has its own
		attr = "uid"
	}
	value := ldap.EscapeFilter(d.value(attr))
	return pick(d, "("+attr+"="+value+")", "("+attr+"=*)", "("+attr+"=*"+value+"*)", "("+attr+"="+value+"*)", "("+attr+">="+value+")", "("+attr+"<="+value+")",
		"(uid:dn:=anna)", "(cn:caseExactMatch:=Cn)", "("+attr+":1.2.840.113556.1.4.803:=2)", "(&)", "(|)", "(hasSubordinates=TRUE)",
		"(objectClass=person)", "(structuralObjectClass=inetOrgPerson)")
}

func (d *differ) search(i int) {
	r := ldap.NewSearchRequest(pick(d, d.root, d.place(), d.dn()), pick(d, 0, 1, 2, 3), ldap.NeverDerefAliases, 0, 0, d.rng.IntN(8) == 0, d.filter(2),
		pick(d, nil, []string{"1.1"}, []string{"*"}, []string{"cn", "nosuchattr"}, []string{"name"}, []string{"description"}, []string{"description;lang-de"}, []string{"surname", "memberOf"}), nil)
	var found [2]map[string]map[string][]string
	side := 0
	what := fmt.Sprintf("%d search %q scope %d %s %v", i, r.BaseDN, r.Scope, r.Filter, r.Attributes)
	d.compare(what, func(c *ldap.Conn) error {
		defer func() { side++ }()
		res, err := c.Search(r)
		if res != nil {
			found[side] = plain(res.Entries)
		}
		return err
	})
	if diff := cmp.Diff(found[0], found[1]); diff != "" {
		d.failures++
		d.t.Errorf("%s\n-slapd +fake\n%s", what, diff)
	}
}

// dump compares the whole subtree.
func (d *differ) dump(i int) {
	var found [2]map[string]map[string][]string
	for side, c := range d.sides {
		res, err := c.Search(ldap.NewSearchRequest(d.root, ldap.ScopeWholeSubtree, 0, 0, 0, false, "(objectClass=*)",
			[]string{"*", "memberOf", "structuralObjectClass", "hasSubordinates", "entryDN", "creatorsName", "pwdAccountLockedTime"}, nil))
		require.NoError(d.t, err)
		found[side] = plain(res.Entries)
	}
	if diff := cmp.Diff(found[0], found[1]); diff != "" {
		d.failures++
		d.t.Fatalf("after step %d the subtrees differ, -slapd +fake\n%s", i, diff)
	}
}
