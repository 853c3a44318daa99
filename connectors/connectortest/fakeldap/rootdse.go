package fakeldap

import (
	"slices"
	"strconv"
	"strings"
)

// subschemaDN is where the schema is published.
func (d *directory) subschemaDN() string {
	switch d.flavor {
	case ActiveDirectory:
		return "CN=Aggregate,CN=Schema,CN=Configuration," + d.suffix.String()
	case DS389:
		return "cn=schema"
	}
	return "cn=Subschema"
}

// searchSpecial answers searches for what is not in the tree: the root DSE and
// the subschema. done tells that it did.
func (c *conn) searchSpecial(m message, r searchRequest) (done bool, err error) {
	if r.scope != scopeBase {
		return false, nil
	}
	d := c.dir
	d.mu.RLock()
	defer d.mu.RUnlock()
	var e *entry
	switch {
	case r.base == "":
		e = d.rootDSE()
	case d.dnKey(r.base) == d.dnKey(d.subschemaDN()):
		e = d.subschema()
	case d.flavor == ActiveDirectory && d.dnKey(r.base) == d.dnKey(d.serviceDN()):
		e = d.pseudoEntry(dn{}, map[string][]string{"objectClass": {"top"}, "invocationId": {string(d.invoked[:])}})
	default:
		return false, nil
	}
	matched := r.filter.match(d, e)
	if r.base == "" && matched != isTrue {
		// Active Directory's root DSE shows no objectClass, and is found by (objectClass=*) all the same.
		matched = r.filter.match(d, d.pseudoEntry(dn{}, map[string][]string{"objectClass": {"top"}}))
	}
	if matched == isTrue {
		c.send(envelope(m.id, entryPacket(e.dn.String(), d.show(e, d.selectAttrs(r.attrs, r.typesOnly))), nil))
	}
	return true, nil
}

// pseudoEntry makes an entry of attributes that the schema knows.
func (d *directory) pseudoEntry(name dn, attrs map[string][]string) *entry {
	e := &entry{dn: name}
	for n, values := range attrs {
		t := d.types[strings.ToLower(n)]
		if t == nil || len(values) == 0 {
			continue
		}
		a := &attribute{description: description{typ: t}}
		for _, v := range values {
			a.put(v, canonical(t, v))
		}
		e.attrs = append(e.attrs, a)
	}
	slices.SortFunc(e.attrs, func(a, b *attribute) int { return strings.Compare(a.typ.key, b.typ.key) })
	return e
}

// rootDSE is the entry without a name (RFC 4512 §5.1).
func (d *directory) rootDSE() *entry {
	base := d.suffix.String()
	attrs := map[string][]string{
		"objectClass": {"top"}, "namingContexts": {base}, "subschemaSubentry": {d.subschemaDN()}, "supportedLDAPVersion": {"3"},
		"supportedControl": controlsOf[d.flavor], "supportedExtension": {oidStartTLS, oidWhoAmI, oidPasswordModify},
		"supportedFeatures": {oidIncrement, oidAllOperational, oidTrueFalseFilters}, "supportedSASLMechanisms": {"EXTERNAL"},
	}
	switch d.flavor {
	case OpenLDAP:
		attrs["objectClass"] = []string{"top", "OpenLDAProotDSE"}
		attrs["structuralObjectClass"] = []string{"OpenLDAProotDSE"}
		attrs["configContext"] = []string{"cn=config"}
	case DS389:
		attrs["vendorName"], attrs["vendorVersion"] = []string{"389 Project"}, []string{"389-Directory/2.4.5 B2024.198.0000"}
	case ActiveDirectory:
		d.domainController(attrs)
	}
	return d.pseudoEntry(dn{}, attrs)
}

// domainController adds what a domain controller tells of itself (MS-ADTS 3.1.1.3.2).
func (d *directory) domainController(attrs map[string][]string) {
	base, domain := d.suffix.String(), domainOf(d.suffix)
	config := "CN=Configuration," + base
	attrs["namingContexts"] = []string{base, config, "CN=Schema," + config}
	attrs["defaultNamingContext"], attrs["rootDomainNamingContext"] = []string{base}, []string{base}
	attrs["configurationNamingContext"], attrs["schemaNamingContext"] = []string{config}, []string{"CN=Schema," + config}
	attrs["supportedCapabilities"] = []string{oidADv1, oidADv2, "1.2.840.113556.1.4.1791", "1.2.840.113556.1.4.1935", "1.2.840.113556.1.4.2080"}
	attrs["supportedExtension"] = []string{oidStartTLS, oidWhoAmI}
	attrs["supportedLDAPVersion"] = []string{"3", "2"}
	attrs["supportedLDAPPolicies"] = []string{"MaxPageSize", "MaxValRange", "MaxQueryDuration", "MaxResultSetSize"}
	delete(attrs, "supportedFeatures")
	delete(attrs, "objectClass")
	host := "dc1." + domain
	attrs["dnsHostName"] = []string{host}
	attrs["serverName"] = []string{d.serverDN()}
	attrs["dsServiceName"] = []string{d.serviceDN()}
	attrs["ldapServiceName"] = []string{domain + ":dc1$@" + strings.ToUpper(domain)}
	attrs["highestCommittedUSN"] = []string{strconv.FormatUint(d.usn, 10)}
	attrs["currentTime"] = []string{d.stamp(d.clock())}
	for _, level := range []string{"domainFunctionality", "forestFunctionality", "domainControllerFunctionality"} {
		attrs[level] = []string{"7"}
	}
	attrs["isSynchronized"], attrs["isGlobalCatalogReady"] = []string{"TRUE"}, []string{"TRUE"}
}

// serverDN and serviceDN are where a domain controller is described.
func (d *directory) serverDN() string {
	return "CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration," + d.suffix.String()
}

func (d *directory) serviceDN() string { return "CN=NTDS Settings," + d.serverDN() }

// subschema publishes the definitions (RFC 4512 §4.2).
func (d *directory) subschema() *entry {
	attrs := map[string][]string{"objectClass": {"top", "subschema"}, "cn": {"Subschema"}}
	for _, t := range d.inOrder.types {
		attrs["attributeTypes"] = append(attrs["attributeTypes"], d.published(t.definition))
	}
	for _, c := range d.inOrder.classes {
		attrs["objectClasses"] = append(attrs["objectClasses"], d.published(c.definition))
	}
	name, err := d.parseDN(d.subschemaDN())
	if err != nil {
		name = dn{}
	}
	return d.pseudoEntry(name, attrs)
}
