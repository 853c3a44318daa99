package fakeldap

import (
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// The scopes of a search (RFC 4511 §4.5.1.2; subordinate: draft-sermersheim).
const (
	scopeBase int64 = iota
	scopeOne
	scopeSub
	scopeSubordinate
)

func scopeName(scope int64) string {
	switch scope {
	case scopeBase:
		return "base"
	case scopeOne:
		return "one"
	case scopeSub:
		return "sub"
	}
	return "subordinate"
}

// searchRequest is a SearchRequest (RFC 4511 §4.5.1).
type searchRequest struct {
	base      string
	scope     int64
	sizeLimit int
	timeLimit time.Duration
	typesOnly bool
	filter    filter
	attrs     []string
}

func (s *schema) parseSearch(p *ber.Packet) (searchRequest, error) {
	var r searchRequest
	parts, err := children(p, 8)
	if err != nil {
		return r, err
	}
	var numbers [4]int64 // scope, deref, size, time
	for i := range numbers {
		if numbers[i], err = integer(parts[1+i]); err != nil {
			return r, refuse(protocolError, "bad search request")
		}
	}
	r.base, r.scope = text(parts[0]), numbers[0]
	if r.scope < scopeBase || r.scope > scopeSubordinate {
		return r, refuse(protocolError, "invalid scope")
	}
	r.sizeLimit, r.timeLimit = int(numbers[2]), time.Duration(numbers[3])*time.Second
	r.typesOnly = parts[5].Data.Len() == 1 && parts[5].Data.Bytes()[0] != 0
	for _, a := range parts[7].Children {
		r.attrs = append(r.attrs, text(a))
	}
	r.filter, err = s.parseFilter(parts[6], 0)
	return r, err
}
