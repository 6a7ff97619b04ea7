package distribution

import (
	"context"
	"path/filepath"
)

// Flyway makes sure that the jars of [FlywayVersion] are there and answers the
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
