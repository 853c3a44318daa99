package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/provhub/provhub/core/hub"
)

// mount is a handler that is made for each config.
type mount struct {
	pattern string
	of      func(*hub.Hub) (http.Handler, error)
}

// routes makes all handlers for a hub.
func (n *Node) routes(h *hub.Hub) (*http.ServeMux, error) {
	mux := http.NewServeMux()
	for _, m := range n.mounts {
		handler, err := m.of(h)
		if err != nil {
			return nil, err
		}
		if handler != nil {
			mux.Handle(m.pattern, handler)
		}
	}
	return mux, nil
}

// ServeHTTP implements [http.Handler].
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) { n.mux.Load().ServeHTTP(w, r) }

// listener is the node's HTTP server.
type listener struct {
	addr  net.Addr
	stop  context.CancelFunc // as soon as nothing more is taken
	ended chan error
}

// shutdownWithin is how long requests may go on that have begun when the node stops.
const shutdownWithin = 10 * time.Second

// listen begins to serve HTTP, until it is closed or ctx ends.
func (n *Node) listen(ctx context.Context) (*listener, error) {
	c := n.Hub().Config().Serve
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w; serve.listen or --listen names another address", c.Listen, err)
	}
	addr := l.Addr()
	if c.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("serve.tls_cert, serve.tls_key: %w", err)
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	text := addr.String()
	n.address.Store(&text)
	ctx, stop := context.WithCancel(ctx)
	web := &listener{addr: addr, stop: stop, ended: make(chan error, 1)}
	s := &http.Server{
		Handler: n, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	go func() { web.ended <- serveUntil(ctx, s, l) }()
	return web, nil
}

// serveUntil serves until ctx ends, then lets requests end that have begun.
func serveUntil(ctx context.Context, s *http.Server, l net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWithin)
	defer cancel()
	err := s.Shutdown(late)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close() // streams and those who read slowly
	}
	<-served
	return err
}

// close stops serving and waits for the end.
func (l *listener) close() error {
	l.stop()
	if err := <-l.ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// Address is where the node listens; "" before it does.
func (n *Node) Address() string {
	if a := n.address.Load(); a != nil {
		return *a
	}
	return ""
}
