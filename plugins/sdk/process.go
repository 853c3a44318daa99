package sdk

import (
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/provhub/provhub/plugins/protocol"
)

// watchLifeline ends the process when the hub is gone, with whatever it was
// doing: the hub takes everything that was not answered for unknown anyway, and
// a plugin that writes on without one could write twice.
//
// While the lifeline holds, SIGTERM is the hub's business: a service manager
// sends it to the whole family, and the hub still wants its answers.
func watchLifeline() {
	text := os.Getenv(protocol.LifelineEnv)
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return
	}
	_ = os.Unsetenv(protocol.LifelineEnv) // not for children
	lifeline := os.NewFile(uintptr(fd), "lifeline")
	if lifeline == nil {
		return
	}
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGTERM)
	go func() {
		// Nothing is ever written to it: it ends when the other end closes.
		_, _ = io.Copy(io.Discard, lifeline)
		leave()
	}()
}
