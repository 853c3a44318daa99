package ldap

import (
	"strconv"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// strategy is one way to disable an account, and to tell that it is disabled.
type strategy struct {
	ldap.Strategy
	container ldap.DN // kind move
	group     ldap.DN // kind group
}

// strategy reads one way to disable.
func (v *findings) strategy(path string, w ldap.Strategy, t *objectType) strategy {
	s := strategy{Strategy: w}
	switch w.Kind {
	case "value":
		if w.Attribute == "" || w.Disabled == "" {
			v.add(path, "kind value needs attribute and disabled", "say which attribute holds what for a disabled account")
		} else if w.Disabled == w.Enabled {
			v.add(path+"/enabled", "is the same as disabled", "the two must differ, or nobody can tell")
		}
	case "bits":
		if w.Attribute == "" || w.Bits <= 0 {
			v.add(path, "kind bits needs attribute and bits", "say which bits are set for a disabled account")
		}
	case "move":
		s.container = v.dn(path+"/container", w.Container)
		if s.container.Equal(t.base) {
			v.add(path+"/container", "is the base of all accounts", "name a container of its own")
		}
		t.also(s.container)
	case "group":
		s.group = v.dn(path+"/group", w.Group)
	}
	return s
}

// reads lists the LDAP attributes that tell the state.
func (s strategy) reads() []string {
	switch s.Kind {
	case "value", "bits":
		return []string{s.Attribute}
	case "move":
		if s.Origin != "" {
			return []string{s.Origin}
		}
	}
	return nil
}

// disabled reports whether an entry is disabled in this way. Kind group is not
// told by the entry.
func (s strategy) disabled(e ldap.Entry) bool {
	switch s.Kind {
	case "value":
		return e.Has(s.Attribute, s.Disabled)
	case "bits":
		return s.number(e)&s.Bits == s.Bits
	case "move":
		return e.DN.Within(s.container)
	}
	return false
}

func (s strategy) number(e ldap.Entry) int64 {
	n, _ := strconv.ParseInt(e.First(s.Attribute), 10, 64) // nothing, or no number: no bits
	return n
}

// mods returns what to change in an entry to disable or enable it; nil when it
// is so already, or the way is another one.
func (s strategy) mods(e ldap.Entry, on bool) []ldap.Mod {
	switch s.Kind {
	case "value":
		return s.valueMods(e, on)
	case "bits":
		return s.bitMods(e, on)
	}
	return nil
}

// valueMods: to disable, our value takes the place of any other, since a lock
// that ends by itself must not stand in for ours. To enable, a value that is not
// ours stays where it has a meaning of its own, such as a lock after too many
// wrong passwords.
func (s strategy) valueMods(e ldap.Entry, on bool) []ldap.Mod {
	have := e.Get(s.Attribute)
	want := s.Disabled
	if on {
		want = s.Enabled
	}
	switch {
	case len(have) == 1 && strings.EqualFold(have[0], want), len(have) == 0 && want == "":
		return nil
	case on && s.Others == "keep" && !e.Has(s.Attribute, s.Disabled):
		return nil
	case len(have) == 0:
		return []ldap.Mod{{Op: ldap.OpAdd, Name: s.Attribute, Values: []string{want}}}
	}
	return swap(s.Attribute, have, want)
}

// bitMods changes our bits and leaves all others as they are. It removes the
// number that was read and adds the new one, so that a change made meanwhile by
// somebody else makes the request fail instead of being lost.
func (s strategy) bitMods(e ldap.Entry, on bool) []ldap.Mod {
	have := s.number(e)
	want := have | s.Bits
	if on {
		want = have &^ s.Bits
	}
	if want == have {
		return nil
	}
	return swap(s.Attribute, e.Get(s.Attribute), strconv.FormatInt(want, 10))
}

// swap removes exactly what was read and adds what is wanted instead.
func swap(attribute string, have []string, want string) []ldap.Mod {
	var out []ldap.Mod
	if len(have) > 0 {
		out = append(out, ldap.Mod{Op: ldap.OpDelete, Name: attribute, Values: have})
	}
	if want != "" {
		out = append(out, ldap.Mod{Op: ldap.OpAdd, Name: attribute, Values: []string{want}})
	}
	return out
}

// says tells people what the way does.
func (s strategy) says() string {
	switch s.Kind {
	case "value":
		return "sets " + s.Attribute + " to " + s.Disabled
	case "bits":
		return "sets bit " + strconv.FormatInt(s.Bits, 10) + " of " + s.Attribute
	case "move":
		return "moves the entry below " + s.container.String()
	}
	if s.MembersAre == "disabled" {
		return "adds the account to " + s.group.String()
	}
	return "takes the account out of " + s.group.String()
}

// stateOf combines the ways: an account is disabled when all of them say so. One
// that is open in any way can still be used, and must not look done.
func stateOf(ways []bool) connector.Enabled {
	if len(ways) == 0 {
		return connector.EnabledUnknown
	}
	for _, disabled := range ways {
		if !disabled {
			return connector.IsEnabled
		}
	}
	return connector.IsDisabled
}
