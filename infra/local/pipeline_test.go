//go:build deploy

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"slipway/infra/local/ground"
)

// The accounts and regions of the README.
const (
	pipelineAccount, pipelineRegion = "111122223333", "eu-central-1"
	prodAccount, prodRegion         = "444455556666", "us-east-1"
)

// firstMigration follows infra/pipeline/README.md from two empty accounts to
// the first migration: what a line of it says is run, and what a push starts
// is played. Further pushes follow.
func firstMigration(s *site) {
	w := s.follow("infra/pipeline/README.md", "From an empty account to the first migration")
	if len(w.blocks) != 4 {
		s.Fatalf("%d blocks of code, not 4", len(w.blocks))
	}
	var keys map[string]any
	var err error
	s.check(json.Unmarshal([]byte("{"+w.blocks[0]+"}"), &keys))
	// What only this ground can know. The accounts have a database server each.
	servers := map[string]*ground.Database{}
	for _, name := range []string{"dev", "prod"} {
		servers[name], err = s.g.AddDatabase(s.Context())
		s.check(err)
		environment := keys["environments"].(map[string]any)[name].(map[string]any)
		environment["architecture"], environment["database"] = s.g.Architecture(),
			map[string]any{"port": servers[name].Port}
	}
	w.configure(keys)
	aws := s.g.AWS(pipelineAccount, pipelineRegion)
	w.codeCommit, err = aws.ServeCodeCommit(s.Context())
	s.check(err)

	w.run(w.blocks[1], s.TempDir(), aws)
	w.run(w.blocks[2], w.clone, aws)
	// CodeCommit's stand-in refuses what CodeCommit does: no signature, one of another secret, one of the host alone.
	const url, helper = "https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/slipway",
		"-c credential.helper='!aws codecommit credential-helper $@'"
	for name, command := range map[string]string{
		"unsigned": "git -c credential.helper= ls-remote " + url,
		"another secret": "AWS_SECRET_ACCESS_KEY=other git -c credential.UseHttpPath=true " + helper + " ls-remote " +
			url,
		"without the path": "git " + helper + " ls-remote " + url,
	} {
		if out, err := w.shell(command, w.clone, aws, w.codeCommit...); err == nil || !refused.MatchString(out) {
			s.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	first, err := s.play(aws)
	s.check(err)
	s.wantEqual("what prod's approver reads", pendingIn(first.approvals), scripts(s, w.clone))
	w.wantOrder(first)
	w.wantHistories(servers)
	out := w.run(w.blocks[3], w.clone, aws)
	if want := fmt.Sprintf("%d applied, 0 pending", len(scripts(s, w.clone))); !strings.Contains(out, want) {
		s.Errorf("no %q in\n%s", want, out)
	}

	s.reviewRights(aws)

	// A push brings one script.
	w.push("V90__colours.sql", "CREATE TABLE colours (id bigint PRIMARY KEY);")
	second, err := s.play(aws)
	s.check(err)
	s.wantEqual("what prod's approver reads", pendingIn(second.approvals), []string{"V90__colours.sql"})
	w.wantHistories(servers)

	// A script that fails in dev, on rows that are only there, never reaches
	// prod, and stops nothing for good.
	s.check(servers["dev"].Exec(s.Context(), "app", "INSERT INTO colours VALUES (1)"))
	w.push("V91__broken.sql", "UPDATE colours SET id = 1 / (id - 1);")
	third, err := s.play(aws)
	for _, text := range []string{"slipway-dev.Deploy", "MIGRATION_FAILED", "V91__broken.sql", "22012"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			s.Errorf("the failing script: no %q in %v", text, err)
		}
	}
	if len(third.approvals) > 0 ||
		slices.ContainsFunc(third.done, func(name string) bool { return strings.Contains(name, "prod") }) {
		s.Errorf("prod was touched: %q", third.done)
	}
	dev, err := aws.Stack(s.Context(), "slipway-dev")
	s.check(err)
	if dev.Status != "UPDATE_ROLLBACK_COMPLETE" || slices.Contains(applied(s, servers["dev"]), "V91__broken.sql") {
		s.Errorf("dev is in %s, with %q", dev.Status, applied(s, servers["dev"]))
	}
	w.push("V91__broken.sql", "ALTER TABLE colours ADD COLUMN name text;")
	fourth, err := s.play(aws)
	s.check(err)
	s.wantEqual("what prod's approver reads", pendingIn(fourth.approvals), []string{"V91__broken.sql"})
	w.wantHistories(servers)
	fourth.rightsOfThePipeline()
}

var refused = regexp.MustCompile("Authentication failed|could not read Username")

// wantHistories wants exactly the clone's scripts applied on every server.
func (w *walk) wantHistories(servers map[string]*ground.Database) {
	w.Helper()
	for name, d := range servers {
		w.wantEqual("history of "+name, applied(w.site, d), scripts(w.site, w.clone))
	}
}

// fromALaptop follows README.md from one empty account to the first migration,
// with cdk.json as it comes.
func fromALaptop(s *site) {
	w := s.follow("README.md", "Deploy")
	database, err := s.g.AddDatabase(s.Context())
	s.check(err)
	w.configure(map[string]any{"environments": map[string]any{"dev": map[string]any{
		"throwaway": true, "architecture": s.g.Architecture(),
		"database": map[string]any{"minCapacity": 0, "port": database.Port},
	}}})
	aws := s.g.AWS("777788889999", pipelineRegion)
	lines := strings.SplitAfter(w.blocks[0], "\n")
	if !strings.HasPrefix(lines[0], "git clone ") || !strings.Contains(lines[1], " bootstrap ") {
		s.Fatalf("the README begins with\n%s%s", lines[0], lines[1])
	}
	out := w.run(strings.Join(lines[1:], ""), w.clone, aws)
	if !strings.Contains(out, "[+] Custom::FlywayMigration") {
		s.Errorf("cdk diff does not show the migration:\n%s", out)
	}
	if want := fmt.Sprintf("%d applied, 0 pending", len(scripts(s, w.clone))); !strings.Contains(out, want) {
		s.Errorf("no %q in\n%s", want, out)
	}
	s.wantEqual("history", applied(s, database), scripts(s, w.clone))

	// What an application that is deployed from elsewhere reads.
	version := "aws ssm get-parameter --name /slipway/dev/schema-version --query Parameter.Value --output text"
	if out := w.run(version, w.clone, aws); strings.TrimSpace(out) != "4" {
		s.Errorf("the parameter is %q", out)
	}

	if out := w.run("make revert ENVIRONMENT=dev STEPS=1", w.clone, aws); !strings.Contains(out,
		"1 reverted, schema version 3") {
		s.Errorf("the revert printed\n%s", out)
	}
}

// push commits a script and pushes it, as the README does.
func (w *walk) push(name, statements string) {
	w.Helper()
	w.check(os.WriteFile(filepath.Join(w.clone, "sql", "postgresql", name), []byte(statements+"\n"), 0o644))
	// The order of a release is the time of its commit, in seconds.
	time.Sleep(1100 * time.Millisecond)
	push := w.blocks[2][strings.Index(w.blocks[2], "git -c"):]
	w.run("git add sql\ngit commit --message 'Another script'\n"+push, w.clone,
		w.g.AWS(pipelineAccount, pipelineRegion))
}

// wantOrder wants every action, in the order that the README draws.
func (w *walk) wantOrder(e *execution) {
	w.Helper()
	w.wantEqual("actions", e.done, []string{"Source", "Synth", "SelfMutate", "DockerAssets", "FileAssets",
		"slipway-dev-database.Prepare", "slipway-dev-database.Deploy", "slipway-dev.Prepare", "slipway-dev.Deploy",
		"Pending-prod", "Approve-prod",
		"slipway-prod-database.Prepare", "slipway-prod-database.Deploy", "slipway-prod.Prepare", "slipway-prod.Deploy"})
}

// scripts are those of a clone that Flyway applies, by name.
func scripts(s *site, clone string) []string {
	s.Helper()
	found, err := filepath.Glob(filepath.Join(clone, "sql", "postgresql", "[VR]*.sql"))
	s.check(err)
	var names []string
	for _, file := range found {
		names = append(names, filepath.Base(file))
	}
	slices.Sort(names)
	return names
}

// applied are the scripts of a database's history, by name.
func applied(s *site, d *ground.Database) []string {
	s.Helper()
	names, err := d.Texts(s.Context(), "app",
		`SELECT script FROM flyway_schema_history WHERE success AND type = 'SQL' ORDER BY script COLLATE "C"`)
	s.check(err)
	return names
}

// pendingIn are the scripts that approvals name, by name.
func pendingIn(approvals []string) []string {
	names := regexp.MustCompile(`[VR]\w*\.sql`).FindAllString(strings.Join(approvals, " "), -1)
	slices.Sort(names)
	return names
}
