package connectortest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

var processChecks = []Check{
	{ID: "A1", Title: "it says which type and version it is", Bare: true, Func: saysWhatItIs},
	{ID: "A2", Title: "started by hand it explains itself and exits", Process: true, Bare: true, Func: startedByHand},
	{ID: "A3", Title: "it prints the handshake to stdout and nothing else, ever", Process: true, Func: quietStdout},
	{ID: "A4", Title: "nobody without the hub's certificate gets an answer", Process: true, Bare: true, Func: closedToOthers},
	{ID: "A5", Title: "it picks a protocol version that was offered, or is seen not to", Process: true, Bare: true, Func: picksVersion},
	{ID: "A6", Title: "it starts without environment, files and stdin", Process: true, Bare: true, Func: cleanStart},
	{ID: "A7", Title: "fifty starts and stops leave nothing behind", Process: true, Bare: true, Func: startsAndStops, Limit: 3 * time.Minute},
	{ID: "A8", Title: "it exits when the hub is gone", Process: true, Own: true, Bare: true, Func: leavesWithHub},
}

var (
	typeName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)
	semver   = regexp.MustCompile(`^v?[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$`)
)

func saysWhatItIs(ctx context.Context, e *Env) error {
	d, err := e.describe(ctx)
	switch {
	case err != nil:
		return err
	case !typeName.MatchString(d.GetType()):
		return fmt.Errorf("the type %q is not of the form %s", d.GetType(), typeName)
	case !semver.MatchString(d.GetVersion()):
		return fmt.Errorf("the version %q is no semantic version", d.GetVersion())
	case d.GetDisplayName() == "":
		return errors.New("it has no name for people (display name)")
	case e.Target.Definition != nil && (d.GetType() != e.Target.Definition.Type || d.GetVersion() != e.Target.Definition.Version):
		return fmt.Errorf("it says %s %s, and the definition is %s %s: the binary is of another build", d.GetType(), d.GetVersion(), e.Target.Definition.Type, e.Target.Definition.Version)
	}
	return nil
}

func startedByHand(ctx context.Context, e *Env) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, e.Target.Binary)
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{"PATH=" + os.Getenv("PATH")}, &out, &log
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return errors.New("it did not exit within 2 s")
	case err == nil:
		return errors.New("it exits with 0, as if it had done something")
	case len(bytes.TrimSpace(log.Bytes())) == 0:
		return errors.New("it does not say on stderr what it is for")
	}
	return nil
}

func quietStdout(ctx context.Context, e *Env) error {
	if types, err := e.types(); err == nil {
		for _, t := range types {
			if e.can(t.Name, "create") {
				if _, _, err := e.create(ctx, t, true); err != nil {
					return err
				}
			}
		}
	}
	if e.firstBadStep(ctx) != nil {
		return errors.New("Check fails on a good target")
	}
	l, ok := e.run.(*launched)
	if !ok {
		return skip("there is no process")
	}
	time.Sleep(50 * time.Millisecond) // what was printed is on its way
	for line := range strings.Lines(l.printed.String()) {
		if strings.Contains(line, "printed_to=stdout") {
			return fmt.Errorf("it printed to stdout: %s", clip(strings.TrimSpace(line), 200))
		}
	}
	return nil
}

func closedToOthers(ctx context.Context, e *Env) error {
	l, ok := e.run.(*launched)
	if !ok || l.p.Addr() == nil {
		return skip("it is not known where the plugin listens")
	}
	path := l.p.Addr().String()
	for _, p := range []string{path, filepath.Dir(path), l.p.Dir()} {
		info, err := os.Stat(p)
		if err != nil {
			continue // not a file system's address
		}
		if !info.IsDir() && info.Mode().Perm()&0o022 != 0 && !private(filepath.Dir(p)) {
			return fmt.Errorf("others may write to the socket %s (mode %v)", p, info.Mode().Perm())
		}
	}
	for how, creds := range map[string]credentials.TransportCredentials{
		"without TLS":           insecure.NewCredentials(),
		"without a certificate": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}), // the caller does not care who answers
	} {
		if answersTo(ctx, path, creds) {
			return fmt.Errorf("it answers a caller %s", how)
		}
	}
	return nil
}

// answersTo reports whether Describe is answered to a caller with creds.
func answersTo(ctx context.Context, path string, creds credentials.TransportCredentials) bool {
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(creds))
	if err != nil {
		return false
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err = pluginv1.NewConnectorServiceClient(conn).Describe(ctx, &pluginv1.DescribeRequest{})
	return err == nil
}

// private reports whether a folder above path is closed to others.
func private(dir string) bool {
	for ; dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 == 0 {
			return true
		}
	}
	return false
}

// offered is how a plugin that was started by hand answers the handshake.
type offered struct {
	line   string // on stdout
	stderr string
	exited bool
}

// offer starts the binary with nothing but what the handshake needs.
func (e *Env) offer(ctx context.Context, majors, dir string) (offered, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, e.Target.Binary)
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = dir, &log, time.Second
	cmd.Env = []string{protocol.MagicCookieKey + "=" + protocol.MagicCookieValue, "PLUGIN_PROTOCOL_VERSIONS=" + majors}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return offered{}, err
	}
	if err := cmd.Start(); err != nil {
		return offered{}, err
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	if readErr == nil {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait() // killed, or it says more on stderr than in its status
	o := offered{line: strings.TrimSpace(line), stderr: log.String(), exited: readErr != nil}
	if parts := strings.Split(o.line, "|"); len(parts) > 3 && parts[2] == "unix" {
		_ = os.RemoveAll(parts[3]) // it was killed before it could
	}
	if ctx.Err() != nil && o.line == "" {
		return o, errors.New("there was no handshake within 10 s")
	}
	return o, nil
}

func picksVersion(ctx context.Context, e *Env) error {
	for _, majors := range []string{"1", "1,2", "2"} {
		o, err := e.offer(ctx, majors, "")
		if err != nil {
			return fmt.Errorf("offered %s: %w", majors, err)
		}
		if o.exited {
			if strings.Contains(majors, "1") || strings.TrimSpace(o.stderr) == "" {
				return fmt.Errorf("offered %s: it exits, and says %q", majors, clip(o.stderr, 200))
			}
			continue
		}
		parts := strings.Split(o.line, "|")
		if len(parts) < 5 || parts[4] != "grpc" {
			return fmt.Errorf("offered %s: the handshake is %q", majors, clip(o.line, 80))
		}
		picked := parts[1]
		// Where nothing fits it names its own, and the hub refuses it.
		if fit := slices.Contains(strings.Split(majors, ","), picked); !fit && strings.Contains(majors, strconv.Itoa(protocol.Major)) {
			return fmt.Errorf("offered %s: it picks %s", majors, picked)
		}
	}
	return nil
}

func cleanStart(ctx context.Context, e *Env) error {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o, err := e.offer(ctx, strconv.Itoa(protocol.Major), dir)
	if err != nil {
		return err
	}
	if o.exited {
		return fmt.Errorf("it does not start with an empty environment: %s", clip(o.stderr, 300))
	}
	left, err := os.ReadDir(dir)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("it leaves %s in its working directory", left[0].Name())
	}
	return err
}

func startsAndStops(ctx context.Context, e *Env) error {
	n := e.scaled(50)
	before := openFiles(os.Getpid())
	var took []time.Duration
	for range n {
		began := time.Now()
		r, err := e.host.start(ctx)
		if err != nil {
			return err
		}
		took = append(took, time.Since(began))
		l := r.(*launched)
		pid, dir := l.pid(), l.p.Dir()
		r.stop()
		if exists(pid) {
			return fmt.Errorf("process %d is still there after a stop", pid)
		}
		if _, err := os.Stat(dir); err == nil {
			return fmt.Errorf("the folder of its socket is still there after a stop: %s", dir)
		}
	}
	left := 0
	for range 30 { // the hub reads the pipes of a dead process for a while
		if left = openFiles(os.Getpid()) - before; left <= 2 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if left > 2 {
		return fmt.Errorf("%d starts and stops leave %d descriptors open in the hub", n, left)
	}
	slices.Sort(took)
	if p95 := took[len(took)*95/100]; p95 > time.Second {
		return fmt.Errorf("a start takes %v (95th percentile of %d), want less than a second", p95.Round(time.Millisecond), n)
	}
	return nil
}

func leavesWithHub(_ context.Context, e *Env) error {
	l, ok := e.run.(*launched)
	if !ok {
		return skip("there is no process")
	}
	l.p.LetGo()
	select {
	case <-l.p.Exited():
		return nil
	case <-time.After(time.Second):
		return errors.New("it still runs a second after the hub is gone")
	}
}

// procPath is where the system tells about a process.
func procPath(pid int, what string) string { return filepath.Join("/proc", strconv.Itoa(pid), what) }

// openFiles counts the descriptors of a process; -1 when it cannot be told.
func openFiles(pid int) int {
	entries, err := os.ReadDir(procPath(pid, "fd"))
	if err != nil {
		return -1
	}
	return len(entries)
}
