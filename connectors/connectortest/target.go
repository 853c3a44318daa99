package connectortest

import (
	"context"
	"encoding/json"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Target is a connector to be tested, and what the suite may know of the target
// system behind it. Config and one of Definition and Binary are required; what
// else is missing makes the checks that need it be skipped.
type Target struct {
	// Definition is the connector in this process.
	Definition *connector.Definition
	// Binary is the path of its plugin.
	Binary string
	// Config is a good config. Every instance that is opened with it must see
	// the same objects.
	Config  json.RawMessage
	Secrets map[string]connector.Secret

	// Types limits the checks to these object types; nil: all that can be created.
	Types []string
	// Values override the data made from the schema, by "type.attribute" or
	// "attribute". "%d" in a text is replaced with a number that differs from
	// object to object; without it the values are used in turn.
	Values map[string][]any
	// Settle is how long a write may take to show in reads; 0: at once.
	Settle time.Duration
	// Oracle looks into the target itself; nil: what the plugin reads is believed.
	Oracle Oracle
	// Durable: the objects outlive the plugin's process.
	Durable bool

	// Faults are configs of the same target with one fault switched on. Those
	// that are missing are made by a proxy between the plugin and the target,
	// where its address is an option marked as endpoint and leads to this machine.
	Faults map[Fault]json.RawMessage
	// Delay is how long every call takes under [Slow], by config.
	Delay time.Duration
	// Share is how many of their operations the heavy checks send, for targets
	// that are slow; 0: all.
	Share float64
	// Other is the config of a second target, which shares nothing with the first.
	Other json.RawMessage
	// WrongSecrets are refused by the target; NewSecrets are accepted as well.
	WrongSecrets, NewSecrets map[string]connector.Secret
	// WeakPassword breaks the target's password policy; "": it has none.
	WeakPassword string
	// Login reports whether the account can sign in with the password; nil: the
	// outcome of SetCredential is believed.
	Login func(ctx context.Context, account connector.Object, password string) (bool, error)
	// OlderConfigs are configs of older schema versions, by version.
	OlderConfigs map[int]json.RawMessage
	// LastRelease is the DescribeResponse of the last release in protobuf's
	// binary form; nil: there is none.
	LastRelease []byte

	// prefix begins the names of all that is made, in a live run; "": there is none.
	prefix string
	// Skip maps ids of checks to the reason why they are left out.
	Skip map[string]string
}

// Oracle reads the target's own state, past the connector.
type Oracle interface {
	// Objects returns all objects of a type. Ref.ID is the target's own id.
	Objects(ctx context.Context, typ string) ([]connector.Object, error)
}

// Fault names a way in which a target lets its connector down.
type Fault string

// The faults.
const (
	// LostReply: a create takes effect and its reply is lost, once for each key.
	LostReply Fault = "lost_reply"
	// Hang: calls that write are accepted and never answered.
	Hang Fault = "hang"
	// Slow: every call takes [Target.Delay].
	Slow Fault = "slow"
	// Reset: the connection breaks before the first request, and once only.
	Reset Fault = "reset"
	// RateLimited and Busy: the target refuses every write for now.
	RateLimited Fault = "rate_limited"
	Busy        Fault = "busy"
	// Down: the target cannot be reached.
	Down Fault = "down"
	// Truncated: the target cuts listings short.
	Truncated Fault = "truncated"
	// Panics: the connector panics at every write. For connectors of one's own tests.
	Panics Fault = "panic"
	// ExpiredToken: the target has forgotten every sync token.
	ExpiredToken Fault = "expired_token"
)
