package alert

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
)

// received is a mail as the test server has it.
type received struct {
	To      []string
	TLS     bool
	User    string
	Headers map[string]string
	Body    string
}

// smtpServer is a real server of the test environment; it skips the test where there is none.
func smtpServer(t *testing.T, to string) config.Mail {
	t.Helper()
	addr := os.Getenv("PROVHUB_TEST_SMTP_ADDR")
	if addr == "" {
		t.Skip("needs PROVHUB_TEST_SMTP_ADDR: run make test")
	}
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return config.Mail{Host: host, Port: n, TLS: "starttls", User: os.Getenv("PROVHUB_TEST_SMTP_USER"), Password: "pw",
		From: "provhub <provhub@example.org>", To: []string{to}, CAFile: os.Getenv("PROVHUB_TEST_CA_FILE")}
}

// mailsTo are what came for somebody.
func mailsTo(t *testing.T, to string) (out []received) {
	t.Helper()
	resp, err := http.Get(os.Getenv("PROVHUB_TEST_SMTP_MESSAGES_URL"))
	require.NoError(t, err)
	defer resp.Body.Close()
	var all []received
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&all))
	for _, m := range all {
		if len(m.To) > 0 && m.To[0] == to {
			out = append(out, m)
		}
	}
	return out
}

// mailer opens c with the right password, unless another one is given.
func mailerOf(t *testing.T, c config.Mail, password string) *mailer {
	t.Helper()
	roots, err := trust(c.CAFile)
	require.NoError(t, err)
	if password == "" {
		password = os.Getenv("PROVHUB_TEST_SMTP_PASSWORD")
	}
	return newMailer(c, connector.NewSecret(password), roots)
}

func somebody(name string) string {
	return fmt.Sprintf("%s-%d@example.org", name, time.Now().UnixNano())
}

func TestAMailArrives(t *testing.T) {
	to := somebody("ops")
	m := mailerOf(t, smtpServer(t, to), "")
	msg := &Message{ID: "m1", Alert: "a1", Event: Raised, Org: "acme", Condition: LeaverParked, Subject: "crm", Severity: Critical,
		Summary: "Connector crm: 1 operation for people who left cannot be carried out.", Do: "Look at it – now.", URL: "https://hub.example.org/connectors/crm", Since: at, At: at}
	require.NoError(t, m.send(t.Context(), msg, nil))
	mails := mailsTo(t, to)
	require.Len(t, mails, 1)
	got := mails[0]
	require.True(t, got.TLS, "STARTTLS is insisted on")
	require.Equal(t, "provhub", got.User)
	require.Equal(t, "[provhub acme] critical: leaver parked crm", got.Headers["subject"])
	require.Equal(t, "<m1@example.org>", got.Headers["message-id"])
	require.Equal(t, "<a1@example.org>", got.Headers["references"])
	require.Equal(t, "auto-generated", got.Headers["auto-submitted"])
	require.Contains(t, got.Body, "https://hub.example.org/connectors/crm")
	require.Contains(t, got.Body, "Since 2026-03-02 09:00 UTC")
}

func TestAMailThatIsNotTaken(t *testing.T) {
	t.Run("a wrong password", func(t *testing.T) {
		err := mailerOf(t, smtpServer(t, somebody("ops")), "wrong").send(t.Context(), &Message{}, nil)
		require.ErrorContains(t, err, "535")
		require.NotContains(t, err.Error(), "wrong\"")
	})
	t.Run("a refused receiver", func(t *testing.T) {
		require.ErrorContains(t, mailerOf(t, smtpServer(t, somebody("reject")), "").send(t.Context(), &Message{}, nil), "550")
	})
	t.Run("a server that nobody vouches for", func(t *testing.T) {
		c := smtpServer(t, somebody("ops"))
		c.CAFile = ""
		require.ErrorContains(t, mailerOf(t, c, "").send(t.Context(), &Message{}, nil), "certificate")
	})
	t.Run("no server", func(t *testing.T) {
		c := smtpServer(t, somebody("ops"))
		c.Port = 1
		require.ErrorContains(t, mailerOf(t, c, "").send(t.Context(), &Message{}, nil), "refused")
	})
}
