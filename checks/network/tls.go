package network

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// PublicRootsDate is how old the built-in public roots are: the date of the version of x509roots/fallback that go.mod
// names. The older, the likelier that a root which everybody trusts is missing from them.
func PublicRootsDate() time.Time { return time.Date(2026, time.October, 30, 0, 0, 0, 0, time.UTC) }

// publicRoots are Mozilla's, in a pool of their own: the process's default roots stay the system's.
func publicRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue
		}
		if root.Constraint == nil {
			pool.AddCert(cert)
		} else {
			pool.AddCertWithConstraint(cert, root.Constraint)
		}
	}
	return pool
}

// Certificate is what a host shows of itself, fit to print.
type Certificate struct {
	Subject, Issuer     string
	NotBefore, NotAfter time.Time
	// Names are the hosts that it is for.
	Names []string
	// SelfSigned says that the issuer is the subject itself.
	SelfSigned bool
	// Public says that the public roots vouch for its chain, whatever its dates and names.
	Public bool
}

func describe(leaf *x509.Certificate) *Certificate {
	c := &Certificate{
		Subject: clip(leaf.Subject.String()), Issuer: clip(leaf.Issuer.String()),
		NotBefore: leaf.NotBefore.UTC(), NotAfter: leaf.NotAfter.UTC(),
		SelfSigned: slices.Equal(leaf.RawIssuer, leaf.RawSubject),
	}
	for _, name := range leaf.DNSNames[:min(len(leaf.DNSNames), 10)] {
		c.Names = append(c.Names, clip(name))
	}
	for _, ip := range leaf.IPAddresses[:min(len(leaf.IPAddresses), 10)] {
		c.Names = append(c.Names, ip.String())
	}
	return c
}

// handshake speaks TLS and judges the certificate before anything is sent over the connection.
func (a *attempt) handshake(ctx context.Context, raw net.Conn) (*tls.Conn, *Failure) {
	roots, shown, failure := a.trust()
	if failure != nil {
		_ = raw.Close()
		return nil, failure
	}
	a.shown = len(shown) > 0
	conn := tls.Client(raw, &tls.Config{
		ServerName:         nameOf(a.address),
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"h2", "http/1.1"},
		InsecureSkipVerify: true, // VerifyConnection judges instead, twice
		VerifyConnection:   func(state tls.ConnectionState) error { return a.judge(state.PeerCertificates, roots) },
		GetClientCertificate: func(ask *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			a.wanted = true
			for i := range shown {
				if ask.SupportsCertificate(&shown[i]) == nil {
					return &shown[i], nil
				}
			}
			return &tls.Certificate{}, nil
		},
	})
	failure = a.timed(ctx, PhaseTLS, func(ctx context.Context, limit time.Duration) *Failure {
		err := conn.HandshakeContext(ctx)
		var verdict *Failure
		switch {
		case err == nil:
			return nil
		case errors.As(err, &verdict):
			return verdict
		}
		return handshakeFailure(err, a.wanted, a.shown, limit)
	})
	if failure != nil {
		_ = raw.Close()
		return nil, failure
	}
	return conn, nil
}

// trust returns the roots and the client certificates for the address.
func (a *attempt) trust() (roots *x509.CertPool, shown []tls.Certificate, failure *Failure) {
	var err error
	if a.client.config.Roots != nil {
		roots, err = a.client.config.Roots(a.address)
	}
	if a.client.config.PublicOnly {
		return roots, nil, nil // this machine's roots tell no more than what is intercepted
	}
	if err == nil && a.client.config.ClientCertificates != nil {
		shown, err = a.client.config.ClientCertificates(a.address)
	}
	if err == nil {
		return roots, shown, nil
	}
	f := &Failure{
		Kind: TLSUntrusted, Phase: PhaseTLS, Err: err,
		Detail: "the certificates that this machine keeps for the host cannot be used: " + clip(err.Error()),
	}
	if errors.Is(err, fs.ErrPermission) {
		f.Kind = NotEstablished
		f.Detail = "the certificates that this machine keeps for the host cannot be read: permission denied"
	}
	return nil, nil, f
}

// judge decides by the route's roots, and notes what the public ones say. The order is that of what has to be
// mended first: who issued it, then its dates, then its names.
func (a *attempt) judge(chain []*x509.Certificate, roots *x509.CertPool) error {
	if len(chain) == 0 {
		return &Failure{Kind: TLSIncompatible, Phase: PhaseTLS, Detail: "it shows no certificate"}
	}
	leaf, now := chain[0], a.client.config.Now()
	shown := describe(leaf)
	publicErr := verify(chain, a.client.public(), now)
	shown.Public = publicErr == nil || isDate(publicErr)
	a.trace.Certificate = shown
	name := nameOf(a.address)
	err := verify(chain, roots, now)
	a.proven = err == nil && leaf.VerifyHostname(name) == nil
	if a.client.config.PublicOnly {
		err = publicErr
	}
	var failure *Failure
	switch {
	case isDate(err):
		failure = outdated(err, now)
	case err != nil:
		failure = untrusted(err, shown, name, a.client.config.PublicOnly)
	case leaf.VerifyHostname(name) != nil:
		failure = wrongHost(shown)
	default:
		return nil
	}
	failure.Phase, failure.Certificate = PhaseTLS, shown
	return failure
}

// verify checks the chain but not the name. A certificate out of its dates is first checked within them, so that
// an unknown issuer shows.
func verify(chain []*x509.Certificate, roots *x509.CertPool, now time.Time) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: now}
	for _, cert := range chain[1:] {
		options.Intermediates.AddCert(cert)
	}
	leaf := chain[0]
	switch {
	case now.Before(leaf.NotBefore):
		options.CurrentTime = leaf.NotBefore
	case now.After(leaf.NotAfter):
		options.CurrentTime = leaf.NotAfter
	}
	_, err := leaf.Verify(options)
	if err == nil && !options.CurrentTime.Equal(now) {
		return x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired}
	}
	return err
}

func isDate(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil
}

func outdated(err error, now time.Time) *Failure {
	var invalid x509.CertificateInvalidError
	errors.As(err, &invalid)
	whose := "its certificate"
	if invalid.Cert.IsCA {
		whose = "the certificate of its issuer " + clip(invalid.Cert.Subject.String())
	}
	if now.Before(invalid.Cert.NotBefore) {
		return &Failure{Kind: TLSNotYetValid, Err: err, Detail: fmt.Sprintf("%s is valid only from %s on",
			whose, invalid.Cert.NotBefore.UTC().Format(time.RFC3339))}
	}
	return &Failure{Kind: TLSExpired, Err: err, Detail: fmt.Sprintf("%s expired on %s",
		whose, invalid.Cert.NotAfter.UTC().Format(time.RFC3339))}
}

func untrusted(err error, shown *Certificate, name string, publicOnly bool) *Failure {
	f := &Failure{Kind: TLSUntrusted, Err: err}
	issuer := "was issued by " + shown.Issuer
	if shown.SelfSigned {
		issuer = "is self-signed (" + shown.Subject + ")"
	}
	f.Detail = "its certificate " + issuer + ", which this machine does not trust"
	if publicOnly {
		f.Kind, f.Detail = TLSIntercepted, "its certificate "+issuer+", which is no public authority"
	}
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		f.Detail = "its certificate " + issuer + " and is refused: " + strings.TrimPrefix(clip(err.Error()), "x509: ")
	}
	if !slices.Contains(shown.Names, name) && len(shown.Names) > 0 && !strings.HasPrefix(shown.Names[0], "*.") {
		f.Detail += fmt.Sprintf("; it is for %s", strings.Join(shown.Names[:min(len(shown.Names), 4)], ", "))
	}
	return f
}

func wrongHost(shown *Certificate) *Failure {
	f := &Failure{Kind: TLSWrongHost, Detail: "its certificate names no host, only " + shown.Subject}
	if len(shown.Names) > 0 {
		f.Detail = "its certificate is for " + strings.Join(shown.Names[:min(len(shown.Names), 4)], ", ")
		if more := len(shown.Names) - 4; more > 0 {
			f.Detail += fmt.Sprintf(" and %d more", more)
		}
	}
	return f
}
