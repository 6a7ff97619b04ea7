//go:build deploy

package main

import (
	"net/url"
	"strings"
)

// examine asks `doctor` of the environment that is deployed: healthy, with each
// of six things broken, and mended by the next step that it gave.
func examine(s *site) {
	throwaway := map[string]any{"throwaway": true}
	s.configure("local", throwaway)
	s.diagnosed("ok", "credentials", "bootstrap", "CDKToolkit, version", "stack slipway-local",
		"termination protection",
		"function", "inspector", "address of the database", "endpoint of Secrets Manager", "available", "log groups",
		"secret", "read by the inspector", "TLS 1.3, the server's certificate and name verified", "PostgreSQL 17",
		"createrole", "3 applied, 0 pending", "would replace nothing of the database")

	// A run takes some seconds for the comparison: two are broken at a time.
	logs := s.stack("slipway-local").Outputs["LogGroupName"]
	s.check(s.g.JSON(s.Context(), "logs", "Logs_20140328.DeleteLogGroup", map[string]string{"logGroupName": logs}))
	s.texts("app", "UPDATE flyway_schema_history SET success = false WHERE version = '2' RETURNING script")
	s.diagnosed("wrong", logs+": gone", "aws logs create-log-group --log-group-name "+logs, "PREVIOUS_FAILED",
		"make info ENVIRONMENT=local")
	s.texts("app", "UPDATE flyway_schema_history SET success = true WHERE version = '2' RETURNING script")
	s.check(s.g.JSON(s.Context(), "logs", "Logs_20140328.CreateLogGroup", map[string]string{"logGroupName": logs}))

	secret := s.stack("slipway-local-database").Outputs["SecretArn"]
	s.check(s.g.JSON(s.Context(), "secretsmanager", "secretsmanager.DeleteSecret",
		map[string]any{"SecretId": secret, "RecoveryWindowInDays": 7}))
	s.configure("local", map[string]any{})
	s.diagnosed("wrong", "is to be deleted", "aws secretsmanager restore-secret --secret-id "+secret,
		"off for slipway-local-database", "--enable-termination-protection --stack-name slipway-local-database")
	s.check(s.g.JSON(s.Context(), "secretsmanager", "secretsmanager.RestoreSecret", map[string]any{"SecretId": secret}))

	protect := func(on string) {
		form := url.Values{"StackName": {"slipway-local-database"}, "EnableTerminationProtection": {on}}
		s.check(s.g.Query(s.Context(), "cloudformation", "2010-05-15", "UpdateTerminationProtection", form))
	}
	protect("true")
	s.configure("local", map[string]any{"database": map[string]any{"name": "other"}})
	s.diagnosed("wrong", "DatabaseName", `"app" → "other"`, "Take the edit back", "on for slipway-local-database")
	protect("false")

	away := map[string]any{"account": "999999999999", "region": "eu-central-1", "throwaway": true}
	s.configure("local", away)
	s.diagnosed("wrong", "cdk.json says 999999999999")

	s.configure("local", throwaway)
	s.diagnosed("ok")
}

// diagnosed wants these texts of `doctor`, and the exit code that goes with a
// diagnosis of that kind: ok, wrong, or "" for either.
func (s *site) diagnosed(kind string, texts ...string) {
	s.Helper()
	out, err := s.g.Workbench(s.Context(), "doctor", "--environment", "local")
	if kind == "ok" && err != nil || kind == "wrong" && err == nil {
		s.Errorf("not %s: %v\n%s", kind, err, out)
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			s.Errorf("no %q in\n%s", text, out)
		}
	}
}

// pointAtRestored follows the runbook of infra/RESTORE.md from the restored
// database on: another database stands for the restored cluster, the environment
// points at it, the next deployment runs there, and doctor agrees.
func pointAtRestored(s *site) {
	s.check(s.g.Database.Exec(s.Context(), "postgres", `CREATE DATABASE restored TEMPLATE app OWNER postgres`))
	at := s.stack("slipway-local-database").Outputs
	s.configure("local", map[string]any{"throwaway": true, "database": map[string]any{
		"vpcId": at["VpcId"], "subnetIds": []any{at["SubnetId1"]}, "securityGroupId": at["SecurityGroupId"],
		"secretArn": at["SecretArn"], "kmsKeyArn": at["KmsKeyArn"], "host": at["Host"], "port": s.g.Database.Port,
		"cluster": at["ClusterId"] + "-restored", "name": "restored",
	}})
	s.diagnosed("ok", "slipway-local-database is deployed, and this deployment does not touch it")
	s.wantCalls(s.deploy("local"), "Update")
	s.wantPrinted("info --environment local", "restored on", "3 applied, 0 pending")
	s.diagnosed("ok", "restored on")
	s.wantStatus("slipway-local-database", "CREATE_COMPLETE")

	s.configure("local", nil)
	s.wantCalls(s.deploy("local"), "Update")
	s.wantPrinted("info --environment local", "app on", "3 applied, 0 pending")
}
