package ldap

import (
	"context"
	"slices"
	"strings"
)

// RootDSE is what a server says of itself (RFC 4512 §5.1).
type RootDSE struct {
	Product        string // "Active Directory", vendor and version, "" when it does not tell
	NamingContexts []string
	Controls       []string // OIDs
	Extensions     []string // OIDs
	Mechanisms     []string // SASL
	Subschema      string   // DN of the entry with the schema
	entry          Entry
}

// Supports reports whether the server announces a control or an extended
// operation. Many do more than they announce.
func (r RootDSE) Supports(oid string) bool {
	return slices.Contains(r.Controls, oid) || slices.Contains(r.Extensions, oid)
}

// First returns the first value of any other attribute of the root DSE.
func (r RootDSE) First(attribute string) string { return r.entry.First(attribute) }

// ContextOf returns the naming context that an entry belongs to.
func (r RootDSE) ContextOf(dn DN) (nc DN, ok bool) {
	for _, text := range r.NamingContexts {
		if c, err := ParseDN(text); err == nil && dn.Within(c) && (!ok || c.Within(nc)) {
			nc, ok = c, true
		}
	}
	return nc, ok
}

// rootAttributes are asked for by name, being operational.
var rootAttributes = []string{"*", "namingContexts", "supportedControl", "supportedExtension", "supportedSASLMechanisms", "subschemaSubentry",
	"vendorName", "vendorVersion", "supportedCapabilities", "structuralObjectClass", "defaultNamingContext", "dnsHostName", "dsServiceName", "highestCommittedUSN"}

// RootDSE reads what the server says of itself.
func (c *Client) RootDSE(ctx context.Context) (RootDSE, error) {
	e, err := c.Read(ctx, DN{}, rootAttributes...)
	if err != nil {
		return RootDSE{}, err
	}
	return RootDSE{
		Product: product(e), NamingContexts: e.Get("namingContexts"), Controls: e.Get("supportedControl"), Extensions: e.Get("supportedExtension"),
		Mechanisms: e.Get("supportedSASLMechanisms"), Subschema: e.First("subschemaSubentry"), entry: e,
	}, nil
}

// oidActiveDirectory is announced by every domain controller ([MS-ADTS] §3.1.1.3.4.3.1).
const oidActiveDirectory = "1.2.840.113556.1.4.800"

func product(e Entry) string {
	switch {
	case slices.Contains(e.Get("supportedCapabilities"), oidActiveDirectory):
		return strings.TrimSpace("Active Directory " + e.First("dnsHostName"))
	case e.Has("structuralObjectClass", "OpenLDAProotDSE"):
		return "OpenLDAP"
	}
	return strings.TrimSpace(e.First("vendorName") + " " + e.First("vendorVersion"))
}
