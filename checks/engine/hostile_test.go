package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whatever answers, a question ends when its time does, and takes no more than a daemon's answer would.
func TestHostileAnswers(t *testing.T) {
	log.SetOutput(io.Discard) // as main does: net/http logs what is answered and was not asked for
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	endless := func(first, then string) string { return first + strings.Repeat(then, 64<<20/len(then)) }
	for name, row := range map[string]struct {
		answer string
		want   Kind
	}{
		"upgrade":         {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n", NotDocker},
		"redirect":        {"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", NotDocker},
		"not HTTP":        {"SSH-2.0-OpenSSH_9.6\r\n", NotDocker},
		"endless headers": {endless("HTTP/1.1 200 OK\r\n", "X: "+strings.Repeat("y", 1000)+"\r\n"), NotDocker},
		"endless JSON":    {endless("HTTP/1.1 200 OK\r\n\r\n{\"x\":[", "{},"), NotDocker},
		"endless blanks":  {endless("HTTP/1.1 200 OK\r\n\r\n", "    "), NotDocker},
		"deep JSON":       {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("[", 100_000), NotDocker},
		"nothing":         {"", OutOfTime},
		"half an answer":  {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", OutOfTime},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(raw(t, row.answer), 10*time.Second)
			patience := 30 * time.Second // of a busy machine: what is no answer of docker's is known long before
			if row.want == OutOfTime {
				patience = time.Second
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_, err := e.Info(ctx)
			failed := (*Failure)(nil)
			if !errors.As(err, &failed) || failed.Kind != row.want {
				t.Errorf("%#v, want %s", err, row.want)
			}
		})
	}
}

// raw answers whatever is asked with a text, and keeps the connection open. HEAD is answered with the text's head alone: a
// body would be the beginning of the next answer, where the client reads it before it finds that nobody asked for it.
func raw(t *testing.T, text string) Address {
	t.Helper()
	folder, err := os.MkdirTemp("", "engine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket := filepath.Join(folder, "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	head := text
	if before, _, ends := strings.Cut(text, "\r\n\r\n"); ends {
		head = before + "\r\n\r\n"
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = connection.Close() })
			go func() {
				for asked := make([]byte, 4096); ; {
					if _, err := connection.Read(asked); err != nil {
						return
					}
					answer := text
					if string(asked[:4]) == "HEAD" {
						answer = head
					}
					_, _ = io.WriteString(connection, answer)
				}
			}()
		}
	}()
	return Address{Host: "unix://" + socket}
}

// A redirect would take the credentials to another host.
func TestRedirectsStay(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	daemon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/_ping") {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}
	}))
	defer daemon.Close()
	e := New(Address{Host: strings.Replace(daemon.URL, "http://", "tcp://", 1)}, 10*time.Second)
	if _, err := e.Info(context.Background()); err == nil || asked {
		t.Errorf("%v, followed: %v", err, asked)
	}
}

// All containers together are bounded as well, and what was told of by then counts.
func TestContainersTogether(t *testing.T) {
	d := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/containers/json") {
			var all []string
			for i := range maxContainers {
				all = append(all, fmt.Sprintf(`{"Id":"c%d"}`, i))
			}
			_, _ = fmt.Fprintf(w, "[%s]", strings.Join(all, ","))
			return
		}
		_, _ = fmt.Fprintf(w, `{"Id":"c","X":%q}`, strings.Repeat("x", maxAnswer-100))
	})
	found, err := d.engine().Containers(context.Background())
	if err == nil || len(found) == 0 || len(found) > maxInspected/(maxAnswer-100) {
		t.Errorf("%d containers, %v", len(found), err)
	}
}
