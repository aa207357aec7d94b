package scene

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// server is one host that listens.
type server struct {
	lab      *Lab
	host     Host
	name     string
	listener net.Listener
	http     *http.Server
	registry *registryServer
	// quit is closed when the scene ends, so that what is silent on purpose ends too.
	quit chan struct{}

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// serverOf starts the host's server, once.
func (l *Lab) serverOf(name, port string, h Host) (*server, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := net.JoinHostPort(name, port)
	if s := l.servers[key]; s != nil {
		return s, nil
	}
	if l.closed {
		return nil, net.ErrClosed
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{
		lab: l, host: h, name: key, listener: listener, quit: make(chan struct{}),
		conns: map[net.Conn]bool{},
	}
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.answer), ErrorLog: log.New(io.Discard, "", 0),
		ReadHeaderTimeout: time.Minute,
	}
	if h.Registry != nil {
		if s.registry, err = newRegistry(l, key, h.Registry); err != nil {
			return nil, fmt.Errorf("scene: %s: %w", key, err)
		}
	}
	if err := s.start(name); err != nil {
		return nil, err
	}
	l.servers[key] = s
	return s, nil
}

func (s *server) start(name string) error {
	if s.host.TLS == "" && s.host.Proxy != nil || s.host.TLS == "plain-http" {
		s.run(func() error { return s.http.Serve(s.listener) })
		return nil
	}
	switch s.host.TLS {
	case "reset", "silent", "garbage":
		s.run(s.misbehave)
		return nil
	}
	config, err := s.lab.pki.config(name, s.host.TLS, s.lab.scene.Now)
	if err != nil {
		return err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!s.host.HTTP1)
	if s.host.HTTP1 {
		config.NextProtos = []string{"http/1.1"}
	}
	config.Time = s.lab.Now
	s.http.TLSConfig, s.http.Protocols = config, protocols
	s.run(func() error { return s.http.ServeTLS(s.listener, "", "") })
	return nil
}

func (s *server) run(serve func() error) {
	s.lab.wait.Add(1)
	go func() {
		defer s.lab.wait.Done()
		_ = serve() // ends with the listener
	}()
}

func (s *server) close() {
	close(s.quit)
	_ = s.listener.Close()
	_ = s.http.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// keep remembers a connection that the HTTP server does not know, so that it ends with the scene.
func (s *server) keep(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[conn] = true
	select {
	case <-s.quit:
		_ = conn.Close()
	default:
	}
}

// misbehave reads the ClientHello and does anything but speak TLS.
func (s *server) misbehave() error {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return err
		}
		s.keep(conn)
		s.run(func() error {
			defer func() { _ = conn.Close() }()
			hello := make([]byte, 512)
			if _, err := io.ReadAtLeast(conn, hello, 64); err != nil {
				return err
			}
			switch s.host.TLS {
			case "reset":
				return reset(conn)
			case "garbage":
				_, err := io.WriteString(conn, "220 mail.example.com ESMTP\r\n")
				return err
			}
			_, err := io.Copy(io.Discard, conn)
			return err
		})
	}
}

// reset ends a connection with RST.
func reset(conn net.Conn) error {
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			return err
		}
	}
	return conn.Close()
}

// answer is the host's HTTP: fixed answers first, then the proxy, the token services, the registry, its blobs.
func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.lab.Now().Add(time.Duration(s.host.Skew)).UTC().Format(http.TimeFormat))
	if fixed, found := s.host.Paths[r.URL.Path]; found {
		s.write(w, r, fixed)
		return
	}
	switch {
	case s.host.Proxy != nil && r.Method == http.MethodConnect:
		s.connect(w, r)
	case strings.HasPrefix(r.URL.Path, tokenPath):
		s.lab.token(w, r)
	case strings.HasPrefix(r.URL.Path, blobPath):
		s.lab.blob(w, r)
	case s.registry != nil:
		s.registry.serve(s, w, r)
	case s.host.Answer != nil:
		s.write(w, r, *s.host.Answer)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *server) write(w http.ResponseWriter, r *http.Request, a Answer) {
	select {
	case <-time.After(time.Duration(a.Delay)):
	case <-s.quit:
		return
	}
	switch a.Fault {
	case "reset":
		panic(http.ErrAbortHandler)
	case "silent":
		select {
		case <-s.quit:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	case "garbage", "endless-headers":
		s.garbage(w, a.Fault)
		return
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	_, err := io.WriteString(w, a.Body)
	for a.Fault == "endless-body" && err == nil {
		_, err = io.WriteString(w, strings.Repeat("x", 4096))
	}
}

// garbage answers with something that is not HTTP. It needs HTTP/1, where the connection can be had.
func (s *server) garbage(w http.ResponseWriter, fault string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	s.keep(conn)
	_, err = io.WriteString(conn, "\x00\x01\x02 nonsense\r\n")
	if fault == "endless-headers" {
		_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
	}
	for fault == "endless-headers" && err == nil {
		_, err = io.WriteString(conn, "X-More: "+strings.Repeat("x", 4096)+"\r\n")
	}
}

// connect is the proxy's CONNECT.
func (s *server) connect(w http.ResponseWriter, r *http.Request) {
	p := s.host.Proxy
	for name, value := range p.Headers {
		w.Header().Set(name, value)
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.User+":"+p.Password))
	switch {
	case p.Silent:
		<-s.quit
		return
	case p.User != "" && r.Header.Get("Proxy-Authorization") != want:
		w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	case p.Refuse != 0:
		w.WriteHeader(p.Refuse)
		return
	}
	far, err := s.dialByName(r)
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.keep(far)
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = far.Close()
		return
	}
	s.keep(near)
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = far.Close()
		_ = near.Close()
		return
	}
	s.pipe(near, far, buffered.Reader)
}

func (s *server) dialByName(r *http.Request) (net.Conn, error) {
	name, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		return nil, err
	}
	addrs, err := s.lab.Resolve(r.Context(), name)
	if err != nil {
		return nil, err
	}
	return s.lab.Dial(context.WithValue(r.Context(), byProxy{}, true), "tcp", net.JoinHostPort(addrs[len(addrs)-1].String(), port))
}

func (s *server) pipe(near, far net.Conn, reader *bufio.Reader) {
	s.run(func() error {
		_, err := io.Copy(far, reader)
		return errors.Join(err, far.Close())
	})
	s.run(func() error {
		_, err := io.Copy(near, far)
		return errors.Join(err, near.Close())
	})
}
