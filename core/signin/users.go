package signin

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

// userName leaves out the colon, which sets "oidc:…" apart from users.
var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,62}$`)

// ParseUser returns the name of a user in lower case. The error says what a name is
// made of.
func ParseUser(name string) (string, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if !userName.MatchString(name) {
		return "", fmt.Errorf("%q is not a user's name: letters, digits and . _ @ -, at most 63, beginning with a letter or a digit", name)
	}
	return name, nil
}

// ParseRole returns the role called text. The error lists what there is.
func ParseRole(text string) (Role, error) {
	names := make([]string, len(Roles))
	for i, r := range Roles {
		if names[i] = string(r); names[i] == text {
			return r, nil
		}
	}
	return "", fmt.Errorf("there is no role %q%s; roles are %s", text, wording.DidYouMean(text, names), strings.Join(names, ", "))
}

// Add makes a user who signs in with a password, in the name of by. Name and password
// were checked with [ParseUser] and [CheckPassword].
func Add(ctx context.Context, org *store.Org, name string, role Role, password, by string, now time.Time) error {
	return org.AddUser(ctx, store.User{Name: name, Role: string(role), Password: HashPassword(password)}, by, now)
}

// SetPassword gives a user another password, which [CheckPassword] has checked, and
// signs them out everywhere.
func SetPassword(ctx context.Context, org *store.Org, name, password, by string, now time.Time) error {
	phc := HashPassword(password)
	return org.ChangeUser(ctx, name, by, now, func(u *store.User) { u.Password = phc })
}
