package fakeldap

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tools runs OpenLDAP's own programs against the fake: clients that nobody here
// wrote.
type tools struct {
	t *testing.T
	s *Server
	o []string
}

func newTools(t *testing.T, o Options) *tools {
	if os.Getenv("PROVHUB_TEST_LDAP_URL") == "" {
		t.Skip("needs PROVHUB_TEST_LDAP_URL: run make test")
	}
	s := start(t, o)
	ca, err := s.CAFile(t.TempDir())
	require.NoError(t, err)
	t.Setenv("LDAPTLS_CACERT", ca)
	return &tools{t, s, []string{"-x", "-H", s.URL(), "-D", s.AdminDN(), "-w", s.AdminPassword()}}
}

// run returns the output and the exit code, which is the LDAP result code.
func (x *tools) run(program, stdin string, args ...string) (string, int) {
	x.t.Helper()
	cmd := exec.Command(program, append(x.o, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.IsType(x.t, &exec.ExitError{}, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// ok runs a program that must succeed.
func (x *tools) ok(program, stdin string, args ...string) string {
	x.t.Helper()
	out, code := x.run(program, stdin, args...)
	require.Zero(x.t, code, "%s %v: %s", program, args, out)
	return out
}

func TestOpenLDAPsTools(t *testing.T) {
	x := newTools(t, Options{})
	people := x.s.In(People)
	jane := "uid=jane," + people
	require.Equal(t, "dn:"+x.s.AdminDN()+"\n", x.ok("ldapwhoami", ""))
	x.ok("ldapadd", "dn: "+jane+"\nobjectClass: inetOrgPerson\nuid: jane\ncn: Jane Doe\nsn:: w5ZkZQ==\njpegPhoto:: /9j/AAEC\n")
	x.ok("ldapmodify", "dn: "+jane+"\nchangetype: modify\nadd: mail\nmail: jane@example.org\nmail: j@example.org\n-\ndelete: jpegPhoto\n")
	require.Contains(t, x.ok("ldapsearch", "", "-LLL", "-b", people, "(&(sn=öde)(|(mail=J@*)(cn:caseExactMatch:=nobody)))", "mail"), "mail: j@example.org")
	x.ok("ldapmodrdn", "", "-r", jane, "uid=janet")
	out, code := x.run("ldapcompare", "", "uid=janet,"+people, "sn:ÖDE")
	require.Equal(t, 6, code, out)
	out, code = x.run("ldappasswd", "", "-s", "short", "-e", "ppolicy", "uid=janet,"+people)
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "Constraint violation (19)")
	x.ok("ldappasswd", "", "-s", "Long-enough-1", "uid=janet,"+people)
	require.True(t, x.s.CheckPassword("uid=janet,"+people, "Long-enough-1"))
	out, code = x.run("ldapdelete", "", people)
	require.Equal(t, 66, code, out)

	read := x.ok("ldapmodify", "dn: uid=janet,"+people+"\nchangetype: modify\nreplace: title\ntitle: Dr.\n", "-e", "postread=title,entryCSN")
	require.Contains(t, read, "title: Dr.")
	_, code = x.run("ldapmodify", "dn: uid=janet,"+people+"\nchangetype: modify\nreplace: title\ntitle: x\n", "-e", "!assert=(title=Mr.)")
	require.Equal(t, 122, code)

	x.o = []string{"-x", "-ZZ", "-H", x.s.PlainURL(), "-D", "uid=janet," + people, "-w", "Long-enough-1"}
	require.Contains(t, x.ok("ldapwhoami", ""), "uid=janet")
}

func TestOpenLDAPsToolsPageThroughEverything(t *testing.T) {
	x := newTools(t, Options{})
	c := admin(t, x.s)
	for _, n := range strings.Split("abcdefghij", "") {
		person(t, x.s, c, n)
	}
	out := x.ok("ldapsearch", "", "-LLL", "-b", x.s.In(People), "-E", "pr=3/noprompt", "(objectClass=inetOrgPerson)", "1.1")
	require.Equal(t, 10, strings.Count(out, "dn: "))
	require.Equal(t, 4, x.s.Stats().Ops[OpSearch])
	out, code := x.run("ldapsearch", "", "-LLL", "-z", "4", "-b", x.s.In(People), "(objectClass=inetOrgPerson)", "1.1")
	require.Equal(t, 4, code, out)
	require.Equal(t, 4, strings.Count(out, "dn: "))
}

// RFC 4533, told by ldapsearch.
func TestOpenLDAPsToolsFollowTheContent(t *testing.T) {
	x := newTools(t, Options{})
	c := admin(t, x.s)
	jane := person(t, x.s, c, "jane")
	out := x.ok("ldapsearch", "", "-b", x.s.In(People), "-E", "!sync=ro", "(uid=*)", "uid")
	require.Contains(t, out, "dn: "+jane)
	require.Contains(t, out, "SyncState control, UUID "+id(t, x.s, jane)+" added")
	require.Contains(t, out, "SyncDone control")

	cmd := exec.Command("ldapsearch", append(x.o, "-LLL", "-b", x.s.In(People), "-E", "!sync=rp", "(uid=*)", "uid")...)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		buf := make([]byte, 4096)
		for {
			n, err := pipe.Read(buf)
			if n > 0 {
				lines <- string(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	expect := func(what string) {
		t.Helper()
		seen, deadline := "", time.After(10*time.Second)
		for !strings.Contains(seen, what) {
			select {
			case l := <-lines:
				seen += l
			case <-deadline:
				t.Fatalf("%q did not come, but: %s", what, seen)
			}
		}
	}
	expect("uid: jane")
	person(t, x.s, c, "john")
	expect("uid: john")
	require.NoError(t, x.s.Rename(jane, "uid=janet,"+x.s.In(People)))
	expect("uid: janet")
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
}

func id(t *testing.T, s *Server, dn string) string {
	t.Helper()
	e, ok := s.Entry(dn)
	require.True(t, ok)
	return e.ID
}
