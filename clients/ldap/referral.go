package ldap

import (
	"net/url"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// referrals returns the URLs of a referral (RFC 4511 §4.1.10).
func referrals(a *goldap.Error) []string {
	if a.Packet == nil || len(a.Packet.Children) < 2 {
		return nil
	}
	var out []string
	for _, child := range a.Packet.Children[1].Children {
		if child.Tag == 3 && len(child.Children) > 0 {
			for _, u := range child.Children {
				if s, ok := u.Value.(string); ok {
					out = append(out, s)
				} else {
					out = append(out, u.Data.String())
				}
			}
		}
	}
	return out
}

// referralHosts names the servers that a referral leads to, and nothing else of
// it: the rest can hold names of people. They are not followed, which would
// show the credentials to another host.
func referralHosts(words string, urls []string) string {
	var hosts []string
	for _, u := range append(urls, strings.Fields(words)...) {
		if p, err := url.Parse(u); err == nil && strings.HasPrefix(p.Scheme, "ldap") && p.Host != "" {
			hosts = append(hosts, p.Host)
		}
	}
	if len(hosts) == 0 {
		return "; referrals are not followed: name that server in urls"
	}
	return ", " + strings.Join(hosts, " or ") + "; referrals are not followed: name it in urls if it is to be written to"
}
