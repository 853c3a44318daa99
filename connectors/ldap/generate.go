package ldap

import (
	"crypto/rand"
	"math/big"

	"github.com/provhub/provhub/connectors/connector"
)

// The characters of a generated password: no look-alikes, and none that shells,
// URLs or CSV files trip over.
var passwordClasses = []string{"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "-_.!+=:@"}

const generatedLength = 24

// generated makes a random password with characters of every class. It is set
// and forgotten: the person gets in by a reset or by single sign-on.
func generated(p *InitialPassword) connector.Secret {
	n := generatedLength
	if p != nil {
		n = orElseInt(p.Length, n)
	}
	all := ""
	out := make([]byte, 0, n)
	for _, class := range passwordClasses {
		out = append(out, pick(class))
		all += class
	}
	for len(out) < n {
		out = append(out, pick(all))
	}
	for i := len(out) - 1; i > 0; i-- {
		j := number(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return connector.NewSecret(string(out))
}

func pick(from string) byte { return from[number(len(from))] }

// number returns a random number below n.
func number(n int) int {
	x, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // the system has no randomness: nothing here is safe any more
	}
	return int(x.Int64())
}
