//go:build deploy

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"slipway/lambda/report"
)

// The image that was deployed last, started without the stacks: each of the
// three ways, with 512 MB.

func imageAsCommand(s *site) {
	image, flags := s.sandbox("command")
	out, err := s.g.Docker(s.Context(), slices.Concat([]string{"run", "--rm"}, flags, []string{image, "migrate",
		"--json"})...)
	s.check(err)
	s.wantReport([]byte(out), "migrate", 8)
	s.wantEqual("customers", s.texts("command", `SELECT name FROM customers ORDER BY id`), []string{"Ada", "Grace"})
}

// imageArchive has Java insist on the class-data archive, which it otherwise
// leaves aside without a word when jars, options or class path have changed.
func imageArchive(s *site) {
	image, flags := s.sandbox("archive")
	home, err := s.g.Docker(s.Context(), "run", "--rm", "--entrypoint", "printenv", image, "JAVA_HOME")
	s.check(err)
	java := filepath.Join(s.TempDir(), "java")
	s.check(os.WriteFile(java, []byte(`#!/bin/sh
for option; do shift; [ "$option" = -Xshare:auto ] && option=-Xshare:on && on=yes; set -- "$@" "$option"; done
[ "$on" ] && exec `+home+`/bin/java "$@"
`), 0o755))
	flags = slices.Concat(flags, []string{"--volume", java + ":/insisting/bin/java:ro", "--env",
		"JAVA_HOME=/insisting"})
	out, err := s.g.Docker(s.Context(), slices.Concat([]string{"run", "--rm"}, flags, []string{image, "migrate",
		"--json"})...)
	s.check(err)
	s.wantReport([]byte(out), "migrate", 8)
}

func imageAsServer(s *site) {
	image, flags := s.sandbox("server")
	url := s.start(image, flags)
	s.wantReport(s.post(url, `{"command":"migrate"}`), "migrate", 8)
	s.wantReport(s.post(url, `{"command":"info"}`), "info", 0)
}

func imageUnderLambda(s *site) {
	image, flags := s.sandbox("lambda")
	url := s.start(image, slices.Concat(flags, s.g.RuntimeEmulator(),
		[]string{"--env", "AWS_LAMBDA_FUNCTION_TIMEOUT=120"}), "/usr/local/bin/slipway")
	var answer struct {
		PhysicalResourceID string `json:"PhysicalResourceId"`
		Data               struct{ SchemaVersion, Applied string }
	}
	body := s.post(url, `{"RequestType": "Create", "StackId": "arn:aws:cloudformation:eu-central-1:000000000000:stack/x/1", "LogicalResourceId": "Schema", "ResourceProperties": {"Order": "1"}}`)
	s.check(json.Unmarshal(body, &answer))
	if answer.PhysicalResourceID == "" || answer.Data.SchemaVersion != "7" || answer.Data.Applied != "8" {
		s.Errorf("the answer to Create is %s", body)
	}
}

// sandbox makes a database and its secret, and returns the image and the flags to start it with.
func (s *site) sandbox(name string) (image string, flags []string) {
	s.Helper()
	s.check(s.g.Database.Exec(s.Context(), "postgres", `CREATE ROLE `+name+` LOGIN PASSWORD 'local'`))
	s.check(s.g.Database.Exec(s.Context(), "postgres", `CREATE DATABASE `+name+` OWNER `+name))
	arn, err := s.g.NewSecret(s.Context(), name, map[string]any{
		"username": name, "password": "local", "host": s.g.Database.Host, "port": s.g.Database.Port, "dbname": name,
	})
	s.check(err)
	return s.g.LocalImage(s.image("shop")), s.g.Sandbox(arn, 512)
}

// start starts a container for the rest of the case and returns the address of its endpoint.
func (s *site) start(image string, flags []string, args ...string) string {
	s.Helper()
	id, err := s.g.Docker(s.Context(), slices.Concat([]string{"run", "--detach", "--publish", "127.0.0.1::8080"}, flags,
		[]string{image}, args)...)
	s.check(err)
	s.Cleanup(func() {
		if s.Failed() {
			logs, err := s.g.Docker(context.Background(), "logs", id)
			s.Log(logs, err)
		}
		if _, err := s.g.Docker(context.Background(), "rm", "--force", id); err != nil {
			s.Error(err)
		}
	})
	address, err := s.g.Docker(s.Context(), "port", id, "8080/tcp")
	s.check(err)
	return "http://" + strings.Fields(address)[0] + "/2015-03-31/functions/function/invocations"
}

// post sends an event as soon as the endpoint takes it.
func (s *site) post(url, event string) []byte {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(event))
		s.check(err)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			s.check(err)
			return body
		}
		select {
		case <-ctx.Done():
			s.Fatalf("%v: the last answer: %v", ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *site) wantReport(body []byte, command string, applied int) {
	s.Helper()
	var r report.Report
	if err := json.Unmarshal(body, &r); err != nil {
		s.Fatalf("%v: %s", err, body)
	}
	if r.Command != command || !r.OK() || len(r.Applied) != applied || r.SchemaVersionAfter != "7" {
		s.Errorf("want %s with %d applied and schema version 7, the report is %s", command, applied, body)
	}
}
