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

// certificateFolder is where docker's daemon looks for a registry's own roots (*.crt) and for the certificates that it
// shows (*.cert with *.key), in a folder named as the registry is in a reference.
const certificateFolder = "/etc/docker/certs.d"

// route is the way out of this machine, which stands for the daemon's: the proxies of this process's environment, the
// system's roots with those that the daemon is given.
func route(p process, o options) network.Config {
	return network.Config{
		Proxy: network.ProxyFromEnv(p.env), Roots: roots, ClientCertificates: clientCertificates,
		PhaseTimeout: o.connect, Now: time.Now, UserAgent: "runner-preflight/" + version,
	}
}

// roots are the system's and those that the daemon is given for host:port.
func roots(address string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	for _, path := range certificateFiles(address, "*.crt") {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		pool.AppendCertsFromPEM(data)
	}
	return pool, nil
}

// clientCertificates are those that the daemon would show to host:port.
func clientCertificates(address string) ([]tls.Certificate, error) {
	var pairs []tls.Certificate
	for _, path := range certificateFiles(address, "*.cert") {
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

func certificateFiles(address, pattern string) []string {
	folders := []string{address}
	if host, port, err := net.SplitHostPort(address); err == nil && port == "443" {
		folders = append(folders, host)
	}
	var files []string
	for _, folder := range folders {
		found, _ := filepath.Glob(filepath.Join(certificateFolder, folder, pattern)) // the pattern is well formed
		files = append(files, found...)
	}
	return files
}
