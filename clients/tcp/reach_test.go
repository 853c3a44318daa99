package tcp_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/tcp"
	"github.com/provhub/provhub/connectors/connector"
)

func server(address string) tcp.Server {
	return tcp.Server{Address: address, What: "database", Key: "dsn"}
}

func TestAServerThatAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	s := server(l.Addr().String())

	found, err := s.Resolve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1 has 1 address", found)

	found, err = s.Connect(t.Context())
	require.NoError(t, err)
	require.Equal(t, s.Address+" answers", found)
}

func TestAServerThatCannotBeReached(t *testing.T) {
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	for _, tc := range []struct {
		name   string
		ctx    context.Context
		ask    func(context.Context) (string, error)
		native string
		text   string
	}{
		{"no such name", t.Context(), server("nowhere.invalid:5432").Resolve, "DNS", "the host nowhere.invalid has no address; check its name in dsn"},
		{"no such name, and connected to", t.Context(), server("nowhere.invalid:5432").Connect, "DNS", "the host nowhere.invalid has no address; check its name in dsn"},
		{"nobody listens", t.Context(), server("127.0.0.1:1").Connect, "dial", "nothing answers at 127.0.0.1:1; is the database running, does a firewall stand between?"},
		{"too late", late, server("127.0.0.1:1").Connect, "dial", "no connection to 127.0.0.1:1 within the time limit"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.ask(tc.ctx)
			e := connector.AsError(err)
			require.Equal(t, connector.CodeUnavailable, e.Code)
			require.Equal(t, tc.native, e.NativeCode)
			require.Equal(t, tc.text, e.Message)
		})
	}
}
