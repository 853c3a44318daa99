package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/provhub/provhub/connectors/connector"
)

const canary = `pa"ss&w/ö+rd?=`

func with(values ...string) *Redactor {
	secrets := map[string]connector.Secret{}
	for _, v := range values {
		secrets[v] = connector.NewSecret(v)
	}
	return New(secrets)
}

func TestASecretIsFoundHoweverItIsWritten(t *testing.T) {
	quoted, _ := json.Marshal(canary)
	for name, text := range map[string]string{
		"plain":                  "login with " + canary + " failed",
		"JSON":                   `{"password":` + string(quoted) + `}`,
		"URL query":              "https://t.example/?p=" + url.QueryEscape(canary),
		"URL path":               "https://t.example/" + url.PathEscape(canary),
		"base64":                 base64.StdEncoding.EncodeToString([]byte(canary)),
		"base64 for URLs":        base64.RawURLEncoding.EncodeToString([]byte(canary)),
		"basic authorization":    "Basic " + base64.StdEncoding.EncodeToString([]byte("svc-provhub:"+canary)),
		"base64 at an odd place": base64.RawStdEncoding.EncodeToString([]byte("ab" + canary + "xyz")),
	} {
		t.Run(name, func(t *testing.T) {
			if got := with(canary).Text(text); !strings.Contains(got, Mark) || strings.Contains(got, canary) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestBase64NeverGivesTheSecretAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringN(8, 40, -1).Draw(t, "secret")
		before, after := rapid.String().Draw(t, "before"), rapid.String().Draw(t, "after")
		got := with(secret).Text(base64.StdEncoding.EncodeToString([]byte(before + secret + after)))
		if !strings.Contains(got, Mark) {
			t.Fatalf("%q was not found in %q", secret, got)
		}
	})
}

func TestTheLongerOfTwoSecretsLeavesNoRest(t *testing.T) {
	if got := with("hunter", "hunter-2000").Text("with hunter-2000"); got != "with "+Mark {
		t.Errorf("got %q", got)
	}
}

func TestShortSecretsDoNotEatTheText(t *testing.T) {
	if got := with("abc", "").Text("abcdef"); got != "abcdef" {
		t.Errorf("got %q", got)
	}
}

func TestAHeldSecretIsForgottenWhenTheLastOperationIsDone(t *testing.T) {
	r, s := with(), connector.NewSecret("initial-password")
	r.Hold(s)
	r.Hold(s)
	r.Release(s)
	if got := r.Text("initial-password"); got != Mark {
		t.Errorf("one operation is still under way: got %q", got)
	}
	r.Release(s)
	if got := r.Text("initial-password"); got != "initial-password" {
		t.Errorf("all are done: got %q", got)
	}
}

func TestAnErrorThatIsSharedIsNotChanged(t *testing.T) {
	shared := connector.Errorf(connector.CodeAuthentication, "refused old-password")
	got := with("old-password").Error(shared)
	if got.Message != "refused "+Mark || shared.Message != "refused old-password" {
		t.Errorf("got %q, left %q", got.Message, shared.Message)
	}
	if with().Error(nil) != nil {
		t.Error("no error became one")
	}
}

func TestWriterRedactsAndReportsTheLengthItWasGiven(t *testing.T) {
	var out bytes.Buffer
	n, err := with("long-secret").Writer(&out).Write([]byte("a long-secret\n"))
	if n != 14 || err != nil || out.String() != "a ***\n" {
		t.Errorf("wrote %d, %v: %q", n, err, out.String())
	}
}

func TestManyGoroutinesMayRedactWhileSecretsRotate(t *testing.T) {
	r := with("first-secret")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				r.Know(map[string]connector.Secret{"t": connector.NewSecret("second-secret")})
				r.Hold(connector.NewSecret("third-secret"))
				if got := r.Text("first-secret third-secret"); got != "*** ***" {
					t.Errorf("got %q", got)
				}
				r.Release(connector.NewSecret("third-secret"))
			}
		})
	}
	wg.Wait()
}
