//go:build deploy

package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"slipway/infra/local/ground"
)

// unknown are the types of the pipeline's stack that the emulator does not
// have. What is left is deployed, with texts in place of what refers to these.
var unknown = []string{"AWS::CodeCommit::Repository", "AWS::CodePipeline::Pipeline", "AWS::CodeStarNotifications::NotificationRule"}

// pipelineStack synthesises the pipeline without an account and deploys what
// the emulator knows of it.
func pipelineStack(s *site) {
	s.configure("local", nil)
	file := filepath.Join(s.TempDir(), "pipeline.json")
	keys, err := json.Marshal(map[string]any{"account": ground.Account, "region": ground.Region, "environments": []string{"local"}})
	s.check(err)
	s.check(os.WriteFile(file, keys, 0o644))
	folder := filepath.Join(s.TempDir(), "cdk.out")
	if out, err := s.g.CDK(s.Context(), "synth", "slipway-pipeline", "--quiet", "--output", folder, "--context", "pipeline=@"+file); err != nil {
		s.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(filepath.Join(folder, "slipway-pipeline.template.json"))
	s.check(err)

	err = s.g.CreateStack(s.Context(), "slipway-pipeline-whole", string(raw))
	if err == nil {
		s.Error("the emulator takes the whole pipeline: deploy it")
	}
	known, removed := without(s, raw, unknown)
	s.wantEqual("types that are left out", removed, unknown)
	s.check(s.g.CreateStack(s.Context(), "slipway-pipeline", known))
	for deadline := time.Now().Add(2 * time.Minute); ; {
		status := s.stack("slipway-pipeline").Status
		if status == "CREATE_COMPLETE" {
			return
		}
		if status != "CREATE_IN_PROGRESS" || time.Now().After(deadline) {
			s.Fatalf("slipway-pipeline is in %s", status)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// without takes the resources of those types out of a template, and answers
// which of the types it had.
func without(s *site, raw []byte, types []string) (template string, removed []string) {
	var t map[string]any
	s.check(json.Unmarshal(raw, &t))
	gone := map[string]string{}
	resources := t["Resources"].(map[string]any)
	for id, r := range resources {
		if kind := r.(map[string]any)["Type"].(string); slices.Contains(types, kind) {
			gone[id] = kind
			delete(resources, id)
		}
	}
	text, err := json.Marshal(replaced(t, gone))
	s.check(err)
	return string(text), slices.Compact(slices.Sorted(maps.Values(gone)))
}

// replaced has a text for each reference to what is gone.
func replaced(v any, gone map[string]string) any {
	switch v := v.(type) {
	case map[string]any:
		if id, ok := v["Ref"].(string); ok && gone[id] != "" {
			return "no-" + id
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok && gone[get[0].(string)] != "" {
			return "arn:aws:none:" + ground.Region + ":" + ground.Account + ":" + get[0].(string)
		}
		out := map[string]any{}
		for key, value := range v {
			if key == "DependsOn" {
				value = kept(value, gone)
			}
			out[key] = replaced(value, gone)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = replaced(v[i], gone)
		}
		return out
	}
	return v
}

// kept are the dependencies on what is still there.
func kept(on any, gone map[string]string) any {
	if id, ok := on.(string); ok {
		on = []any{id}
	}
	return slices.DeleteFunc(on.([]any), func(id any) bool { return gone[id.(string)] != "" })
}
