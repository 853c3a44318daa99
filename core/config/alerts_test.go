package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/core/config"
)

func TestAlertsHaveDefaults(t *testing.T) {
	cfg, faults := parse(t, minimal)
	if faults != nil {
		t.Fatal(faults)
	}
	want := config.Alerts{Repeat: 4 * time.Hour, After: config.AlertAfter{SourceSilent: 24 * time.Hour, ConnectorSilent: time.Hour,
		QueueAge: time.Hour, Leaver: 15 * time.Minute, BreakerOpen: 10 * time.Minute, PlanHeld: 15 * time.Minute}}
	if d := cmp.Diff(want, cfg.Alerts); d != "" {
		t.Error(d)
	}
}

func TestMailServers(t *testing.T) {
	cfg, faults := parse(t, `
secrets: [{name: pw, env: PW}]
alerts:
  mail:
    - {name: a, server: mail.example.org, from: a@example.org, to: [b@example.org]}
    - {name: b, server: "mail.example.org:2525", tls: tls, from: A <a@example.org>, to: [b@example.org], user: u, password: pw, severity: critical}
    - {name: c, server: localhost, tls: none, from: a@example.org, to: [b@example.org]}
`+minimal)
	if faults != nil {
		t.Fatal(faults)
	}
	var ports []int
	for _, m := range cfg.Alerts.Mail {
		ports = append(ports, m.Port)
	}
	if d := cmp.Diff([]int{587, 2525, 25}, ports); d != "" {
		t.Error(d)
	}
	if m := cfg.Alerts.Mail[1]; !m.Critical || m.User != "u" || m.Password != "pw" || m.TLS != "tls" {
		t.Errorf("%+v", m)
	}
}

func TestFaultsOfAlertsAreToldTogether(t *testing.T) {
	_, faults := parse(t, `
alerts:
  repeat: often
  webhooks:
    - {name: a, url: "http://hooks.example.org/x"}
    - {name: a, url: "https://u:p@hooks.example.org/x", url_secret: nowhere}
    - {name: d, url: "https://hooks.example.org", severity: loud}
  mail:
    - {name: c, server: "mail.example.org:smpt", from: nobody, to: [b@example.org], user: u}
    - {name: e, server: mail.example.org, tls: none, from: a@example.org, to: [b@example.org], password: nowhere}
`+minimal)
	for _, want := range []string{
		"alerts.repeat: ", "alerts.webhooks[2].severity: ", // by the schema
		"alerts.webhooks[0].url: ", "alerts.webhooks[1].url: credentials", "alerts.webhooks[1].name: ", "alerts.webhooks[1].url_secret: ",
		"alerts.webhooks[1]: give exactly one", "alerts.mail[0].server: ", "alerts.mail[0].from: ", "alerts.mail[0]: user and password",
		"alerts.mail[1].tls: ", "alerts.mail[1].password: ",
	} {
		if !strings.Contains(faults.Error(), want) {
			t.Errorf("no fault says %q:\n%s", want, faults)
		}
	}
}
