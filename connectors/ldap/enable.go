package ldap

import (
	"context"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// Result codes that decide something here (RFC 4511 appendix A).
const (
	resultObjectClassViolation = 65
	resultNoSuchObject         = 32
)

// SetEnabled implements [connector.Enabler], in every way that the config names.
func (t *Target) SetEnabled(ctx context.Context, c connector.SetEnabled) error {
	s, m, release, err := t.work(ctx)
	if err != nil {
		return err
	}
	defer release()
	if len(m.users.disable) == 0 {
		return connector.Errorf(connector.CodeUnsupported, "nothing says how an account is disabled here; set disable in the config")
	}
	e, err := s.mine(ctx, m, m.users, c.Target)
	if err != nil {
		return err
	}
	if err := m.current(*e, c.IfVersion); err != nil {
		return err
	}
	return s.setEnabled(ctx, m, *e, c.Enabled)
}

// setEnabled does what is not so yet. To disable, the account is locked before
// it is moved; to enable, it is unlocked last.
func (s *session) setEnabled(ctx context.Context, m *model, e ldap.Entry, on bool) error {
	steps := []func(context.Context, *model, *ldap.Entry, bool) (bool, error){s.lock, s.join, s.park}
	if on {
		steps = []func(context.Context, *model, *ldap.Entry, bool) (bool, error){s.park, s.join, s.lock}
	}
	changed := false
	for _, step := range steps {
		did, err := step(ctx, m, &e, on)
		if err != nil && changed {
			return connector.Partial(err)
		}
		if err != nil {
			return err
		}
		changed = changed || did
	}
	if !changed {
		return connector.Unchanged
	}
	return nil
}

// lock writes the attributes that say whether the account can be used, in one request.
func (s *session) lock(ctx context.Context, m *model, e *ldap.Entry, on bool) (bool, error) {
	controls, err := m.guard(*e, "")
	if err != nil {
		return false, err
	}
	var mods []ldap.Mod
	relax := false
	for _, w := range m.users.disable {
		more := w.mods(*e, on)
		mods = append(mods, more...)
		relax = relax || w.Relax && len(more) > 0
	}
	if len(mods) == 0 {
		return false, nil
	}
	if relax {
		controls = append(controls, ldap.Relax())
	}
	err = s.Modify(ctx, e.DN, mods, controls...)
	if ldap.LacksValue(err) || ldap.HasValue(err) {
		own := *connector.AsError(err)
		own.Message = "the state of the account was changed by somebody else meanwhile"
		return false, &own
	}
	return err == nil, err
}

// join changes the memberships that say whether the account can be used.
func (s *session) join(ctx context.Context, m *model, e *ldap.Entry, on bool) (changed bool, err error) {
	for _, w := range m.users.disable {
		if w.Kind != "group" {
			continue
		}
		op := ldap.OpDelete
		if on == (w.MembersAre != "disabled") {
			op = ldap.OpAdd
		}
		err := s.Modify(ctx, w.group, []ldap.Mod{{Op: op, Name: "member", Values: []string{e.DN.String()}}})
		switch {
		case ldap.HasValue(err), ldap.LacksValue(err): // it was so
		case err != nil:
			return changed, err
		default:
			changed = true
		}
	}
	return changed, nil
}

// park moves the account to the container of disabled ones, or back.
func (s *session) park(ctx context.Context, m *model, e *ldap.Entry, on bool) (bool, error) {
	for _, w := range m.users.disable {
		if w.Kind != "move" || w.disabled(*e) != on {
			continue
		}
		if on {
			return true, s.bringBack(ctx, m, w, e)
		}
		return true, s.putAway(ctx, m, w, e)
	}
	return false, nil
}

// putAway remembers where the account is and moves it. A namesake that is there
// already makes it get a part of its id behind its name (QUIRKS LDAP-49).
func (s *session) putAway(ctx context.Context, m *model, w strategy, e *ldap.Entry) error {
	if w.Origin != "" {
		if err := s.Modify(ctx, e.DN, []ldap.Mod{{Op: ldap.OpReplace, Name: w.Origin, Values: []string{e.DN.String()}}}); err != nil {
			return err
		}
	}
	id, err := m.dir.AnchorOf(*e)
	if err != nil {
		return err
	}
	rdn := e.DN.RDN()
	dn, err := s.move(ctx, m, m.users, *e, rdn, &w.container)
	if connector.IsCode(err, connector.CodeAlreadyExists) {
		rdn = ldap.NewRDN(m.users.naming, m.users.nameOf(*e, id)+suffix(id))
		dn, err = s.move(ctx, m, m.users, *e, rdn, &w.container)
	}
	if err == nil {
		e.DN = dn
	}
	return err
}

// bringBack moves the account to where it came from, or where that is not known,
// no longer there or no longer ours, to where a new one would be.
func (s *session) bringBack(ctx context.Context, m *model, w strategy, e *ldap.Entry) error {
	id, err := m.dir.AnchorOf(*e)
	if err != nil {
		return err
	}
	to, name := m.users.base, m.users.nameOf(*e, id)
	if w.Origin != "" {
		from, err := ldap.ParseDN(e.First(w.Origin))
		if err == nil && from.RDN().Value(m.users.naming) != "" && m.mayWrite(from, nil) == nil && s.exists(ctx, from.Parent()) {
			to, name = from.Parent(), from.RDN().Value(m.users.naming)
		}
	}
	dn, err := s.move(ctx, m, m.users, *e, ldap.NewRDN(m.users.naming, name), &to)
	if err != nil {
		return err
	}
	e.DN = dn
	if w.Origin != "" && e.First(w.Origin) != "" {
		err = s.Modify(ctx, dn, []ldap.Mod{{Op: ldap.OpReplace, Name: w.Origin}})
	}
	return err
}

func (s *session) exists(ctx context.Context, dn ldap.DN) bool {
	_, err := s.Read(ctx, dn, "1.1")
	return err == nil
}
