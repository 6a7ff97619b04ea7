package distribution

import (
	"context"
	"path/filepath"
	"strings"
)

// Flyway makes sure that the jars of [FlywayVersion] are there and returns the
// folder that holds them, and nothing else. Jars that were damaged since are
// fetched again.
func (c *Cache) Flyway(ctx context.Context) (string, error) {
	const name = "flyway-" + FlywayVersion
	unlock, err := c.lock(ctx, name)
	if err != nil {
		return "", err
	}
	defer unlock()
	dir := filepath.Join(c.Dir, name)
	for _, p := range flywayPins {
		if _, err := c.fetch(ctx, p, dir); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// NewerCore makes sure that the core of [NewerFlyway] is there and returns the
// jars that its API needs, the libraries and the driver of [FlywayVersion] among
// them. It has no command line.
func (c *Cache) NewerCore(ctx context.Context) ([]string, error) {
	home, err := c.Flyway(ctx)
	if err != nil {
		return nil, err
	}
	const name = "flyway-core-" + NewerFlyway
	unlock, err := c.lock(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var jars []string
	for _, p := range newerPins {
		jar, err := c.fetch(ctx, p, filepath.Join(c.Dir, name))
		if err != nil {
			return nil, err
		}
		jars = append(jars, jar)
	}
	for _, p := range flywayPins {
		if base := filepath.Base(p.path); !strings.HasPrefix(base, "flyway-") {
			jars = append(jars, filepath.Join(home, base))
		}
	}
	return jars, nil
}
