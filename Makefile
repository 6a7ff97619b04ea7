# `make` alone prints the targets. Everything a target needs beyond Go (and Node for the CDK) it fetches itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help

SQL          ?= sql/postgresql
ENVIRONMENT  ?=
export NAME
STATICCHECK  := honnef.co/go/tools/cmd/staticcheck@v0.7.0
# A built program, not `go run`, which turns every exit code into 1.
WORKBENCH    := .slipway/bin/workbench
COPY         = $(if $(DATABASE_URL),--database-url "$(DATABASE_URL)")
SCRIPTS      = --sql "$(SQL)" $(COPY)
BRANCH       = --sql "$(SQL)" $(if $(AGAINST),--against "$(AGAINST)")
DATABASE     = $(if $(ENVIRONMENT),--environment "$(ENVIRONMENT)",$(SCRIPTS))

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "SQL=folder and DATABASE_URL=postgres://… choose other scripts and another database."

run: $(WORKBENCH) ## migrate a local PostgreSQL the way a deployment does
	@$(WORKBENCH) run $(SCRIPTS)

info: $(WORKBENCH) ## show applied and pending scripts (ENVIRONMENT=prod: of a deployed environment)
	@$(WORKBENCH) info $(DATABASE)

validate: $(WORKBENCH) ## compare history and scripts (ENVIRONMENT=prod)
	@$(WORKBENCH) validate $(DATABASE)

repair: $(WORKBENCH) ## put the history right, as a failed run advises (ENVIRONMENT=prod)
	@$(WORKBENCH) repair $(DATABASE)

revert: $(WORKBENCH) ## undo the newest versions down to TO=12, or STEPS=1 (ENVIRONMENT=prod, there with FROM=14 unless it is throwaway; DRY_RUN=1)
	@$(WORKBENCH) revert $(DATABASE) $(if $(TO),--to "$(TO)") $(if $(STEPS),--steps "$(STEPS)") $(if $(FROM),--from "$(FROM)") $(if $(DRY_RUN),--dry-run)

new: $(WORKBENCH) ## make the next script and its undo script: NAME="add orders"
	@$(WORKBENCH) new --sql "$(SQL)" "$$NAME"

start: $(WORKBENCH) ## keep the local PostgreSQL up and print its URL
	@$(WORKBENCH) start

stop: $(WORKBENCH) ## end it
	@$(WORKBENCH) stop

clean: $(WORKBENCH) ## forget the local databases
	@$(WORKBENCH) clean

check: $(WORKBENCH) ## judge the branch's scripts before the merge, without a database (AGAINST=branch)
	@$(WORKBENCH) check $(BRANCH)

rehearse: $(WORKBENCH) ## run them on a throw-away database and measure locks, rewrites, rows, undo (DATA=file.sql)
	@$(WORKBENCH) rehearse $(BRANCH) $(COPY) $(if $(DATA),--data "$(DATA)")

review: $(WORKBENCH) ## both, as .slipway/review.html and .slipway/review.md
	@$(WORKBENCH) review $(BRANCH) $(COPY) $(if $(DATA),--data "$(DATA)") --html .slipway/review.html --markdown .slipway/review.md

image: ## build the image slipway:local
	$(if $(CDK_DOCKER),$(CDK_DOCKER),docker) build -f docker/Dockerfile -t slipway:local .

synth: ## synthesise the stacks into cdk.out; needs no account
	infra/cdk synth --quiet

deploy-local: ## deploy the real stacks and image to an emulator of AWS here, show the result, tear down
	go run ./infra/local $(if $(filter-out sql/postgresql,$(SQL)),-sql "$(SQL)")

test: ## all tests that need neither Docker nor AWS
	go test ./...

test-race: ## the tests of the handler, with the race detector
	go test -race ./lambda/database ./lambda/event ./lambda/flyway ./lambda/migrator ./lambda/report ./lambda/script ./lambda/serve

test-deploy: ## some twenty deployments to the emulator
	go test -tags deploy -count=1 -timeout 40m -v ./infra/local/...

test-builds: ## every command of the pipeline's build specs, from clean clones of HEAD (TESTED=1: `make test` has passed already)
	go test -tags builds -count=1 -timeout 60m -v -run 'TestBuilds|TestReview' ./infra/pipeline $(if $(TESTED),-tested)

faults: ## inject every fault and print what was promised and seen (ONLY=name)
	go run ./lambda/workbench/faults $(if $(ONLY),-only "$(ONLY)")

faults-table: ## the same, and write the table of its README
	go run ./lambda/workbench/faults -write

bench: ## Slipway beside what it replaces, goose and psql (QUICK=1: the short one)
	go run ./lambda/workbench/benchmark $(if $(QUICK),-quick)

lint: ## gofmt, vet, staticcheck, a tidy go.mod
	@files=$$(gofmt -l infra lambda); test -z "$$files" || { echo "gofmt: $$files"; exit 1; }
	go vet -tags 'deploy builds' ./...
	go run $(STATICCHECK) ./...
	go mod tidy -diff

lint-templates: ## cfn-lint and checkov on the synthesised templates
	infra/lint/run

class-list: ## make docker/flyway.classlist anew (new Flyway, driver or Java)
	go run ./infra/local/classlist

rds-ca: ## make docker/rds-ca.pem anew and say what has expired
	node docker/rds-ca.mjs --write

ci: ## what CI runs
	bash .ci/run

$(WORKBENCH): FORCE
	@mkdir -p $(@D) && go build -o $@ ./lambda/workbench

FORCE:
.PHONY: help run info revert new start stop clean check rehearse review image synth deploy-local validate repair test test-race test-deploy test-builds faults faults-table bench lint lint-templates class-list rds-ca ci FORCE
