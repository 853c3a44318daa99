package fakeldap

import (
	"slices"
	"strconv"
	"strings"
)

// adComputed are the attributes that a domain controller keeps or works out by
// itself.
var adComputed = map[string]computed{
	"distinguishedname": func(_ *directory, e *entry) []string { return one(e.dn.String()) },
	"objectguid":        func(_ *directory, e *entry) []string { return one(string(e.id[:])) },
	"name":              func(_ *directory, e *entry) []string { return one(e.dn.rdns[0].avas[0].value) },
	"whencreated":       func(d *directory, e *entry) []string { return one(d.stamp(e.created)) },
	"whenchanged":       func(d *directory, e *entry) []string { return one(d.stamp(e.modified)) },
	"usncreated":        func(_ *directory, e *entry) []string { return one(strconv.FormatUint(e.usnBorn, 10)) },
	"usnchanged":        func(_ *directory, e *entry) []string { return one(strconv.FormatUint(e.usn, 10)) },
	"instancetype":      func(*directory, *entry) []string { return one("4") },
	"objectsid": func(_ *directory, e *entry) []string {
		if e.rid == 0 {
			return nil
		}
		return one(sid(e.rid))
	},
	"objectcategory": func(d *directory, e *entry) []string {
		return one("CN=" + d.category(e) + ",CN=Schema,CN=Configuration," + d.suffix.String())
	},
	"samaccounttype": func(d *directory, e *entry) []string {
		switch {
		case d.isA(e, "computer"):
			return one("805306369")
		case d.isA(e, "user"):
			return one("805306368")
		case d.isA(e, "group"):
			return one("268435456")
		}
		return nil
	},
	"badpwdcount": func(d *directory, e *entry) []string {
		if !d.isA(e, "user") {
			return nil
		}
		return one(strconv.Itoa(e.failures))
	},
	"lockouttime": func(_ *directory, e *entry) []string {
		if e.lockedAt.IsZero() {
			return nil
		}
		return one(filetime(e.lockedAt))
	},
	"primarygrouptoken": func(d *directory, e *entry) []string {
		if !d.isA(e, "group") {
			return nil
		}
		return one(strconv.Itoa(int(e.rid)))
	},
	"msds-user-account-control-computed": func(d *directory, e *entry) []string {
		if !d.isA(e, "user") {
			return nil
		}
		n := 0
		if !e.lockedAt.IsZero() {
			n |= uacLockout
		}
		if d.number(e, "pwdlastset") == 0 && d.number(e, "useraccountcontrol")&uacNoExpire == 0 {
			n |= uacExpired
		}
		return one(strconv.Itoa(n))
	},
	"canonicalname": func(d *directory, e *entry) []string { return one(canonicalName(e.dn)) },
}

// category is the class that objectCategory names.
func (d *directory) category(e *entry) string {
	switch {
	case d.isA(e, "computer"):
		return "Computer"
	case d.isA(e, "person"):
		return "Person"
	}
	if c, _ := structural(d.classesOf(e)); c != nil {
		return strings.ToUpper(c.name[:1]) + c.name[1:]
	}
	return "Top"
}

// canonicalName is example.org/People/Jane Doe.
func canonicalName(name dn) string {
	var folders []string
	for _, r := range name.rdns {
		if r.avas[0].typ.key != "dc" {
			folders = append(folders, strings.ReplaceAll(r.avas[0].value, "/", `\/`))
		}
	}
	slices.Reverse(folders)
	return domainOf(name) + "/" + strings.Join(folders, "/")
}
