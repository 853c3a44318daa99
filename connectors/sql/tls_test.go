package sql

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// QUIRKS SQL-6: the certificate is really checked. A terminator in front of the
// server speaks PostgreSQL's TLS with a certificate of a private authority.
func TestCertificateIsChecked(t *testing.T) {
	s := newPostgres(t)
	app(s)
	authority, cert := certificates(t)
	dsn := strings.Replace(strings.Replace(s.dsn, hostOf(s), terminator(t, hostOf(s), cert), 1), "sslmode=disable", "sslmode=verify-full", 1)

	known := openTarget(t, strings.Replace(appConfig, `"users"`, `"tls_ca_file": "`+authority+`", "users"`, 1), dsn)
	steps, _ := known.CheckSteps(context.Background())
	require.Equal(t, []string{"resolve pass", "connect pass", "tls pass", "login pass", "tables pass", "privileges pass"}, names(steps))
	mustApply(t, known, create("1", "jdoe"))

	stranger := openTarget(t, appConfig, dsn)
	r := one(t, stranger, create("2", "other"))
	require.Equal(t, connector.OutcomeFailed, r.Outcome)
	require.Equal(t, connector.CodeConfiguration, r.Err.Code)
	require.Contains(t, r.Err.Message, "tls_ca_file")
	require.Equal(t, "1", s.text("SELECT COUNT(*) FROM app_user"))
}

// terminator answers a TLS request as PostgreSQL does and forwards in the clear.
func terminator(t *testing.T, server string, cert tls.Certificate) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go terminate(conn, server, cert)
		}
	}()
	return l.Addr().String()
}

func terminate(conn net.Conn, server string, cert tls.Certificate) {
	defer conn.Close()
	request := make([]byte, 8) // SSLRequest: length and code
	if _, err := io.ReadFull(conn, request); err != nil {
		return
	}
	if _, err := conn.Write([]byte("S")); err != nil {
		return
	}
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
	behind, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer behind.Close()
	go func() {
		_, _ = io.Copy(behind, secure)
		_ = behind.Close()
	}()
	_, _ = io.Copy(secure, behind)
}

// certificates makes an authority, as a PEM file, and a certificate for 127.0.0.1.
func certificates(t *testing.T) (authority string, cert tls.Certificate) {
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		return k
	}
	caKey, leafKey := key(), key()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	require.NoError(t, err)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, leafKey.Public(), caKey)
	require.NoError(t, err)
	authority = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), 0o600))
	return authority, tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: leafKey}
}
