package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// grant is what a registry is shown on each request for a repository.
type grant struct {
	// scheme is the challenge's: "basic", "bearer" or "".
	scheme string
	// header is the Authorization header; empty for the anonymous.
	header  string
	token   string
	hosts   []Host
	retries int
	failure *Failure
}

type grantKey struct{ host, repository, realm, service, username, password string }

// Wrong credentials are asked about once for a registry, whatever the repository.
type loginKey struct{ host, realm, username, password string }

// authorize gets what the challenge asks for. Without a challenge nothing is sent, credentials or not: so does the
// daemon.
func (s *session) authorize(ctx context.Context, challenge Ping) grant {
	switch challenge.Scheme {
	case "basic":
		return grant{scheme: "basic", header: s.basic()}
	case "bearer":
		key := grantKey{s.host, s.out.Repository, challenge.Realm, challenge.Service, s.req.Username, s.req.Password}
		return s.client.grants.do(ctx, key, func() grant { return s.token(ctx, challenge) }, func() grant {
			return grant{failure: outOfTime(StageManifest, s.out.Host)}
		})
	}
	return grant{}
}

// basic is the Authorization header of the request's credentials, "" if there are none.
func (s *session) basic() string {
	if s.req.Password == "" {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(s.req.Username+":"+s.req.Password))
}

// realm is the token service's URL with the query that docker adds; an error of the failure's kinds if there is
// none that a password may be sent to.
func (s *session) realm(challenge Ping, scope string) (*url.URL, *Failure) {
	realm, err := url.Parse(challenge.Realm)
	switch {
	case err == nil && realm.Scheme == "http" && realm.Hostname() != "":
		return nil, &Failure{
			Kind: "insecure-token-service", Host: address(realm),
			Detail: fmt.Sprintf("the token service that %s names is plain HTTP: %s", s.out.Host, address(realm)),
		}
	case err != nil || realm.Scheme != "https" || !plainName(realm.Hostname()):
		return nil, &Failure{
			Kind: "token-service-failure", Host: s.out.Host,
			Detail: fmt.Sprintf("%s wants a token but names no token service that can be asked", s.out.Host),
		}
	}
	realm.User, realm.Fragment = nil, ""
	query := realm.Query()
	added := map[string]string{"service": challenge.Service, "scope": scope, "account": s.req.Username}
	for name, value := range added {
		if value != "" {
			query.Set(name, value)
		}
	}
	realm.RawQuery = query.Encode()
	return realm, nil
}

// token asks the token service for the right to pull from the repository.
func (s *session) token(ctx context.Context, challenge Ping) grant {
	g := grant{scheme: "bearer"}
	realm, failure := s.realm(challenge, "repository:"+s.out.Repository+":pull")
	if failure != nil {
		g.failure = failure
		return g
	}
	r, failure := s.client.send(ctx, call{
		method: http.MethodGet, url: realm.String(), auth: s.basic(),
		limit: maxError,
	})
	g.hosts, g.retries = hostsOf(r.hops, ForTokens), r.retries
	if failure != nil {
		g.failure = tokenFailure(failure, address(realm))
		return g
	}
	if r.status != http.StatusOK {
		g.failure = s.tokenRefused(ctx, challenge, address(realm), r)
		return g
	}
	if g.token = tokenOf(r.body); g.token == "" {
		g.failure = &Failure{
			Kind: "token-service-failure", Host: address(realm), Status: r.status,
			Detail: fmt.Sprintf("the token service %s answers without a token", address(realm)),
		}
		return g
	}
	g.header = "Bearer " + g.token
	return g
}

// tokenFailure says what a redirect that was not followed, or silence, means at a token service.
func tokenFailure(f *Failure, realm string) *Failure {
	switch f.Kind {
	case plainRedirect:
		return &Failure{Kind: "insecure-token-service", Host: realm, Detail: "the token service " + f.Detail}
	case brokenRedirect:
		return &Failure{Kind: "token-service-failure", Host: realm, Detail: "the token service " + f.Detail}
	}
	return f
}

// tokenOf reads a token service's answer, "" if no token is in it.
func tokenOf(body []byte) string {
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	token := answer.Token
	if token == "" {
		token = answer.AccessToken
	}
	for _, c := range []byte(token) {
		if c <= ' ' || c >= 0x7f { // it would break the header that it goes into
			return ""
		}
	}
	return token
}

// tokenRefused says what an answer other than 200 means.
func (s *session) tokenRefused(ctx context.Context, challenge Ping, realm string, r reply) *Failure {
	d := s.hide.diagnose(r)
	f := &Failure{
		Kind: "token-service-failure", Host: realm, Status: r.status, Code: d.code,
		Detail: fmt.Sprintf("the token service %s answers %d%s", realm, r.status, d.said()),
	}
	switch {
	case r.status == http.StatusTooManyRequests:
		return limited(realm, r, d)
	case d.code == "NAME_UNKNOWN":
		f.Kind = "repository-not-found"
		f.Detail = fmt.Sprintf("the token service %s knows no repository %s%s", realm, s.out.Repository, d.said())
	case r.status != http.StatusUnauthorized && r.status != http.StatusForbidden:
	case r.status == http.StatusForbidden && r.isPage():
	case s.req.Password != "" && address(r.at) != realm:
		f.Detail = fmt.Sprintf("the token service %s redirects to %s, where the password is not sent (%d%s)", realm,
			address(r.at), r.status, d.said())
	case s.req.Password == "":
		f.Kind = "credentials-missing"
		f.Detail = fmt.Sprintf("the token service %s grants nothing without credentials (%d%s)", realm, r.status,
			d.said())
	case s.login(ctx, challenge) == yes:
		f.Kind = "access-denied"
		f.Detail = fmt.Sprintf("the token service %s takes the credentials but grants no pull from %s, "+
			"or there is no such repository (%d%s)",
			realm, s.out.Repository, r.status, d.said())
	default:
		f.Kind = "credentials-rejected"
		f.Detail = fmt.Sprintf("the token service %s refuses the user name and password (%d%s)", realm, r.status,
			d.said())
	}
	return f
}

// verdict is the answer to a question that may stay open.
type verdict int

const (
	unknown verdict = iota
	yes
	no
)

// login asks whether the credentials are good at all, apart from any repository. That tells a wrong password from a
// closed repository where a registry answers both alike.
func (s *session) login(ctx context.Context, challenge Ping) verdict {
	key := loginKey{s.host, challenge.Realm, s.req.Username, s.req.Password}
	return s.client.logins.do(ctx, key, func() verdict { return s.askLogin(ctx, challenge) },
		func() verdict { return unknown })
}

func (s *session) askLogin(ctx context.Context, challenge Ping) verdict {
	target := "https://" + s.host + "/v2/"
	if challenge.Scheme == "bearer" {
		realm, failure := s.realm(challenge, "")
		if failure != nil {
			return unknown
		}
		target = realm.String()
	}
	r, failure := s.client.send(ctx, call{method: http.MethodGet, url: target, auth: s.basic(), limit: maxError})
	switch {
	case failure != nil:
		return unknown
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		return no
	case r.status != http.StatusOK || r.isPage():
		return unknown
	case challenge.Scheme == "bearer" && tokenOf(r.body) == "":
		return unknown
	case challenge.Scheme == "basic" && s.ping.Status == http.StatusOK:
		return unknown // it lets everybody in at /v2/
	}
	return yes
}
