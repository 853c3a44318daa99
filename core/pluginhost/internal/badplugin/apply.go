package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ballast is memory that nobody needs.
var ballast atomic.Pointer[[]byte]

// session is one Apply stream.
type session struct {
	*server
	out     pb.ConnectorService_ApplyServer
	mu      sync.Mutex // of out
	cancels sync.Map   // id → context.CancelFunc
}

func (s *server) Apply(stream pb.ConnectorService_ApplyServer) error {
	x := &session{server: s, out: stream}
	for {
		m, err := stream.Recv()
		if err != nil {
			return nil
		}
		if c := m.GetCancel(); c != nil {
			if cancel, ok := x.cancels.Load(c.GetOperationId()); ok {
				cancel.(context.CancelFunc)()
			}
		}
		for _, op := range m.GetBatch().GetOperations() {
			ctx, cancel := context.WithCancel(stream.Context())
			x.cancels.Store(op.GetOperationId(), cancel)
			s.work.Go(func() {
				defer cancel()
				x.act(ctx, op, len(m.GetBatch().GetOperations()))
			})
		}
	}
}

// act carries out one operation, well or badly.
func (x *session) act(ctx context.Context, op *pb.Operation, batch int) {
	x.slots <- struct{}{}
	defer func() { <-x.slots }()
	id := op.GetOperationId()
	ok := connector.Result{ID: id, Outcome: connector.OutcomeApplied,
		Object: &connector.Object{Ref: connector.Ref{Type: "user", ID: "u-" + id}}, RequestID: fmt.Sprint(batch)}
	what, arg, _ := strings.Cut(do(op), " ")
	switch what {
	case "panic":
		panic("connector is broken: " + arg)
	case "exit":
		os.Exit(7)
	case "stop":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		time.Sleep(time.Hour) // another thread may go on for a moment
	case "never":
		return
	case "hang":
		<-ctx.Done()
		ok.Outcome, ok.Err = connector.OutcomeUnknown, connector.Errorf(connector.CodeTimeout, "cancelled")
	case "twice":
		x.answer(ok)
	case "stranger":
		x.answer(connector.Result{ID: "nobody-asked", Outcome: connector.OutcomeApplied})
	case "noid":
		ok.Object = nil
	case "oversize":
		ok.Preview = strings.Repeat("x", protocol.MaxMessageBytes+1)
	case "throttle":
		x.send(&pb.ApplyResponse{Message: &pb.ApplyResponse_Throttle{Throttle: &pb.Throttle{RetryAfter: durationpb.New(2 * time.Second)}}})
	case "leak":
		ok.Outcome, ok.Err = connector.OutcomeFailed, &connector.Error{Code: connector.CodeInvalidValue,
			Message: "bad " + x.secrets["password"].Reveal(), Detail: "sent " + op.GetCreate().GetCorrelationValue() + string(op.GetCreate().GetInitialCredential().GetValue())}
		fmt.Fprintln(realStderr, "password is "+x.secrets["password"].Reveal())
	case "log":
		fmt.Fprintln(realStderr, arg)
	case "print":
		fmt.Println(arg)
	case "spam":
		for i := range 20_000 {
			fmt.Fprintf(realStderr, `{"@level":"info","@message":"line %d"}`+"\n", i)
		}
	case "longline":
		c := exec.Command("/bin/sh", "-c", "head -c 300000 /dev/zero | tr '\\0' y; echo; head -c 300000 /dev/zero | tr '\\0' z >&2; echo >&2")
		c.Stdout, c.Stderr = realStdout, realStderr
		_ = c.Run()
	case "replace":
		x.replaced <- arg
	case "grow":
		mib, _ := strconv.Atoi(arg)
		b := bytes.Repeat([]byte{1}, mib<<20)
		ballast.Store(&b)
	case "child", "stray":
		c := exec.Command("/bin/sh", "-c", "echo $$ > "+arg+"; exec sleep 300")
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: what == "stray"} // leaves the group
		c.Stdout, c.Stderr = realStdout, realStderr
		_ = c.Start()
	}
	x.effect(id)
	x.answer(ok)
	if what == "hangup" {
		os.Exit(0)
	}
}

// effect is what the operation does to the target.
func (x *session) effect(id string) {
	time.Sleep(time.Duration(x.config.DelayMS) * time.Millisecond)
	if x.journal != nil {
		_, _ = x.journal.WriteString(id + "\n")
	}
}

func (x *session) answer(r connector.Result) {
	x.send(&pb.ApplyResponse{Message: &pb.ApplyResponse_Batch{Batch: &pb.ResultBatch{Results: []*pb.Result{protocol.ToProtoResult(r)}}}})
}

func (x *session) send(m *pb.ApplyResponse) {
	x.mu.Lock()
	defer x.mu.Unlock()
	_ = x.out.Send(m)
}

func do(op *pb.Operation) string {
	for _, a := range op.GetCreate().GetAttributes() {
		if a.GetName() == "do" {
			return a.GetValues()[0].GetString_()
		}
	}
	return ""
}
