//go:build deploy

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"slipway/infra/local/ground"
)

// The account of these cases: nobody has deployed anything there.
const freshAccount = "999900001111"

// fresh is a clone to be deployed to the fresh account: these environments, and
// a pipeline of the first one, in the account's one region.
func (s *site) fresh(readme, section string, environments map[string]any) (*walk, ground.AWS, *ground.Database) {
	s.Helper()
	database, err := s.g.AddDatabase(s.Context())
	s.check(err)
	w := s.follow(readme, section)
	for _, settings := range environments {
		settings := settings.(map[string]any)
		settings["account"], settings["region"], settings["architecture"] = freshAccount, pipelineRegion,
			s.g.Architecture()
		of, _ := settings["database"].(map[string]any)
		if of == nil {
			of = map[string]any{}
		}
		of["port"], settings["database"] = database.Port, of
	}
	w.configure(map[string]any{"environments": environments, "pipeline": freshPipeline(nil)})
	aws := s.g.AWS(freshAccount, pipelineRegion)
	w.codeCommit, err = aws.ServeCodeCommit(s.Context())
	s.check(err)
	return w, aws, database
}

func freshPipeline(more map[string]any) map[string]any {
	keys := map[string]any{"account": freshAccount, "region": pipelineRegion, "environments": []string{"dev"},
		"review": false}
	for key, value := range more {
		keys[key] = value
	}
	return keys
}

// pipelineNotMade makes the first stack of an account fail: what it made is
// gone, its fixed names too, and the second attempt succeeds.
func pipelineNotMade(s *site) {
	w, aws, _ := s.fresh("infra/DESTROY.md", "The pipeline", map[string]any{"dev": map[string]any{"throwaway": true}})
	w.run(fmt.Sprintf("npx aws-cdk@2.1148.1 bootstrap aws://%s/%s", freshAccount, pipelineRegion), s.TempDir(), aws)
	w.run("infra/cdk synth --quiet", w.clone, aws)
	content, err := os.ReadFile(filepath.Join(w.clone, "cdk.out", "slipway-pipeline.template.json"))
	s.check(err)
	var template map[string]any
	s.check(json.Unmarshal(content, &template))
	resources := template["Resources"].(map[string]any)
	var all []string
	for id := range resources {
		all = append(all, id)
	}
	// It comes last, when everything else is there.
	resources["Refused"] = map[string]any{"Type": "AWS::CodeCommit::Repository", "DependsOn": all,
		"Properties": map[string]any{"RepositoryName": "slipway"}}
	content, err = json.Marshal(template)
	s.check(err)
	role := fmt.Sprintf("arn:aws:iam::%s:role/cdk-hnb659fds-cfn-exec-role-%s-%s", freshAccount, freshAccount,
		pipelineRegion)
	s.check(aws.ReplaceChangeSet(s.Context(), "slipway-pipeline", "first", role, "CAPABILITY_NAMED_IAM",
		string(content)))
	if err := aws.ExecuteChangeSet(s.Context(), "slipway-pipeline", "first"); err == nil ||
		!strings.Contains(err.Error(), "ROLLBACK_COMPLETE: Repository named slipway already exists") {
		s.Fatalf("the first attempt: %v", err)
	}
	if _, err := os.Stat(aws.Repository("slipway")); err == nil {
		s.Error("the repository survives a stack that could not be made")
	}
	w.run("infra/cdk deploy slipway-pipeline", w.clone, aws)
	if _, err := os.Stat(aws.Repository("slipway")); err != nil {
		s.Error(err)
	}
}

// takenDown follows DESTROY.md: pipeline, throwaway environment, one that is
// kept; and deploys each again.
func takenDown(s *site) {
	w, aws, database := s.fresh("infra/DESTROY.md", "The pipeline",
		map[string]any{"dev": map[string]any{"throwaway": true}})
	w.run(w.blocks[0], w.clone, aws)
	// Its repository stays, and is in the way of another one of its name.
	if out, err := w.shell("infra/cdk deploy slipway-pipeline --require-approval never", w.clone, aws,
		w.codeCommit...); err == nil || !strings.Contains(out, "Repository named slipway already exists") {
		s.Errorf("deployed again as it was: %v\n%s", err, relevant(out))
	}
	_, err := w.shell("infra/cdk destroy --force slipway-pipeline", w.clone, aws)
	s.check(err)
	w.configure(map[string]any{"pipeline": freshPipeline(map[string]any{"repository": "slipway"})})
	w.run("infra/cdk deploy slipway-pipeline\n"+w.blocks[0], w.clone, aws)
	if _, err := os.Stat(aws.Repository("slipway")); err != nil {
		s.Errorf("the scripts' repository went with a stack that did not make it: %v", err)
	}

	dev := s.follow("infra/DESTROY.md", "A throwaway environment")
	w.again(dev.blocks, "dev", aws, database, nil)
	w.run(dev.blocks[0], w.clone, aws) // prod's cluster is on the same server
	w.configure(map[string]any{"environments": map[string]any{"prod": freshProd(s, database, nil)}, "pipeline": nil})
	prod := s.follow("infra/DESTROY.md", "An environment that is kept")
	w.again(prod.blocks, "prod", aws, database, func() {
		// What the README says first: neither the stack nor the cluster is deleted just so.
		out, err := w.shell("infra/cdk destroy --force slipway-prod-database", w.clone, aws)
		if err == nil || !strings.Contains(out, "TerminationProtection") {
			s.Errorf("the protected stack: %v\n%s", err, relevant(out))
		}
		w.configure(map[string]any{"environments": map[string]any{"prod": freshProd(s, database,
			map[string]any{"deletionProtection": false})}})
	})
}

func freshProd(s *site, database *ground.Database, more map[string]any) map[string]any {
	of := map[string]any{"port": database.Port}
	for key, value := range more {
		of[key] = value
	}
	return map[string]any{"account": freshAccount, "region": pipelineRegion, "architecture": s.g.Architecture(),
		"database": of}
}

// again deploys an environment, takes it down as the blocks say, with what has
// to be done before them, and deploys it once more, to an empty database.
func (w *walk) again(blocks []string, name string, aws ground.AWS, database *ground.Database, before func()) {
	w.Helper()
	deploy, stacks := "infra/cdk deploy slipway-"+name, []string{"slipway-" + name, "slipway-" + name + "-database"}
	w.run(deploy, w.clone, aws)
	w.wantEqual("history", applied(w.site, database), scripts(w.site, w.clone))
	if before != nil {
		before()
	}
	for _, block := range blocks {
		w.run(block, w.clone, aws)
	}
	for _, stack := range stacks {
		if s, err := aws.Stack(w.Context(), stack); err == nil && s.Status != "DELETE_COMPLETE" {
			w.Errorf("%s is in %s", stack, s.Status)
		}
	}
	left, err := database.Texts(w.Context(), "postgres", "SELECT datname FROM pg_database WHERE datname = 'app'")
	w.check(err)
	w.wantEqual("databases that stay", left, nil)
	w.run(deploy, w.clone, aws)
	w.wantEqual("history of the new database", applied(w.site, database), scripts(w.site, w.clone))
	stack, err := aws.Stack(w.Context(), stacks[0])
	w.check(err)
	if want := fmt.Sprint(len(scripts(w.site, w.clone))); stack.Outputs["Applied"] != want {
		w.Errorf("%s applied, not %s", stack.Outputs["Applied"], want)
	}
}
