package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// errNoEndpoint: there is nothing to put a proxy before.
var errNoEndpoint = errors.New(`no option of the config is marked as the target's address (endpoint:"true")`)

// withEndpoints returns the good config with each address of the target replaced
// by what to makes of it. An address is an option, or the elements of a list,
// marked x-endpoint in the config schema: a URL or host:port.
func (e *Env) withEndpoints(ctx context.Context, to func(hostPort string) (string, error)) (json.RawMessage, error) {
	root, _, err := e.rootOptions(ctx)
	if err != nil {
		return nil, err
	}
	var config any
	if err := json.Unmarshal(e.Target.Config, &config); err != nil {
		return nil, fmt.Errorf("the target's good config: %w", err)
	}
	found := 0
	config, err = root.rewrite(config, false, func(address string) (string, error) {
		found++
		return redirect(address, to)
	})
	if err == nil && found == 0 {
		err = errNoEndpoint
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(config)
}

// rewrite replaces the addresses in a part of a config.
func (o *option) rewrite(v any, marked bool, to func(string) (string, error)) (_ any, err error) {
	if o == nil {
		return v, nil
	}
	marked = marked || o.Endpoint
	switch x := v.(type) {
	case string:
		if marked && x != "" {
			return to(x)
		}
	case []any:
		for i := range x {
			if x[i], err = o.Items.rewriteOr(x[i], marked, to); err != nil {
				return v, err
			}
		}
	case map[string]any:
		for name := range x {
			if x[name], err = o.Properties[name].rewrite(x[name], false, to); err != nil {
				return v, err
			}
		}
	}
	return v, nil
}

// rewriteOr is rewrite for the elements of a list, which need no schema of their own.
func (o *option) rewriteOr(v any, marked bool, to func(string) (string, error)) (any, error) {
	if o == nil {
		o = &option{}
	}
	return o.rewrite(v, marked, to)
}

// usualPorts are those of the schemes that connectors speak.
var usualPorts = map[string]string{"http": "80", "https": "443", "ldap": "389", "ldaps": "636", "sftp": "22", "ssh": "22",
	"postgres": "5432", "postgresql": "5432", "mysql": "3306"}

// redirect replaces host and port of an address, which is a URL or host:port.
func redirect(address string, to func(hostPort string) (string, error)) (string, error) {
	if !strings.Contains(address, "://") {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return "", skip("the address %q of the target is neither a URL nor host:port", address)
		}
		return to(address)
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return "", skip("the address %q of the target has no host", address)
	}
	port := u.Port()
	if port == "" {
		port = usualPorts[u.Scheme]
	}
	if port == "" {
		return "", skip("the address %q of the target has no port", address)
	}
	u.Host, err = to(net.JoinHostPort(u.Hostname(), port))
	return u.String(), err
}

// isLocal reports whether an address leads to this machine. Only then is a proxy
// on the loopback interface the same to certificates and to what a config allows.
func isLocal(hostPort string) bool {
	host, _, _ := net.SplitHostPort(hostPort)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
