//go:build deploy

package main

import (
	"slices"
	"strings"
)

func create(s *site) {
	s.configure("local", nil)
	s.wantCalls(s.deploy("local"), "Create")
	s.wantStatus("slipway-local-database", "CREATE_COMPLETE")
	s.wantStatus("slipway-local", "CREATE_COMPLETE")
	s.wantOutputs("local", "2", "3")
	s.wantEqual("history", s.history("app"),
		[]string{"1 V1__customers.sql ok", "2 V2__orders.sql ok", "3 R__orders_by_customer.sql ok"})
	s.wantEqual("relations", s.relations("app"), []string{"customers", "orders", "orders_by_customer"})
	// What ran is a role of the cluster, not a superuser, and over TLS.
	s.wantEqual("owner", s.texts("app",
		`SELECT DISTINCT tableowner || ' ' || rolsuper FROM pg_tables JOIN pg_roles ON rolname = tableowner WHERE schemaname = 'public'`), []string{"postgres false"})
}

func nothingChanged(s *site) {
	s.wantCalls(s.deploy("local"))
	s.wantOutputs("local", "2", "3")
}

func oneScriptAdded(s *site) {
	s.write("V3__order_index.sql", `CREATE INDEX CONCURRENTLY orders_by_date ON orders (placed);`)
	out, err := s.g.CDK(s.Context(), "diff", "slipway-local")
	s.check(err)
	var named []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, ".sql") {
			named = append(named, strings.Trim(line, " │├└─\n"))
		}
	}
	s.wantEqual("scripts in cdk diff", named, []string{"[+] Added: .V3__order_index.sql"})

	s.wantCalls(s.deploy("local"), "Update")
	s.wantOutputs("local", "3", "1")
	s.wantEqual("history", s.history("app")[3:], []string{"4 V3__order_index.sql ok"})
}

func failingScript(s *site) {
	history, image := s.history("app"), s.image("local")
	s.write("V4__invoices.sql", "CREATE TABLE invoices (id bigint PRIMARY KEY);\n\nINSERT INTO invoice VALUES (1);")
	calls := s.deployInVain("local", "MIGRATION_FAILED", "V4__invoices.sql", "line 3", "42P01",
		s.stack("slipway-local").Outputs["LogGroupName"], "request ")
	s.wantCalls(calls, "Update failed", "Update")
	s.wantStatus("slipway-local", "UPDATE_ROLLBACK_COMPLETE")
	s.wantEqual("history", s.history("app"), history)
	s.wantEqual("relations", s.relations("app"), []string{"customers", "orders", "orders_by_customer"})
	if now := s.image("local"); now != image {
		s.Errorf("the function runs %s, before the deployment it ran %s", now, image)
	}
}

func fixedScript(s *site) {
	s.write("V4__invoices.sql", "CREATE TABLE invoices (id bigint PRIMARY KEY);\n\nINSERT INTO invoices VALUES (1);")
	s.wantCalls(s.deploy("local"), "Update")
	s.wantStatus("slipway-local", "UPDATE_COMPLETE")
	s.wantOutputs("local", "4", "1")
}

func secondScriptFails(s *site) {
	history, image := s.history("app"), s.image("local")
	s.write("V5__drop_invoices.sql", `DROP TABLE invoices;`)
	s.write("V6__broken.sql", `SELECT * FROM invoices;`)
	s.write("R__orders_by_customer.sql", "CREATE OR REPLACE VIEW orders_by_customer AS\nSELECT customers.name, "+
		"count(orders.id) AS orders, max(orders.placed) AS latest\nFROM customers LEFT JOIN orders ON "+
		"orders.customer = customers.id GROUP BY customers.name;")
	calls := s.deployInVain("local", "MIGRATION_FAILED", "V6__broken.sql", "line 1", "42P01")
	s.wantCalls(calls, "Update failed", "Update")
	if message := s.message(calls[1]); !strings.Contains(message, "rolled back") {
		s.Errorf("the answer to the rollback is %q", message)
	}
	s.wantStatus("slipway-local", "UPDATE_ROLLBACK_COMPLETE")
	s.wantEqual("history", s.history("app"), append(slices.Clone(history), "6 V5__drop_invoices.sql ok"))
	if now := s.image("local"); now != image {
		s.Errorf("the function runs %s, before the deployment it ran %s", now, image)
	}

	s.write("V6__broken.sql", `SELECT * FROM orders;`)
	s.wantCalls(s.deploy("local"), "Update")
	s.wantOutputs("local", "6", "2")
}

func databaseStopped(s *site) {
	history := s.history("app")
	s.write("V7__notes.sql", `CREATE TABLE notes (id bigint PRIMARY KEY);`)
	s.check(s.g.Database.Stop())
	calls := s.deployInVain("local", "DATABASE_UNREACHABLE")
	s.check(s.g.Database.Start(s.Context()))
	s.wantCalls(calls, "Update failed", "Update")
	s.wantStatus("slipway-local", "UPDATE_ROLLBACK_COMPLETE")
	s.wantEqual("history", s.history("app"), history)

	s.wantCalls(s.deploy("local"), "Update")
	s.wantOutputs("local", "7", "1")
}

func firstDeploymentFails(s *site) {
	s.configure("first", map[string]any{"throwaway": true, "database": map[string]any{"name": "first"}})
	s.write("V8__broken.sql", `SELECT * FROM nothing;`)
	// The framework itself answers the removal of what was never made.
	s.wantCalls(s.deployInVain("first", "MIGRATION_FAILED", "V8__broken.sql", "42P01"), "Create failed")
	s.wantStatus("slipway-first-database", "CREATE_COMPLETE")
	s.wantStatus("slipway-first", "ROLLBACK_COMPLETE")

	s.check(s.g.Remove("V8__broken.sql"))
	s.wantCalls(s.deploy("first"), "Create")
	s.wantStatus("slipway-first", "CREATE_COMPLETE")
	s.wantOutputs("first", "7", "1")
	for _, stack := range []string{"slipway-first", "slipway-first-database"} {
		_, err := s.g.Destroy(s.Context(), stack)
		s.check(err)
	}
}

func tablesWithoutHistory(s *site) {
	s.configure("adopted", map[string]any{"throwaway": true, "database": map[string]any{"name": "adopted"}})
	if out, err := s.g.CDK(s.Context(), "deploy", "slipway-adopted-database", "--require-approval",
		"never"); err != nil {
		s.Fatalf("%v\n%s", err, out)
	}
	s.check(s.g.Database.Exec(s.Context(), "adopted",
		`SET ROLE postgres; CREATE TABLE customers (id bigint PRIMARY KEY, name text); CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint, placed timestamptz)`))
	s.wantCalls(s.deployInVain("adopted", "SCHEMA_NOT_EMPTY", "baseline"), "Create failed")
	s.wantEqual("relations", s.relations("adopted"), []string{"customers", "orders"})

	s.configure("adopted", map[string]any{"throwaway": true,
		"database": map[string]any{"name": "adopted", "baseline": "6"}})
	s.wantCalls(s.deploy("adopted"), "Create")
	s.wantOutputs("adopted", "7", "2")
	s.wantEqual("scripts that ran",
		s.texts("adopted", `SELECT script FROM flyway_schema_history WHERE type = 'SQL' ORDER BY installed_rank`),
		[]string{"V7__notes.sql", "R__orders_by_customer.sql"})
}

func destroy(s *site) {
	s.configure("local", nil)
	before := len(s.calls())
	history, relations := s.history("app"), s.relations("app")
	_, err := s.g.Destroy(s.Context(), "slipway-local")
	s.check(err)
	s.wantCalls(s.calls()[before:]) // CloudFormation forgets the schema without a word to the function
	s.wantNoStack("slipway-local")
	s.wantStatus("slipway-local-database", "CREATE_COMPLETE")
	s.wantEqual("history", s.history("app"), history)
	s.wantEqual("relations", s.relations("app"), relations)
	s.wantEqual("customers", s.texts("app", `SELECT name FROM customers ORDER BY id`), []string{"Ada", "Grace"})
}

// existingDatabase deploys to a database and a secret that others made.
func existingDatabase(s *site) {
	s.check(s.g.Database.Exec(s.Context(), "postgres",
		`CREATE ROLE shop_owner LOGIN PASSWORD 'of / others''s @ choice'`))
	s.check(s.g.Database.Exec(s.Context(), "postgres", `CREATE DATABASE shop OWNER shop_owner`))
	arn, err := s.g.NewSecret(s.Context(), "shop-owner", map[string]any{
		"username": "shop_owner", "password": "of / others's @ choice",
		"host": s.g.Database.Host, "port": s.g.Database.Port, "dbname": "shop", "engine": "postgres",
	})
	s.check(err)
	s.configure("shop", map[string]any{"memory": 512, "database": map[string]any{
		"vpcId": "vpc-0123456789abcdef0", "subnetIds": []any{"subnet-0123456789abcdef0"},
		"availabilityZones": []any{"eu-central-1a"},
		"securityGroupId":   "sg-0123456789abcdef0", "secretArn": arn,
	}})
	s.wantCalls(s.deploy("shop"), "Create")
	s.wantStatus("slipway-shop", "CREATE_COMPLETE")
	s.wantNoStack("slipway-shop-database")
	s.wantOutputs("shop", "7", "8")
	s.wantEqual("owner", s.texts("shop", `SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`),
		[]string{"shop_owner"})
}
