package connectortest

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakehttp"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
	"github.com/provhub/provhub/connectors/connectortest/fakesqlite"
)

// wrongValue is refused by every fake.
const wrongValue = "this-is-not-the-secret"

func newHTTP(_ fakeOptions, _ string, twin *standIn) (*standIn, error) {
	var o fakehttp.Options
	if twin != nil {
		o.Tokens = []string{twin.secrets["token"], twin.newSecrets["token"]}
	}
	s, err := fakehttp.New(o)
	if err != nil {
		return nil, err
	}
	return &standIn{
		words:   map[string]string{"url": s.URL(), "token": s.Token(), "new_token": s.NewToken()},
		config:  s.Config(),
		secrets: map[string]string{"token": s.Token()}, newSecrets: map[string]string{"token": s.NewToken()}, wrongs: map[string]string{"token": wrongValue},
		oracle: s, close: s.Close,
	}, nil
}

func newSQLite(o fakeOptions, dir string, _ *standIn) (*standIn, error) {
	var schema []byte
	if o.Schema != "" {
		var err error
		if schema, err = os.ReadFile(filepath.Join(dir, o.Schema)); err != nil {
			return nil, fmt.Errorf("fake: %w", err)
		}
	}
	d, err := fakesqlite.New(fakesqlite.Options{Schema: string(schema)})
	if err != nil {
		return nil, err
	}
	return &standIn{
		words:   map[string]string{"path": d.Path(), "dsn": d.DSN()},
		secrets: map[string]string{"dsn": d.DSN()},
		close:   d.Close,
	}, nil
}

// newSCIM serves SCIM over HTTPS, in the dialect of a profile.
func newSCIM(o fakeOptions, _ string, twin *standIn) (*standIn, error) {
	profile, err := scim.LoadProfile(o.Profile)
	if err != nil {
		return nil, err
	}
	options := fakescim.Options{Profile: profile}
	if twin != nil {
		options.Token = twin.secrets["token"]
	}
	s, err := fakescim.New(options)
	if err != nil {
		return nil, err
	}
	folder, end, err := folderFor(func() { _ = s.Close() }) // nothing is left to flush
	if err != nil {
		return nil, err
	}
	raw, err := s.Config(folder)
	if err != nil {
		end()
		return nil, err
	}
	in := &standIn{
		words:   map[string]string{"url": s.URL(), "token": s.Token(), "ca_file": filepath.Join(folder, "ca.pem")},
		secrets: map[string]string{"token": s.Token()}, wrongs: map[string]string{"token": wrongValue},
		close: end,
	}
	if err := json.Unmarshal(raw, &in.config); err != nil {
		end()
		return nil, err
	}
	if ca, ok := in.config["tls_ca_file"].(string); ok {
		in.words["ca_file"] = ca
	}
	return in, nil
}

// newLDAP serves LDAPS, as one of the products that the fake knows.
func newLDAP(o fakeOptions, _ string, _ *standIn) (*standIn, error) {
	flavors := []fakeldap.Flavor{"", fakeldap.OpenLDAP, fakeldap.DS389, fakeldap.ActiveDirectory}
	if !slices.Contains(flavors, fakeldap.Flavor(o.Flavor)) {
		return nil, fmt.Errorf("fake: there is no flavor %q of ldap; there are %v", o.Flavor, flavors[1:])
	}
	s, err := fakeldap.New(fakeldap.Options{Flavor: fakeldap.Flavor(o.Flavor)})
	if err != nil {
		return nil, err
	}
	folder, end, err := folderFor(func() { _ = s.Close() }) // nothing is left to flush
	if err != nil {
		return nil, err
	}
	ca, err := s.CAFile(folder)
	if err != nil {
		end()
		return nil, err
	}
	directory := map[fakeldap.Flavor]string{"": "openldap-overlays", fakeldap.OpenLDAP: "openldap-overlays", fakeldap.DS389: "389ds", fakeldap.ActiveDirectory: "ad"}
	return &standIn{
		config: map[string]any{
			"urls": []any{s.URL()}, "directory": directory[fakeldap.Flavor(o.Flavor)], "bind_dn": s.AdminDN(), "tls_ca_file": ca,
			"users":  map[string]any{"base": s.In(fakeldap.People), "attributes": attributesOf(fakeldap.Flavor(o.Flavor))},
			"groups": []any{map[string]any{"base": s.In(fakeldap.Groups), "attributes": []any{map[string]any{"name": "name", "attribute": "cn"}, map[string]any{"name": "description"}}}},
		},
		words: map[string]string{"url": s.URL(), "plain_url": s.PlainURL(), "base_dn": s.BaseDN(), "people_dn": s.In(fakeldap.People), "groups_dn": s.In(fakeldap.Groups),
			"bind_dn": s.AdminDN(), "password": s.AdminPassword(), "ca_file": ca},
		secrets: map[string]string{"bind_password": s.AdminPassword()}, wrongs: map[string]string{"bind_password": wrongValue},
		close: end,
	}, nil
}

// attributesOf are those of accounts in the products that the fake knows.
func attributesOf(f fakeldap.Flavor) []any {
	as := []any{map[string]any{"name": "displayName"}, map[string]any{"name": "mail"}, map[string]any{"name": "surname", "attribute": "sn"}}
	if f == fakeldap.ActiveDirectory {
		return append(as, map[string]any{"name": "userName", "attribute": "sAMAccountName"}, map[string]any{"name": "commonName", "attribute": "cn"})
	}
	return append(as, map[string]any{"name": "userName", "attribute": "uid"}, map[string]any{"name": "commonName", "attribute": "cn"})
}

// newSFTP serves SFTP with a password.
func newSFTP(_ fakeOptions, _ string, twin *standIn) (*standIn, error) {
	var o fakesftp.Options
	if twin != nil {
		o.Password = twin.secrets["password"]
	}
	s, err := fakesftp.New(o)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		s.Close()
		return nil, err
	}
	return &standIn{
		words:   map[string]string{"address": s.Addr(), "host": host, "port": port, "user": s.User(), "password": s.Password(), "host_key": s.HostKey()},
		secrets: map[string]string{"password": s.Password()}, wrongs: map[string]string{"password": wrongValue},
		close: s.Close,
	}, nil
}

// folderFor makes a folder for the files of a fake. end removes it and stops the
// fake; it is called here when there is none.
func folderFor(stop func()) (folder string, end func(), err error) {
	if folder, err = os.MkdirTemp("", "provhub-fake-"); err != nil {
		stop()
		return "", nil, err
	}
	return folder, func() { stop(); _ = os.RemoveAll(folder) }, nil
}
