package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/identity"
)

// FindIdentities finds identities for a person who types text: the one with
// exactly this anchor, else those with an attribute that is text, else those with
// an attribute that contains it; upper and lower case are the same. limit 0: 100.
func (o *Org) FindIdentities(ctx context.Context, text string, n int) ([]identity.Identity, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	// With the sources and kinds there are, it looks where they would be, among a million.
	found, err := o.identities(ctx, `SELECT `+identityColumns+` FROM identity i WHERE i.org_id = ? AND i.anchor = ?
		AND i.source IN (SELECT s.source FROM source_state s WHERE s.org_id = ?) AND i.kind IN ('`+string(identity.Person)+`', '`+string(identity.Group)+`')
		ORDER BY i.source, i.kind LIMIT ?`, o.id, text, o.id, limit(n))
	if err != nil || len(found) > 0 {
		return found, o.s.fail("find identities", err)
	}
	found, err = o.findByValue(ctx, text, limit(n))
	return found, o.s.fail("find identities", err)
}

// findByValue walks all identities: it is for people, who wait a second or two
// at a million. Those with the whole value go before those that contain it.
func (o *Org) findByValue(ctx context.Context, text string, n int) ([]identity.Identity, error) {
	filter, args := likeFilter(text)
	var whole, part []identity.Identity
	var last identity.Key
	for len(whole) < n {
		q := append(append([]any{o.id}, args...), last.Source, string(last.Kind), last.Anchor, pageRows)
		page, err := o.identities(ctx, `SELECT `+identityColumns+` FROM identity i WHERE i.org_id = ?`+filter+`
			AND (i.source, i.kind, i.anchor) > (?, ?, ?) ORDER BY i.source, i.kind, i.anchor LIMIT ?`, q...)
		if err != nil {
			return nil, err
		}
		for _, i := range page {
			switch matches(i.Attributes, text) {
			case 2:
				whole = append(whole, i)
			case 1:
				if len(part) < n {
					part = append(part, i)
				}
			}
		}
		if len(page) < pageRows {
			break
		}
		last = page[len(page)-1].Key
	}
	if len(whole) == 0 {
		whole = part
	}
	return whole[:min(len(whole), n)], nil
}

// likeFilter lets the database leave out most rows. Databases fold the case of
// ASCII only in the same way, so other text is compared here, row by row.
func likeFilter(text string) (filter string, args []any) {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return "", nil
		}
	}
	quoted, err := json.Marshal(strings.ToLower(text))
	if err != nil || strings.Contains(string(quoted), `\`) {
		return "", nil
	}
	pattern := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(text))
	return ` AND LOWER(i.attributes) LIKE ? ESCAPE '!'`, []any{"%" + pattern + "%"}
}

// matches returns 2 when a value is text, 1 when one contains it, 0 otherwise.
func matches(a identity.Attributes, text string) int {
	best := 0
	lower := strings.ToLower(text)
	for _, v := range a {
		for _, s := range valueTexts(v) {
			switch {
			case strings.EqualFold(s, text):
				return 2
			case strings.Contains(strings.ToLower(s), lower):
				best = 1
			}
		}
	}
	return best
}

func valueTexts(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []string:
		return slices.Clone(x)
	case int64, float64:
		b, err := appendAttribute(nil, x)
		if err == nil {
			return []string{string(b)}
		}
	}
	return nil
}
