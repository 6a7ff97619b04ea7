package ground

import (
	"context"
	"net/url"
)

// Query has a service that takes forms do something that no deployment does,
// as somebody with all rights could: for tests that break what is deployed.
func (g *Ground) Query(ctx context.Context, service, version, action string, form url.Values) error {
	_, err := g.home().query(ctx, service, version, action, form)
	return err
}

// JSON is [Ground.Query] for a service that takes JSON; target is its operation,
// with the service's own prefix.
func (g *Ground) JSON(ctx context.Context, service, target string, input any) error {
	_, err := g.home().json(ctx, service, target, input)
	return err
}
