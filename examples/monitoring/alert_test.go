package monitoring

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"mime/quotedprintable"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/logtest"
)

// alertSite is provhub.yaml as it is here, with the addresses of this machine.
func alertSite(t *testing.T, webhook, mailTo string) *site {
	t.Helper()
	text, err := os.ReadFile("provhub.yaml")
	require.NoError(t, err)
	s := &site{t: t, dir: t.TempDir(), env: []string{"METRICS_TOKEN=m3trics", "WEBHOOK_SECRET=" + webhookSecret, "MAIL_PASSWORD=" + os.Getenv("PROVHUB_TEST_SMTP_PASSWORD"),
		"PROVHUB_PLUGINS_DIR=" + bin}}
	s.config = strings.NewReplacer("https://events.example.org/provhub", webhook, "mail.example.org:587", os.Getenv("PROVHUB_TEST_SMTP_ADDR"),
		"user: provhub\n", fmt.Sprintf("user: provhub\n      tls_ca_file: %q\n", os.Getenv("PROVHUB_TEST_CA_FILE")), "operations@example.org", mailTo,
		"127.0.0.1:8484", "127.0.0.1:0").Replace(string(text))
	require.NoError(t, os.WriteFile(s.path("hr.csv"), []byte("id,login\n1,zaphod\n"), 0o600))
	return s
}

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// The config of the README tells people by a webhook, which receive.py believes because
// of its signature, and by mail.
func TestPeopleAreToldByWebhookAndMail(t *testing.T) {
	if os.Getenv("PROVHUB_TEST_SMTP_ADDR") == "" {
		t.Skip("needs PROVHUB_TEST_SMTP_ADDR: run make test")
	}
	port, got := receiver(t)
	to := fmt.Sprintf("monitoring-%d@example.org", time.Now().UnixNano())
	s := alertSite(t, fmt.Sprintf("http://127.0.0.1:%d/", port), to)
	s.write()
	out, err := s.provhub("alert", "test")
	require.NoError(t, err, out)
	s.eventually("the test arrives", func() bool { return strings.Contains(got.String(), "test critical test This is a test") })

	n := s.serve() // the plugin is not pinned
	n.eventually("both are told", func() bool {
		return strings.Contains(got.String(), "raised critical connector.unusable") && len(mails(t, to)) == 2
	})
	require.Equal(t, 1, strings.Count(got.String(), "connector.unusable"), "once")
	mail := mails(t, to)[1]
	require.Equal(t, "[provhub acme] critical: connector unusable crm", mail.Headers["subject"])
	require.Contains(t, mail.Body, "the memory plugin is not pinned")
	require.Contains(t, mail.Body, "Run `provhub connector check crm`")
	list, err := s.provhub("alert", "list")
	require.NoError(t, err, list)
	require.Contains(t, list, "connector.unusable")
	require.NotContains(t, got.String()+mail.Body+n.log.String(), "zaphod")
}

// Nobody else is believed.
func TestAWebhookThatIsNotSignedIsNotBelieved(t *testing.T) {
	port, got := receiver(t)
	s := alertSite(t, fmt.Sprintf("http://127.0.0.1:%d/", port), "nobody@example.org")
	s.env = append(s.env, "WEBHOOK_SECRET=another secret than the receiver has")
	s.write()
	out, err := s.provhub("alert", "test", "--route", "pager")
	require.Error(t, err)
	require.Contains(t, out, "it answered 401")
	require.NotContains(t, got.String(), "This is a test")
}

// receiver runs receive.py, and returns its port and what it prints.
func receiver(t *testing.T) (port int, got *logtest.Log) {
	t.Helper()
	python := os.Getenv("PROVHUB_TEST_PYTHON")
	if python == "" {
		t.Skip("needs PROVHUB_TEST_PYTHON: run make test")
	}
	cmd := exec.Command(python, "receive.py", "0")
	cmd.Stdin, cmd.Stderr = strings.NewReader(webhookSecret+"\n"), os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	text := bufio.NewReader(out)
	first, err := text.ReadString('\n')
	require.NoError(t, err)
	_, err = fmt.Sscanf(first, "listening at port %d", &port)
	require.NoError(t, err, first)
	got = &logtest.Log{}
	go func() { _, _ = text.WriteTo(got) }()
	return port, got
}

// mail is one that the test server took.
type mail struct {
	To      []string
	Headers map[string]string
	Body    string
}

func mails(t *testing.T, to string) (out []mail) {
	t.Helper()
	_, body := fetch(t, os.Getenv("PROVHUB_TEST_SMTP_MESSAGES_URL"))
	var all []mail
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	for _, m := range all {
		if len(m.To) > 0 && m.To[0] == to {
			text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(m.Body)))
			require.NoError(t, err)
			m.Body = string(text)
			out = append(out, m)
		}
	}
	return out
}
