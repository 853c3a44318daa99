package fakescim

import (
	"slices"
	"time"
)

// FaultName names a way in which a service lets its client down.
type FaultName string

// The faults that the conformance suite knows too.
const (
	// LostReply: a create takes effect and the connection breaks before the
	// answer, once for each externalId or name.
	LostReply FaultName = "lost_reply"
	// Hang: writes are read and never answered.
	Hang FaultName = "hang"
	// Slow: every request takes Wait longer.
	Slow FaultName = "slow"
	// Reset: a new connection is reset before anything is read from it; Times 0 is
	// once. Skip counts connections. Idle connections are closed when it is armed.
	Reset FaultName = "reset"
	// RateLimited and Busy: writes are refused with 429 and 503.
	RateLimited FaultName = "rate_limited"
	Busy        FaultName = "busy"
	// Down: nobody listens.
	Down FaultName = "down"
	// Truncated: listings end after N resources; 0 is 1. totalResults is right.
	Truncated FaultName = "truncated"
)

// The faults of SCIM services.
const (
	// RepeatIDs: a page begins with the last N resources of the page before; 0 is 1.
	// By index, what that pushes out at the end never comes.
	RepeatIDs FaultName = "repeat_ids"
	// TotalTooBig and TotalTooSmall: totalResults is off by N; 0 is 1.
	TotalTooBig   FaultName = "total_too_big"
	TotalTooSmall FaultName = "total_too_small"
	// ForcedCursor: listings go on by cursor, unasked.
	ForcedCursor FaultName = "forced_cursor"
	// ExpiredCursor: a cursor has expired when it is used.
	ExpiredCursor FaultName = "expired_cursor"
	// EmptyPages: every other page of a cursor listing is empty and has a nextCursor.
	EmptyPages FaultName = "empty_pages"

	// HTML: a page to sign in, with status 200.
	HTML FaultName = "html_200"
	// CreateWithoutID: a create is answered without the id.
	CreateWithoutID FaultName = "create_without_id"
	// CreateThen504: a create takes effect and a gateway answers 504.
	CreateThen504 FaultName = "create_then_504"
	// BlindLookup: what was created is not found by filters and listings for Wait.
	BlindLookup FaultName = "blind_lookup"
	// Business412: a rule of the product is answered with 412 and Text.
	Business412 FaultName = "business_412"
	// Refused: the request is answered with Status, RetryAfter and Text.
	Refused FaultName = "refused"
	// Dropped: the connection breaks once the request is read; nothing is done.
	Dropped FaultName = "dropped"
	// DropMidBody: the connection breaks in the middle of the answer.
	DropMidBody FaultName = "drop_mid_body"
	// TruncatedJSON: the answer is whole as HTTP has it, and half its JSON is missing.
	TruncatedJSON FaultName = "truncated_json"
	// TokenExpired: all fetched tokens end; the request is answered with 401.
	TokenExpired FaultName = "token_expired"
	// Quota: N requests in any Wait, 0 is an hour; then 429.
	Quota FaultName = "quota"

	// EmptyMembers: groups never show their members.
	EmptyMembers FaultName = "empty_members"
	// MemberLimit: more than N changes of members in a request are refused.
	MemberLimit FaultName = "member_limit"
	// BadMember: a member that does not exist fails the request with Status; 0 is 400.
	BadMember FaultName = "bad_member"
	// ActiveAsText: active is read and written as "True" and "False".
	ActiveAsText FaultName = "active_as_text"
	// ObfuscateDisabled: userName and emails of disabled accounts are hidden.
	ObfuscateDisabled FaultName = "obfuscate_disabled"
	// HideDisabled: disabled accounts are answered with 404.
	HideDisabled FaultName = "hide_disabled"
	// PathlessSingle: a PATCH operation has no path and changes one attribute.
	PathlessSingle FaultName = "pathless_single"
	// PutWipes: PUT empties what it does not name, with no exception.
	PutWipes FaultName = "put_wipes"
	// PrimaryFlips: the last value of a list becomes the primary one.
	PrimaryFlips FaultName = "primary_flips"
	// LowerCaseResources: listings have "resources".
	LowerCaseResources FaultName = "lower_case_resources"
	// ConfigLies and ConfigMissing: the service provider config says the opposite
	// of what is so, or is answered with 404.
	ConfigLies    FaultName = "config_lies"
	ConfigMissing FaultName = "config_missing"
)

// faultNames lists the faults.
var faultNames = []FaultName{
	LostReply, Hang, Slow, Reset, RateLimited, Busy, Down, Truncated,
	RepeatIDs, TotalTooBig, TotalTooSmall, ForcedCursor, ExpiredCursor, EmptyPages,
	HTML, CreateWithoutID, CreateThen504, BlindLookup, Business412, Refused, Dropped, DropMidBody, TruncatedJSON, TokenExpired, Quota,
	EmptyMembers, MemberLimit, BadMember, ActiveAsText, ObfuscateDisabled, HideDisabled, PathlessSingle, PutWipes, PrimaryFlips,
	LowerCaseResources, ConfigLies, ConfigMissing,
}

// FaultNames returns the names of all faults.
func FaultNames() []FaultName { return slices.Clone(faultNames) }

// Fault is something that goes wrong.
type Fault struct {
	Name FaultName
	// Method: GET, POST …, "read", "write" or "any"; "": what the name says, else any.
	Method string
	// Path begins the path below the base path; "": any.
	Path string
	// Skip is how many of the requests it is for are spared first.
	Skip int
	// Times is how many requests it happens to; 0: all.
	Times int

	// What the name says of them.
	N          int
	Status     int
	Wait       time.Duration
	Text       string
	RetryAfter string // header as sent: "7", an HTTP date; "": none
}

// usualMethod is what a fault is for when it does not say.
var usualMethod = map[FaultName]string{
	LostReply: "POST", CreateWithoutID: "POST", CreateThen504: "POST", Hang: "write", RateLimited: "write", Busy: "write", Business412: "write",
}

// twisting are the faults that change how a request is treated.
var twisting = map[FaultName]func(*rules, Fault){
	Truncated:          func(r *rules, f Fault) { r.endsAfter = orOne(f.N) },
	RepeatIDs:          func(r *rules, f Fault) { r.repeat = orOne(f.N) },
	TotalTooBig:        func(r *rules, f Fault) { r.totalBy = orOne(f.N) },
	TotalTooSmall:      func(r *rules, f Fault) { r.totalBy = -orOne(f.N) },
	ForcedCursor:       func(r *rules, _ Fault) { r.forceCursor = true },
	ExpiredCursor:      func(r *rules, _ Fault) { r.expired = true },
	EmptyPages:         func(r *rules, _ Fault) { r.emptyPages = true },
	CreateWithoutID:    func(r *rules, _ Fault) { r.noID = true },
	BlindLookup:        func(r *rules, f Fault) { r.blind = f.Wait },
	EmptyMembers:       func(r *rules, _ Fault) { r.MembersRead = "filter_only" },
	MemberLimit:        func(r *rules, f Fault) { r.memberMax = f.N },
	BadMember:          func(r *rules, f Fault) { r.badMember = orElse(f.Status, 400) },
	ActiveAsText:       func(r *rules, _ Fault) { r.BoolStyle = "string_True" },
	ObfuscateDisabled:  func(r *rules, _ Fault) { r.ObfuscatedWhenDisabled = []string{"userName", "emails"} },
	HideDisabled:       func(r *rules, _ Fault) { r.DisabledVisible = "hidden" },
	PathlessSingle:     func(r *rules, _ Fault) { r.PatchStyle = "pathless_single"; r.force("patch_style") },
	PutWipes:           func(r *rules, _ Fault) { r.wipes = true },
	PrimaryFlips:       func(r *rules, _ Fault) { r.flipPrimary = true },
	LowerCaseResources: func(r *rules, _ Fault) { r.lowerNames = true },
	ConfigLies:         func(r *rules, _ Fault) { r.lies = true },
	ConfigMissing:      func(r *rules, _ Fault) { r.noDiscovery = true },
}

func orOne(n int) int { return orElse(n, 1) }

func orElse(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}
