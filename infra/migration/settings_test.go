package migration

import (
	"maps"
	"strings"
	"testing"
	"time"

	"slipway/infra/database"
	"slipway/infra/environment"
	"slipway/lambda/settings"
)

func TestVariables(t *testing.T) {
	got := variables(environment.Config{
		Name:         "dev",
		Placeholders: map[string]string{"tenant": "acme"},
		Flyway:       map[string]string{"FLYWAY_TABLE": "history"},
		LockTimeout:  1500 * time.Millisecond,
		Throwaway:    true,
		Database:     environment.Database{Baseline: "3.1"},
	}, database.Access{SecretArn: "arn", Port: 5432}, "https://vpce.example.com")
	want := map[string]string{
		"FLYWAY_PLACEHOLDERS_TENANT": "acme", "FLYWAY_TABLE": "history", "SLIPWAY_BASELINE_VERSION": "3.1",
		"MASTER_SECRET_ARN": "arn", "PGPORT": "5432", "SLIPWAY_LOCK_TIMEOUT": "1.5s", "SLIPWAY_PROTECTED": "false",
		"SLIPWAY_COMMAND":                  "make {} ENVIRONMENT=dev",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": "https://vpce.example.com",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for name := range got {
		if !settings.Known(name) && !strings.HasPrefix(name, "AWS_") {
			t.Errorf("the function gets %s, which it does not read", name)
		}
	}
}

// What changes the outcome of a run calls the function again, and nothing else does.
func TestDigestOfSettings(t *testing.T) {
	of := func(c environment.Config) string { return digest(flywaySettings(c)) }
	none := of(environment.Config{})
	for name, c := range map[string]environment.Config{
		"placeholder": {Placeholders: map[string]string{"tenant": "acme"}},
		"setting":     {Flyway: map[string]string{"FLYWAY_TABLE": "history"}},
		"baseline":    {Database: environment.Database{Baseline: "12"}},
	} {
		if of(c) == none || len(of(c)) != 12 {
			t.Errorf("%s: %s", name, of(c))
		}
	}
	for name, c := range map[string]environment.Config{
		"memory":       {Memory: 2048},
		"timeout":      {Timeout: time.Minute},
		"lock timeout": {LockTimeout: time.Minute},
		"tags":         {Tags: map[string]string{"team": "data"}},
	} {
		if of(c) != none {
			t.Errorf("%s changes what is deployed, not what is run", name)
		}
	}
	ab := of(environment.Config{Placeholders: map[string]string{"a": "b", "c": "d"}})
	if other := of(environment.Config{Placeholders: map[string]string{"a": "b\x00FLYWAY_PLACEHOLDERS_C",
		"c": "d"}}); other == ab {
		t.Error("two settings have one digest")
	}
}

// The configuration is shared by all that is made of it.
func TestVariablesLeaveTheConfigurationAlone(t *testing.T) {
	c := environment.Config{Flyway: map[string]string{"FLYWAY_TABLE": "history"},
		Placeholders: map[string]string{"a": "b"}}
	variables(c, database.Access{}, "")
	if len(c.Flyway) != 1 || len(c.Placeholders) != 1 {
		t.Errorf("changed: %v, %v", c.Flyway, c.Placeholders)
	}
}
