package signin

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/provhub/provhub/core/store"
)

// An account and an address have so many tries that cost nothing but time; each
// further one doubles how long the next has to wait. A stranger can make the owner of
// an account wait so long, not longer; many people share an address.
const (
	freeTriesAccount = 5
	freeTriesAddress = 30
	firstWait        = 2 * time.Second
	longestWait      = 5 * time.Minute
	// forgottenAfter: tries so long ago do not count any more.
	forgottenAfter = time.Hour
)

// waitAfter returns how long somebody with these tries has still to wait at now.
func waitAfter(t store.Tries, free int, now time.Time) time.Duration {
	over := t.Failures - free
	since := now.Sub(t.LastAt)
	if over < 0 || since > forgottenAfter {
		return 0
	}
	wait := longestWait
	if over < 8 { // 2 s · 2⁸ is beyond the longest
		wait = min(firstWait<<over, longestWait)
	}
	return max(wait-since, 0)
}

// subjects name what tries are counted for, without saying it: people type passwords
// into the wrong field.
func subjects(name, address string) (account, from string) {
	return "account " + digest(name), "address " + digest(network(address))
}

// network is the part of an address that one customer of a provider has: an IPv6
// address stands for its /64 (RFC 6177).
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is6() {
		return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
	}
	return ip.String()
}

// digest is the SHA-256 of text in hex.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
