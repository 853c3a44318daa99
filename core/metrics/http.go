package metrics

import (
	"crypto/subtle"
	"net"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/provhub/provhub/connectors/connector"
)

// Handler serves the metrics to whoever shows the token. Without one they are for this
// machine alone, and not for what a proxy on it passes on.
func (m *Metrics) Handler(token connector.Secret) http.Handler {
	h := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case token.IsZero() && !direct(r):
			http.Error(w, "the metrics are for this machine alone; serve.metrics_token in the config opens them to others", http.StatusForbidden)
		case !token.IsZero() && !shows(r, token):
			w.Header().Set("WWW-Authenticate", `Bearer realm="provhub"`)
			http.Error(w, "show the token that serve.metrics_token names: Authorization: Bearer TOKEN", http.StatusUnauthorized)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// direct reports whether r was made on this machine, and by nobody for another.
func direct(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" && r.Header.Get("X-Real-IP") == ""
}

func shows(r *http.Request, token connector.Secret) bool {
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(strings.TrimSpace(shown)), []byte(token.Reveal())) == 1
}
