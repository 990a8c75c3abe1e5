# Every target sets up what it needs, can be repeated, and works after `git clean -xfd`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# npm puts node_modules/.bin first, where the pinned Node is; the machine's own Node may be older.
RUN := npm run --silent
SOURCES := $(shell find core build -name '*.ts' -not -name '*.generated.*') package.json package-lock.json

.PHONY: help setup setup-test gen build check test test-slow mutants fuzz demo bench fix clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what building needs: npm packages, the pinned Node, a C compiler
	@build/setup.sh build

setup-test:
	@build/setup.sh test

gen: setup
	@$(RUN) gen

build: gen dist/apiscp-backup ## build dist/: the single executable, the bundle, the schemas

dist/apiscp-backup: $(SOURCES) | gen
	@$(RUN) build

check: gen ## types, lint, format and the borders between the folders
	@$(RUN) typecheck
	@$(RUN) lint

test: setup-test build check ## all tests (root)
	@$(RUN) test

test-slow: setup-test build check ## all tests, with wider random and larger trees (root)
	@$(RUN) test-slow

mutants: setup-test gen ## remove one guard after the other, and report those that no test misses (root)
	@$(RUN) mutants

fuzz: setup-test gen ## try new inputs at every parser of what others wrote; SECONDS=600 (root)
	@SECONDS=$(or $(SECONDS),120) $(RUN) fuzz

demo: setup-test build ## back up, damage and restore three real accounts, and compare every property (root)
	@$(RUN) demo

bench: setup build ## speed and memory beside restic, borg, duplicity, tar, dar; SIZE=small|medium|large (root)
	@SIZE=$(or $(SIZE),small) $(RUN) bench

fix: setup ## format and repair what the linter can
	@$(RUN) fix

clean: ## remove what was built; node_modules stays
	@rm -rf dist .demo .bench .fuzz .stamps
	@find core test -name '*.generated.*' -delete
