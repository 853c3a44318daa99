package fakeldap

import (
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"
)

// directory is the tree of entries with its indexes. Everything below is done
// under mu: reads may share it, a change has it alone.
type directory struct {
	*schema
	mu       sync.RWMutex
	suffix   dn
	options  *Options
	entries  map[string]*entry // by the DN's key
	byID     map[[16]byte]*entry
	index    map[*attributeType]map[string][]*entry
	links    map[*attributeType]link
	virtual  map[*attributeType]computed
	seq      uint64
	usn      uint64 // counts changes, as Active Directory's update sequence number
	rid      uint32
	invoked  [16]byte // names the database, as Active Directory's invocationId
	clock    func() time.Time
	graves   []grave
	onWrite  map[int]func(change) // told of each change, under mu
	watchers int
}

// grave is what remains of a deleted entry.
type grave struct {
	usn uint64
	id  [16]byte
	dn  dn
	at  time.Time
}

// change is one committed change of an entry.
type change struct {
	usn     uint64
	entry   *entry
	born    bool
	deleted bool
	grave   *grave // with deleted
}

// indexed are the attributes that an equality filter finds without looking at
// every entry.
var indexed = []string{"uid", "cn", "sn", "mail", "displayName", "employeeNumber", "employeeID", "sAMAccountName", "userPrincipalName",
	"servicePrincipalName", "proxyAddresses", "member", "uniqueMember", "memberUid", "manager", "managedBy", "owner", "uidNumber", "gidNumber", "ou"}

func newDirectory(s *schema, o *Options) (*directory, error) {
	d := &directory{schema: s, options: o, entries: map[string]*entry{}, byID: map[[16]byte]*entry{}, index: map[*attributeType]map[string][]*entry{},
		rid: 1103, clock: o.Clock, onWrite: map[int]func(change){}}
	var err error
	if d.suffix, err = s.parseDN(o.BaseDN); err != nil || d.suffix.isRoot() {
		return nil, badOption("BaseDN", o.BaseDN, "it must be a DN such as dc=example,dc=org")
	}
	for _, name := range append(slices.Clone(indexed), o.Index...) {
		if t := s.types[strings.ToLower(name)]; t != nil {
			d.index[t] = map[string][]*entry{}
		}
	}
	d.links, d.virtual = linksOf(s), computedOf(s)
	return d, nil
}

// lookup returns the entry of a DN; nil: there is none.
func (d *directory) lookup(name dn) *entry { return d.entries[name.key()] }

// missing is the answer for an entry that does not exist. matched is the
// nearest ancestor that does.
func (d *directory) missing(name dn) error {
	r := refuse(noSuchObject, "").ad(winNoObject)
	for up := name; !up.isRoot(); up = up.parent() {
		if e := d.lookup(up); e != nil {
			r.matched = e.dn.String()
			break
		}
	}
	return r
}

// find returns the entry that a request names.
func (d *directory) find(v string) (*entry, error) {
	if id, ok := guidOf(v); ok && d.flavor == ActiveDirectory {
		if e := d.byID[id]; e != nil {
			return e, nil
		}
		return nil, refuse(noSuchObject, "").ad(winNoObject)
	}
	name, err := d.parseDN(v)
	if err != nil {
		return nil, err
	}
	if err := d.foreign(name); err != nil {
		return nil, err
	}
	e := d.lookup(name)
	if e == nil {
		return nil, d.missing(name)
	}
	return e, nil
}

// guidOf reads Active Directory's name by id: <GUID=…>, 32 hex digits as the
// bytes stand (MS-ADTS 3.1.1.3.1.2.4).
func guidOf(v string) (id [16]byte, ok bool) {
	hex, ok := strings.CutPrefix(strings.ToUpper(v), "<GUID=")
	if !ok {
		return id, false
	}
	return parseID(strings.TrimSuffix(hex, ">")), true
}

// seek is find for reads: the root DSE can be read, too, and slapd has no word
// on names outside.
func (d *directory) seek(v string) (*entry, error) {
	if v == "" {
		return d.rootDSE(), nil
	}
	e, err := d.find(v)
	return e, asRead(err)
}

// asRead is what slapd says of names outside the directory to those who read.
func asRead(err error) error {
	if r, ok := err.(*refusal); ok && r.code == unwillingToPerform {
		return refuse(noSuchObject, "")
	}
	return err
}

// foreign refuses names outside the directory: Active Directory with a referral
// to where they may be, slapd with the word that it knows of nobody else.
func (d *directory) foreign(name dn) error {
	switch {
	case name.within(d.suffix):
		return nil
	case d.flavor == ActiveDirectory:
		r := refuse(referralCode, "").ad(winReferral)
		host := domainOf(name)
		r.attr, r.referrals = host, []string{"ldap://" + host + "/" + name.String()}
		return r
	case d.flavor == OpenLDAP:
		return refuse(unwillingToPerform, "no global superior knowledge")
	}
	return nil
}

// values returns what an entry holds of a type, computed or stored.
func (d *directory) values(e *entry, t *attributeType) []string {
	if c, ok := d.virtual[t]; ok {
		return c(d, e)
	}
	return e.stored(t)
}

// insert puts an entry into the tree.
func (d *directory) insert(e *entry) {
	d.seq++
	e.seq = d.seq
	if e.id == ([16]byte{}) {
		_, _ = rand.Read(e.id[:]) // crypto/rand never fails (Go 1.24)
		e.id[6], e.id[8] = e.id[6]&0x0f|0x40, e.id[8]&0x3f|0x80
	}
	d.entries[e.dn.key()], d.byID[e.id] = e, e
	if e.parent = d.lookup(e.dn.parent()); e.parent != nil {
		e.parent.adopt(e)
	}
	for _, a := range e.attrs {
		for _, n := range a.norms {
			d.note(e, a.typ, n)
		}
	}
}

func (e *entry) adopt(child *entry) {
	if e.children == nil {
		e.children = map[*entry]struct{}{}
	}
	e.children[child] = struct{}{}
}

// remove takes an entry out of the tree.
func (d *directory) remove(e *entry) {
	delete(d.entries, e.dn.key())
	delete(d.byID, e.id)
	if e.parent != nil {
		delete(e.parent.children, e)
	}
	for _, a := range e.attrs {
		for _, n := range a.norms {
			d.forget(e, a.typ, n)
		}
	}
	e.gone = true
}

// below returns the entries of a scope in the order of their creation.
func (d *directory) below(base *entry, scope int64) []*entry {
	var out []*entry
	switch scope {
	case scopeBase:
		return []*entry{base}
	case scopeOne:
		for c := range base.children {
			out = append(out, c)
		}
	case scopeSub:
		out = base.subtree(nil)
	case scopeSubordinate:
		out = base.subtree(nil)[1:]
	}
	slices.SortFunc(out, bySeq)
	return out
}

func (e *entry) subtree(into []*entry) []*entry {
	into = append(into, e)
	for c := range e.children {
		into = c.subtree(into)
	}
	return into
}

func bySeq(a, b *entry) int {
	switch {
	case a.seq < b.seq:
		return -1
	case a.seq > b.seq:
		return 1
	}
	return 0
}
