package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Web are the pages for people.
type Web struct {
	// URL is where browsers reach the pages, without a path: "https://provhub.example.org".
	URL string
	// Idle and Absolute end a session that is not used, and any session; 0: the defaults.
	Idle, Absolute time.Duration
	// TrustedProxies are believed when they say whom they ask for.
	TrustedProxies []netip.Prefix
	// OIDC lets people sign in at an OpenID provider; nil: with passwords only.
	OIDC *OIDC
}

// OIDC is an OpenID provider.
type OIDC struct {
	Issuer, ClientID string
	// ClientSecret is a name in Config.Secrets; "": a public client.
	ClientSecret string
	// Name is what people call it.
	Name   string
	CAFile string
	Scopes []string
	Roles  []OIDCRole
}

// OIDCRole gives a role to everybody with this value in a claim.
type OIDCRole struct{ Claim, Value, Role string }

type rawWeb struct {
	URL     text `yaml:"url"`
	Session struct {
		Idle     text `yaml:"idle"`
		Absolute text `yaml:"absolute"`
	} `yaml:"session"`
	TrustedProxies []text   `yaml:"trusted_proxies"`
	OIDC           *rawOIDC `yaml:"oidc"`
}

type rawOIDC struct {
	Issuer       text     `yaml:"issuer"`
	ClientID     string   `yaml:"client_id"`
	ClientSecret text     `yaml:"client_secret"`
	Name         string   `yaml:"name"`
	CAFile       string   `yaml:"tls_ca_file"`
	Scopes       []string `yaml:"scopes"`
	Roles        []struct {
		Claim text   `yaml:"claim"`
		Value string `yaml:"value"`
		Role  string `yaml:"role"`
	} `yaml:"roles"`
}

// web reads the section about the pages; nil: there are none.
func (b *builder) web(cfg *Config, r *rawWeb) *Web {
	if r == nil {
		return nil
	}
	w := &Web{
		URL: b.origin(r.URL, "web.url"), TrustedProxies: b.prefixes(r.TrustedProxies, "web.trusted_proxies"),
		Idle: b.duration(r.Session.Idle, "web.session.idle"), Absolute: b.duration(r.Session.Absolute, "web.session.absolute"),
	}
	if w.Idle > 0 && w.Absolute > 0 && w.Idle > w.Absolute {
		b.add(r.Session.Idle.line, "web.session.idle", "%s is longer than a session may last at all, %s", r.Session.Idle.value, r.Session.Absolute.value)
	}
	if r.OIDC != nil {
		w.OIDC = b.oidc(cfg, r.OIDC)
	}
	return w
}

func (b *builder) oidc(cfg *Config, r *rawOIDC) *OIDC {
	b.secure(r.Issuer, "web.oidc.issuer", "https://login.example.org/realms/staff")
	var secrets []string
	for _, s := range cfg.Secrets {
		secrets = append(secrets, s.Name)
	}
	b.known(r.ClientSecret, "web.oidc.client_secret", "secret", secrets)
	o := &OIDC{
		Issuer: r.Issuer.value, ClientID: r.ClientID, ClientSecret: r.ClientSecret.value, Name: r.Name,
		CAFile: b.path(r.CAFile), Scopes: r.Scopes,
	}
	if o.Name == "" {
		o.Name = "single sign-on"
	}
	first := map[[2]string]int{}
	for i, role := range r.Roles {
		fits := [2]string{role.Claim.value, role.Value}
		if line, ok := first[fits]; ok {
			b.add(role.Claim.line, fmt.Sprintf("web.oidc.roles[%d]", i), "nobody gets this role: %s %q has one in line %d already, and the first that fits counts", role.Claim.value, role.Value, line)
		} else {
			first[fits] = role.Claim.line
		}
		o.Roles = append(o.Roles, OIDCRole{role.Claim.value, role.Value, role.Role})
	}
	return o
}

// origin reads a URL that names a scheme, a host and no more.
func (b *builder) origin(t text, path string) string {
	u := b.secure(t, path, "https://provhub.example.org")
	if u == nil {
		return ""
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		b.add(t.line, path, "%q has more than scheme, host and port: the pages are at the root of a name of their own", t.value)
	}
	return u.Scheme + "://" + u.Host
}

// secure reads a URL that passwords and codes go to, such as example: https, or http on
// this machine. nil when it is none.
func (b *builder) secure(t text, path, example string) *url.URL {
	if t.value == "" {
		return nil // the schema says so
	}
	u, err := url.Parse(t.value)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		b.add(t.line, path, "%q is not a URL such as %s", t.value, example)
		return nil
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		b.add(t.line, path, "%q would send passwords in the clear: use https; http is for 127.0.0.1, [::1] and localhost", t.value)
	}
	return u
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// prefixes reads addresses and networks: 10.0.0.7, 10.0.0.0/8.
func (b *builder) prefixes(list []text, path string) []netip.Prefix {
	var out []netip.Prefix
	for i, t := range list {
		p, err := netip.ParsePrefix(t.value)
		if err != nil {
			var ip netip.Addr
			ip, err = netip.ParseAddr(t.value)
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		if err != nil {
			b.add(t.line, fmt.Sprintf("%s[%d]", path, i), "%q is neither an address nor a network such as 10.0.0.0/8", t.value)
			continue
		}
		out = append(out, p.Masked())
	}
	return out
}
