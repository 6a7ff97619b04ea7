# `make` alone prints the targets. Everything a target needs beyond Go (and Node for the CDK) it fetches itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help

SQL          ?= sql/postgresql
STATICCHECK  := honnef.co/go/tools/cmd/staticcheck@v0.7.0
WORKBENCH    := .slipway/bin/workbench
# SQL=folder of scripts, DATABASE_URL=postgres://… for a database that exists
SCRIPTS      = --sql "$(SQL)" $(if $(DATABASE_URL),--database-url "$(DATABASE_URL)")

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  SQL=folder and DATABASE_URL=postgres://… choose other scripts and another database"

$(WORKBENCH): FORCE
	@mkdir -p $(@D) && go build -o $@ ./lambda/workbench

run: $(WORKBENCH) ## migrate a local PostgreSQL the way a deployment does
	@$(WORKBENCH) run $(SCRIPTS)

info: $(WORKBENCH) ## show applied and pending scripts (ENVIRONMENT=prod: of a deployed environment)
	@$(WORKBENCH) info $(if $(ENVIRONMENT),--environment "$(ENVIRONMENT)",$(SCRIPTS))

start: $(WORKBENCH) ## keep the local PostgreSQL up and print its URL
	@$(WORKBENCH) start

stop: $(WORKBENCH) ## end it
	@$(WORKBENCH) stop

clean: $(WORKBENCH) ## forget the local databases
	@$(WORKBENCH) clean

test: ## all tests that need neither Docker nor AWS
	go test ./...

test-race: ## the same for the handler, with the race detector
	go test -race -short ./lambda/...

lint: ## gofmt, vet, staticcheck, a tidy go.mod
	@files=$$(gofmt -l infra lambda); test -z "$$files" || { echo "gofmt: $$files"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	go mod tidy -diff

ci: ## what CI runs
	bash .ci/run

FORCE:
.PHONY: help run info start stop clean test test-race lint ci FORCE
