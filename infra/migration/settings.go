package migration

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"slipway/infra/database"
	"slipway/infra/environment"
)

// flywaySettings are the function's variables that change what a run does to a
// database: another value runs the release again.
func flywaySettings(c environment.Config) map[string]string {
	v := maps.Clone(c.Flyway)
	if v == nil {
		v = map[string]string{}
	}
	for name, value := range c.Placeholders {
		v["FLYWAY_PLACEHOLDERS_"+strings.ToUpper(name)] = value
	}
	if c.Database.Baseline != "" {
		v["SLIPWAY_BASELINE_VERSION"] = c.Database.Baseline
	}
	return v
}

// variables are the environment of the function. endpoint is the address of
// Secrets Manager, "" for its usual one.
func variables(c environment.Config, db database.Access, endpoint string) map[string]string {
	v := flywaySettings(c)
	v["MASTER_SECRET_ARN"] = db.SecretArn
	v["PGPORT"] = strconv.Itoa(db.Port)
	v["SLIPWAY_LOCK_TIMEOUT"] = c.LockTimeout.String()
	v["SLIPWAY_COMMAND"] = "make {} ENVIRONMENT=" + c.Name
	v["SLIPWAY_PROTECTED"] = strconv.FormatBool(!c.Throwaway)
	for name, value := range map[string]string{
		"PGHOST":                           db.Host,
		"PGDATABASE":                       db.Name,
		"SLIPWAY_CLUSTER":                  db.Cluster,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint,
	} {
		if value != "" {
			v[name] = value
		}
	}
	return v
}

// digest names a set of settings with 12 hex digits.
func digest(settings map[string]string) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(sum, "%s\x00%s\x00", name, settings[name])
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:6])
}
