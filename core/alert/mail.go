package alert

import (
	"context"
	"crypto/tls"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
)

// mailer sends messages by mail.
type mailer struct {
	c        config.Mail
	password connector.Secret
	roots    *tls.Config
	domain   string // of the sender
}

func newMailer(c config.Mail, password connector.Secret, roots *tls.Config) *mailer {
	m := &mailer{c: c, password: password, roots: roots, domain: "provhub"}
	if from, err := netmail.ParseAddress(c.From); err == nil {
		_, m.domain, _ = strings.Cut(from.Address, "@")
	}
	return m
}

// send sends one message to all receivers, over a connection of its own.
func (m *mailer) send(ctx context.Context, msg *Message, _ []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	client, err := m.client()
	if err != nil {
		return err
	}
	out, err := m.mail(msg)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, out)
}

func (m *mailer) client() (*mail.Client, error) {
	roots := m.roots.Clone()
	roots.ServerName = m.c.Host
	o := []mail.Option{mail.WithPort(m.c.Port), mail.WithTimeout(sendWithin), mail.WithTLSConfig(roots)}
	switch m.c.TLS {
	case "tls":
		o = append(o, mail.WithSSL())
	case "none":
		o = append(o, mail.WithTLSPolicy(mail.NoTLS))
	default:
		o = append(o, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.c.User != "" {
		o = append(o, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.c.User), mail.WithPassword(m.password.Reveal()))
	}
	return mail.NewClient(m.c.Host, o...)
}

// mail writes the mail. Those about one alert are one conversation.
func (m *mailer) mail(msg *Message) (*mail.Msg, error) {
	out := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := out.From(m.c.From); err != nil {
		return nil, err
	}
	if err := out.To(m.c.To...); err != nil {
		return nil, err
	}
	out.Subject(subject(msg))
	out.SetDateWithValue(msg.At)
	out.SetMessageIDWithValue(msg.ID + "@" + m.domain)
	thread := "<" + msg.Alert + "@" + m.domain + ">"
	out.SetGenHeader(mail.HeaderReferences, thread)
	out.SetGenHeader(mail.HeaderInReplyTo, thread)
	out.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's out-of-office answers it
	out.SetBodyString(mail.TypeTextPlain, text(msg))
	return out, nil
}

func subject(m *Message) string {
	what := map[Event]string{Raised: string(m.Severity), Repeated: string(m.Severity) + ", still", Recovered: "over", Tested: "test"}[m.Event]
	return fmt.Sprintf("[provhub %s] %s: %s %s", m.Org, what, strings.ReplaceAll(string(m.Condition), ".", " "), m.Subject)
}

func text(m *Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", m.Summary, m.Do)
	if m.URL != "" {
		fmt.Fprintf(&b, "\n%s\n", m.URL)
	}
	fmt.Fprintf(&b, "\nSince %s; told at %s.\nOrg %s, %s %s, alert %s.\n", clock(m.Since), m.At.UTC().Format(time.DateTime+" MST"), m.Org, m.Condition, m.Subject, m.Alert)
	return b.String()
}
