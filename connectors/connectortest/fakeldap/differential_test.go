package fakeldap

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	ldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

var (
	diffSeed  = flag.Uint64("diff.seed", 1, "seed of the operations that slapd and the fake are compared on")
	diffSteps = flag.Int("diff.steps", 3000, "how many operations")
)

// The same operations, random but seeded, go to a real slapd and to the fake:
// result codes, matched DNs and, every so often, the whole subtree must agree.
// Repeat one with -diff.seed.
func TestDifferentialAgainstSlapd(t *testing.T) {
	url := os.Getenv("PROVHUB_TEST_LDAP_URL")
	if url == "" {
		t.Skip("needs PROVHUB_TEST_LDAP_URL: run make test")
	}
	base := os.Getenv("PROVHUB_TEST_LDAP_BASE_DN")
	bindDN, password := os.Getenv("PROVHUB_TEST_LDAP_BIND_DN"), os.Getenv("PROVHUB_TEST_LDAP_PASSWORD")
	s := start(t, Options{BaseDN: base, AdminDN: bindDN, AdminPassword: password, Passwords: PasswordPolicy{History: 3}})
	root := fmt.Sprintf("ou=fakeldap-%d,%s", time.Now().UnixNano(), os.Getenv("PROVHUB_TEST_LDAP_PEOPLE_DN"))

	real, err := ldap.DialURL(url)
	require.NoError(t, err)
	defer func() { _ = real.Close() }()
	require.NoError(t, real.Bind(bindDN, password))
	t.Cleanup(func() { removeTree(t, url, bindDN, password, root) })

	d := &differ{t: t, root: root, rng: rand.New(rand.NewPCG(*diffSeed, 0)), sides: [2]*ldap.Conn{real, admin(t, s)}}
	d.compare("the root", func(c *ldap.Conn) error {
		return c.Add(addRequest(root, "objectClass", "organizationalUnit", "ou", rdnValue(root)))
	})
	for _, ou := range []string{"a", "b"} {
		d.compare("a folder", func(c *ldap.Conn) error {
			return c.Add(addRequest("ou="+ou+","+root, "objectClass", "organizationalUnit", "ou", ou))
		})
	}
	for i := range *diffSteps {
		d.step(i)
		if i%50 == 49 {
			d.dump(i)
		}
		if d.failures > 20 {
			t.Fatal("too many differences")
		}
	}
	t.Logf("seed %d: %d operations, result codes %v", *diffSeed, *diffSteps, d.codes)
	require.Greater(t, len(d.codes), 12, "the operations must meet many kinds of refusal")
}

func rdnValue(dn string) string {
	rdn, _, _ := strings.Cut(dn, ",")
	_, v, _ := strings.Cut(rdn, "=")
	return v
}

// removeTree clears up with a connection of its own.
func removeTree(t *testing.T, url, bindDN, password, root string) {
	c, err := ldap.DialURL(url)
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	require.NoError(t, c.Bind(bindDN, password))
	res, err := c.Search(ldap.NewSearchRequest(root, ldap.ScopeWholeSubtree, 0, 5000, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
	require.NoError(t, err)
	slices.SortFunc(res.Entries, func(a, b *ldap.Entry) int { return strings.Count(b.DN, ",") - strings.Count(a.DN, ",") })
	for _, e := range res.Entries {
		require.NoError(t, c.Del(ldap.NewDelRequest(e.DN, nil)))
	}
}

// differ sends everything twice: sides are slapd and the fake.
type differ struct {
	t        *testing.T
	root     string
	rng      *rand.Rand
	sides    [2]*ldap.Conn
	codes    map[uint16]int
	failures int
	own      string // the DN that is being written
}

// explained are differences that are none: slapd sorts the values before it looks
// for one that is given twice, so it counts from another end.
var explained = regexp.MustCompile(` value #\d+ provided more than once`)

// verdictOf is what of an answer must agree.
type verdictOf struct {
	Code    uint16
	Matched string
	Text    string
}

func verdictFrom(err error) verdictOf {
	var e *ldap.Error
	if !errors.As(err, &e) {
		return verdictOf{Text: fmt.Sprint(err)}
	}
	return verdictOf{e.ResultCode, strings.ToLower(e.MatchedDN), explained.ReplaceAllString(e.Err.Error(), "")}
}

// compare sends one operation to both and holds the answers against each other.
func (d *differ) compare(what string, do func(*ldap.Conn) error) {
	d.t.Helper()
	want, got := verdictFrom(do(d.sides[0])), verdictFrom(do(d.sides[1]))
	if d.codes == nil {
		d.codes = map[uint16]int{}
	}
	d.codes[want.Code]++
	if want != got {
		d.failures++
		d.t.Errorf("%s\n  slapd: %+v\n  fake:  %+v", what, want, got)
	}
}

// plain makes entries comparable: sets are sorted; passwords are left out, as
// each server salts its own; links are compared without case, as memberof spells
// a renamed entry as the request did, the fake as the entry does.
func plain(entries []*ldap.Entry) map[string]map[string][]string {
	out := map[string]map[string][]string{}
	for _, e := range entries {
		attrs := map[string][]string{}
		for _, a := range e.Attributes {
			values := slices.Clone(a.Values)
			if a.Name == "userPassword" {
				values = []string{fmt.Sprint(len(values))}
			}
			if slices.Contains([]string{"member", "memberOf"}, a.Name) {
				for i := range values {
					values[i] = strings.ToLower(values[i])
				}
			}
			slices.Sort(values)
			attrs[a.Name] = values
		}
		out[e.DN] = attrs
	}
	return out
}
