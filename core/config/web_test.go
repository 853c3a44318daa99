package config_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/config"
)

const webSection = `
secrets: [{name: sso, env: SSO}]
web:
  url: https://provhub.example.org/
  session: {idle: 10m, absolute: 8h}
  trusted_proxies: [10.0.0.7, "2001:db8::/48"]
  oidc:
    issuer: https://login.example.org
    client_id: hub
    client_secret: sso
    roles: [{claim: groups, value: ops, role: operator}]
`

func TestThePagesAreReadFromTheFile(t *testing.T) {
	cfg, faults := parse(t, minimal+webSection)
	require.Nil(t, faults)
	require.Equal(t, &config.Web{
		URL: "https://provhub.example.org", Idle: 10 * time.Minute, Absolute: 8 * time.Hour,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.7/32"), netip.MustParsePrefix("2001:db8::/48")},
		OIDC: &config.OIDC{
			Issuer: "https://login.example.org", ClientID: "hub", ClientSecret: "sso", Name: "single sign-on",
			Roles: []config.OIDCRole{{Claim: "groups", Value: "ops", Role: "operator"}},
		},
	}, cfg.Web)
	cfg, faults = parse(t, minimal)
	require.Nil(t, faults)
	require.Nil(t, cfg.Web, "no pages unless they are asked for")
}

func TestFaultsOfThePages(t *testing.T) {
	for section, want := range map[string]string{
		"web: {}":                                                            "web.url: is missing",
		"web: {url: provhub.example.org}":                                    "not a URL such as https://",
		"web: {url: 'http://provhub.example.org'}":                           "would send passwords in the clear",
		"web: {url: 'https://example.org/provhub'}":                          "more than scheme, host and port",
		"web: {url: 'http://127.0.0.1:8080', trusted_proxies: [proxy]}":      "neither an address nor a network",
		"web: {url: 'http://[::1]:8080', session: {idle: 2h, absolute: 1h}}": "longer than a session may last at all",
		"web: {url: 'http://localhost', oidc: {issuer: 'http://login.example.org', client_id: x, roles: [{claim: a, value: b, role: admin}]}}":                                      "would send passwords in the clear",
		"web: {url: 'http://localhost', oidc: {issuer: 'https://login.example.org', client_id: x, roles: []}}":                                                                      "web.oidc.roles",
		"web: {url: 'http://localhost', oidc: {issuer: 'https://login.example.org', client_id: x, roles: [{claim: a, value: b, role: root}]}}":                                      "web.oidc.roles[0].role",
		"web: {url: 'http://localhost', oidc: {issuer: 'https://login.example.org', client_id: x, client_secret: y, roles: [{claim: a, value: b, role: admin}]}}":                   "there is no secret",
		"web: {url: 'http://localhost', oidc: {issuer: 'https://login.example.org', client_id: x, scopes: [profile, email], roles: [{claim: a, value: b, role: admin}]}}":           `web.oidc.scopes: lacks an entry that it must have: "openid"`,
		"web: {url: 'http://localhost', oidc: {issuer: 'https://login.example.org', client_id: '', roles: [{claim: a, value: b, role: admin}]}}":                                    "web.oidc.client_id: must not be empty",
		"web: {url: 'http://localhost', oidc: {issuer: login.example.org, client_id: x, roles: [{claim: a, value: b, role: admin}]}}":                                               "is not a URL such as https://login.example.org/realms/staff",
		"web: {url: 'http://localhost', oidc: {issuer: 'https://login.example.org', client_id: x, roles: [{claim: a, value: b, role: admin}, {claim: a, value: b, role: viewer}]}}": "web.oidc.roles[1]: nobody gets this role",
	} {
		_, faults := parse(t, minimal+"\n"+section)
		require.Len(t, faults, 1, section)
		require.ErrorContains(t, faults, want, section)
	}
}
