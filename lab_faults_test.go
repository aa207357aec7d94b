//go:build linux

package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// The addresses of servers that do one thing wrong each: see faults, hostile and furnishFaults.
const (
	faultyServer  = "10.77.2.17" // one name for each entry of faults
	oldServer     = "10.77.2.18" // old.rig.test: TLS 1.1 at most
	mutualServer  = "10.77.2.19" // mutual.rig.test: wants a certificate of its clients
	subjectServer = "10.77.2.22" // subject.rig.test: nobody's certificate, with hostile words for names
	hostileServer = "10.77.2.21" // one name for each entry of hostile
	sixServer     = "10.77.2.23" // six.rig.test, which has an IPv6 address too:
	sixAddress    = "2001:db8:2::23"
	brokenNames   = "10.77.2.97" // answers SERVFAIL for all names below broken.test
	silentNames   = "10.77.2.98" // a name server that a scene's firewall keeps from answering
	// aheadPort is where the vendor's hosts and a registry answer with a clock that is two hours ahead.
	aheadPort = ":444"
	// transparentPort is the firewall's, for a proxy that clients do not know of.
	transparentPort = 8444
)

const manifestType = "application/vnd.oci.image.manifest.v1+json"

// furnishFaults starts the servers that do one thing wrong each.
func (l *lab) furnishFaults() {
	l.Helper()
	registry := l.front(openRegistry, "http", "")
	names, byName := []string{}, map[string]http.Handler{}
	for name, fault := range faults(registry) {
		names, byName[name+".rig.test"] = append(names, name+".rig.test"), fault
	}
	l.handle(faultyServer+":443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		byName[r.Host].ServeHTTP(w, r)
	}), l.pki.company.valid(l, names...))
	l.serveTLS(oldServer+":443", registry, &tls.Config{
		Certificates: []tls.Certificate{l.pki.company.valid(l, "old.rig.test")},
		MinVersion:   tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	})
	l.clientCert, l.clientKey = l.clientFiles()
	clients := x509.NewCertPool()
	clients.AddCert(l.pki.company.cert)
	l.serveTLS(mutualServer+":443", registry, &tls.Config{
		Certificates: []tls.Certificate{l.pki.company.valid(l, "mutual.rig.test")},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: clients,
	})
	for _, address := range []string{sixServer, "[" + sixAddress + "]"} {
		l.handle(address+":443", registry, l.pki.company.valid(l, "six.rig.test"))
	}
	l.hostileHosts(registry)
	l.serveTLS(subjectServer+":443", registry, &tls.Config{
		Certificates: []tls.Certificate{newAuthority(l, words).sign(l, &x509.Certificate{
			Subject: pkix.Name{CommonName: words}, DNSNames: []string{"subject.rig.test"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		})},
	})
	l.serveHTTP(l.out.listen(proxyServer+":3132"), raw(func(w io.Writer) {
		said := strings.ReplaceAll(words, "\n", " ")
		fmt.Fprintf(w, "HTTP/1.1 403 %s\r\nContent-Length: 0\r\n\r\n", said)
	}))
	l.transparent()
	l.brokenDNS()
	l.handle(vendorServer+aheadPort, ahead(http.HandlerFunc(vendor)), l.pki.company.valid(l, vendorHosts()...))
	l.handle(vendorImages+aheadPort, ahead(public(registry, registry)), l.pki.company.valid(l, publicRegistries()...))
	l.handle(blobsServer+aheadPort, ahead(registry), l.pki.company.valid(l, "blobs.rig.test"))
}

// faultyNames are the names below rig.test of the servers above.
func faultyNames() map[string][]string {
	names := map[string][]string{
		oldServer: {"old.rig.test"}, mutualServer: {"mutual.rig.test"}, subjectServer: {"subject.rig.test"},
	}
	for name := range faults(nil) {
		names[faultyServer] = append(names[faultyServer], name+".rig.test")
	}
	for name := range hostile(nil) {
		names[hostileServer] = append(names[hostileServer], name+".rig.test")
	}
	return names
}

// faults are registries that stand before the open one, by the first label of their names.
func faults(registry http.Handler) map[string]http.Handler {
	return map[string]http.Handler{
		"limited":    at("/manifests/", tooMany("1800"), registry),
		"busy":       firstOf("/manifests/", tooMany("1"), registry),
		"down":       answer(503, "text/plain", "no healthy upstream"),
		"hiccup":     firstOf("/manifests/", answer(500, "text/plain", "oops"), registry),
		"headless":   headless(registry),
		"schema1":    at("/manifests/", answer(200, "application/vnd.docker.distribution.manifest.v1+json", `{"schemaVersion":1}`), registry),
		"altered":    altered(registry),
		"closedblob": at("/blobs/", answer(403, "application/json", `{"errors":[{"code":"DENIED"}]}`), registry),
		"badtokens":  challenge("https://down.rig.test/token"),
		"clear":      challenge("http://auth.rig.test/token"),
		"slow":       late(2500*time.Millisecond, registry),
		"late":       late(500*time.Millisecond, registry),
		"wiki":       answer(200, "text/html", "<html><title>Wiki</title></html>"),
	}
}

// late takes its time before the first byte.
func late(by time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(by)
		next.ServeHTTP(w, r)
	})
}

// at lets other answer requests whose path has a part.
func at(part string, other, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, part) {
			other.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bodyOf is at for requests that want a body: what follows an answer to HEAD would be taken for the next answer.
func bodyOf(part string, other, next http.Handler) http.Handler {
	inner := at(part, other, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// firstOf lets other answer the first request of each program on each host for each such path.
func firstOf(part string, other, next http.Handler) http.Handler {
	var seen sync.Map
	first := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		if _, again := seen.LoadOrStore(from+r.UserAgent()+r.URL.Path, true); again {
			next.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
	return at(part, first, next)
}

func answer(status int, contentType, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func tooMany(retryAfter string) http.Handler {
	said := answer(429, "application/json", `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Ratelimit-Limit", "100;w=21600")
		w.Header().Set("Retry-After", retryAfter)
		said.ServeHTTP(w, r)
	})
}

// headless refuses HEAD, as some proxies do.
func headless(registry http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		registry.ServeHTTP(w, r)
	}
}

// altered serves manifests that were changed on the way.
func altered(registry http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/manifests/sha256:") {
			registry.ServeHTTP(w, r)
			return
		}
		kept := httptest.NewRecorder()
		registry.ServeHTTP(kept, r)
		w.Header().Set("Content-Type", kept.Header().Get("Content-Type"))
		_, _ = w.Write(append(kept.Body.Bytes(), '\n'))
	})
}

// challenge is a registry that wants a token of a realm for all that it has.
func challenge(realm string) http.Handler {
	refuse := answer(401, "application/json", `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s",service="rig"`, realm))
		refuse.ServeHTTP(w, r)
	})
}

// ahead answers as a host whose clock is two hours ahead.
func ahead(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(aheadWriter{w}, r) })
}

type aheadWriter struct{ http.ResponseWriter }

func (w aheadWriter) WriteHeader(status int) {
	w.Header().Set("Date", time.Now().Add(2*time.Hour).UTC().Format(http.TimeFormat))
	w.ResponseWriter.WriteHeader(status)
}

// serveTLS serves HTTP/1 alone beyond the firewall.
func (l *lab) serveTLS(address string, handler http.Handler, config *tls.Config) {
	l.Helper()
	noted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.seen.note(r)
		handler.ServeHTTP(w, r)
	})
	l.serveHTTP(tls.NewListener(l.out.listen(address), config), noted)
}

// clientFiles makes a certificate that mutual.rig.test lets in, with its key.
func (l *lab) clientFiles() (cert, key string) {
	l.Helper()
	made := l.pki.company.forClient(l, "runner host")
	der, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		l.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate[0]})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// words are what a server says that wants to be obeyed by a terminal, a log or a page.
const words = "\x1b[2J\x1b[31m::error::pwned ##vso[task.complete] %s%n <script>alert(1)</script> |x| `id` \u202eabc\nfail: forged"

// hostile are registries that mean harm, by the first label of their names.
func hostile(registry http.Handler) map[string]http.Handler {
	return map[string]http.Handler{
		"endlesshead": raw(func(w io.Writer) {
			fmt.Fprint(w, "HTTP/1.1 200 OK\r\n")
			forever(w, "X-More: "+strings.Repeat("x", 4000)+"\r\n")
		}),
		"endlessbody": bodyOf("/manifests/", raw(func(w io.Writer) {
			fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n", manifestType)
			forever(w, strings.Repeat(" ", 32<<10))
		}), registry),
		"drip": bodyOf("/manifests/", raw(func(w io.Writer) {
			fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n", manifestType)
			for _, err := fmt.Fprint(w, "{"); err == nil; _, err = fmt.Fprint(w, " ") {
				time.Sleep(time.Second)
			}
		}), registry),
		"huge": bodyOf("/manifests/", hugeManifest(false), registry),
		"bomb": bodyOf("/manifests/", hugeManifest(true), registry),
		"cutshort": bodyOf("/manifests/", raw(func(w io.Writer) {
			fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 5000\r\n\r\n{}", manifestType)
		}), registry),
		"circle":    redirect("/v2/again"),
		"tofile":    redirect("file:///etc/passwd"),
		"todowned":  redirect("http://plain.rig.test/v2/"),
		"tolocal":   redirect("http://169.254.169.254/latest/meta-data/"),
		"stealing":  challenge("http://plain.rig.test:5000/token"),
		"mouthy":    at("/manifests/", mouthy(), registry),
		"realmtext": challenge("https://\u202eauth.rig.test/::error::%1b[2J"),
	}
}

// hostileHosts starts them. They speak HTTP/1, where a connection can be had for oneself.
func (l *lab) hostileHosts(registry http.Handler) {
	names, byName := []string{}, map[string]http.Handler{}
	for name, handler := range hostile(registry) {
		names, byName[name+".rig.test"] = append(names, name+".rig.test"), handler
	}
	l.serveTLS(hostileServer+":443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		byName[r.Host].ServeHTTP(w, r)
	}), &tls.Config{Certificates: []tls.Certificate{l.pki.company.valid(l, names...)}})
}

// transparent starts a proxy on the firewall that reads a name from the ClientHello and passes all bytes on.
func (l *lab) transparent() {
	l.Helper()
	listener := l.fw.listen(fmt.Sprintf("10.77.1.1:%d", transparentPort))
	addresses := map[string]string{}
	for address, names := range l.hosts() {
		for _, name := range names {
			addresses[name] = address
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go l.pass(conn, addresses)
		}
	}()
}

// pass connects a client with the host that it names.
func (l *lab) pass(client net.Conn, addresses map[string]string) {
	defer client.Close()
	var read bytes.Buffer
	name := ""
	// A handshake that ends as soon as the name is known, over a connection that keeps what was read of it.
	_ = tls.Server(listening{client, io.TeeReader(client, &read)}, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name = hello.ServerName
			return nil, errors.New("enough")
		},
	}).HandshakeContext(l.Context())
	server, err := l.fw.dial(l.Context(), "tcp", addresses[name]+":443")
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := server.Write(read.Bytes()); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}

// listening reads from somewhere else, and keeps to itself what it has to say.
type listening struct {
	net.Conn
	from io.Reader
}

func (l listening) Read(p []byte) (int, error)  { return l.from.Read(p) }
func (l listening) Write(p []byte) (int, error) { return len(p), nil }

// raw answers over the bare connection.
func raw(write func(io.Writer)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		write(conn)
	})
}

func forever(w io.Writer, text string) {
	for _, err := io.WriteString(w, text); err == nil; {
		_, err = io.WriteString(w, text)
	}
}

// hugeManifest is a manifest of 100 MB, as such or packed.
func hugeManifest(packed bool) http.Handler {
	piece := bytes.Repeat([]byte(" "), 1<<20)
	if packed {
		var small bytes.Buffer
		zip := gzip.NewWriter(&small)
		_, _ = zip.Write(piece)
		_ = zip.Close()
		piece = small.Bytes() // archives one after the other are one archive
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", manifestType)
		if packed {
			w.Header().Set("Content-Encoding", "gzip")
		}
		for range 100 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
}

func redirect(to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	})
}

// mouthy refuses, and says why in words that nobody should repeat as they are.
func mouthy() http.Handler {
	said := fmt.Sprintf(`{"errors":[{"code":%[1]q,"message":%[1]q,"detail":%[1]q}]}`, words)
	return answer(403, "application/json", strings.NewReplacer(`\x1b`, `\u001b`).Replace(said))
}

// brokenDNS is a name server that fails at all that it is asked.
func (l *lab) brokenDNS() {
	l.Helper()
	var conn net.PacketConn
	err := l.out.within(func() (err error) {
		conn, err = net.ListenPacket("udp", brokenNames+":53")
		return err
	})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { conn.Close() })
	go func() {
		question := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			if n > 3 {
				question[2], question[3] = question[2]|0x80, 0x82 // an answer; recursion available, SERVFAIL
				_, _ = conn.WriteTo(question[:n], from)
			}
		}
	}()
}

// forClient is a certificate by which a client says who it is.
func (a authority) forClient(l *lab, name string) tls.Certificate {
	return a.sign(l, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	})
}
