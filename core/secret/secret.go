// Package secret fetches secrets from where the config says they are. Values
// are [connector.Secret], which prints as ***.
package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
)

// maxSize bounds a secret's file; a larger one is a mix-up.
const maxSize = 64 << 10

// Resolve fetches one secret. The error names the secret and its place, never
// its value.
func Resolve(s config.Secret) (connector.Secret, error) {
	if s.Env != "" {
		v, ok := os.LookupEnv(s.Env)
		switch {
		case !ok:
			return connector.Secret{}, fmt.Errorf("secret %s: environment variable %s is not set", s.Name, s.Env)
		case v == "":
			return connector.Secret{}, fmt.Errorf("secret %s: environment variable %s is empty", s.Name, s.Env)
		}
		return connector.NewSecret(v), nil
	}
	return fromFile(s)
}

func fromFile(s config.Secret) (connector.Secret, error) {
	info, err := os.Stat(s.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return connector.Secret{}, fmt.Errorf("secret %s: no such file: %s", s.Name, s.File)
	case err != nil:
		return connector.Secret{}, fmt.Errorf("secret %s: %w", s.Name, err)
	case !info.Mode().IsRegular():
		return connector.Secret{}, fmt.Errorf("secret %s: %s is not a file", s.Name, s.File)
	case info.Mode().Perm()&0o007 != 0:
		return connector.Secret{}, fmt.Errorf("secret %s: %s can be read by everybody (mode %04o); run: chmod 600 %s", s.Name, s.File, info.Mode().Perm(), s.File)
	case info.Size() > maxSize:
		return connector.Secret{}, fmt.Errorf("secret %s: %s has %d bytes, more than the %d a secret may have", s.Name, s.File, info.Size(), maxSize)
	}
	data, err := os.ReadFile(s.File)
	if err != nil {
		return connector.Secret{}, fmt.Errorf("secret %s: %w", s.Name, err)
	}
	v := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if v == "" {
		return connector.Secret{}, fmt.Errorf("secret %s: %s is empty", s.Name, s.File)
	}
	return connector.NewSecret(v), nil
}

// Named fetches one of the secrets of a config by its name.
func Named(cfg *config.Config, name string) (connector.Secret, error) {
	i := slices.IndexFunc(cfg.Secrets, func(s config.Secret) bool { return s.Name == name })
	if i < 0 {
		return connector.Secret{}, fmt.Errorf("there is no secret %q in the config's list of secrets", name)
	}
	return Resolve(cfg.Secrets[i])
}

// ForConnector fetches the secrets of one connector under the names its plugin
// knows them by. All that cannot be had are reported together.
func ForConnector(cfg *config.Config, c *config.Connector) (map[string]connector.Secret, error) {
	return fetch(cfg, c.Secrets)
}

// ForSource fetches the secrets of one source under the names its reader knows
// them by.
func ForSource(cfg *config.Config, s *config.Source) (map[string]connector.Secret, error) {
	return fetch(cfg, s.Secrets)
}

// ForTracing fetches the headers that traces are sent with.
func ForTracing(cfg *config.Config) (map[string]connector.Secret, error) {
	return fetch(cfg, cfg.Tracing.Headers)
}

func fetch(cfg *config.Config, names map[string]string) (map[string]connector.Secret, error) {
	byName := map[string]config.Secret{}
	for _, s := range cfg.Secrets {
		byName[s.Name] = s
	}
	out := map[string]connector.Secret{}
	var errs []error
	for name, ours := range names {
		v, err := Resolve(byName[ours])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out[name] = v
	}
	return out, errors.Join(errs...)
}
