package memory

import (
	"strconv"

	"github.com/provhub/provhub/connectors/connector"
)

// perform carries out one operation. answer is what it says besides "done": nil
// or an [connector.Answer]; err means that nothing took effect.
func (t *Target) perform(tx *tx, op connector.Operation) (ref connector.Ref, answer, err error) {
	switch o := op.(type) {
	case connector.Create:
		return t.create(tx, o)
	case connector.Delete:
		return ref, nil, tx.delete(o)
	case connector.Grant:
		answer, err = tx.edge(o, o.Principal, o.Entitlement, true)
		return ref, answer, err
	case connector.Revoke:
		answer, err = tx.edge(o, o.Principal, o.Entitlement, false)
		return ref, answer, err
	case connector.Update:
		return tx.change(o, o.Target, func(r *record) error { return tx.update(r, o.Changes) })
	case connector.SetEnabled:
		return tx.change(o, o.Target, func(r *record) error { return setEnabled(r, o.Enabled) })
	case connector.SetCredential:
		return tx.change(o, o.Target, func(r *record) error {
			r.MustChange = o.MustChange
			return t.setPassword(r, o.Credential)
		})
	case connector.Rename:
		return tx.change(o, o.Target, func(r *record) error { return t.rename(tx, r, o) })
	}
	return ref, nil, connector.Errorf(connector.CodeUnsupported, "this target does not do %s", op.Verb())
}

// create makes the object, or finds that it is there.
func (t *Target) create(tx *tx, c connector.Create) (ref connector.Ref, answer, err error) {
	typ, ok := schema.Type(c.Type)
	if !ok {
		return ref, nil, connector.Errorf(connector.CodeInvalidValue, "there is no object type %q", c.Type)
	}
	there, err := tx.s.correlate(typ, c.Correlate)
	switch {
	case err != nil:
		return ref, nil, err
	case there != nil && there.MadeBy == c.Key && c.Key != "":
		return there.ref(), connector.Unchanged, nil // an earlier try of this very operation
	case there != nil && c.Adopt:
		return there.ref(), connector.Adopted(tx.s.show(there, nil)), nil
	}
	r := &record{Type: c.Type, Version: 1, MadeBy: c.Key, CreatedAt: tx.now, ModifiedAt: tx.now, Disabled: c.Enabled == connector.IsDisabled}
	if err := typ.CheckCreate(c); err != nil {
		return ref, nil, err
	}
	for _, x := range c.Attributes {
		a, _ := typ.Attr(x.Name)
		if err := tx.put(r, a, connector.Change{Name: x.Name, Replace: x.Values}); err != nil {
			return ref, nil, err
		}
	}
	if err := tx.check(r, nil); err != nil {
		return ref, nil, err
	}
	if !c.Credential.IsZero() {
		if err := t.setPassword(r, c.Credential); err != nil {
			return ref, nil, err
		}
	}
	r.ID = tx.s.newID(c.Type)
	if c.Type == typeUser {
		r.set("created", connector.Values{tx.now})
	}
	tx.effect(c.Call, c.Verb(), nil, r, "")
	return r.ref(), nil, nil
}

// change replaces one object with a changed copy, unless work changed nothing.
func (t *tx) change(op connector.Operation, ref connector.Ref, work func(*record) error) (now connector.Ref, answer, err error) {
	r, err := t.s.get(ref, nil)
	if err == nil {
		err = sameVersion(op.Meta(), r)
	}
	if err != nil {
		return now, nil, err
	}
	next := r.next(t.now)
	if err := work(next); err != nil {
		return now, nil, err
	}
	if _, always := op.(connector.SetCredential); !always && same(r, next) {
		return r.ref(), connector.Unchanged, nil
	}
	if err := t.check(next, r); err != nil {
		return now, nil, err
	}
	t.effect(op.Meta(), op.Verb(), r, next, "")
	return next.ref(), nil, nil
}

func (t *tx) update(r *record, changes []connector.Change) error {
	typ, _ := schema.Type(r.Type)
	if err := typ.CheckUpdate(connector.Update{Changes: changes}); err != nil {
		return err
	}
	for _, c := range changes {
		a, _ := typ.Attr(c.Name)
		if err := t.put(r, a, c); err != nil {
			return err
		}
	}
	return nil
}

func setEnabled(r *record, on bool) error {
	if r.Type != typeUser {
		return connector.Errorf(connector.CodeUnsupported, "a %s cannot be disabled", r.Type)
	}
	r.Disabled = !on
	return nil
}

func (t *Target) setPassword(r *record, s connector.Secret) error {
	if r.Type != typeUser {
		return connector.Errorf(connector.CodeUnsupported, "a %s has no password", r.Type)
	}
	if n := len([]rune(s.Reveal())); n < t.cfg.MinPassword {
		return connector.Errorf(connector.CodePolicy, "a password needs %d characters", t.cfg.MinPassword)
	}
	r.Password = sum(s.Reveal())
	return nil
}

func (t *Target) rename(tx *tx, r *record, o connector.Rename) error {
	if o.NewContainer != "" {
		return connector.Errorf(connector.CodeUnsupported, "this target has no containers")
	}
	was := r.key()
	if err := tx.update(r, []connector.Change{{Name: keys[r.Type], Replace: connector.Values{o.NewName}}}); err != nil {
		return err
	}
	if t.cfg.RenameChangesID && r.key() != was {
		r.ID = tx.s.newID(r.Type)
	}
	return nil
}

func (t *tx) delete(d connector.Delete) error {
	r, err := t.s.get(d.Target, nil)
	if err == nil {
		err = sameVersion(d.Call, r)
	}
	if err != nil {
		return err
	}
	t.effect(d.Call, d.Verb(), r, nil, "")
	return nil
}

func sameVersion(c connector.Call, r *record) error {
	if c.IfVersion != "" && c.IfVersion != strconv.FormatInt(r.Version, 10) {
		return connector.Errorf(connector.CodeVersionConflict, "the %s was changed meanwhile: it is at version %d", r.Type, r.Version)
	}
	return nil
}
