package scene

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"time"
)

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  time.Time
}

// pki holds the authorities of a scene.
type pki struct {
	public, private, intercept, unknown *authority
}

func newPKI(now time.Time) (pki, error) {
	var p pki
	for _, a := range []struct {
		to   **authority
		name pkix.Name
	}{
		{&p.public, pkix.Name{CommonName: "Scene Public Root", Organization: []string{"Scene Trust Services"}}},
		{&p.private, pkix.Name{CommonName: "Example Corp Root CA", Organization: []string{"Example Corp"}}},
		{&p.intercept, pkix.Name{CommonName: "FGT60F0000000000", Organization: []string{"Fortinet"}}},
		{&p.unknown, pkix.Name{CommonName: "Unknown Root CA", Organization: []string{"Elsewhere"}}},
	} {
		made, err := newAuthority(a.name, now)
		if err != nil {
			return p, err
		}
		*a.to = made
	}
	return p, nil
}

// system is what the machine trusts; everybody trusts the public authority alone.
func (p pki) system() *x509.CertPool {
	pool := pool(p.public)
	pool.AddCert(p.private.cert)
	pool.AddCert(p.intercept.cert)
	return pool
}

func pool(a *authority) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func newAuthority(name pkix.Name, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: name, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{cert, key, now}, err
}

// issue makes a certificate for one host, as far from now as said.
func (a *authority) issue(host string, notBefore, notAfter time.Time, selfSigned bool) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: notBefore, NotAfter: notAfter,
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	parent, signer := a.cert, a.key
	if selfSigned {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// config is the TLS of a host that behaves as said.
func (p pki) config(host, behaviour string, now time.Time) (*tls.Config, error) {
	issuer, name, selfSigned := p.public, host, false
	notBefore, notAfter := now.AddDate(0, -1, 0), now.AddDate(0, 2, 0)
	c := &tls.Config{NextProtos: []string{"h2", "http/1.1"}, SessionTicketsDisabled: true}
	switch behaviour {
	case "private":
		issuer = p.private
	case "intercepted":
		issuer = p.intercept
	case "untrusted":
		issuer = p.unknown
	case "self-signed":
		selfSigned = true
	case "expired":
		notAfter = now.AddDate(0, 0, -3)
	case "not-yet-valid":
		notBefore = now.AddDate(0, 0, 3)
	case "wrong-host":
		name = "other.example.net"
	case "old-version":
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	case "client-certificate":
		c.ClientAuth = tls.RequireAndVerifyClientCert
	case "client-certificate-1.2":
		c.ClientAuth, c.MaxVersion = tls.RequireAndVerifyClientCert, tls.VersionTLS12
	}
	c.ClientCAs = pool(p.private)
	cert, err := issuer.issue(name, notBefore, notAfter, selfSigned)
	c.Certificates = []tls.Certificate{cert}
	return c, err
}
