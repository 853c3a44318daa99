package connector

import (
	"fmt"
	"log/slog"
)

// Secret holds a credential. It prints as "***" under every verb, in slog and
// in JSON; [Secret.Reveal] is the only way in. The zero Secret is "no secret".
type Secret struct{ value string }

// NewSecret wraps a credential.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the credential. Call it where it goes to the target, nowhere else.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.value == "" }

// Format implements [fmt.Formatter] and hides the value.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// String implements [fmt.Stringer] and hides the value.
func (s Secret) String() string { return "***" }

// LogValue implements [slog.LogValuer] and hides the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalText implements [encoding.TextMarshaler] and hides the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// SecretSpec names a secret that a connector type takes.
type SecretSpec struct {
	Name        string
	Description string
	Required    bool
	// Rotatable says that the target implements [Rotator].
	Rotatable bool
}
