package config

import (
	"cmp"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"time"
)

// Alerts says when people are told that something is wrong, and how.
type Alerts struct {
	// Repeat is how often they are told again while it lasts.
	Repeat time.Duration
	// After is how long something may last before it is wrong.
	After AlertAfter
	// Webhooks and Mail are the ways.
	Webhooks []Webhook
	Mail     []Mail
}

// AlertAfter are limits of time; all are set.
type AlertAfter struct {
	// SourceSilent: a source was not read with success for so long.
	SourceSilent time.Duration
	// ConnectorSilent: there is work, and none of it was done for so long.
	ConnectorSilent time.Duration
	// QueueAge: an operation waits for its turn for so long.
	QueueAge time.Duration
	// Leaver: an operation that takes access from somebody who left is not done.
	Leaver time.Duration
	// BreakerOpen: a target is down for so long.
	BreakerOpen time.Duration
	// PlanHeld: a held plan waits for a person for so long.
	PlanHeld time.Duration
}

// Route is what all ways to tell people have in common.
type Route struct {
	Name string
	// Critical: it takes critical alerts only.
	Critical bool
}

// Webhook is an address that alerts are posted to.
type Webhook struct {
	Route
	// URL is the address; or URLSecret is the name of a secret that is the address.
	URL, URLSecret string
	// Secret is the name of the secret that the body is signed with; "": it is not.
	Secret string
	CAFile string // absolute; "": the system's authorities
}

// Mail is a mail server and who gets the mails.
type Mail struct {
	Route
	// Host and Port of the server.
	Host string
	Port int
	TLS  string // starttls, tls, none
	// User and Password, the name of a secret, sign in; "": nobody does.
	User, Password string
	From           string
	To             []string
	CAFile         string // absolute; "": the system's authorities
}

type rawAlerts struct {
	Repeat text `yaml:"repeat"`
	After  struct {
		SourceSilent    text `yaml:"source_silent"`
		ConnectorSilent text `yaml:"connector_silent"`
		QueueAge        text `yaml:"queue_age"`
		Leaver          text `yaml:"leaver"`
		BreakerOpen     text `yaml:"breaker_open"`
		PlanHeld        text `yaml:"plan_held"`
	} `yaml:"after"`
	Webhooks []rawWebhook `yaml:"webhooks"`
	Mail     []rawMail    `yaml:"mail"`
}

type rawWebhook struct {
	Name      text   `yaml:"name"`
	Severity  string `yaml:"severity"`
	URL       text   `yaml:"url"`
	URLSecret text   `yaml:"url_secret"`
	Secret    text   `yaml:"secret"`
	CAFile    string `yaml:"tls_ca_file"`
}

type rawMail struct {
	Name     text   `yaml:"name"`
	Severity string `yaml:"severity"`
	Server   text   `yaml:"server"`
	TLS      string `yaml:"tls"`
	User     string `yaml:"user"`
	Password text   `yaml:"password"`
	From     text   `yaml:"from"`
	To       []text `yaml:"to"`
	CAFile   string `yaml:"tls_ca_file"`
}

// alerts reads the section; without one nobody is told, and limits have their defaults.
func (b *builder) alerts(cfg *Config, r *rawAlerts) Alerts {
	if r == nil {
		r = &rawAlerts{}
	}
	limit := func(t text, name string, otherwise time.Duration) time.Duration {
		return cmp.Or(b.duration(t, "alerts.after."+name), otherwise)
	}
	a := Alerts{
		Repeat: cmp.Or(b.duration(r.Repeat, "alerts.repeat"), 4*time.Hour),
		After: AlertAfter{
			SourceSilent:    limit(r.After.SourceSilent, "source_silent", 24*time.Hour),
			ConnectorSilent: limit(r.After.ConnectorSilent, "connector_silent", time.Hour),
			QueueAge:        limit(r.After.QueueAge, "queue_age", time.Hour),
			Leaver:          limit(r.After.Leaver, "leaver", 15*time.Minute),
			BreakerOpen:     limit(r.After.BreakerOpen, "breaker_open", 10*time.Minute),
			PlanHeld:        limit(r.After.PlanHeld, "plan_held", 15*time.Minute),
		},
	}
	names := b.unique("alerts")
	for i := range r.Webhooks {
		path := fmt.Sprintf("alerts.webhooks[%d]", i)
		names(r.Webhooks[i].Name, path)
		a.Webhooks = append(a.Webhooks, b.webhook(cfg, &r.Webhooks[i], path))
	}
	for i := range r.Mail {
		path := fmt.Sprintf("alerts.mail[%d]", i)
		names(r.Mail[i].Name, path)
		a.Mail = append(a.Mail, b.mail(cfg, &r.Mail[i], path))
	}
	return a
}

func (b *builder) webhook(cfg *Config, r *rawWebhook, path string) Webhook {
	if (r.URL.value == "") == (r.URLSecret.value == "") {
		b.add(r.Name.line, path, "give exactly one of url and url_secret")
	}
	b.secure(r.URL, path+".url", "https://events.example.org/provhub")
	if u, err := url.Parse(r.URL.value); err == nil && u.User != nil {
		b.add(r.URL.line, path+".url", "credentials do not belong here: put the whole URL into a secret and name it in url_secret")
	}
	b.known(r.URLSecret, path+".url_secret", "secret", cfg.secretNames())
	b.known(r.Secret, path+".secret", "secret", cfg.secretNames())
	return Webhook{Route: route(r.Name, r.Severity), URL: r.URL.value, URLSecret: r.URLSecret.value, Secret: r.Secret.value, CAFile: b.path(r.CAFile)}
}

func route(name text, severity string) Route { return Route{name.value, severity == "critical"} }

func (b *builder) mail(cfg *Config, r *rawMail, path string) Mail {
	m := Mail{Route: route(r.Name, r.Severity), TLS: cmp.Or(r.TLS, "starttls"), User: r.User, Password: r.Password.value,
		From: b.address(r.From, path+".from"), CAFile: b.path(r.CAFile)}
	m.Host, m.Port = b.mailServer(r.Server, m.TLS, path+".server")
	for i, to := range r.To {
		m.To = append(m.To, b.address(to, fmt.Sprintf("%s.to[%d]", path, i)))
	}
	b.known(r.Password, path+".password", "secret", cfg.secretNames())
	if (m.User == "") != (m.Password == "") {
		b.add(r.Name.line, path, "user and password go together")
	}
	if m.TLS == "none" && !loopback(m.Host) {
		b.add(r.Server.line, path+".tls", "none is for a server on this machine; %s would get alerts in the clear: starttls or tls", m.Host)
	}
	return m
}

// mailServer reads HOST or HOST:PORT.
func (b *builder) mailServer(t text, tls, path string) (host string, port int) {
	port = map[string]int{"starttls": 587, "tls": 465, "none": 25}[tls]
	host, text, err := net.SplitHostPort(t.value)
	if err != nil {
		return t.value, port // without a port
	}
	if port, err = net.LookupPort("tcp", text); err != nil || host == "" {
		b.add(t.line, path, "%q is not HOST or HOST:PORT, such as mail.example.org:587", t.value)
	}
	return host, port
}

// address reads a mail address, with or without a name.
func (b *builder) address(t text, path string) string {
	if _, err := mail.ParseAddress(t.value); err != nil && t.value != "" { // else the schema says so
		b.add(t.line, path, "%q is not a mail address such as provhub@example.org", t.value)
	}
	return t.value
}
