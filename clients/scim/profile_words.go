package scim

// ResourceType is one of the two kinds of resources that provisioning is about.
type ResourceType string

// The resource types.
const (
	Users  ResourceType = "users"
	Groups ResourceType = "groups"
)

// Verification says how far a profile can be relied on.
type Verification string

// The degrees of verification.
const (
	DocsOnly Verification = "docs-only" // read in documentation
	TriedOn  Verification = "tried-on"  // used against the real product
)

// Discovers says whether the target is asked about itself.
type Discovers string

// The ways of discovery.
const (
	DiscoveryOptional Discovers = "optional" // what cannot be read is left to the profile
	DiscoveryRequired Discovers = "required"
	DiscoveryNone     Discovers = "none"
)

// AuthKind is a way to sign in.
type AuthKind string

// The ways to sign in.
const (
	AuthBearer AuthKind = "bearer"
	AuthOAuth2 AuthKind = "oauth2_cc" // client credentials, RFC 6749 §4.4
	AuthBasic  AuthKind = "basic"
	AuthHeader AuthKind = "header"
	AuthMTLS   AuthKind = "mtls"
)

// IDSource says where the id of a resource comes from.
type IDSource string

// The sources of ids.
const (
	IDFromServer     IDSource = "server"
	IDFromExternalID IDSource = "external_id"
)

// ExternalIDRule says what can be done with externalId.
type ExternalIDRule string

// The rules for externalId.
const (
	ExternalIDWritable      ExternalIDRule = "writable"
	ExternalIDUnsupported   ExternalIDRule = "unsupported"
	ExternalIDNotCombinable ExternalIDRule = "not_combinable" // a filter on it stands alone
)

// FilterCase says how filter operators are written.
type FilterCase string

// The cases of filter operators.
const (
	FilterLower FilterCase = "lower"
	FilterUpper FilterCase = "upper"
)

// Parentheses says when a filter has them.
type Parentheses string

// When a filter has parentheses.
const (
	ParenAsNeeded Parentheses = "as_needed"
	ParenAlways   Parentheses = "always"
)

// Parameter says whether a query parameter may be sent.
type Parameter string

// Whether a query parameter may be sent.
const (
	ParameterAuto Parameter = "auto"
	ParameterNone Parameter = "none"
)

// Paging says how a listing goes on.
type Paging string

// The ways of paging.
const (
	PagingAuto   Paging = "auto" // by index until the target hands out a cursor
	PagingIndex  Paging = "index"
	PagingCursor Paging = "cursor"
	PagingNone   Paging = "none" // one answer holds everything
)

// CursorFirst says whether the first request of a cursor listing has a cursor.
type CursorFirst string

// The first requests of a cursor listing.
const (
	CursorPresent CursorFirst = "present" // an empty one
	CursorOmitted CursorFirst = "omitted"
)

// Totals says what totalResults is worth.
type Totals string

// The worth of totalResults.
const (
	TotalsTrusted Totals = "trusted"
	TotalsHint    Totals = "hint"
	TotalsAbsent  Totals = "absent"
)

// UpdateMethod says how a resource is changed.
type UpdateMethod string

// The ways to change a resource.
const (
	UpdatePatch      UpdateMethod = "patch"
	UpdatePutMerge   UpdateMethod = "put_merge"   // PUT replaces everything: read and merge first
	UpdatePutPartial UpdateMethod = "put_partial" // PUT takes only what changes
	UpdateNone       UpdateMethod = "none"
)

// OpCase says how PATCH operations are written.
type OpCase string

// The cases of PATCH operations.
const (
	OpLower   OpCase = "lower"
	OpCapital OpCase = "capital"
)

// PatchStyle is the shape of a PATCH. Removals and lists name their path in every
// shape.
type PatchStyle string

// The shapes of a PATCH.
const (
	PatchPerPath        PatchStyle = "per_path"        // an operation for each path
	PatchPathlessObject PatchStyle = "pathless_object" // one operation, an object
	PatchPathlessSingle PatchStyle = "pathless_single" // one operation without path for each attribute
	PatchDotted         PatchStyle = "dotted"          // one operation, an object whose names are paths
)

// PathFilters says which filters a PATCH path may hold.
type PathFilters string

// The filters of PATCH paths.
const (
	PathFiltersFull     PathFilters = "full"
	PathFiltersTypeOnly PathFilters = "type_only" // [type eq "…"]
	PathFiltersNone     PathFilters = "none"
)

// Separator stands between a schema URI and an attribute.
type Separator string

// The separators.
const (
	SepColon Separator = "colon"
	SepDot   Separator = "dot"
)

// MembersWrap says how a PATCH holds members that it names by a list.
type MembersWrap string

// The forms of a PATCH with a list of members.
const (
	WrapNone           MembersWrap = "none"            // path members, a list
	WrapObject         MembersWrap = "object"          // path members, {members: list}; removals by list too
	WrapPathlessObject MembersWrap = "pathless_object" // no path, {members: list}; removals by list with a path
)

// ClearStyle says how an attribute is emptied.
type ClearStyle string

// The ways to empty an attribute.
const (
	ClearRemove      ClearStyle = "remove"
	ClearNull        ClearStyle = "null"
	ClearEmptyString ClearStyle = "empty_string"
	ClearUnsupported ClearStyle = "unsupported"
)

// ManagerStyle says how a manager is set (RFC 7643 §4.3).
type ManagerStyle string

// The ways to set a manager.
const (
	ManagerObject  ManagerStyle = "object"   // {"value": id}
	ManagerSubPath ManagerStyle = "sub_path" // the id at manager.value
	ManagerString  ManagerStyle = "string"   // the id as text
)

// BoolStyle says how booleans are written. All forms are read.
type BoolStyle string

// The forms of booleans.
const (
	BoolJSON       BoolStyle = "json"
	BoolStringTrue BoolStyle = "string_True" // "True", "False"
	BoolStringLow  BoolStyle = "string_true" // "true", "false"
)

// GroupOp is something that can be done with groups.
type GroupOp string

// What can be done with groups.
const (
	GroupCreate GroupOp = "create"
	GroupRead   GroupOp = "read"
	GroupUpdate GroupOp = "update" // members too
	GroupDelete GroupOp = "delete"
)

// MembersRead says whether a group shows its members.
type MembersRead string

// Whether a group shows its members.
const (
	MembersFull       MembersRead = "full"
	MembersFilterOnly MembersRead = "filter_only" // an empty list says nothing; ask for one at a time
	MembersNone       MembersRead = "none"
)

// MemberRemoveStyle says how a PATCH removes members.
type MemberRemoveStyle string

// The forms of a PATCH that removes members.
const (
	RemoveFilterPath MemberRemoveStyle = "filter_path" // members[value eq "id"]
	RemoveValueArray MemberRemoveStyle = "value_array" // path members, a list
)

// CreateMembers says whether a new group may come with members.
type CreateMembers string

// Whether a new group may come with members.
const (
	CreateMembersAllowed CreateMembers = "allowed"
	CreateMembersLater   CreateMembers = "empty_first"
)

// BadMember says what a member that does not exist does to a request.
type BadMember string

// What a bad member does.
const (
	BadMemberFailsAll BadMember = "fails_all"
	BadMemberIgnored  BadMember = "ignored"
	BadMemberError500 BadMember = "error_500"
)

// DisableMethod says how a user is disabled.
type DisableMethod string

// The ways to disable a user.
const (
	DisableActive DisableMethod = "active_false"
	DisableDelete DisableMethod = "delete" // DELETE keeps the account
	DisablePut    DisableMethod = "put"
)

// DeleteEffect says what DELETE does.
type DeleteEffect string

// The effects of DELETE.
const (
	DeleteHard         DeleteEffect = "hard"
	DeleteSoft         DeleteEffect = "soft"         // it only disables
	DeleteIrreversible DeleteEffect = "irreversible" // it can never be made again
	DeleteForbidden    DeleteEffect = "forbidden"
)

// Visibility says whether a disabled user can still be read.
type Visibility string

// Whether a disabled user can still be read.
const (
	DisabledVisible Visibility = "visible"
	DisabledHidden  Visibility = "hidden" // it is answered with 404
)

// ReactivateRule says how a disabled user comes back.
type ReactivateRule string

// The ways back.
const (
	ReactivateActive ReactivateRule = "active_true"
	ReactivateCreate ReactivateRule = "create"
)

// BulkSupport says whether bulk requests are used.
type BulkSupport string

// Whether bulk requests are used.
const (
	BulkNone      BulkSupport = "none"
	BulkAuto      BulkSupport = "auto" // when the service provider config says so
	BulkSupported BulkSupport = "supported"
)

// ETagRule says whether writes are conditional.
type ETagRule string

// Whether writes are conditional.
const (
	ETagAuto    ETagRule = "auto" // when a version is known
	ETagNone    ETagRule = "none"
	ETagRequire ETagRule = "require"
)

// RateClass names the requests that a rate counts: "all"; "read", "write" or one
// of "create", "patch", "put", "delete"; with "user_" or "group_" in front only
// those of that resource type.
type RateClass string

// OpKind is the kind of a request, as far as the meaning of an answer depends on it.
type OpKind string

// The kinds of requests.
const (
	OpCreate OpKind = "create"
	OpUpdate OpKind = "update"
	OpDelete OpKind = "delete" // disabling by DELETE too
	OpRead   OpKind = "read"   // listings too
)

// Class is what an answer means for the one who asked.
type Class string

// The classes.
const (
	ClassDone       Class = "done"
	ClassRetry      Class = "retry"       // this request again, later
	ClassThrottle   Class = "throttle"    // the target wants to be left alone for a while
	ClassTargetDown Class = "target_down" // nobody is served
	ClassConfig     Class = "config"      // a person must change the config or the profile
	ClassUnknown    Class = "unknown"     // it may have been done
	ClassConflict   Class = "conflict"    // something else is in the way
	ClassReplan     Class = "replan"      // the resource is not as we thought
	ClassPermanent  Class = "permanent"   // this request will never do
	ClassCheckDone  Class = "check_done"  // read whether it is so already
	ClassSplit      Class = "split"       // too much at once
)
