package scim

import "github.com/provhub/provhub/connectors/connector"

// Profile says how one kind of target speaks SCIM: the effective values of a
// dialect, after its parents, what the target told about itself, and overrides.
// It is made by [LoadProfile] and never changed: [Profile.With] and
// [Profile.Discovered] return another one.
//
// The fields are the keys of schemas/scim/NAME.yaml; profile.schema.json has a
// line about each. Attribute names are paths such as emails.value, compared
// without regard to case.
type Profile struct {
	ProfileIdentity
	EndpointRules
	AuthRules
	HeaderRules
	EntryRules
	FilterRules
	ParameterRules
	PagingRules
	UpdateRules
	PatchRules
	ValueRules
	GroupRules
	LifecycleRules
	BulkRules
	VersionRules
	LimitRules
	StatusRules
	TimingRules

	layers []layer           // root first
	origin map[string]Origin // by key
	values map[string]any    // by key, as JSON has them
}

// ProfileIdentity says which profile it is and how far it can be relied on.
type ProfileIdentity struct {
	Name        string            `json:"name"`
	Version     int               `json:"version"`
	Extends     string            `json:"extends,omitempty"`
	Description string            `json:"description,omitempty"`
	VendorDoc   string            `json:"vendor_doc,omitempty"`
	Verified    Verification      `json:"verified"`
	VerifiedOn  string            `json:"verified_on"` // RFC 3339 full-date
	Src         map[string]string `json:"src,omitempty"`
}

// EndpointRules say where the endpoints are, relative to the base address.
type EndpointRules struct {
	UsersPath         string    `json:"users_path"`
	GroupsPath        string    `json:"groups_path"`
	SPCPath           string    `json:"spc_path"`
	SchemasPath       string    `json:"schemas_path"`
	ResourceTypesPath string    `json:"resource_types_path"`
	Discovery         Discovers `json:"discovery"`
	TrailingSlash     bool      `json:"trailing_slash"`
	FollowRedirects   bool      `json:"follow_redirects"`
}

// AuthRules list the ways to sign in that the target knows.
type AuthRules struct {
	Auth []AuthKind `json:"auth"`
}

// HeaderRules say what requests carry and which answers are accepted.
type HeaderRules struct {
	Accept            string            `json:"accept"`
	ContentType       string            `json:"content_type"`
	UserAgent         string            `json:"user_agent"`
	ExtraHeaders      map[string]string `json:"extra_headers"`
	RequestIDHeader   string            `json:"request_id_header"`
	LenientResponseCT bool              `json:"lenient_response_ct"`
	TolerateHTMLError bool              `json:"tolerate_html_error"`
}

// EntryRules say how a resource is told apart and found again.
type EntryRules struct {
	IDSource         IDSource       `json:"id_source"`
	CorrelateBy      []string       `json:"correlate_by"`
	GroupCorrelateBy []string       `json:"group_correlate_by"`
	ExternalID       ExternalIDRule `json:"external_id"`
}

// PerType holds something for users and for groups.
type PerType[T any] struct {
	Users  T `json:"users,omitempty"`
	Groups T `json:"groups,omitempty"`
}

// Of returns what holds for resources of type t.
func (p PerType[T]) Of(t ResourceType) T {
	if t == Groups {
		return p.Groups
	}
	return p.Users
}

// FilterRules say which filters the target understands (RFC 7644 §3.4.2.2).
type FilterRules struct {
	FilterOps         []string            `json:"filter_ops"` // none: no filter works
	FilterAttrs       PerType[[]string]   `json:"filter_attrs"`
	FilterCombos      PerType[[][]string] `json:"filter_combos"`
	FilterOpCase      FilterCase          `json:"filter_op_case"`
	FilterParen       Parentheses         `json:"filter_paren"`
	FilterMaxNodes    int                 `json:"filter_max_nodes"` // 0: no limit
	ListWithoutFilter bool                `json:"list_without_filter"`
	PostSearch        bool                `json:"post_search"`
}

// ParameterRules say which query parameters may be sent.
type ParameterRules struct {
	AttributesParam         Parameter `json:"attributes_param"`
	ExcludedAttributesParam Parameter `json:"excluded_attributes_param"`
	SortParam               Parameter `json:"sort_param"`
}

// PagingRules say how listings come in pages (RFC 7644 §3.4.2.4, RFC 9865).
type PagingRules struct {
	Paging       Paging      `json:"paging"`
	PageDefault  int         `json:"page_default"` // 0: count is not sent
	PageMax      int         `json:"page_max"`     // 0: no limit known
	CursorFirst  CursorFirst `json:"cursor_first"`
	TotalResults Totals      `json:"total_results"`
}

// UpdateRules say how resources are changed.
type UpdateRules struct {
	UserUpdate  UpdateMethod `json:"user_update"`
	GroupUpdate UpdateMethod `json:"group_update"`
}

// UpdateMethod returns how resources of type t are changed.
func (u UpdateRules) UpdateMethod(t ResourceType) UpdateMethod {
	if t == Groups {
		return u.GroupUpdate
	}
	return u.UserUpdate
}

// PatchRules say which shape a PATCH must have (RFC 7644 §3.5.2).
type PatchRules struct {
	OpCase       OpCase       `json:"op_case"`
	PatchStyle   PatchStyle   `json:"patch_style"`
	PathFilters  PathFilters  `json:"path_filters"`
	PatchMaxOps  int          `json:"patch_max_ops"` // 0: no limit
	ExtSep       Separator    `json:"ext_sep"`
	MembersWrap  MembersWrap  `json:"members_wrap"`
	ClearStyle   ClearStyle   `json:"clear_style"`
	ManagerStyle ManagerStyle `json:"manager_style"`
}

// ValueRules say what becomes of values.
type ValueRules struct {
	BoolStyle              BoolStyle `json:"bool_style"`
	SingleValued           []string  `json:"single_valued"`
	RequiredOnCreate       []string  `json:"required_on_create"` // of users
	Immutable              []string  `json:"immutable"`
	Ignored                []string  `json:"ignored"`
	Normalised             []string  `json:"normalised"`
	ObfuscatedWhenDisabled []string  `json:"obfuscated_when_disabled"`
}

// GroupRules say what can be done with groups and their members.
type GroupRules struct {
	GroupOps              []GroupOp         `json:"group_ops"`
	MembersRead           MembersRead       `json:"members_read"`
	MemberAddMax          int               `json:"member_add_max"`    // 0: no limit
	MemberRemoveMax       int               `json:"member_remove_max"` // 0: no limit
	MemberMix             bool              `json:"member_mix"`
	MemberRemoveStyle     MemberRemoveStyle `json:"member_remove_style"`
	MemberReplace         bool              `json:"member_replace"`
	GroupCreateMembers    CreateMembers     `json:"group_create_members"`
	MemberDisplayRequired bool              `json:"member_display_required"`
	BadMember             BadMember         `json:"bad_member"`
}

// LifecycleRules say what disabling and deleting do. They are different intents
// on every target, whatever it makes of them.
type LifecycleRules struct {
	Disable         DisableMethod  `json:"disable"`
	Delete          DeleteEffect   `json:"delete"`
	GroupDelete     DeleteEffect   `json:"group_delete"`
	DisabledVisible Visibility     `json:"disabled_visible"`
	Reactivate      ReactivateRule `json:"reactivate"`
}

// DeleteEffect returns what DELETE does to a resource of type t.
func (l LifecycleRules) DeleteEffect(t ResourceType) DeleteEffect {
	if t == Groups {
		return l.GroupDelete
	}
	return l.Delete
}

// BulkRules say whether several operations may go in one request (RFC 7644 §3.7).
type BulkRules struct {
	Bulk         BulkSupport `json:"bulk"`
	BulkMaxOps   int         `json:"bulk_max_ops"`   // 0: no limit known
	BulkMaxBytes int         `json:"bulk_max_bytes"` // 0: no limit known
	BulkRefs     bool        `json:"bulk_refs"`
}

// VersionRules say whether writes are conditional (RFC 7644 §3.14).
type VersionRules struct {
	ETag ETagRule `json:"etag"`
}

// LimitRules say how fast the target may be asked.
type LimitRules struct {
	Rate        []Rate  `json:"rate"`
	Concurrency int     `json:"concurrency"`
	QuotaWindow []Quota `json:"quota_window"`
	RetryAfter  bool    `json:"retry_after"`
}

// Rate allows N requests of a class in a time.
type Rate struct {
	Class RateClass          `json:"class"`
	N     int                `json:"n"`
	Per   connector.Duration `json:"per"`
	Burst int                `json:"burst,omitempty"` // 0: what one second allows, at least one
	Scope string             `json:"scope,omitempty"` // who shares it; for people
}

// Quota allows N requests of a class in any stretch of a longer time.
type Quota struct {
	Class RateClass          `json:"class"`
	N     int                `json:"n"`
	Per   connector.Duration `json:"per"`
}

// StatusRules say what answers mean where they do not mean the usual.
type StatusRules struct {
	StatusMap []StatusRule `json:"status_map"` // the first that fits counts
}

// StatusRule gives the answers that fit it a class.
type StatusRule struct {
	Op       OpKind `json:"op,omitempty"` // "": any
	Status   int    `json:"status"`
	ScimType string `json:"scim_type,omitempty"` // "": any
	Detail   string `json:"detail,omitempty"`    // part of the error's text, in any case; "": any
	Class    Class  `json:"class"`
}

// TimingRules say how long things take.
type TimingRules struct {
	Timeout        connector.Duration `json:"timeout"`
	ReadAfterWrite connector.Duration `json:"read_after_write"`
}
