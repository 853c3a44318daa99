package ldap

import (
	"context"
	"errors"
	"fmt"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// What servers answer, as they say it, and what it means. The messages of Active
// Directory are those of its documentation. QUIRKS LDAP-51, LDAP-63, §7.3
func TestAnswersOfServers(t *testing.T) {
	for _, tt := range []struct {
		result    uint16
		words     string
		code      connector.Code
		native    string
		says      string
		attribute string
	}{
		{68, "", connector.CodeAlreadyExists, "LDAP 68", "another entry has this name", ""},
		{32, "", connector.CodeNotFound, "LDAP 32", "", ""},
		{50, "no write access to parent", connector.CodePermission, "LDAP 50", "lacks the right", ""},
		{51, "", connector.CodeBusy, "LDAP 51", "", ""},
		{52, "", connector.CodeUnavailable, "LDAP 52", "", ""},
		{21, "mail: value #0 invalid per syntax", connector.CodeInvalidValue, "LDAP 21", "", "mail"},
		{65, "object class 'inetOrgPerson' requires attribute 'sn'", connector.CodeInvalidValue, "LDAP 65", "", "sn"},
		{65, "attribute 'memberUid' not allowed", connector.CodeInvalidValue, "LDAP 65", "", "memberUid"},
		{17, "shoeSize: attribute type undefined", connector.CodeInvalidValue, "LDAP 17", "", "shoeSize"},
		{19, "some attributes not unique", connector.CodeAlreadyExists, "LDAP 19", "unique", ""},
		{19, `Another entry with the same attribute value already exists (attribute: "mail")`, connector.CodeAlreadyExists, "LDAP 19", "", ""},
		{19, "Password fails quality checking policy", connector.CodePolicy, "LDAP 19", "password policy", ""},
		{19, "pwdMinAge: value out of range", connector.CodeInvalidValue, "LDAP 19", "", ""},
		{53, "shadow context; no update referral", connector.CodeConfiguration, "LDAP 53", "read-only copy", ""},
		{53, "", connector.CodePolicy, "LDAP 53", "", ""},
		{66, "subordinate objects must be deleted first", connector.CodeVersionConflict, "LDAP 66", "must go first", ""},
		{80, "", connector.CodeBusy, "LDAP 80", "", ""},
		{122, "", connector.CodeVersionConflict, "LDAP 122", "", ""},
		{13, "", connector.CodeConfiguration, "LDAP 13", "TLS", ""},
		{119, "", connector.CodeInternal, "LDAP 119", "not known here", ""},
		{53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", connector.CodePolicy, "LDAP 53 0000052D", "domain's policy", "unicodePwd"},
		{53, "0000001F: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", connector.CodeConfiguration, "LDAP 53 0000001F", "ldaps://", "unicodePwd"},
		{19, "000021C8: AtrErr: DSID-03200EBF, #1: 0: 000021C8: DSID-03200EBF, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 90290 (userPrincipalName)", connector.CodeAlreadyExists, "LDAP 19 000021C8", "forest", "userPrincipalName"},
		{68, "00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0", connector.CodeAlreadyExists, "LDAP 68 00000524", "", "sAMAccountName"},
		{68, "00002071: UpdErr: DSID-0305038C, problem 6005 (ENTRY_EXISTS), data 0", connector.CodeAlreadyExists, "LDAP 68 00002071", "", ""},
		{32, "0000208D: NameErr: DSID-0310028D, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'DC=corp,DC=example'", connector.CodeNotFound, "LDAP 32 0000208D", "", ""},
		{50, "00000522: SecErr: DSID-031A1190, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0", connector.CodePermission, "LDAP 50 00000522", "privilege", ""},
		{1, "000004DC: LdapErr: DSID-0C090A4C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563", connector.CodeUnavailable, "LDAP 1 000004DC", "new connection", ""},
		{19, "00002081: AtrErr: DSID-031522D0, #1: 0: 00002081: DSID-031522D0, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 3 (cn)", connector.CodeInvalidValue, "LDAP 19 00002081", "one value", "cn"},
		{10, "0000202B: RefErr: DSID-0310078B, data 0, 1 access points\n\tref 1: 'child.corp.example'", connector.CodeConfiguration, "LDAP 10 0000202B", "another domain", ""},
		{66, "00002015: UpdErr: DSID-031A121C, problem 6003 (CANT_ON_NON_LEAF), data 0", connector.CodeVersionConflict, "LDAP 66 00002015", "", ""},
		{53, "00000057: LdapErr: DSID-0C090B39, comment: Error processing control, data 0, v1db1", connector.CodeBusy, "LDAP 53 00000057", "", ""},
		{53, "00002035: SvcErr: DSID-031A1202, problem 5003 (WILL_NOT_PERFORM), data 0", connector.CodePolicy, "LDAP 53 00002035", "", ""},
	} {
		t.Run(fmt.Sprint(tt.result, " ", tt.words), func(t *testing.T) {
			err := faultOf(kindWrite, "add an entry", goldap.NewError(tt.result, errors.New(tt.words)))
			e := connector.AsError(err)
			r := connector.ResultOf("1", connector.Ref{}, err)
			require.Equal(t, connector.OutcomeFailed, r.Outcome, "an answer is an answer")
			require.Equal(t, tt.code, e.Code, e.Message)
			require.Equal(t, tt.native, e.NativeCode)
			require.Contains(t, e.Message, tt.says)
			if tt.attribute != "" {
				require.Equal(t, []string{tt.attribute}, e.Attributes)
			}
			code, ok := ResultCode(err)
			require.True(t, ok)
			require.Equal(t, tt.result, code)
		})
	}
}

// QUIRKS LDAP-51, Q-11: the reason is told, and it concerns the whole instance.
func TestRefusedBinds(t *testing.T) {
	for data, says := range map[string]string{
		"525": "no such account", "52e": "password is wrong", "530": "hours", "531": "machine", "532": "expired", "533": "disabled", "701": "expired", "773": "must be changed", "775": "locked", "999": "reason 999",
	} {
		err := faultOf(kindBind, "bind", goldap.NewError(49, fmt.Errorf("80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data %s, v3839\x00", data)))
		e := connector.AsError(err)
		require.Equal(t, connector.CodeAuthentication, e.Code)
		require.Equal(t, connector.ScopeInstance, e.Scope)
		require.Equal(t, connector.ClassInstance, e.Class())
		require.Contains(t, e.Message, says)
		require.Contains(t, e.NativeCode, "data "+data)
	}
	e := connector.AsError(faultOf(kindBind, "bind", goldap.NewError(49, errors.New(""))))
	require.Equal(t, "AUTHENTICATION (LDAP 49): the directory refuses the bind: the name or the password is wrong", e.Error())
	for result, code := range map[uint16]connector.Code{48: connector.CodeAuthentication, 53: connector.CodeAuthentication, 8: connector.CodeConfiguration, 13: connector.CodeConfiguration,
		51: connector.CodeBusy, 52: connector.CodeUnavailable} {
		require.True(t, connector.IsCode(faultOf(kindBind, "bind", goldap.NewError(result, errors.New(""))), code), result)
	}
}

// QUIRKS LDAP-11, LDAP-13: what had left may have taken effect.
func TestLostAnswers(t *testing.T) {
	for _, tt := range []struct {
		err  error
		sent bool
		code connector.Code
	}{
		{goldap.NewError(goldap.ErrorNetwork, errors.New("ldap: connection closed")), false, connector.CodeUnavailable},
		{errors.New("unable to send request: write tcp: broken pipe"), false, connector.CodeUnavailable},
		{errors.New("unable to read LDAP response packet: unexpected EOF"), true, connector.CodeUnavailable},
		{goldap.NewError(goldap.ErrorNetwork, errors.New("ldap: response channel closed")), true, connector.CodeUnavailable},
		{goldap.NewError(goldap.ErrorNetwork, errors.New("ldap: connection timed out")), true, connector.CodeTimeout},
		{context.DeadlineExceeded, true, connector.CodeTimeout},
		{context.Canceled, true, connector.CodeUnavailable},
	} {
		for k, may := range map[kind]bool{kindRead: false, kindWrite: tt.sent} {
			r := connector.ResultOf("1", connector.Ref{}, faultOf(k, "add an entry", tt.err))
			want := connector.OutcomeFailed
			if may {
				want = connector.OutcomeUnknown
			}
			require.Equal(t, want, r.Outcome, "%v", tt.err)
			require.Equal(t, tt.code, r.Err.Code, "%v", tt.err)
			require.True(t, breaks(faultOf(k, "", tt.err)), "the connection is of no more use")
		}
	}
	require.NoError(t, faultOf(kindWrite, "", nil))
}

// QUIRKS LDAP-20
func TestReferralsAreTold(t *testing.T) {
	result := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationAddResponse, nil, "")
	result.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 10, ""))
	result.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	result.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	referral := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
	referral.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "ldap://dc2.example.org:3268/uid=jane,dc=example", ""))
	result.AppendChild(referral)
	packet := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	packet.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
	packet.AppendChild(result)
	read, err := ber.DecodePacketErr(packet.Bytes())
	require.NoError(t, err)

	e := connector.AsError(faultOf(kindWrite, "add an entry", goldap.GetLDAPError(read)))
	require.Equal(t, connector.CodeConfiguration, e.Code)
	require.Contains(t, e.Message, "dc2.example.org:3268")
	require.NotContains(t, e.Message, "jane")
}
