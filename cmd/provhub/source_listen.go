package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/api"
	"github.com/provhub/provhub/core/hub"
)

// listenFlags say where the API is.
type listenFlags struct {
	addr, token, cert, key string
	plaintext              bool
}

func (a *app) sourceListenCommand() *cobra.Command {
	var f listenFlags
	c := &cobra.Command{
		Use: "listen", Short: "Take pushed records over HTTP", Args: none(),
		Long: `Serve POST /v1/sources/SOURCE/push: news of one person, with a bearer token. The body
is {"record": {…}} or {"anchor": "1005"}; what follows for this person is carried out
at once, as by ` + "`provhub source push`" + `, and the answer says what became of it.

The token is one of the config's secrets. Away from this machine it takes TLS.`,
		Example: `  provhub source listen --token-secret push_token
  provhub source listen --listen :8484 --tls-cert cert.pem --tls-key key.pem --token-secret push_token
  curl -H "Authorization: Bearer $TOKEN" -d '{"anchor": "1005"}' http://127.0.0.1:8484/v1/sources/hr/push`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error { return a.listen(cmd.Context(), h, f) }),
	}
	c.Flags().StringVar(&f.addr, "listen", "127.0.0.1:8484", "address to listen at")
	c.Flags().StringVar(&f.token, "token-secret", "", "name of the secret that callers show (required)")
	c.Flags().StringVar(&f.cert, "tls-cert", "", "certificate of this server, PEM")
	c.Flags().StringVar(&f.key, "tls-key", "", "its private key, PEM")
	c.Flags().BoolVar(&f.plaintext, "allow-plaintext", false, "listen without TLS where others can reach it, as behind a proxy that has it")
	return c
}

func (a *app) listen(ctx context.Context, h *hub.Hub, f listenFlags) error {
	if err := f.check(); err != nil {
		return usageError{err}
	}
	token, err := h.Secret(f.token)
	if err != nil {
		return err
	}
	handler, err := api.New(&oneByOne{Hub: h}, api.Options{Token: token, Log: h.Log(), Traces: h.Traces()})
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.addr)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	a.printf("Listening at %s\n", l.Addr())
	ended := make(chan error, 1)
	go func() {
		if f.cert != "" {
			ended <- s.ServeTLS(l, f.cert, f.key)
		} else {
			ended <- s.Serve(l)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// What was begun is carried out; nothing new is taken.
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := s.Shutdown(stop); err != nil {
		return fmt.Errorf("stop listening: %w", err)
	}
	return nil
}

// oneByOne carries out one push at a time: each takes the working role.
type oneByOne struct {
	*hub.Hub
	mu sync.Mutex
}

// Push implements [api.Hub].
func (o *oneByOne) Push(ctx context.Context, r hub.PushRequest, d hub.DrainOptions) (hub.SyncResult, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Hub.Push(ctx, r, d)
}

func (f listenFlags) check() error {
	host, _, err := net.SplitHostPort(f.addr)
	switch {
	case err != nil:
		return fmt.Errorf("--listen is %q; expected HOST:PORT, such as 127.0.0.1:8484", f.addr)
	case f.token == "":
		return errors.New("--token-secret is missing: name the secret of the config that callers show")
	case (f.cert == "") != (f.key == ""):
		return errors.New("--tls-cert and --tls-key go together")
	}
	ip := net.ParseIP(host)
	local := host == "localhost" || ip != nil && ip.IsLoopback()
	if !local && f.cert == "" && !f.plaintext {
		return fmt.Errorf("%s can be reached from other machines, and without TLS the token could be read on the way: give --tls-cert and --tls-key, or --allow-plaintext behind a proxy", f.addr)
	}
	return nil
}
