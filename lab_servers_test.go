//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The lab's servers, each at an address of its own, so that a rule of the firewall can mean one alone.
const (
	openRegistry   = "10.77.2.9:5000" // plain HTTP, for the fronts below; no scene talks to it
	registryServer = "10.77.2.10"     // registry.rig.test: password, 443 and 5443
	tokensServer   = "10.77.2.11"     // tokens.rig.test: bearer tokens of auth.rig.test
	plainServer    = "10.77.2.12"     // plain.rig.test: HTTP alone, 443 and 5000, with a password 5001
	authServer     = "10.77.2.13"     // auth.rig.test: the token service
	badCertServer  = "10.77.2.14"     // expired., future., untrusted., wronghost.rig.test
	blobsServer    = "10.77.2.15"     // blobs.rig.test: sends its clients to cdn.rig.test for blobs
	cdnServer      = "10.77.2.16"     // cdn.rig.test
	pageServer     = "10.77.2.20"     // block.rig.test answers 403 in HTML, portal.rig.test 200
	proxyServer    = "10.77.2.30"     // proxy.rig.test: squid, 3128 for all, 3129 with a password, 3130 for none
	nameServer     = "10.77.2.53"
	vendorServer   = "198.51.100.60" // the vendor's hosts, but for
	vendorImages   = "198.51.100.61" // its registries and the public ones
)

// The lab's only user. With tokens, what is below other/ is not this user's to pull.
const (
	ciUser     = "ci"
	ciPassword = "s3cret"
)

// pki is the company's certificate authority, and another one that nobody trusts.
type pki struct {
	company, unknown authority
	// roots is the file with the company's certificate.
	roots string
}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(0, 0, -3), NotAfter: time.Now().AddDate(0, 0, 3),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

// issue makes a certificate for names, valid between two times counted from now.
func (a authority) issue(t testing.TB, from, until time.Duration, names ...string) tls.Certificate {
	t.Helper()
	return a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// sign makes a certificate of a template, with a key of its own.
func (a authority) sign(t testing.TB, template *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.KeyUsage = big.NewInt(time.Now().UnixNano()), x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// valid is a certificate without a fault.
func (a authority) valid(t testing.TB, names ...string) tls.Certificate {
	return a.issue(t, -time.Hour, 24*time.Hour, names...)
}

// write puts a certificate, and its key if there is one, where other people's servers read them.
func (l *lab) write(name string, cert []byte, key *ecdsa.PrivateKey) (certFile, keyFile string) {
	l.Helper()
	certFile, keyFile = filepath.Join(l.dir, name+".crt"), filepath.Join(l.dir, name+".key")
	l.file(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	if key == nil {
		return certFile, ""
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		l.Fatal(err)
	}
	l.file(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return certFile, keyFile
}

// file writes a file that servers which are not root can read too.
func (l *lab) file(name string, data []byte) string {
	l.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.dir, name)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		l.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		l.Fatal(err)
	}
	return name
}

// request is one HTTP request that a server of the lab got.
type request struct {
	// From is the client's address, Host what it asked for.
	From, Host, Method, Path string
	// Agent is the program that says to have sent it.
	Agent string
	// Authorized says that it carried credentials, Clear that nothing hid them.
	Authorized, Clear bool
}

// journal remembers the requests that the lab's own servers got.
type journal struct {
	mutex    sync.Mutex
	requests []request
}

func (j *journal) note(r *http.Request) {
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.requests = append(j.requests, request{
		from, r.Host, r.Method, r.URL.Path, r.UserAgent(),
		r.Header.Get("Authorization") != "", r.TLS == nil,
	})
}

// from lists the requests of one client.
func (j *journal) from(address string) []request {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return slices.DeleteFunc(slices.Clone(j.requests), func(r request) bool { return r.From != address })
}

// handle serves HTTP beyond the firewall, over TLS if there are certificates.
func (l *lab) handle(address string, handler http.Handler, certs ...tls.Certificate) {
	l.Helper()
	listener := l.out.listen(address)
	if len(certs) > 0 {
		listener = tls.NewListener(listener, &tls.Config{Certificates: certs, NextProtos: []string{"h2", "http/1.1"}})
	}
	noted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.seen.note(r)
		handler.ServeHTTP(w, r)
	})
	l.serveHTTP(listener, noted)
}

func (l *lab) serveHTTP(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	l.Cleanup(func() { server.Close() })
}

// furnish starts all the servers and waits for those of others.
func (l *lab) furnish() {
	l.Helper()
	l.pki = pki{company: newAuthority(l, "Rig Company CA"), unknown: newAuthority(l, "Nobody's CA")}
	l.pki.roots, _ = l.write("company", l.pki.company.cert.Raw, nil)
	l.dns()
	l.debianRegistries()
	l.fronts()
	l.furnishFaults()
	l.proxies()
	l.pages()
	l.await()
	l.pushAll()
}

// await waits for the servers that others wrote.
func (l *lab) await() {
	l.Helper()
	l.out.await(openRegistry, registryServer+":443", tokensServer+":443", nameServer+":53", pageServer+":443",
		proxyServer+":3128", proxyServer+":3129", proxyServer+":3130")
}

// vendorHosts are those of the vendor's API and storage.
func vendorHosts() []string {
	return []string{
		"bitbucket.org", "api.bitbucket.org", "api.atlassian.com", "auth.atlassian.com",
		"micros--prod-west--bitbucketci-file-service--files.s3.us-west-2.amazonaws.com",
		"micros--prod-east--bitbucketci-file-service--files.s3.amazonaws.com",
	}
}

// publicRegistries are the vendor's and those of the public.
func publicRegistries() []string {
	return []string{
		"docker-public.packages.atlassian.com", "docker-hub.packages.atlassian.com",
		"k8s-docker.packages.atlassian.com", "public.ecr.aws", "registry-1.docker.io", "auth.docker.io",
		"production.cloudflare.docker.com",
	}
}

// hosts are the names of each address.
func (l *lab) hosts() map[string][]string {
	hosts := map[string][]string{
		registryServer: {"registry.rig.test"}, tokensServer: {"tokens.rig.test"}, plainServer: {"plain.rig.test"},
		authServer: {"auth.rig.test"}, blobsServer: {"blobs.rig.test"}, cdnServer: {"cdn.rig.test"},
		badCertServer: {"expired.rig.test", "future.rig.test", "untrusted.rig.test", "wronghost.rig.test"},
		pageServer:    {"block.rig.test", "portal.rig.test"}, proxyServer: {"proxy.rig.test"},
		"0.0.0.0": {"sinkhole.rig.test"}, vendorServer: vendorHosts(), vendorImages: publicRegistries(),
	}
	maps.Copy(hosts, faultyNames())
	return hosts
}

// dns starts the name server: nothing that is not said here exists.
func (l *lab) dns() {
	var config strings.Builder
	config.WriteString("no-daemon\nno-hosts\nno-resolv\nbind-interfaces\nlog-queries\nuser=root\npid-file=\n" +
		"listen-address=" + nameServer + "\nlocal=/test/\nlocal=/com/\nlocal=/org/\nlocal=/io/\nlocal=/aws/\n")
	for address, names := range l.hosts() {
		fmt.Fprintf(&config, "host-record=%s,%s\n", strings.Join(names, ","), address)
	}
	fmt.Fprintf(&config, "host-record=six.rig.test,%s,%s\n", sixServer, sixAddress)
	// A name server that never answers stands behind this one.
	config.WriteString("server=/silent.test/10.77.2.99\nserver=/broken.test/" + brokenNames + "\n")
	l.out.serve("dnsmasq", "dnsmasq", "--conf-file="+l.file("dnsmasq.conf", []byte(config.String())))
}

// debianRegistries starts three registries over one storage: open, with a password, with tokens.
func (l *lab) debianRegistries() {
	l.Helper()
	const config = `version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: %[1]s/storage}, delete: {enabled: true}}
http: {addr: "%[2]s"%[3]s}
%[4]s`
	start := func(name, address, tlsFiles, auth string) {
		file := l.file(name+".yml", fmt.Appendf(nil, config, l.dir, address, tlsFiles, auth))
		l.out.serve(name, "docker-registry", "serve", file)
	}
	files := func(name string) string {
		cert := l.pki.company.valid(l, name)
		certFile, keyFile := l.write(name, cert.Certificate[0], cert.PrivateKey.(*ecdsa.PrivateKey))
		return fmt.Sprintf(`, tls: {certificate: %s, key: %s}`, certFile, keyFile)
	}
	// The lowest cost: each request pays it.
	users, err := exec.Command("htpasswd", "-Bbn", "-C", "4", ciUser, ciPassword).Output()
	if err != nil {
		l.Fatal(err)
	}
	passwords := l.file("htpasswd", users)
	signer, _ := l.write("signer", l.pki.company.cert.Raw, nil)
	start("registry-open", openRegistry, "", "")
	start("registry-password", registryServer+":443", files("registry.rig.test"),
		fmt.Sprintf("auth: {htpasswd: {realm: rig, path: %s}}", passwords))
	start("registry-tokens", tokensServer+":443", files("tokens.rig.test"), fmt.Sprintf(
		`auth: {token: {realm: "https://auth.rig.test/token", service: rig, issuer: rig, rootcertbundle: %s}}`, signer))
}

// fronts starts the lab's own servers: most stand before the open registry.
func (l *lab) fronts() {
	l.Helper()
	company, registry := l.pki.company, l.front(openRegistry, "http", "")
	day := 24 * time.Hour
	l.handle(registryServer+":5443", l.front(registryServer+":443", "https", "registry.rig.test"),
		company.valid(l, "registry.rig.test"))
	l.handle(plainServer+":443", registry)
	l.handle(plainServer+":5000", registry)
	l.handle(plainServer+":5001", l.front(registryServer+":443", "https", "registry.rig.test"))
	l.handle(authServer+":443", tokenService(l.pki.company), company.valid(l, "auth.rig.test"))
	l.handle(badCertServer+":443", registry,
		// The first is for names that none is for.
		company.valid(l, "other.rig.test"), l.pki.unknown.valid(l, "untrusted.rig.test"),
		company.issue(l, -2*day, -day, "expired.rig.test"), company.issue(l, day, 2*day, "future.rig.test"))
	l.handle(blobsServer+":443", redirectingBlobs(registry), company.valid(l, "blobs.rig.test"))
	l.handle(cdnServer+":443", cdn(registry), company.valid(l, "cdn.rig.test"))
	l.handle(vendorServer+":443", http.HandlerFunc(vendor), company.valid(l, vendorHosts()...))
	l.handle(vendorImages+":443", public(registry, l.front(tokensServer+":443", "https", "tokens.rig.test")),
		company.valid(l, publicRegistries()...))
}

// front passes requests on to a server beyond the firewall, as the one that was asked.
func (l *lab) front(address, scheme, name string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = scheme, address, r.In.Host
		},
		Transport: l.transport(name), ErrorLog: log.New(io.Discard, "", 0),
	}
}

// transport sends requests from beyond the firewall; over TLS it wants a certificate for the name.
func (l *lab) transport(name string) *http.Transport {
	roots := x509.NewCertPool()
	roots.AddCert(l.pki.company.cert)
	transport := &http.Transport{
		DialContext:     l.out.dial,
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name},
	}
	l.Cleanup(transport.CloseIdleConnections)
	return transport
}

// redirectingBlobs is a registry that keeps its blobs elsewhere, as those of the clouds do.
func redirectingBlobs(registry http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") {
			to := "https://cdn.rig.test" + r.URL.Path + "?signature=0123456789abcdef"
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			return
		}
		registry.ServeHTTP(w, r)
	})
}

// cdn serves blobs by signed links: such a link is good for GET alone, and not beside other credentials.
func cdn(registry http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "":
			http.Error(w, "only one auth mechanism allowed", http.StatusBadRequest)
		case r.Method != http.MethodGet || r.URL.RawQuery == "":
			http.Error(w, "signature does not match", http.StatusForbidden)
		default:
			registry.ServeHTTP(w, r)
		}
	})
}

// vendor answers as the vendor's hosts do to somebody whom they do not know.
func vendor(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprintln(w, `{"code": 401, "message": "Unauthorized"}`)
}

// public is what answers for the public registries: of them Docker Hub, which has private images, wants a token.
func public(open, hub http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "registry-1.docker.io" {
			hub.ServeHTTP(w, r)
			return
		}
		open.ServeHTTP(w, r)
	})
}

// tokenService gives the lab's user tokens for all but other/, and strangers tokens that open nothing.
func tokenService(signer authority) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		user, password, _ := r.BasicAuth()
		if r.Method != http.MethodGet || user != "" && password != ciPassword {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintln(w, `{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}`)
			return
		}
		type access struct {
			Type    string   `json:"type"`
			Name    string   `json:"name"`
			Actions []string `json:"actions"`
		}
		granted := []access{}
		for _, scope := range r.URL.Query()["scope"] {
			parts := strings.Split(scope, ":")
			if user == ciUser && len(parts) == 3 && !strings.HasPrefix(parts[1], "other/") {
				granted = append(granted, access{parts[0], parts[1], strings.Split(parts[2], ",")})
			}
		}
		token := signer.jwt(map[string]any{
			"iss": "rig", "sub": user, "aud": r.URL.Query().Get("service"),
			"exp": time.Now().Add(time.Hour).Unix(), "nbf": time.Now().Add(-time.Minute).Unix(),
			"iat": time.Now().Unix(), "jti": rand.Text(), "access": granted,
		})
		_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 3600})
	})
}

// jwt signs claims as Debian's registry wants them signed.
func (a authority) jwt(claims map[string]any) string {
	encode := func(v any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	header := map[string]any{
		"typ": "JWT", "alg": "ES256",
		"x5c": []string{base64.StdEncoding.EncodeToString(a.cert.Raw)},
	}
	signed := encode(header) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, _ := ecdsa.Sign(rand.Reader, a.key, digest[:])
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// proxies starts squid with three doors.
func (l *lab) proxies() {
	l.Helper()
	users, err := exec.Command("htpasswd", "-nb", "proxyuser", "proxypass").Output()
	if err != nil {
		l.Fatal(err)
	}
	folder := filepath.Join(l.dir, "squid")
	if err := os.Mkdir(folder, 0o755); err != nil {
		l.Fatal(err)
	}
	l.out.run("chown proxy " + folder)
	config := fmt.Sprintf(`http_port %[1]s:3128 name=open
http_port %[1]s:3129 name=password
http_port %[1]s:3130 name=closed
acl closed myportname closed
acl password myportname password
auth_param basic program /usr/lib/squid/basic_ncsa_auth %[2]s
acl known proxy_auth REQUIRED
http_access deny closed
http_access deny password !known
http_access allow all
dns_nameservers %[3]s
cache deny all
pinger_enable off
shutdown_lifetime 1 seconds
visible_hostname proxy.rig.test
pid_filename %[4]s/pid
cache_log %[4]s/cache.log
access_log stdio:%[4]s/access.log
coredump_dir %[4]s
`, proxyServer, l.file("squid.passwd", users), nameServer, folder)
	l.out.serve("squid", "squid", "-N", "-f", l.file("squid.conf", []byte(config)))
}

// pages starts nginx: what stands in the place of a blocked host, and what stands before a network that wants a login.
func (l *lab) pages() {
	l.Helper()
	// A filter that terminates TLS signs for every name.
	names := append(publicRegistries(), "block.rig.test", "portal.rig.test", "registry.rig.test")
	cert := l.pki.company.valid(l, names...)
	certFile, keyFile := l.write("page", cert.Certificate[0], cert.PrivateKey.(*ecdsa.PrivateKey))
	config := fmt.Sprintf(`daemon off; master_process off; user root; pid %[1]s/nginx.pid; error_log stderr;
events {}
http {
	access_log off; default_type text/html;
	client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3;
	uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
	ssl_certificate %[2]s; ssl_certificate_key %[3]s;
	server {
		listen %[4]s:443 ssl default_server; server_name block.rig.test;
		location / { return 403 "<html><title>Blocked</title><h1>This site is blocked by company policy</h1></html>"; }
	}
	server {
		listen %[4]s:443 ssl; server_name portal.rig.test;
		location / { return 200 "<html><title>Welcome</title><form>Sign in</form></html>"; }
	}
}
`, l.dir, certFile, keyFile, pageServer)
	l.out.serve("nginx", "nginx", "-c", l.file("nginx.conf", []byte(config)))
}

// intercept starts sslsplit on the firewall; scenes redirect to its port, interceptPort.
func (l *lab) intercept() {
	inspector := newAuthority(l, "Example Corp TLS Inspection CA")
	certFile, keyFile := l.write("inspection", inspector.cert.Raw, inspector.key)
	l.fw.serve("sslsplit", "sslsplit", "-u", "root", "-k", keyFile, "-c", certFile,
		"https", "10.77.1.1", fmt.Sprint(interceptPort))
	l.fw.await(fmt.Sprintf("10.77.1.1:%d", interceptPort))
}

const interceptPort = 8443

// pushAll fills the registries' storage.
func (l *lab) pushAll() {
	l.Helper()
	both := []string{"amd64", "arm64"}
	const vendor = "sox/atlassian/bitbucket-pipelines-"
	for _, name := range []string{
		"rig/pause:1", "rig/auth-proxy:1", "rig/clone:1", "rig/bitbucket-pipelines-runner:5", "other/pause:1",
		"acme/pause:1", "aged/pause:1", "pause:3.8", "google/pause:latest", vendor + "auth-proxy:prod-stable",
		vendor + "dvcs-tools:prod-stable", vendor + "runner:latest",
	} {
		l.push(name, both...)
	}
	l.push("rig/arm:1", "arm64")
	layer := l.push("rig/broken:1", "amd64")
	hash := strings.TrimPrefix(layer, "sha256:")
	stored := filepath.Join(l.dir, "storage/docker/registry/v2/blobs/sha256", hash[:2], hash, "data")
	if err := os.Remove(stored); err != nil {
		l.Fatal(err)
	}
}

// push puts an image into the storage, an index if there are several architectures, and returns its last layer.
func (l *lab) push(reference string, architectures ...string) (layer string) {
	l.Helper()
	repository, tag, _ := strings.Cut(reference, ":")
	const (
		configType = "application/vnd.oci.image.config.v1+json"
		layerType  = "application/vnd.oci.image.layer.v1.tar"
	)
	var index []map[string]any
	for _, arch := range architectures {
		var blob map[string]any
		// An empty archive is two blocks of zeroes; what follows them nobody reads, and it makes each layer another.
		layer, blob = l.blob(repository, layerType, append(make([]byte, 1024), reference+arch...))
		age := 24 * time.Hour
		if strings.HasPrefix(repository, "aged/") {
			age *= 120
		}
		created := time.Now().Add(-age).UTC().Format(time.RFC3339)
		config, _ := json.Marshal(map[string]any{
			"architecture": arch, "os": "linux", "created": created,
			"rootfs": map[string]any{"type": "layers", "diff_ids": []string{layer}},
		})
		_, configBlob := l.blob(repository, configType, config)
		name := arch
		if len(architectures) == 1 {
			name = tag
		}
		entry := l.manifest(repository, name, manifestType, map[string]any{
			"schemaVersion": 2, "mediaType": manifestType,
			"config": configBlob, "layers": []any{blob},
		})
		entry["platform"] = map[string]string{"architecture": arch, "os": "linux"}
		index = append(index, entry)
	}
	if len(architectures) > 1 {
		const indexType = "application/vnd.oci.image.index.v1+json"
		l.manifest(repository, tag, indexType,
			map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": index})
	}
	return layer
}

// blob uploads one and describes it.
func (l *lab) blob(repository, mediaType string, data []byte) (digest string, descriptor map[string]any) {
	digest = fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	start := l.send(http.MethodPost, "/v2/"+repository+"/blobs/uploads/", "", nil, http.StatusAccepted)
	to, err := url.Parse(start.Header.Get("Location"))
	if err != nil {
		l.Fatal(err)
	}
	query := to.Query()
	query.Set("digest", digest)
	l.send(http.MethodPut, to.Path+"?"+query.Encode(), "application/octet-stream", data, http.StatusCreated)
	return digest, map[string]any{"mediaType": mediaType, "digest": digest, "size": len(data)}
}

func (l *lab) manifest(repository, tag, mediaType string, content map[string]any) map[string]any {
	data, err := json.Marshal(content)
	if err != nil {
		l.Fatal(err)
	}
	l.send(http.MethodPut, path.Join("/v2", repository, "manifests", tag), mediaType, data, http.StatusCreated)
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	return map[string]any{"mediaType": mediaType, "size": len(data), "digest": digest}
}

func (l *lab) send(method, where, contentType string, body []byte, want int) *http.Response {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+openRegistry+where, bytes.NewReader(body))
	if err != nil {
		l.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := l.transport("").RoundTrip(req)
	if err != nil {
		l.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != want {
		l.Fatalf("%s %s: %s: %s", method, where, resp.Status, answer)
	}
	return resp
}
