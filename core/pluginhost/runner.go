package pluginhost

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/provhub/provhub/plugins/protocol"
)

// pipeGrace is how long the pipes of an ended process are still read: a
// descendant that left the group may hold them for ever.
const pipeGrace = time.Second

// runner launches one plugin process for go-plugin, which asks for it through
// its runner.Runner interface. It exists because go-plugin's own runner hashes
// a path and executes it later, inherits stdin and has no process group.
type runner struct {
	bin      *binary
	dir      string // working directory
	out, err *os.File
	lifeline *os.File // the plugin exits when our end closes
	first    *handshakeReader
	cmd      *exec.Cmd

	exited  chan struct{} // closed once the process was reaped
	logEnd  chan struct{} // closed once its log was read to the end
	mu      sync.Mutex
	process *os.Process // nil before the start
	reaped  bool
	doomed  bool // to be killed, also when it has not started yet
}

func newRunner(bin *binary, dir string, printed io.Writer) *runner {
	return &runner{bin: bin, dir: dir, first: &handshakeReader{printed: printed}, exited: make(chan struct{}), logEnd: make(chan struct{})}
}

// prepare makes the command. env is what the plugin gets, all of it.
func (r *runner) prepare(env []string) {
	r.cmd = &exec.Cmd{
		Args:        []string{r.bin.path},
		Dir:         r.dir,
		Env:         append(env, protocol.LifelineEnv+"=3"),
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
		// Stdin stays nil, the null device.
	}
}

// Start implements runner.Runner. It starts the process in a group of its own.
func (r *runner) Start(context.Context) error {
	theirs, err := r.pipes()
	if err == nil {
		err = r.exec()
	}
	for _, f := range theirs {
		_ = f.Close()
	}
	if err != nil {
		r.closePipes()
		return err
	}
	r.mu.Lock()
	r.process = r.cmd.Process
	doomed := r.doomed
	r.mu.Unlock()
	go r.wait()
	if doomed {
		r.kill()
	}
	if err := limit(r.process.Pid); err != nil {
		r.kill()
		return err
	}
	return nil
}

// pipes makes stdout, stderr and the lifeline, and returns the plugin's ends.
func (r *runner) pipes() (theirs []*os.File, err error) {
	var out, log, lifeline *os.File
	var faults [3]error
	r.out, out, faults[0] = os.Pipe()
	r.err, log, faults[1] = os.Pipe()
	lifeline, r.lifeline, faults[2] = os.Pipe()
	r.cmd.Stdout, r.cmd.Stderr = out, log
	r.cmd.ExtraFiles = []*os.File{lifeline} // descriptor 3
	r.first.from = r.out
	return []*os.File{out, log, lifeline}, errors.Join(faults[:]...)
}

func (r *runner) exec() error {
	release, err := execPath(r.cmd, r.bin)
	if err != nil {
		return err
	}
	defer release()
	return r.cmd.Start()
}

func (r *runner) wait() {
	_ = reap(r.cmd, r.kill)
	r.mu.Lock()
	r.reaped = true
	r.mu.Unlock()
	close(r.exited)
	time.AfterFunc(pipeGrace, r.closePipes)
}

func (r *runner) closePipes() {
	for _, f := range []*os.File{r.out, r.err, r.lifeline} {
		_ = f.Close() // of a nil file too, when a pipe could not be made
	}
}

// kill ends the whole process group at once. It may be called at any time:
// before the start, it ends the process as soon as there is one.
func (r *runner) kill() {
	r.mu.Lock()
	r.doomed = true
	r.mu.Unlock()
	r.signal(syscall.SIGKILL)
}

// signal sends sig to the process group; nothing happens once it was reaped.
func (r *runner) signal(sig syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process == nil || r.reaped {
		return
	}
	_ = syscall.Kill(-r.process.Pid, sig)
}

// exitStatus says how the process ended, "" while it runs.
func (r *runner) exitStatus() string {
	select {
	case <-r.exited:
		return r.cmd.ProcessState.String()
	default:
		return ""
	}
}

func (r *runner) pid() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process == nil {
		return 0
	}
	return r.process.Pid
}

// Wait implements runner.Runner.
func (r *runner) Wait(context.Context) error {
	<-r.exited
	return nil
}

// Kill implements runner.Runner.
func (r *runner) Kill(context.Context) error {
	r.kill()
	return nil
}

// Stdout implements runner.Runner.
func (r *runner) Stdout() io.ReadCloser { return r.first }

// Stderr implements runner.Runner.
func (r *runner) Stderr() io.ReadCloser { return &logReader{File: r.err, end: r.logEnd} }

// logReader closes end when the log ends.
type logReader struct {
	*os.File
	end  chan struct{}
	once sync.Once
}

// Read implements io.Reader.
func (l *logReader) Read(p []byte) (int, error) {
	n, err := l.File.Read(p)
	if err != nil {
		l.once.Do(func() { close(l.end) })
	}
	return n, err
}

// awaitLog waits until all that the process wrote was read, at most for d.
func (r *runner) awaitLog(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.logEnd:
	case <-t.C:
	}
}

// Name implements runner.Runner.
func (r *runner) Name() string { return r.bin.path }

// ID implements runner.Runner; "" until the process runs.
func (r *runner) ID() string {
	if pid := r.pid(); pid != 0 {
		return strconv.Itoa(pid)
	}
	return ""
}

// Diagnose implements runner.Runner. [launch] finds the reason itself.
func (r *runner) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.Runner.
func (r *runner) PluginToHost(network, addr string) (string, string, error) {
	return network, addr, nil
}

// HostToPlugin implements runner.Runner.
func (r *runner) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}
