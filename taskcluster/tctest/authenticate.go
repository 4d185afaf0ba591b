package tctest

import (
	"context"
	"slices"
	"sync"
	"time"
)

// client is a row of the auth service.
type client struct {
	token       string
	scopes      []string
	description string
	expires     time.Time
	created     time.Time
	deletes     bool
}

type role struct {
	scopes      []string
	description string
	created     time.Time
}

// authService holds who may do what.
type authService struct {
	mu      sync.RWMutex
	clients map[string]*client
	roles   map[string]*role
	down    bool
}

// principal is who makes a call, and what they may do.
type principal struct {
	clientID  string
	scopes    scopeSet
	anonymous bool
}

type principalKey struct{}

// withPrincipal makes calls with ctx act as p without a signature: how the proxy of a task calls.
func withPrincipal(ctx context.Context, p *principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// authenticate finds out who makes the call. Services do it when they first need to know, that is after the request was found valid.
func (c *call) authenticate() (*principal, *apiError) {
	if c.who != nil {
		return c.who, nil
	}
	if p, ok := c.r.Context().Value(principalKey{}).(*principal); ok {
		c.who = p
		return p, nil
	}
	c.s.auth.mu.RLock()
	defer c.s.auth.mu.RUnlock()
	if c.s.auth.down {
		return nil, internal("Error: Unknown Server Error")
	}
	claimed, err := readClaim(c.r, c.raw, c.s.authClock.Now())
	if err != nil {
		return nil, err
	}
	if claimed == nil {
		c.who = &principal{scopes: c.s.expand(nil), anonymous: true}
		return c.who, nil
	}
	p, err := c.s.resolve(claimed, nil)
	c.who = p
	return p, err
}

// expand adds the anonymous role, and what roles give. The lock is held.
func (s *Server) expand(scopes []string) scopeSet {
	if slices.Contains(scopes, "*") {
		return newScopeSet([]string{"*"})
	}
	roles := make(map[string][]string, len(s.auth.roles))
	for id, r := range s.auth.roles {
		roles[id] = r.scopes
	}
	return expandRoles(append([]string{"assume:anonymous"}, scopes...), roles)
}

// resolve checks a claim and returns whose it is. tester are the scopes of the client of test-authenticate. The lock is held.
func (s *Server) resolve(claimed *claim, tester *client) (*principal, *apiError) {
	ext, cert, err := readExtension(claimed.ext)
	if err != nil {
		return nil, err
	}
	issuer := claimed.id
	if cert != nil && cert.Issuer != "" {
		issuer = cert.Issuer
	}
	cl := s.auth.clients[issuer]
	if tester != nil && issuer == "tester" {
		cl = tester
	}
	switch {
	case cl == nil:
		return nil, unauthorized("Client with clientId '%s' not found", issuer)
	case !cl.expires.IsZero() && !s.authClock.Now().Before(cl.expires):
		return nil, unauthorized("Client with clientId: '%s' has expired", issuer)
	}
	token, scopes := cl.token, cl.scopes
	if cert != nil {
		if err := s.checkCertificate(claimed.id, cert, cl); err != nil {
			return nil, err
		}
		token, scopes = temporaryToken(cert.Seed, cl.token), cert.Scopes
	}
	if err := claimed.check(token); err != nil {
		return nil, err
	}
	held := s.expand(scopes)
	if ext.AuthorizedScopes != nil {
		if !held.hasAll(*ext.AuthorizedScopes) {
			return nil, unauthorized("ext.authorizedScopes oversteps your scopes")
		}
		held = s.expand(*ext.AuthorizedScopes)
	}
	return &principal{clientID: claimed.id, scopes: held}, nil
}

const (
	maxCertificateLife = 31 * 24 * time.Hour
	certificateSkew    = 5 * time.Minute
)

func (s *Server) checkCertificate(name string, cert *certificate, issuer *client) *apiError {
	now := s.authClock.Now()
	if cert.Issuer == queueIssuer { // the queue issues by the clock of the tasks
		now = s.clock.Now()
	}
	start, expiry := time.UnixMilli(cert.Start), time.UnixMilli(cert.Expiry)
	given := s.expand(issuer.scopes)
	switch {
	case cert.Version != 1:
		return unauthorized("ext.certificate.version must be 1")
	case cert.Scopes == nil || cert.Seed == "" || cert.Signature == "":
		return unauthorized("ext.certificate is not complete")
	case len(cert.Seed) != 44:
		return unauthorized("ext.certificate.seed must be 44 characters")
	case start.After(now.Add(certificateSkew)):
		return unauthorized("ext.certificate.start > now")
	case expiry.Before(now.Add(-certificateSkew)):
		return unauthorized("ext.certificate.expiry < now")
	case expiry.Sub(start) > maxCertificateLife:
		return unauthorized("ext.certificate cannot last longer than 31 days!")
	case cert.Issuer == name:
		return unauthorized("ext.certificate.issuer is the same as the clientId")
	case cert.Issuer != "" && !given.has("auth:create-client:"+name):
		return unauthorized("ext.certificate issuer `%s` doesn't have `auth:create-client:%s` for supplied clientId", cert.Issuer, name)
	case !given.hasAll(cert.Scopes):
		return unauthorized("ext.certificate issuer `%s` doesn't satisfy certificate's scopes", cert.Issuer)
	case cert.sign(name, issuer.token) != cert.Signature:
		return unauthorized("ext.certificate.signature is not valid, or wrong clientId provided")
	}
	return nil
}

// authorize checks that the caller holds what the call needs.
func (c *call) authorize(need expression) *apiError {
	who, err := c.authenticate()
	if err != nil {
		return err
	}
	missing, ok := need.missing(who.scopes)
	switch {
	case ok:
		return nil
	case who.anonymous:
		return fail("InsufficientScopes", "This request requires Taskcluster credentials that satisfy the following scope expression:\n\n```\n%s\n```", need)
	}
	return fail("InsufficientScopes", "Client ID %s does not have sufficient scopes and is missing the following scopes:\n\n```\n%s\n```\n\n"+
		"This request requires the client to satisfy the following scope expression:\n\n```\n%s\n```", who.clientID, missing, need)
}
