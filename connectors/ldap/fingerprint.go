package ldap

import (
	"context"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

var _ connector.Fingerprinter = (*Target)(nil)

// Fingerprint implements [connector.Fingerprinter]: the naming context that holds the
// accounts, and the id of its entry, which replicas share and another directory of
// the same suffix does not. A login that may not read the entry is no fault: then the
// directory cannot tell.
func (t *Target) Fingerprint(ctx context.Context) (string, error) {
	s, m, release, err := t.work(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	suffix, ok := m.suffix()
	if !ok {
		return "", nil
	}
	anchor := m.dir.Anchor
	e, err := s.Read(ctx, suffix, anchor.Attribute)
	if err != nil {
		t.log.DebugContext(ctx, "the directory does not say which it is", "error", err)
		return "", nil
	}
	id := e.First(anchor.Attribute)
	if anchor.Form == "guid" && id != "" {
		if id, err = ldap.GUIDText([]byte(id)); err != nil {
			return "", connector.Errorf(connector.CodeInternal, "the id of %s: %w", suffix, err)
		}
	}
	if id == "" {
		return "", nil
	}
	return suffix.String() + ", " + id, nil
}

// suffix is the naming context that holds the accounts, the longest of several.
func (m *model) suffix() (suffix ldap.DN, ok bool) {
	for _, text := range m.root.NamingContexts {
		dn, err := ldap.ParseDN(text)
		if err == nil && m.users.base.Within(dn) && (!ok || dn.Within(suffix)) {
			suffix, ok = dn, true
		}
	}
	return suffix, ok
}
