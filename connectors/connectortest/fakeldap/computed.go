package fakeldap

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

// computed makes the values of an attribute that is not stored; none: the entry
// has no such attribute.
type computed func(d *directory, e *entry) []string

// identities find the one entry that an id, normalised, belongs to.
var identities = map[string]func(d *directory, norm string) *entry{
	"entryuuid":         func(d *directory, n string) *entry { return d.byID[parseID(n)] },
	"nsuniqueid":        func(d *directory, n string) *entry { return d.byID[parseID(n)] },
	"objectguid":        func(d *directory, n string) *entry { return d.byID[rawID(n)] },
	"entrydn":           func(d *directory, n string) *entry { return d.entries[n] },
	"distinguishedname": func(d *directory, n string) *entry { return d.entries[n] },
}

func parseID(s string) (id [16]byte) {
	if b, err := hex.DecodeString(strings.ReplaceAll(s, "-", "")); err == nil {
		return rawID(string(b))
	}
	return id
}

// rawID returns the zero id, which no entry has, unless b has 16 bytes.
func rawID(b string) (id [16]byte) {
	if len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}

// computedOf returns those of the flavor's schema.
func computedOf(s *schema) map[*attributeType]computed {
	all := map[string]computed{
		"entrydn":           func(_ *directory, e *entry) []string { return one(e.dn.String()) },
		"entryuuid":         func(_ *directory, e *entry) []string { return one(uuidText(e.id)) },
		"entrycsn":          func(_ *directory, e *entry) []string { return one(csn(e.modified, e.usn)) },
		"createtimestamp":   func(d *directory, e *entry) []string { return one(d.stamp(e.created)) },
		"modifytimestamp":   func(d *directory, e *entry) []string { return one(d.stamp(e.modified)) },
		"creatorsname":      func(_ *directory, e *entry) []string { return one(e.creator) },
		"modifiersname":     func(_ *directory, e *entry) []string { return one(e.modifier) },
		"hassubordinates":   func(_ *directory, e *entry) []string { return one(boolText(len(e.children) > 0)) },
		"numsubordinates":   func(_ *directory, e *entry) []string { return one(strconv.Itoa(len(e.children))) },
		"subschemasubentry": func(d *directory, _ *entry) []string { return one(d.subschemaDN()) },
		"nsuniqueid":        func(_ *directory, e *entry) []string { return one(nsUniqueID(e.id)) },
		"structuralobjectclass": func(d *directory, e *entry) []string {
			if c, _ := structural(d.classesOf(e)); c != nil {
				return one(c.name)
			}
			return nil
		},
	}
	if s.flavor == ActiveDirectory {
		maps.Copy(all, adComputed)
	} else {
		all["userpassword"] = func(_ *directory, e *entry) []string { return one(e.secret.String()) }
	}
	for _, back := range []string{"memberof", "directreports", "managedobjects"} {
		if t := s.types[back]; t != nil {
			all[back] = func(d *directory, e *entry) []string { return d.backLinks(e, t) }
		}
	}
	out := map[*attributeType]computed{}
	for name, c := range all {
		if t := s.types[name]; t != nil {
			out[t] = c
		}
	}
	return out
}

func one(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

func boolText(b bool) string { return strings.ToUpper(strconv.FormatBool(b)) }

func uuidText(id [16]byte) string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// nsUniqueID is 389-ds's spelling: four groups of eight.
func nsUniqueID(id [16]byte) string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:16] + "-" + h[16:24] + "-" + h[24:]
}

// csn is a change sequence number: time, counter within it, server, modification.
func csn(at time.Time, n uint64) string {
	return fmt.Sprintf("%s#%06x#000#000000", at.UTC().Format(csnLayout), n&0xffffff)
}

func (d *directory) stamp(at time.Time) string {
	if d.flavor == ActiveDirectory {
		return at.UTC().Format(timeLayoutAD)
	}
	return at.UTC().Format(timeLayout)
}

// sid is the binary form of S-1-5-21-1-2-3-RID (MS-DTYP 2.4.2.2).
func sid(rid uint32) string {
	b := []byte{1, 5, 0, 0, 0, 0, 0, 5}
	for _, part := range []uint32{21, 1004336348, 1177238915, 682003330, rid} {
		b = binary.LittleEndian.AppendUint32(b, part)
	}
	return string(b)
}
