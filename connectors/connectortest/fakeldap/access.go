package fakeldap

import (
	"strconv"
)

// mayChange refuses changes to what is protected: what the options name, and in
// Active Directory the accounts whose rights AdminSDHolder keeps (adminCount=1,
// QUIRKS LDAP-48).
func (t *tx) mayChange(who identity, e *entry) error {
	if !who.admin {
		return refuse(insufficientAccessRights, "no write access to entry").ad(winNoRights)
	}
	for _, p := range t.options.Protected {
		if name, err := t.parseDN(p); err == nil && e.dn.within(name) {
			return refuse(insufficientAccessRights, "no write access to entry").ad(winNoRights)
		}
	}
	if n, _ := strconv.Atoi(first(t.text(e, "admincount"))); n > 0 && t.flavor == ActiveDirectory {
		return refuse(insufficientAccessRights, "").ad(winNoRights)
	}
	return nil
}

// mayAddBelow refuses new entries in protected places.
func (t *tx) mayAddBelow(who identity, parent *entry) error {
	for _, p := range t.options.Protected {
		if name, err := t.parseDN(p); err == nil && parent.dn.within(name) {
			return refuse(insufficientAccessRights, "no write access to parent").ad(winNoRights)
		}
	}
	if !who.admin {
		return refuse(insufficientAccessRights, "no write access to parent").ad(winNoRights)
	}
	return nil
}
