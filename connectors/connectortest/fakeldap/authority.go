package fakeldap

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// authority is the server's own certificate authority.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fakeldap test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{cert, key, pemOf("CERTIFICATE", der)}, err
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// issue signs a certificate; template needs a subject and what it is for.
func (a *authority) issue(template *x509.Certificate) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return nil, nil, err
	}
	template.NotBefore, template.NotAfter = a.cert.NotBefore, a.cert.NotAfter
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, nil, err
	}
	k, err := x509.MarshalECPrivateKey(key)
	return pemOf("CERTIFICATE", der), pemOf("EC PRIVATE KEY", k), err
}

// serverTLS is the config of the listeners: a certificate for 127.0.0.1 and
// localhost; a client may show one of its own.
func (a *authority) serverTLS() (*tls.Config, error) {
	certPEM, keyPEM, err := a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS12}, nil
}

// CAFile writes the PEM of the server's certificate authority into dir and
// returns its path.
func (s *Server) CAFile(dir string) (string, error) {
	path := filepath.Join(dir, "fakeldap-ca.pem")
	return path, os.WriteFile(path, s.ca.pem, 0o644)
}

// ClientCert issues a certificate with which a client is the entry called name
// (SASL EXTERNAL, RFC 4513 §5.2.3). The subject is the DN itself.
func (s *Server) ClientCert(name string) (certPEM, keyPEM []byte, err error) {
	d, err := s.dir.parseDN(name)
	if err != nil {
		return nil, nil, fmt.Errorf("fakeldap: client certificate for %q: %w", name, err)
	}
	var subject pkix.RDNSequence // the root comes first here (RFC 4514 §2.1)
	for _, r := range d.rdns {
		var part pkix.RelativeDistinguishedNameSET
		for _, a := range r.avas {
			oid, err := parseOID(a.typ.oid)
			if err != nil {
				return nil, nil, err
			}
			part = append(part, pkix.AttributeTypeAndValue{Type: oid, Value: a.value})
		}
		subject = append(pkix.RDNSequence{part}, subject...)
	}
	raw, err := asn1.Marshal(subject)
	if err != nil {
		return nil, nil, err
	}
	return s.ca.issue(&x509.Certificate{RawSubject: raw, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

func parseOID(s string) (asn1.ObjectIdentifier, error) {
	var out asn1.ObjectIdentifier
	for _, part := range strings.Split(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, fmt.Errorf("fakeldap: %q is no OID", s)
		}
		out = append(out, n)
	}
	return out, nil
}

// subjectDN reads a certificate's subject as a DN.
func (s *schema) subjectDN(cert *x509.Certificate) (dn, error) {
	var subject pkix.RDNSequence
	if _, err := asn1.Unmarshal(cert.RawSubject, &subject); err != nil {
		return dn{}, err
	}
	var parts []string
	for _, r := range subject {
		var avas []string
		for _, a := range r {
			avas = append(avas, a.Type.String()+"="+s.escape(fmt.Sprint(a.Value)))
		}
		parts = append([]string{strings.Join(avas, "+")}, parts...)
	}
	return s.parseDN(strings.Join(parts, ","))
}
