package network

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"runner-preflight/checks/source"
)

// The kinds of failure, spelled as the problems that they are.
const (
	DNSNotFound        = "dns-not-found"
	DNSFailure         = "dns-failure"
	DNSSinkhole        = "dns-sinkhole"
	ConnectTimeout     = "connect-timeout"
	ConnectRefused     = "connect-refused"
	NetworkUnreachable = "network-unreachable"
	ProxyUnreachable   = "proxy-unreachable"
	ProxyAuthRequired  = "proxy-auth-required"
	ProxyDenied        = "proxy-denied"
	TLSReset           = "tls-reset"
	TLSTimeout         = "tls-timeout"
	TLSNotSpoken       = "tls-not-spoken"
	TLSUntrusted       = "tls-untrusted"
	TLSIntercepted     = "tls-intercepted"
	TLSExpired         = "tls-expired"
	TLSNotYetValid     = "tls-not-yet-valid"
	TLSWrongHost       = "tls-wrong-host"
	TLSIncompatible    = "tls-incompatible"
	HTTPFailure        = "http-failure"
	// NotEstablished says that the caller's time was up, or that this machine refused: nothing is known.
	NotEstablished = "not-established"
)

// ErrPlainHTTP says that a request would have gone out in clear. Nothing was sent.
var ErrPlainHTTP = errors.New("not an https URL")

// Failure says why there is no answer. It is an error, found with errors.As.
type Failure struct {
	// Kind is spelled as the problem that it is: connect-timeout, tls-expired, …
	Kind string
	// Phase is where it happened.
	Phase Phase
	// Address is the host:port that was wanted.
	Address string
	// Root is what somebody has to act on: the host:port, the name, the name server or the proxy.
	Root string
	// Detail is the fact in one line, for people.
	Detail string
	// Err is what the system said. It may quote what a peer sent: print Detail instead.
	Err error
	// Addresses are those that were tried.
	Addresses []netip.Addr
	// Certificate is what was shown, for the tls-… kinds that judge it.
	Certificate *Certificate
	// Proxy is the proxy's host:port, ProxyVariable the setting that names it, ProxyStatus what it answered to
	// CONNECT, for the proxy-… kinds.
	Proxy, ProxyVariable string
	ProxyStatus          int
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Address, f.Detail) }

func (f *Failure) Unwrap() error { return f.Err }

// outOfTime tells the end of the caller's time from the end of a phase's: only the latter says something of the
// host.
func outOfTime(ctx context.Context, phase Phase) *Failure {
	err := ctx.Err()
	// A socket can notice its deadline before the context's own timer has run.
	if deadline, limited := ctx.Deadline(); err == nil && limited && !time.Now().Before(deadline) {
		err = context.DeadlineExceeded
	}
	if err == nil {
		return nil
	}
	detail := "the time was up in the " + string(phase) + " phase"
	if errors.Is(err, context.Canceled) {
		detail = "interrupted in the " + string(phase) + " phase"
	}
	return &Failure{Kind: NotEstablished, Phase: phase, Detail: detail, Err: err}
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

func cutOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// dnsFailure classifies what a resolver said. The name server is to blame for its silence, the name for answers.
func dnsFailure(name string, err error) *Failure {
	var answer *net.DNSError
	if !errors.As(err, &answer) {
		answer = &net.DNSError{Err: err.Error(), IsTimeout: timedOut(err)}
	}
	server := "the name server"
	if answer.Server != "" {
		server = "name server " + answer.Server
	}
	f := &Failure{Kind: DNSFailure, Phase: PhaseDNS, Root: name, Err: err}
	switch {
	case answer.IsNotFound:
		f.Kind, f.Detail = DNSNotFound, "the name "+name+" does not exist or has no address"
	case !answer.IsTimeout && isAnswer(answer.Err):
		f.Detail = server + " does not look " + name + " up (SERVFAIL or REFUSED)"
	default:
		f.Detail = server + " does not answer"
		if strings.Contains(answer.Err, syscall.EPERM.Error()) {
			f.Detail = server + " cannot be asked: a firewall of this machine does not permit it"
		}
		f.Root = cmp.Or(answer.Server, name)
	}
	return f
}

// isAnswer tells what Go says of a name server that answers with an error or with nonsense from what the system says
// of one that cannot be reached.
func isAnswer(said string) bool {
	return slices.ContainsFunc([]string{"misbehaving", "lame referral", "DNS message", "DNS response"},
		func(words string) bool { return strings.Contains(said, words) })
}

// tcpFailure classifies the errors of all addresses that were tried. IPv4 speaks for the host where both families
// were tried: a machine without IPv6 says "unreachable" to the other whatever the firewall does.
func tcpFailure(errs []dialError, limit time.Duration) *Failure {
	best, score := dialError{}, -1
	for _, e := range errs {
		s := map[string]int{ConnectTimeout: 3, ConnectRefused: 2, NetworkUnreachable: 1}[dialKind(e.err)]
		if e.addr.Unmap().Is4() {
			s += 10
		}
		if s > score {
			best, score = e, s
		}
	}
	f := &Failure{Kind: dialKind(best.err), Phase: PhaseTCP, Err: best.err}
	switch f.Kind {
	case ConnectTimeout:
		f.Detail = fmt.Sprintf("no answer from %s within %s", best.addr, brief(limit))
	case ConnectRefused:
		f.Detail = fmt.Sprintf("%s refuses the connection", best.addr)
	case NetworkUnreachable:
		f.Detail = fmt.Sprintf("%s cannot be reached: %s", best.addr, systemError(best.err))
	default:
		f.Detail = "this machine did not connect: " + systemError(best.err)
	}
	return f
}

func dialKind(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return ConnectRefused
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOMEM):
		return NotEstablished
	case timedOut(err):
		return ConnectTimeout
	}
	return NetworkUnreachable
}

// systemError is the system's own word for an error, without the addresses that Go puts before it.
func systemError(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return clip(err.Error())
}

// clip makes what a peer may have written fit to print.
func clip(text string) string {
	const most = 120
	return source.Shortened(source.Printable(text), most)
}

// alert returns the TLS alert that the peer sent. crypto/tls keeps the type to itself; its number is RFC 8446's.
func alert(err error) (number uint8, sent bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return 0, false
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return uint8(v.Uint()), true
	}
	return 0, false
}

// The alerts that ask for a client certificate, or refuse the one shown (RFC 8446, section 6).
const (
	alertHandshakeFailure    = 40
	alertBadCertificate      = 42
	alertUnknownCA           = 48
	alertAccessDenied        = 49
	alertCertificateRequired = 116
)

// handshakeFailure classifies what ended a handshake, or the first read after it: that is where TLS 1.3 says that
// it wanted a client certificate. It returns nil for what has nothing to do with TLS.
func handshakeFailure(err error, wanted, shown bool, limit time.Duration) *Failure {
	f := &Failure{Phase: PhaseTLS, Err: err}
	number, sent := alert(err)
	switch {
	case sent && number == alertCertificateRequired, wanted && (!sent || certificateAlert(number)) && !timedOut(err):
		f.Kind, f.Detail = TLSIncompatible, "it wants a client certificate, and there is none for it"
		if shown {
			f.Detail = "it refuses the client certificate that was shown"
		}
	case sent:
		f.Kind, f.Detail = TLSIncompatible, "it ends the handshake: "+strings.TrimPrefix(clip(systemError(err)),
			"tls: ")
	case isRecordHeader(err):
		f.Kind, f.Detail = TLSNotSpoken, "what answers does not speak TLS"
	case timedOut(err):
		f.Kind, f.Detail = TLSTimeout, "the TLS handshake does not end within "+brief(limit)
	case cutOff(err):
		f.Kind, f.Detail = TLSReset, "the connection is cut at the TLS handshake"
	default:
		f.Kind = TLSIncompatible
		f.Detail = "the TLS handshake fails: " + strings.TrimPrefix(clip(systemError(err)), "tls: ")
	}
	return f
}

func isRecordHeader(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header)
}

func certificateAlert(number uint8) bool {
	switch number {
	case alertHandshakeFailure, alertBadCertificate, alertUnknownCA, alertAccessDenied:
		return true
	}
	return number >= 43 && number <= 46 // unsupported, revoked, expired and unknown certificates
}
