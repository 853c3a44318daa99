package faultproxy

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// isClientHello reports whether b begins a TLS handshake (RFC 8446 §5.1): a
// handshake record of TLS 1.x that holds a client_hello.
func isClientHello(b []byte) bool {
	return len(b) > 5 && b[0] == 22 && b[1] == 3 && b[5] == 1
}

func isSSH(b []byte) bool { return bytes.HasPrefix(b, []byte("SSH-")) }

// isRequest reports whether b begins an HTTP/1 request in clear.
func isRequest(b []byte) bool {
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	return bytes.HasSuffix(line, []byte(" HTTP/1.1")) || bytes.HasSuffix(line, []byte(" HTTP/1.0"))
}

// replayed is a connection of which some bytes have been read.
type replayed struct {
	net.Conn
	r io.Reader
}

// Read implements [net.Conn].
func (c *replayed) Read(b []byte) (int, error) { return c.r.Read(b) }

func replay(c net.Conn, read []byte) *replayed {
	return &replayed{Conn: c, r: io.MultiReader(bytes.NewReader(bytes.Clone(read)), c)}
}

// answerHTTP answers the request that begins with read, and hangs up.
func (p *Proxy) answerHTTP(l *link, read []byte) {
	defer l.client.Close()
	r, err := http.ReadRequest(bufio.NewReader(replay(l.client, read)))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, r.Body) // an answer before the request is whole would be a reset
	p.mu.Lock()
	f := p.fault
	p.mu.Unlock()
	h := http.Header{"Content-Length": {"0"}, "Connection": {"close"}}
	if f.RetryAfter > 0 {
		h.Set("Retry-After", fmt.Sprint(int(f.RetryAfter.Seconds())))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", f.Status, http.StatusText(f.Status))
	_ = h.Write(&b) // into memory
	b.WriteString("\r\n")
	_, _ = l.client.Write(b.Bytes()) // the client may have gone
}

// pose takes the server's part in the handshake that begins with read, with an
// identity that no client can know.
func (p *Proxy) pose(l *link, read []byte) {
	conn := replay(l.client, read)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	trusted := false
	if isSSH(read) {
		trusted = poseSSH(conn)
	} else {
		trusted = poseTLS(conn)
	}
	if trusted {
		p.mu.Lock()
		p.stats.Trusted++
		p.mu.Unlock()
	}
}

// poseTLS reports whether the client goes on after the handshake: in TLS 1.3
// the server's side is done before the client has looked at the certificate.
func poseTLS(conn net.Conn) bool {
	t := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{falseCertificate()}})
	if t.Handshake() != nil {
		return false
	}
	n, _ := t.Read(make([]byte, 1))
	return n > 0
}

// poseSSH reports whether the client offers to log in.
func poseSSH(conn net.Conn) bool {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return false
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return false
	}
	trusted := false
	c := &ssh.ServerConfig{
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
			trusted = true
			return nil, fmt.Errorf("no")
		},
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
			trusted = true
			return nil, fmt.Errorf("no")
		},
	}
	c.AddHostKey(signer)
	_, _, _, _ = ssh.NewServerConn(conn, c) // never succeeds
	return trusted
}

// falseCertificate is signed by itself, for a host that nobody asks for.
var falseCertificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the system has no randomness
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "somebody-else.invalid"}, DNSNames: []string{"somebody-else.invalid"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err) // a constant template
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})
