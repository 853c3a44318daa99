package ldap

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// GUIDText returns the usual text of an objectGUID, as Windows shows it:
// "3f2504e0-4f89-11d3-9a0c-0305e82c3301". The first three groups are stored
// little-endian ([MS-DTYP] §2.3.4.2).
func GUIDText(b []byte) (string, error) {
	if len(b) != 16 {
		return "", fmt.Errorf("a GUID has 16 bytes, not %d", len(b))
	}
	g := swapGUID(b)
	return fmt.Sprintf("%x-%x-%x-%x-%x", g[:4], g[4:6], g[6:8], g[8:10], g[10:]), nil
}

// GUIDBytes is the reverse of [GUIDText]. Braces and upper case are accepted.
func GUIDBytes(text string) ([]byte, error) {
	digits := strings.ReplaceAll(strings.Trim(text, "{}"), "-", "")
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != 16 {
		return nil, fmt.Errorf("%q is not a GUID such as 3f2504e0-4f89-11d3-9a0c-0305e82c3301", text)
	}
	return swapGUID(b), nil
}

// swapGUID turns the byte order of the first three groups round.
func swapGUID(b []byte) []byte {
	return append([]byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]}, b[8:16]...)
}

// FormatTime returns the generalizedTime of t in UTC, to the second (RFC 4517
// §3.3.13): "20260331220000Z".
func FormatTime(t time.Time) string { return t.UTC().Format("20060102150405") + "Z" }

// ParseTime reads a generalizedTime. Fractions and time zones are accepted.
func ParseTime(s string) (time.Time, error) {
	t, err := ber.ParseGeneralizedTime([]byte(s))
	if err != nil {
		return time.Time{}, fmt.Errorf("a value is not a generalizedTime such as 20260331220000Z")
	}
	return t.UTC(), nil
}

// The two FILETIMEs that stand for "never" in accountExpires.
const (
	FileTimeNever    = "9223372036854775807"
	fileTimeNeverOld = "0"
)

// fileTimeEpoch is 1601-01-01 in Unix seconds.
const fileTimeEpoch = -11644473600

// FormatFileTime returns t as a FILETIME: units of 100 ns since 1601 in UTC. The
// zero time is never.
func FormatFileTime(t time.Time) string {
	if t.IsZero() {
		return FileTimeNever
	}
	return strconv.FormatInt((t.Unix()-fileTimeEpoch)*1e7+int64(t.Nanosecond()/100), 10)
}

// ParseFileTime reads a FILETIME; never is the zero time.
func ParseFileTime(s string) (time.Time, error) {
	if s == fileTimeNeverOld || s == FileTimeNever {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, fmt.Errorf("a value is not a FILETIME such as 133243920000000000")
	}
	return time.Unix(n/1e7+fileTimeEpoch, n%1e7*100).UTC(), nil
}

// FormatBool returns TRUE or FALSE (RFC 4517 §3.3.3).
func FormatBool(b bool) string { return strings.ToUpper(strconv.FormatBool(b)) }

// ParseBool reads TRUE or FALSE, in any case: some servers return what they were given.
func ParseBool(s string) (bool, error) {
	switch strings.ToUpper(s) {
	case "TRUE":
		return true, nil
	case "FALSE":
		return false, nil
	}
	return false, fmt.Errorf("a value is neither TRUE nor FALSE")
}
