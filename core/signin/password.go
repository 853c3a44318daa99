package signin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// The parameters of argon2id are the second recommendation of RFC 9106 §4: for
// machines that cannot spend 2 GiB on a sign-in.
const (
	argonPasses = 3
	argonMemory = 64 << 10 // KiB
	argonLanes  = 4
	saltBytes   = 16
	keyBytes    = 32
)

// The bounds of a password, in characters and in bytes.
const (
	passwordMin = 12
	passwordMax = 1024
)

// CheckPassword says what is wrong with a new password of the user called name; nil:
// nothing. It asks for length and for nothing else (NIST SP 800-63B §3.1.1.2).
func CheckPassword(name, password string) error {
	switch {
	case !utf8.ValidString(password):
		return errors.New("the password is not valid UTF-8")
	case utf8.RuneCountInString(password) < passwordMin:
		return fmt.Errorf("the password is too short; give at least %d characters, a few words for example", passwordMin)
	case len(password) > passwordMax:
		return fmt.Errorf("the password is longer than %d bytes", passwordMax)
	case strings.Contains(strings.ToLower(password), strings.ToLower(name)):
		return errors.New("the password has the user's name in it")
	}
	return nil
}

// HashPassword returns the PHC string of a password: argon2id with a salt of its own.
func HashPassword(password string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // it never fails: crypto/rand ends the program before
	key := argon2.IDKey(normal(password), salt, argonPasses, argonMemory, argonLanes, keyBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// normal makes the same password the same bytes, whatever keyboard it was typed on.
func normal(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

// verify reports whether phc is the hash of password. It takes the parameters from
// phc, so that hashes of other parameters go on to work; an error means that phc is
// not what [HashPassword] makes.
func verify(phc, password string) (bool, error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return false, errors.New("the stored password is not a PHC string of argon2id")
	}
	var version, memory, passes, lanes uint32
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil {
		return false, fmt.Errorf("the stored password has no parameters: %w", err)
	}
	if version != argon2.Version || memory < 8 || memory > 1<<20 || passes < 1 || passes > 16 || lanes < 1 || lanes > 64 {
		return false, errors.New("the stored password has parameters out of bounds")
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, fmt.Errorf("the stored password's salt: %w", err)
	}
	key, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(key) < 16 {
		return false, errors.New("the stored password's hash cannot be read")
	}
	got := argon2.IDKey(normal(password), salt, passes, memory, uint8(lanes), uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}
