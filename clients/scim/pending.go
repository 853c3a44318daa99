package scim

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
)

// Client speaks SCIM to one target. It is safe for concurrent use. Every call
// makes one attempt; errors are those of the connector contract, a write whose
// outcome is open is a [connector.Unknown].
type Client struct{ profile *Profile }

var errPending = connector.Errorf(connector.CodeUnsupported, "not there yet")

// New returns a client. CONFIGURATION when the address is none, or is not https and
// its host not in AllowInsecure. Nothing is sent.
func New(o Options) (*Client, error) { return nil, errPending }

// Profile returns the effective profile, with what [Client.Discover] found.
func (c *Client) Profile() *Profile { return c.profile }

// Discover asks the target about itself and takes over what it tells wherever the
// profile leaves it open. The error is that of a target which cannot be used at
// all (authentication, connection), or of a profile that requires discovery.
func (c *Client) Discover(ctx context.Context) (*Discovery, error) { return nil, errPending }

// Get reads one resource. NOT_FOUND when there is none; a target that hides
// disabled users answers that for them, too.
func (c *Client) Get(ctx context.Context, t ResourceType, id string, s Selection) (Resource, error) {
	return nil, errPending
}

// Find reads the one resource whose attribute at path is value. NOT_FOUND when
// there is none, AMBIGUOUS when several match: hits are checked here, by the
// comparison rule of the attribute. UNSUPPORTED when the profile does not allow the
// filter.
func (c *Client) Find(ctx context.Context, t ResourceType, path string, value any, s Selection) (Resource, error) {
	return nil, errPending
}

// List calls yield for each resource once, and stops at yield's first error,
// which it returns. Memory holds one page, and some 20 bytes per resource.
func (c *Client) List(ctx context.Context, q Query, yield func(Resource) error) (ListEnd, error) {
	return ListEnd{}, errPending
}

// Create makes one resource and returns what the target answered, which may be
// without an id: look it up then. ALREADY_EXISTS when a unique value is taken.
func (c *Client) Create(ctx context.Context, t ResourceType, r Resource) (Resource, error) {
	return nil, errPending
}

// Update changes one resource the way the profile says and returns what the target
// answered; nil when it answered nothing. [connector.Unchanged] when it was so
// already, [connector.Partial] with the paths when only some requests went through.
func (c *Client) Update(ctx context.Context, u Update) (Resource, error) { return nil, errPending }

// SetActive enables or disables a user the way the profile says.
func (c *Client) SetActive(ctx context.Context, id string, active bool, ifMatch string) (Resource, error) {
	return nil, errPending
}

// Delete removes a resource. [connector.Unchanged] when it is gone already. It
// does what DELETE does on this target, irreversible or not: see
// [LifecycleRules.DeleteEffect]. UNSUPPORTED when the profile forbids it.
func (c *Client) Delete(ctx context.Context, t ResourceType, id, ifMatch string) error {
	return errPending
}

// ChangeMembers adds and removes members of one group, in as few requests as the
// profile allows, and answers each change by its index; nil: done, or so already.
// A member that the target refuses is found by bisection and harms no other.
func (c *Client) ChangeMembers(ctx context.Context, group string, changes []MemberChange) []error {
	return make([]error, len(changes))
}

// HasMember tells whether a user is a member of a group. UNSUPPORTED when the
// target cannot be asked.
func (c *Client) HasMember(ctx context.Context, group, member string) (bool, error) {
	return false, errPending
}

// Bulk carries out operations in as few requests as the target allows and answers
// each by its index. UNSUPPORTED for all when the target has no bulk.
func (c *Client) Bulk(ctx context.Context, ops []BulkOp) []BulkAnswer {
	return make([]BulkAnswer, len(ops))
}

// Bearer signs requests with a token.
func Bearer(token connector.Secret) Auth { return nil }

// Basic signs requests with a name and a password.
func Basic(user string, password connector.Secret) Auth { return nil }

// HeaderAuth signs requests with a header of the target's own.
func HeaderAuth(name string, value connector.Secret) Auth { return nil }
