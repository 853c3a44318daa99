package pluginhost

import (
	"context"
	"syscall"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Bounds of a stop. go-plugin's Kill has none: it waits for ever for a frozen
// process and for descendants that hold its stderr.
const (
	killGrace  = 2 * time.Second // from asking a plugin to exit to SIGKILL
	reapGrace  = 5 * time.Second // from SIGKILL to giving up on the kernel
	dumpPeriod = time.Second     // from SIGQUIT to SIGKILL
)

// drain asks the plugin to answer what it accepted and to take nothing new.
func (p *process) drain(ctx context.Context, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace+time.Second)
	defer cancel()
	_, err := p.rpc.Drain(ctx, &pluginv1.DrainRequest{Grace: durationpb.New(grace)})
	return err
}

// stop ends the process and whatever it started, and removes its folder. The
// plugin has grace to exit by itself; 0 means at once. It returns within
// grace and a few seconds, whatever the plugin does.
func (p *process) stop(grace time.Duration) {
	killed := make(chan struct{})
	if grace <= 0 {
		p.run.kill()
	}
	go func() {
		defer close(killed)
		p.client.Kill()
	}()
	p.await(grace)
	p.run.kill()
	p.await(reapGrace)
	select {
	case <-killed:
	case <-time.After(reapGrace):
	}
	for _, w := range p.outputs {
		w.Close()
	}
	p.dir.remove()
}

func (p *process) await(d time.Duration) {
	if p.run.ID() == "" || d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.run.exited:
	case <-t.C:
	}
}

// dump asks a Go plugin that hangs to log all its goroutines.
func (p *process) dump() {
	p.run.signal(syscall.SIGQUIT)
	p.await(dumpPeriod)
}
