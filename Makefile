# Every target that people and CI use. `make help` prints this list.
SHELL := /bin/sh
.DEFAULT_GOAL := help
T ?=
NAME ?= im-archived
export NPM_CONFIG_LOGLEVEL ?= error
RUN := sh tools/node.sh

.PHONY: help install web run dev reset test check format contracts docs test-pool test-browser test-conformance backends bench load chaos

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

install: node_modules/.installed ## install what package-lock.json names (no install scripts run)

node_modules/.installed: package-lock.json
	npm ci
	@touch $@

web: install ## build the web client, which the server serves; `make run` does it by itself
	@$(RUN) tools/web.ts

run: install ## start the standalone edition with a demo organisation; data stays in ./data
	@$(RUN) tools/run.ts

dev: install ## as run, restarting when a source file changes
	@$(RUN) tools/run.ts --watch

reset: ## forget the data of `make run`
	rm -rf data

test: install ## everything that needs only Node; T=name runs the test files whose path contains it
	@$(RUN) tools/test.ts $(if $(T),--only "$(T)")

check: install ## types, lint, format, architecture, drift of generated code and docs, licences
	@$(RUN) tools/check.ts

test-pool: install ## the contract suites and scenarios on real NATS, Kafka and a MongoDB-wire database
	@$(RUN) tools/test.ts --pool $(if $(T),--only "$(T)")

test-browser: install ## the web client in real Chromium (installed on Debian when missing); keeps screenshots
	@$(RUN) tools/test.ts --browser $(if $(T),--only "$(T)")

test-conformance: install ## connectconformance, grpcurl and other foreign clients against our listeners (needs Go once)
	@$(RUN) tools/test.ts --conformance $(if $(T),--only "$(T)")

backends: install ## build the servers that test-pool uses (once; cached outside the checkout)
	@$(RUN) tests/backends/src/cli.ts build

contracts: install ## generate packages/contracts from proto/
	@$(RUN) tools/contracts.ts

docs: install ## generate docs/reference
	@$(RUN) tools/docs.ts

format: install ## format the sources
	node_modules/.bin/biome check --write .

bench: install ## measure one claim: make bench NAME=im-archived
	@$(RUN) bench/run.ts "$(NAME)"

load: install ## live the published user model with k6: make load USERS=200 DURATION=60s TOPOLOGY=standalone|pool
	@$(RUN) tests/load/run.ts

chaos: install ## break a pool under traffic by chance and print the reconciliation: make chaos MINUTES=10 SEED=1 SESSIONS=500 ONLY=Kafka
	@$(RUN) tests/chaos/src/chaos.ts $(if $(MINUTES),--minutes "$(MINUTES)") $(if $(SEED),--seed "$(SEED)") $(if $(SESSIONS),--sessions "$(SESSIONS)") $(if $(ONLY),--only "$(ONLY)")
