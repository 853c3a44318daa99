package ldap

import "errors"

// rawEntry is an entry as it came; all text shares the memory of one message.
type rawEntry struct {
	dn         string
	attributes []Attribute
	controls   string // as they came
}

// The tags of the messages that are read here (RFC 4511 appendix B).
const (
	tagBoolean      = 0x01
	tagInteger      = 0x02
	tagText         = 0x04
	tagEnumerated   = 0x0a
	tagSequence     = 0x30
	tagSet          = 0x31
	tagEntry        = 0x64 // SearchResultEntry
	tagAdded        = 0x69 // AddResponse
	tagIntermediate = 0x79 // IntermediateResponse
	tagControls     = 0xa0
)

var (
	errNoEntry = errors.New("the server sends an entry that cannot be read")
	errNoInfo  = errors.New("the server sends an intermediate message that cannot be read")
)

// operationOf returns the tag of a message's operation, 0 when it has none.
func operationOf(message []byte) byte {
	s := string(message[:min(len(message), 32)]) // the header, the id and a tag
	at, _, ok := header(s, tagSequence)
	if !ok {
		return 0
	}
	at2, n, ok := header(s[at:], tagInteger)
	if at += at2 + n; !ok || at >= len(s) {
		return 0
	}
	return s[at]
}

// header reads a tag and a length; at is where the content begins.
func header(s string, tag byte) (at, n int, ok bool) {
	if len(s) < 2 || s[0] != tag {
		return 0, 0, false
	}
	if n = int(s[1]); n < 0x80 {
		return 2, n, true
	}
	more := n & 0x7f
	if more == 0 || more > 4 || len(s) < 2+more {
		return 0, 0, false
	}
	n = 0
	for i := range more {
		n = n<<8 | int(s[2+i])
	}
	return 2 + more, n, true
}

// element splits s into the content of its first element and what follows.
func element(s string, tag byte) (content, rest string, ok bool) {
	at, n, ok := header(s, tag)
	if !ok || n > len(s)-at {
		return "", "", false
	}
	return s[at : at+n], s[at+n:], true
}

// openMessage splits a message into its operation, of that tag, and its controls.
func openMessage(message string, tag byte) (operation, controls string, ok bool) {
	body, _, ok := element(message, tagSequence)
	if ok {
		_, body, ok = element(body, tagInteger)
	}
	if ok {
		operation, body, ok = element(body, tag)
	}
	if ok && body != "" {
		controls, _, ok = element(body, tagControls)
	}
	return operation, controls, ok
}

// readEntry reads a SearchResultEntry.
func readEntry(message string) (rawEntry, error) {
	body, controls, ok := openMessage(message, tagEntry)
	if !ok {
		return rawEntry{}, errNoEntry
	}
	e, err := readEntryBody(body)
	e.controls = controls
	return e, err
}

// readEntryBody reads name and attributes.
func readEntryBody(body string) (e rawEntry, err error) {
	var ok bool
	e.dn, body, ok = element(body, tagText)
	if ok {
		body, _, ok = element(body, tagSequence)
	}
	for ok && body != "" {
		var a string
		if a, body, ok = element(body, tagSequence); !ok {
			break
		}
		var attribute Attribute
		if attribute, ok = readAttribute(a); ok {
			e.attributes = append(e.attributes, attribute)
		}
	}
	if !ok {
		return e, errNoEntry
	}
	return e, nil
}

// controlValue returns the value of a control of those that came; ok is false when
// there is no such control, or none that can be read.
func controlValue(controls, oid string) (value string, ok bool) {
	for controls != "" {
		var c, id string
		if c, controls, ok = element(controls, tagSequence); !ok {
			return "", false
		}
		if id, c, ok = element(c, tagText); !ok {
			return "", false
		}
		if id != oid {
			continue
		}
		if _, rest, ok := element(c, tagBoolean); ok {
			c = rest
		}
		value, _, ok = element(c, tagText)
		return value, ok
	}
	return "", false
}

// readAttribute reads a PartialAttribute.
func readAttribute(s string) (a Attribute, ok bool) {
	if a.Name, s, ok = element(s, tagText); !ok {
		return a, false
	}
	if s, _, ok = element(s, tagSet); !ok {
		return a, false
	}
	for s != "" {
		var v string
		if v, s, ok = element(s, tagText); !ok {
			return a, false
		}
		a.Values = append(a.Values, v)
	}
	return a, true
}
