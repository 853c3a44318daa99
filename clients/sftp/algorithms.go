package sftp

import (
	"slices"

	"golang.org/x/crypto/ssh"
)

// modern are the algorithms that are offered: without SHA-1, CBC, DSA and RSA
// signatures of old (QUIRKS FILE-20).
func modern() ssh.Config {
	a := ssh.SupportedAlgorithms()
	return ssh.Config{
		KeyExchanges: a.KeyExchanges,
		Ciphers:      a.Ciphers,
		MACs:         slices.DeleteFunc(a.MACs, func(m string) bool { return m == ssh.HMACSHA1 }),
	}
}

// rsaAlgorithms are how an RSA key signs.
var rsaAlgorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}

// algorithmsOf returns the signature algorithms of host keys of a type.
func algorithmsOf(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return rsaAlgorithms
	}
	return []string{keyType}
}

// certAlgorithms are those of host certificates.
func certAlgorithms() (out []string) {
	for _, a := range ssh.SupportedAlgorithms().HostKeys {
		if isCertAlgorithm(a) {
			out = append(out, a)
		}
	}
	return out
}

func isCertAlgorithm(name string) bool {
	switch name {
	case ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSASHA512v01:
		return true
	}
	return false
}

// plainAlgorithms are those of host keys without a certificate.
func plainAlgorithms() (out []string) {
	for _, a := range ssh.SupportedAlgorithms().HostKeys {
		if !isCertAlgorithm(a) {
			out = append(out, a)
		}
	}
	return out
}
