package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"runner-preflight/checks/network"
)

// certificates is the folder in which docker's daemon has those of registries.
type certificates string

// route is the way out of this machine, which stands for the daemon's: the proxies of this process's environment.
func route(p process, o options) network.Config {
	return network.Config{
		Proxy: network.ProxyFromEnv(p.env), PhaseTimeout: o.connect, Now: time.Now,
		UserAgent: "runner-preflight/" + version,
	}
}

// certified is a route with the system's roots and the certificates of a folder.
func certified(route network.Config, folder string) network.Config {
	c := certificates(folder)
	route.Roots, route.ClientCertificates = c.roots, c.ofClients
	return route
}

// roots are the system's and those that the daemon is given for host:port.
func (c certificates) roots(address string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	for _, path := range c.files(address, "*.crt") {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		pool.AppendCertsFromPEM(data)
	}
	return pool, nil
}

// ofClients are those that the daemon would show to host:port.
func (c certificates) ofClients(address string) ([]tls.Certificate, error) {
	var pairs []tls.Certificate
	for _, path := range c.files(address, "*.cert") {
		pair, err := tls.LoadX509KeyPair(path, strings.TrimSuffix(path, ".cert")+".key")
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		if err == nil {
			pairs = append(pairs, pair)
		}
	}
	return pairs, nil
}

func (c certificates) files(address, pattern string) []string {
	folders := []string{address}
	if host, port, err := net.SplitHostPort(address); err == nil && port == "443" {
		folders = append(folders, host)
	}
	var files []string
	for _, folder := range folders {
		found, _ := filepath.Glob(filepath.Join(string(c), folder, pattern)) // the pattern is well formed
		files = append(files, found...)
	}
	return files
}
