package scim

import (
	"regexp"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// rule tells objects that must not be touched (QUIRKS SCIM-64).
type rule struct {
	attribute string
	values    []*regexp.Regexp
}

func rulesOf(ps []Protected) []rule {
	var out []rule
	for _, p := range ps {
		r := rule{attribute: p.Attribute}
		for _, v := range p.Values {
			parts := strings.Split(v, "*")
			for i := range parts {
				parts[i] = regexp.QuoteMeta(parts[i])
			}
			r.values = append(r.values, regexp.MustCompile("(?is)^"+strings.Join(parts, ".*")+"$"))
		}
		out = append(out, r)
	}
	return out
}

// protects returns POLICY when one of the rules covers the object, which must
// have been read whole.
func (t *objectType) protects(o connector.Object) error {
	for _, r := range t.protected {
		values := o.Attributes.Get(r.attribute)
		if r.attribute == "id" {
			values = connector.Values{o.Ref.ID}
		}
		for _, v := range values {
			if r.covers(connector.Text(v)) {
				return connector.Errorf(connector.CodePolicy, "this %s is protected by the config (%s); it is never changed, disabled or deleted", t.name, r.attribute)
			}
		}
	}
	return nil
}

func (r rule) covers(text string) bool {
	for _, v := range r.values {
		if v.MatchString(text) {
			return true
		}
	}
	return false
}
