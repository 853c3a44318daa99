package protocol

import (
	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// enum pairs the words of the contract with the numbers of the wire.
type enum[G comparable, P comparable] struct {
	to   map[G]P
	from map[P]G
}

func newEnum[G, P comparable](to map[G]P) enum[G, P] {
	from := make(map[P]G, len(to))
	for g, p := range to {
		from[p] = g
	}
	return enum[G, P]{to: to, from: from}
}

var verbs = newEnum(map[connector.Verb]pb.OperationKind{
	connector.VerbCreate:        pb.OperationKind_OPERATION_KIND_CREATE,
	connector.VerbUpdate:        pb.OperationKind_OPERATION_KIND_UPDATE,
	connector.VerbEnable:        pb.OperationKind_OPERATION_KIND_ENABLE,
	connector.VerbDisable:       pb.OperationKind_OPERATION_KIND_DISABLE,
	connector.VerbDelete:        pb.OperationKind_OPERATION_KIND_DELETE,
	connector.VerbGrant:         pb.OperationKind_OPERATION_KIND_GRANT,
	connector.VerbRevoke:        pb.OperationKind_OPERATION_KIND_REVOKE,
	connector.VerbSetCredential: pb.OperationKind_OPERATION_KIND_SET_CREDENTIAL,
	connector.VerbRename:        pb.OperationKind_OPERATION_KIND_RENAME,
	connector.VerbPoll:          pb.OperationKind_OPERATION_KIND_POLL,
})

var idempotencies = newEnum(map[connector.Idempotency]pb.Idempotency{
	connector.IdempotencyNone:    pb.Idempotency_IDEMPOTENCY_NONE,
	connector.IdempotencyNatural: pb.Idempotency_IDEMPOTENCY_NATURAL,
	connector.IdempotencyKeyed:   pb.Idempotency_IDEMPOTENCY_KEYED,
})

var enabledStates = newEnum(map[connector.Enabled]pb.EnabledState{
	connector.EnabledUnknown: pb.EnabledState_ENABLED_STATE_UNSPECIFIED,
	connector.IsEnabled:      pb.EnabledState_ENABLED_STATE_ENABLED,
	connector.IsDisabled:     pb.EnabledState_ENABLED_STATE_DISABLED,
})

var outcomes = newEnum(map[connector.Outcome]pb.Outcome{
	connector.OutcomeApplied:        pb.Outcome_OUTCOME_APPLIED,
	connector.OutcomeUnchanged:      pb.Outcome_OUTCOME_UNCHANGED,
	connector.OutcomeAdopted:        pb.Outcome_OUTCOME_ADOPTED,
	connector.OutcomePending:        pb.Outcome_OUTCOME_PENDING,
	connector.OutcomeActionRequired: pb.Outcome_OUTCOME_ACTION_REQUIRED,
	connector.OutcomePartial:        pb.Outcome_OUTCOME_PARTIAL,
	connector.OutcomeFailed:         pb.Outcome_OUTCOME_FAILED,
	connector.OutcomeUnknown:        pb.Outcome_OUTCOME_UNKNOWN,
	connector.OutcomeCancelled:      pb.Outcome_OUTCOME_CANCELLED,
	connector.OutcomeWouldApply:     pb.Outcome_OUTCOME_WOULD_APPLY,
})

var scopes = newEnum(map[connector.Scope]pb.Scope{
	"":                       pb.Scope_SCOPE_UNSPECIFIED,
	connector.ScopeOperation: pb.Scope_SCOPE_OPERATION,
	connector.ScopeObject:    pb.Scope_SCOPE_OBJECT,
	connector.ScopeInstance:  pb.Scope_SCOPE_INSTANCE,
})

var objectKinds = newEnum(map[connector.ObjectKind]pb.ObjectKind{
	connector.KindAccount:     pb.ObjectKind_OBJECT_KIND_ACCOUNT,
	connector.KindGroup:       pb.ObjectKind_OBJECT_KIND_GROUP,
	connector.KindEntitlement: pb.ObjectKind_OBJECT_KIND_ENTITLEMENT,
	connector.KindOther:       pb.ObjectKind_OBJECT_KIND_OTHER,
})

var valueTypes = newEnum(map[connector.ValueType]pb.ValueType{
	connector.TypeString:    pb.ValueType_VALUE_TYPE_STRING,
	connector.TypeInteger:   pb.ValueType_VALUE_TYPE_INTEGER,
	connector.TypeDouble:    pb.ValueType_VALUE_TYPE_DOUBLE,
	connector.TypeBool:      pb.ValueType_VALUE_TYPE_BOOL,
	connector.TypeTimestamp: pb.ValueType_VALUE_TYPE_TIMESTAMP,
	connector.TypeDate:      pb.ValueType_VALUE_TYPE_DATE,
	connector.TypeBytes:     pb.ValueType_VALUE_TYPE_BYTES,
	connector.TypeReference: pb.ValueType_VALUE_TYPE_REFERENCE,
	connector.TypeObject:    pb.ValueType_VALUE_TYPE_OBJECT,
})

var checkStatuses = newEnum(map[connector.CheckStatus]pb.CheckStatus{
	connector.CheckPass:    pb.CheckStatus_CHECK_STATUS_PASS,
	connector.CheckWarn:    pb.CheckStatus_CHECK_STATUS_WARN,
	connector.CheckFail:    pb.CheckStatus_CHECK_STATUS_FAIL,
	connector.CheckSkipped: pb.CheckStatus_CHECK_STATUS_SKIPPED,
})
