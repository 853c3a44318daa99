package fakescim

import (
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// rules say how one request is treated: the dialect, and what faults make of it.
type rules struct {
	scim.Profile
	forced map[string]bool // keys that a fault has set
	twists
}

// twists are what only faults do.
type twists struct {
	repeat      int           // resources of the page before that a page begins with
	totalBy     int           // added to totalResults
	endsAfter   int           // resources after which a listing ends; 0: none
	forceCursor bool          // listings go on by cursor, unasked
	wipes       bool          // PUT keeps nothing
	emptyPages  bool          // every other page of a cursor listing is empty
	expired     bool          // a cursor has expired once it is used
	blind       time.Duration // how long what was made is not found
	memberMax   int           // most members one request may change; 0: any
	badMember   int           // status that a bad member is answered with; 0: the dialect's
	flipPrimary bool          // the last value becomes the primary one
	lowerNames  bool          // "resources" in place of "Resources"
	lies        bool          // the service provider config says the opposite
	noDiscovery bool          // the service provider config is not found
	noID        bool          // a create is answered without the id
}

func rulesOf(p *scim.Profile) rules { return rules{Profile: *p} }

// declared reports whether the dialect itself says something about key: only
// then does it restrict what the RFCs allow.
func (r *rules) declared(key string) bool {
	return r.forced[key] || r.Origin(key).Kind != scim.OriginDefault
}

// force marks key as the dialect's own.
func (r *rules) force(key string) {
	if r.forced == nil {
		r.forced = map[string]bool{}
	}
	r.forced[key] = true
}

// reader reads values as the dialect has them.
func (r *rules) reader() schema.Reader {
	return schema.Reader{TextBooleans: r.BoolStyle != scim.BoolJSON, EmptyClears: r.ClearStyle == scim.ClearEmptyString}
}

// typeOf names a resource type as profiles do.
func typeOf(t *schema.Type) scim.ResourceType {
	if t.Name == "Group" {
		return scim.Groups
	}
	return scim.Users
}

// path returns where the resources of a type are.
func (r *rules) path(t *schema.Type) string {
	if t.Name == "Group" {
		return r.GroupsPath
	}
	return r.UsersPath
}
