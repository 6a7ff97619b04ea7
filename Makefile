# `make` alone prints the targets. Everything a target needs beyond Go (and Node for the CDK) it fetches itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Settings of targets count only where they are arguments of make. Other programs' .env files export names like
# DATABASE_URL; what the environment has under these names is not obeyed (with `make -e` neither) and not passed on.
override settings := SQL ENVIRONMENT DATABASE_URL COPY AGAINST DATA ROLES NAME TO STEPS FROM DRY_RUN ROWS ONLY QUICK FIX
override typed = $(filter command line,$(origin $1))
override given := $(foreach name,$(settings),$(if $(call typed,$(name)),$(name)))
unexport $(settings) SLIPWAY_DATABASE_URL SLIPWAY_COPY
# A value reaches a recipe as the environment variable GIVEN_…, never as text of its command line: no quote, backquote,
# line end or $(…) in it does anything. "value" reads it unexpanded.
$(foreach name,$(settings),$(eval override GIVEN_$(name) := $$(if $(filter $(name),$(given)),$$(value $(name)))))
export $(addprefix GIVEN_,$(settings))
# What is typed for this make is not typed for one that a recipe starts.
override MAKEOVERRIDES :=
# Other variables that are arguments, FLYWAY_TABLE=…, are passed on as they are written, too.
$(foreach name,$(filter-out $(settings),$(.VARIABLES)),$(if $(call typed,$(name)),\
	$(eval override $(name) := $$(value $(name)))$(eval export $(name))))

# What each target takes. Any other setting is refused before anything starts, and so is an empty one.
override takes-run := SQL DATABASE_URL
override takes-info := SQL DATABASE_URL ENVIRONMENT
override takes-validate := SQL DATABASE_URL ENVIRONMENT
override takes-plan := ENVIRONMENT
override takes-doctor := ENVIRONMENT
override takes-repair := SQL DATABASE_URL ENVIRONMENT ROWS DRY_RUN
override takes-revert := SQL DATABASE_URL ENVIRONMENT TO STEPS FROM DRY_RUN
override takes-new := SQL NAME
override takes-check := SQL AGAINST FIX
override takes-rehearse := SQL AGAINST COPY DATA ROLES
override takes-review := SQL AGAINST COPY DATA ROLES
override takes-deploy-local := SQL
override takes-faults := ONLY
override takes-differential := SQL
override takes-bench := QUICK
override hint-run-ENVIRONMENT := . A deployed environment is migrated by its deployment: infra/cdk deploy slipway-…
override hint-run-COPY := . DATABASE_URL=postgres://… names the database
override hint-rehearse-DATABASE_URL := . Name a restored copy, which is changed, with COPY=postgres://…
override hint-review-DATABASE_URL := $(hint-rehearse-DATABASE_URL)
$(foreach name,$(given),$(if $(value GIVEN_$(name)),,$(error $(name) is empty: leave it out, or give it a value)))
$(foreach goal,$(or $(MAKECMDGOALS),help),$(foreach name,$(filter-out $(takes-$(goal)),$(given)),\
	$(error make $(goal) takes no $(name)$(hint-$(goal)-$(name)))))

# A built program, not `go run`, which turns every exit code into 1. It gets URLs by its environment: `ps` shows arguments.
override program := .slipway/bin/workbench
override workbench := SLIPWAY_DATABASE_URL="$$GIVEN_DATABASE_URL" SLIPWAY_COPY="$$GIVEN_COPY" $(program)
# $(call flag,sql,SQL) is --sql=value where SQL is given, and nothing where it is not.
override flag = $${GIVEN_$2:+"--$1=$$GIVEN_$2"}
override scripts := $(call flag,sql,SQL)
override database := $(call flag,sql,SQL) $(call flag,environment,ENVIRONMENT)
override branch := $(call flag,sql,SQL) $(call flag,against,AGAINST)
override faults := go test -tags faults -count=1 -timeout 30m -parallel 2 -v ./lambda/proof/faults
override staticcheck := honnef.co/go/tools/cmd/staticcheck@v0.7.0

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "SQL=folder chooses other scripts, DATABASE_URL=postgres://user@host/name another database (its password: PGPASSWORD)."
	@echo "Settings are arguments of make; variables of the environment with these names are not obeyed."

run: $(program) ## migrate a local PostgreSQL the way a deployment does
	@$(workbench) run $(scripts)

info: $(program) ## show applied and pending scripts (ENVIRONMENT=prod: of a deployed environment)
	@$(workbench) info $(database)

validate: $(program) ## compare history and scripts (ENVIRONMENT=prod)
	@$(workbench) validate $(database)

plan: $(program) ## show what a deployment would run, and what it would replace of the database (ENVIRONMENT=prod)
	@$(workbench) plan $(call flag,environment,ENVIRONMENT)

doctor: $(program) ## look at each part of a deployed environment and change nothing (ENVIRONMENT=prod)
	@$(workbench) doctor $(call flag,environment,ENVIRONMENT)

repair: $(program) ## repair the history, as a failed run advises (ENVIRONMENT=prod: by the scripts here, DRY_RUN=1 shows the changes; ROWS=1,7)
	@$(workbench) repair $(database) $(call flag,rows,ROWS) $(call flag,dry-run,DRY_RUN)

revert: $(program) ## undo the newest versions down to TO=12, or STEPS=1 (ENVIRONMENT=prod, there with FROM=14 unless it is throwaway; DRY_RUN=1)
	@$(workbench) revert $(database) $(call flag,to,TO) $(call flag,steps,STEPS) $(call flag,from,FROM) $(call flag,dry-run,DRY_RUN)

new: $(program) ## make the next script and its undo script: NAME="add orders"
	@$(workbench) new $(scripts) -- "$$GIVEN_NAME"

start: $(program) ## start the local PostgreSQL and print its URL
	@$(workbench) start

stop: $(program) ## end it
	@$(workbench) stop

clean: $(program) ## delete the local databases
	@$(workbench) clean

check: $(program) ## judge the branch's scripts before the merge, without a database (AGAINST=branch, FIX=1 adds missing .conf files)
	@$(workbench) check $(branch) $(call flag,fix,FIX)

rehearse: $(program) ## run them on a throw-away database and measure locks, rewrites, rows, undo (DATA=file.sql, ROLES=a,b, COPY=postgres://… of a restored copy)
	@$(workbench) rehearse $(branch) $(call flag,data,DATA) $(call flag,roles,ROLES)

review: $(program) ## both, as .slipway/review.html and .slipway/review.md
	@$(workbench) review $(branch) $(call flag,data,DATA) $(call flag,roles,ROLES) --html .slipway/review.html --markdown .slipway/review.md

image: ## build the image slipway:local
	"$${CDK_DOCKER:-docker}" build -f docker/Dockerfile -t slipway:local .

synth: needs-go ## synthesise the stacks into cdk.out; needs no account
	infra/cdk synth --quiet

deploy-local: needs-go ## deploy the real stacks and image to an emulator of AWS here, show the result, tear down
	go run ./infra/local $(call flag,sql,SQL)

test: needs-go ## all tests that need neither Docker nor AWS
	go test -timeout 30m ./...
	@go test -count=1 -v -run '^TestLinterIsAvailable$$' ./lambda/workbench/check | \
		sed -n 's/^ *check_test.go:[0-9]*: not run: the linter is missing: /the rules of SQL were not tested: /p'

test-race: needs-go ## the tests of the handler, with the race detector (fewer worlds of the differential tests: they are sequential)
	go test -race -short -timeout 30m $(addprefix ./lambda/,database event flyway history judge migrator plan report retry script serve session settings sqltext)

test-deploy: needs-go ## some twenty deployments to the emulator
	go test -tags deploy -count=1 -timeout 40m -v ./infra/local/...

test-builds: needs-go ## every command of the pipeline's build specs, from clean clones of HEAD
	go test -tags builds -count=1 -timeout 60m -v -run 'TestBuilds|TestReview' ./infra/pipeline

faults: needs-go ## inject every fault and print what was promised and seen (ONLY=pattern of names, as of go test -run)
	$(faults) -run "Test/($$GIVEN_ONLY)"

faults-table: needs-go ## the same, and write the table of its README
	$(faults) -update

differential: needs-go ## compare with Flyway in full: 200,000 made-up scripts with its parsers (SQL=folder: and its .sql files), all histories with its command line
	@SLIPWAY_LONG_TESTS=1 SLIPWAY_SQL_FILES="$${GIVEN_SQL:+$$(realpath -- "$$GIVEN_SQL")}" \
		go test -count=1 -timeout 120m -v -run 'FlywayReads|(Is|Are)Flyways' ./lambda/sqltext ./lambda/migrator

bench: needs-go ## Slipway beside what it replaces, goose and psql (QUICK=1: the short one)
	go run ./lambda/proof/benchmark $(call flag,quick,QUICK)

lint: needs-go ## gofmt, vet, staticcheck, a tidy go.mod
	@files=$$(gofmt -l infra lambda); test -z "$$files" || { echo "gofmt: $$files"; exit 1; }
	go vet -tags 'deploy builds faults' ./...
	go run $(staticcheck) -tags 'deploy builds faults' ./...
	go mod tidy -diff

lint-templates: needs-go ## cfn-lint and checkov on the synthesised templates
	infra/lint/run

class-list: needs-go ## make docker/flyway.classlist anew (new Flyway, driver or Java)
	go run ./infra/local/classlist

pin-images: needs-go ## write the digests of the base images into cdk.json, as their registries say
	go run ./infra/pin

rds-ca: ## make docker/rds-ca.pem anew and say what has expired
	node docker/rds-ca.mjs --write

ci: ## what CI runs
	bash .ci/run

$(program): needs-go FORCE
	@mkdir -p $(@D) && go build -o $@ ./lambda/workbench

needs-go:
	@command -v go >/dev/null || { echo "make: there is no go on PATH: install Go 1.26 or newer (https://go.dev/dl/)" >&2; exit 1; }

FORCE:
.PHONY: help run info plan doctor revert new start stop clean check rehearse review image synth deploy-local validate repair test test-race test-deploy test-builds faults faults-table differential bench lint lint-templates class-list pin-images rds-ca ci needs-go FORCE
