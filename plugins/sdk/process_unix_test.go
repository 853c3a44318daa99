//go:build unix

package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/logtest"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// processDefinition is served by the test binary when a test starts it as a
// plugin. The title of an update says what the connector does.
var processDefinition = connector.Define(connector.Spec[struct{}]{
	Type: "process-lab", DisplayName: "Process lab", Version: "1.0.0", MaxInFlight: 16,
	Open: func(_ context.Context, _ struct{}, in connector.Instance) (connector.Target, error) {
		return lab{func(ctx context.Context, op connector.Operation) error { return act(ctx, op, in) }}, nil
	},
})

func act(ctx context.Context, op connector.Operation, in connector.Instance) error {
	u, ok := op.(connector.Update)
	if !ok || len(u.Changes) == 0 {
		return nil
	}
	switch what := connector.Text(u.Changes[0].Replace[0]); {
	case what == "log":
		in.Log.WarnContext(ctx, "about to work", "token", in.Secret("token").Reveal())
	case what == "print":
		fmt.Println("printed to stdout")
		fmt.Fprintln(os.Stderr, "printed to stderr")
	case what == "hang":
		select {}
	case what == "child":
		// A child that keeps running, with whatever descriptors it inherits.
		cmd := exec.Command("sleep", "60")
		cmd.Stdout, cmd.Stderr = nil, nil
		if err := cmd.Start(); err != nil {
			return err
		}
		return &connector.Error{Code: connector.CodeInternal, Message: strconv.Itoa(cmd.Process.Pid)}
	case what == "environment":
		return &connector.Error{Code: connector.CodeInternal, Message: os.Getenv(protocol.LifelineEnv)}
	case strings.HasPrefix(what, "large "):
		n, _ := strconv.Atoi(what[6:])
		return connector.Applied(connector.Object{Ref: connector.Ref{ID: "7"}, Attributes: connector.Attributes{{Name: "blob", Values: connector.Values{make([]byte, n)}}}})
	}
	return nil
}

// proc is a plugin in a process of its own.
type proc struct {
	cmd      *exec.Cmd
	client   *plugin.Client
	rpc      pb.ConnectorServiceClient
	lifeline *os.File
	stderr   *logtest.Log
	out, err *logtest.Log // what go-plugin passes on
}

func startProcess(t testing.TB) *proc {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &proc{cmd: exec.Command(os.Args[0]), lifeline: w, stderr: &logtest.Log{}, out: &logtest.Log{}, err: &logtest.Log{}}
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), protocol.LifelineEnv + "=3"}
	p.cmd.ExtraFiles = []*os.File{r}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: protocol.Handshake, VersionedPlugins: protocol.PluginSets(nil), Cmd: p.cmd, AutoMTLS: true, SkipHostEnv: true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, StartTimeout: 20 * time.Second,
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Off}), Stderr: p.stderr, SyncStdout: p.out, SyncStderr: p.err,
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(protocol.MaxMessageBytes), grpc.MaxCallSendMsgSize(protocol.MaxMessageBytes))},
	})
	t.Cleanup(func() {
		_ = w.Close()
		p.client.Kill()
	})
	c, err := p.client.Client()
	if err != nil {
		t.Fatalf("start: %v\n%s", err, p.stderr)
	}
	_ = r.Close()
	raw, err := c.Dispense(protocol.PluginName)
	if err != nil {
		t.Fatal(err)
	}
	p.rpc = raw.(pb.ConnectorServiceClient)
	if resp, err := p.rpc.Configure(t.Context(), &pb.ConfigureRequest{InstanceId: "lab",
		Secrets: protocol.ToProtoSecrets(map[string]connector.Secret{"token": connector.NewSecret("canary-token")})}); err != nil || resp.Error != nil {
		t.Fatalf("configure: %v, %v", resp, err)
	}
	return p
}

// ask makes the connector do something and returns its answer.
func (p *proc) ask(t testing.TB, what string) (connector.Result, error) {
	t.Helper()
	s := openApply(t, p.rpc)
	sendOps(t, s, connector.Update{Call: connector.Call{ID: "op-1"}, Changes: []connector.Change{{Name: "title", Replace: connector.Values{what}}}})
	m, err := s.Recv()
	if err != nil {
		return connector.Result{}, err
	}
	return protocol.FromProtoResult(m.GetBatch().GetResults()[0]), nil
}

// gone waits until the process with this id has ended.
func gone(pid int, within time.Duration) bool {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if syscall.Kill(pid, 0) != nil {
			return true
		}
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && bytes.Contains(b, []byte(") Z ")) {
			return true
		}
	}
	return false
}

func TestAPluginStartedByHandSaysWhatItIs(t *testing.T) {
	cmd := exec.Command(os.Args[0], "by-hand")
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "Process lab 1.0.0 is a plugin of provhub") || !strings.Contains(string(out), "provhub plugin test") {
		t.Errorf("got %v: %s", err, out)
	}
}

func TestAPluginAnswersThroughItsProcess(t *testing.T) {
	p := startProcess(t)
	if r, err := p.ask(t, "work"); err != nil || r.Outcome != connector.OutcomeApplied {
		t.Errorf("got %+v, %v", r, err)
	}
	d, err := p.rpc.Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil || d.Type != "process-lab" {
		t.Errorf("got %v, %v", d, err)
	}
	for _, part := range []string{fmt.Sprint(p.cmd.Args), fmt.Sprint(p.cmd.Env)} {
		if strings.Contains(part, "canary") {
			t.Errorf("the secret is in %s", part)
		}
	}
}

func TestAMessageOfEightMebibytesPassesBothWays(t *testing.T) {
	p := startProcess(t)
	if r, err := p.ask(t, "large 8000000"); err != nil || r.Object == nil || len(r.Object.Attributes) != 1 {
		t.Errorf("back: %+v, %v", r.Outcome, err)
	}
	if r, err := p.ask(t, "ignore "+strings.Repeat("x", 8_000_000)); err != nil || r.Outcome != connector.OutcomeApplied {
		t.Errorf("there: %+v, %v", r.Outcome, err)
	}
	// More than fits: the hub still learns what happened, and to what.
	if r, err := p.ask(t, "large 17000000"); err != nil || r.Outcome != connector.OutcomeApplied || r.Object.Ref.ID != "7" || len(r.Object.Attributes) != 0 {
		t.Errorf("too large: %+v, %v", r, err)
	}
}

func TestLogLinesReachTheRealStderrAndPrintsAreTold(t *testing.T) {
	p := startProcess(t)
	for _, what := range []string{"log", "print"} {
		if _, err := p.ask(t, what); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() bool { return strings.Contains(p.stderr.String(), "about to work") })
	for _, l := range strings.Split(strings.TrimSpace(p.stderr.String()), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Errorf("not JSON: %s", l)
		}
		if m["@message"] == "about to work" && (m["@level"] != "warn" || m["operation_id"] != "op-1" || m["token"] != "***") {
			t.Errorf("got %s", l)
		}
	}
	waitFor(t, func() bool {
		return strings.Contains(p.out.String(), "printed to stdout") && strings.Contains(p.err.String(), "printed to stderr")
	})
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came")
		}
	}
}

func TestAPluginLeavesWithItsHubChildrenIncluded(t *testing.T) {
	p := startProcess(t)
	r, err := p.ask(t, "child")
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(r.Err.Message)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := p.ask(t, "environment"); err != nil || r.Err.Message != "" {
		t.Errorf("children are told of the lifeline: %v, %v", r.Err, err)
	}
	s := openApply(t, p.rpc)
	sendOps(t, s, connector.Update{Call: connector.Call{ID: "op-2"}, Changes: []connector.Change{{Name: "title", Replace: connector.Values{"hang"}}}})
	if err := p.lifeline.Close(); err != nil {
		t.Fatal(err)
	}
	if !gone(p.cmd.Process.Pid, time.Second) {
		t.Error("the plugin is still there after a second, with a call under way")
	}
	if !gone(child, time.Second) {
		t.Error("its child is still there")
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
}

func TestSIGTERMIsTheHubsBusiness(t *testing.T) {
	p := startProcess(t)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if r, err := p.ask(t, "work"); err != nil || r.Outcome != connector.OutcomeApplied {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestDescriptorsOfTheLauncherStayFromChildren(t *testing.T) {
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil { // without close-on-exec
		t.Fatal(err)
	}
	defer syscall.Close(fds[0])
	defer syscall.Close(fds[1])
	closeOnExec()
	out, err := exec.Command("sh", "-c", fmt.Sprintf("true <&%d", fds[0])).CombinedOutput()
	if err == nil {
		t.Errorf("a child can use descriptor %d: %s", fds[0], out)
	}
}
