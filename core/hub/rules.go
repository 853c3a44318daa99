package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
)

// compile compiles the rules of a connector against the fields of its source.
// All faults are reported together.
func compile(c *config.Connector, s *config.Source, f fields) (map[identity.Kind]*mapping.Program, error) {
	programs := map[identity.Kind]*mapping.Program{}
	var errs []error
	for _, r := range c.Rules {
		p, err := mapping.Compile(f.of(r.Kind), s.Reference != "" && r.Kind == identity.Person, r)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		programs[r.Kind] = p
	}
	return programs, errors.Join(errs...)
}

// rulesHash names what decides what accounts of a connector should hold, whatever the
// source of their people. The
// place of a rule in the file is no part of it: a comment above it changes nothing.
func rulesHash(c *config.Connector) string {
	rules := make([]mapping.Rules, len(c.Rules))
	for i, r := range c.Rules {
		rules[i] = withoutPlaces(r)
	}
	return hashOf(struct {
		Version int // of the functions that rules call
		Plugin  string
		Config  json.RawMessage
		Rules   []mapping.Rules
		Policy  plan.Policy
		Groups  plan.Policy
	}{mapping.Version, c.Plugin, c.Config, rules, c.Policy, c.GroupPolicy})
}

// restricted marks a rule hash with the kinds that one run leaves out, so that the
// next run without the restriction looks at everyone again.
func restricted(hash string, forbid []plan.Kind) string {
	for _, k := range forbid {
		hash += "-" + string(k)
	}
	return hash
}

// sameRules reports whether a rule hash, restricted or not, is of the rules now.
func sameRules(was, now string) bool {
	return was == now || strings.HasPrefix(was, now+"-")
}

func withoutPlaces(r mapping.Rules) mapping.Rules {
	r.Scope.Place = ""
	attributes := make([]mapping.AttributeRule, len(r.Attributes))
	for i, a := range r.Attributes {
		a.From.Place = ""
		attributes[i] = a
	}
	grants := make([]mapping.GrantRule, len(r.Grants))
	for i, g := range r.Grants {
		g.Place, g.When.Place, g.EntitlementFrom.Place = "", "", ""
		grants[i] = g
	}
	r.Attributes, r.Grants = attributes, grants
	return r
}

func hashOf(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("hub: %T cannot be hashed: %v", v, err))
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
