package ldap

import (
	"context"
	"encoding/binary"
	"unicode/utf16"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// SetCredential implements [connector.Credentialer].
func (t *Target) SetCredential(ctx context.Context, c connector.SetCredential) error {
	s, m, release, err := t.work(ctx)
	if err != nil {
		return err
	}
	defer release()
	e, err := s.mine(ctx, m, m.users, c.Target)
	if err != nil {
		return err
	}
	state, err := s.state(ctx, m.users, *e)
	if err != nil {
		return err
	}
	return s.setPassword(ctx, m, *e, c.Credential, c.MustChange, state == connector.IsDisabled)
}

// setPassword sets a password. An account that is disabled stays so: a new
// password makes OpenLDAP's ppolicy lift every lock, the administrator's too.
func (s *session) setPassword(ctx context.Context, m *model, e ldap.Entry, password connector.Secret, mustChange, disabled bool) error {
	if err := s.writePassword(ctx, m, e, password, mustChange); err != nil || !disabled {
		return err
	}
	now, err := s.Read(ctx, e.DN, m.reads(m.users)...)
	if err == nil {
		err = s.setEnabled(ctx, m, now, false)
	}
	if err != nil && err != connector.Unchanged {
		return connector.Partial(err)
	}
	return nil
}

// writePassword writes a password as the directory wants it. It is never read
// back, nor compared: directories do not show passwords.
func (s *session) writePassword(ctx context.Context, m *model, e ldap.Entry, password connector.Secret, mustChange bool) error {
	if password.IsZero() {
		return &connector.Error{Code: connector.CodePolicy, Message: "an empty password is refused: servers take a sign-in without one for an anonymous one"}
	}
	var mods []ldap.Mod
	if mustChange {
		for _, v := range m.dir.Password.MustChange {
			mods = append(mods, ldap.Mod{Op: ldap.OpReplace, Name: v.Attribute, Values: []string{v.Value}})
		}
		if mods == nil {
			return connector.Errorf(connector.CodeUnsupported, "the directory cannot be told that a password must be changed at the next sign-in")
		}
	}
	var controls []ldap.Control
	if m.dir.Password.PolicyControl && m.root.Supports(ldap.OIDPasswordPolicy) {
		controls = append(controls, ldap.PasswordPolicy())
	}
	if err := policy(s.sendPassword(ctx, m, e.DN, password, controls)); err != nil || mods == nil {
		return err
	}
	// Not in the same request: the server would take the change for the newer one.
	if err := s.Modify(ctx, e.DN, mods); err != nil {
		return connector.Partial(err)
	}
	return nil
}

// sendPassword is the one request that sets a password.
func (s *session) sendPassword(ctx context.Context, m *model, dn ldap.DN, password connector.Secret, controls []ldap.Control) error {
	switch m.dir.Password.Method {
	case "extended":
		return s.SetPassword(ctx, dn, password, controls...)
	case "attribute":
		return s.Modify(ctx, dn, []ldap.Mod{{Op: ldap.OpReplace, Name: "userPassword", Values: []string{password.Reveal()}}}, controls...)
	case "unicode_pwd":
		if !s.Encrypted() {
			return configuration("Active Directory takes passwords over TLS alone; use ldaps://, and take the host out of allow_plaintext")
		}
		return s.Modify(ctx, dn, []ldap.Mod{{Op: ldap.OpReplace, Name: "unicodePwd", Values: []string{unicodePassword(password)}}}, controls...)
	}
	return connector.Errorf(connector.CodeUnsupported, "the description of the directory says that passwords cannot be set (password.method)")
}

// unicodePassword is a password in quotes and UTF-16, as unicodePwd takes it
// ([MS-ADTS] §3.1.1.3.1.5.1).
func unicodePassword(password connector.Secret) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(`"` + password.Reveal() + `"`)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// policy takes the refusal of a value for the refusal of the password, and the
// server's words out of it: they may repeat the password.
func policy(err error) error {
	if err == nil || connector.ResultOf("", connector.Ref{}, err).Outcome != connector.OutcomeFailed {
		return err
	}
	own := *connector.AsError(err)
	own.Detail, own.Attributes = "", nil
	if own.Code == connector.CodeInvalidValue {
		own.Code = connector.CodePolicy
	}
	return &own
}
