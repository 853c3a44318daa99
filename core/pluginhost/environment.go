package pluginhost

import (
	"os"
	"slices"
	"strconv"
)

// inherited are the variables of the hub that every plugin gets. Everything
// else stays in the hub: its environment holds database passwords.
var inherited = []string{
	"PATH", "LANG", "LC_ALL", "TZ",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy",
}

// environment returns the allow-listed variables of the hub, those the operator
// named in extra, and the Go runtime's limits unless the operator named them:
// garbage is collected harder from three quarters of memoryMax on.
func environment(extra []string, memoryMax int64) []string {
	env := []string{}
	for _, name := range slices.Concat(inherited, extra) {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	if !slices.Contains(extra, "GOMAXPROCS") {
		env = append(env, "GOMAXPROCS=2")
	}
	if !slices.Contains(extra, "GOMEMLIMIT") {
		env = append(env, "GOMEMLIMIT="+strconv.FormatInt(memoryMax/4*3, 10))
	}
	return env
}
