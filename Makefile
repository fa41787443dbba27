# `make demo` tells the story, `make test` passes the tests; each sets up what it needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BUF_VERSION := 1.75.0
BUF := node_modules/.bin/buf
PYTHON := .venv/bin/python
# The file or files that `make demo` runs on instead of the sample.
DATA ?=
# The scenario that `make bench` measures instead of all, the one size of it, and 1 for the sizes that take
# under three minutes.
SCENARIO ?=
SIZE ?=
QUICK ?=
# The seed with which `make soak` begins, and how many histories it simulates.
SEED ?= 10000
HISTORIES ?= 100000

.PHONY: help
help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: ## Tell the story on this machine (DATA=report.csv tells it on a report of yours)
# The first build takes minutes, and cargo shows its progress.
	cargo build --bin tipoff
	@cargo run --quiet -- demo $(if $(DATA),--data $(DATA))

.PHONY: test
test: tools $(PYTHON) ## Run every test
	@if cargo nextest --version >/dev/null 2>&1; then \
		TIPOFF_PYTHON=$(CURDIR)/$(PYTHON) cargo nextest run --no-fail-fast; \
	else \
		TIPOFF_PYTHON=$(CURDIR)/$(PYTHON) cargo test --no-fail-fast; \
	fi
	cargo test --doc --quiet

.PHONY: soak
soak: tools $(PYTHON) ## Run crashes, power cuts and simulated histories for long (SEED=… HISTORIES=…)
	TIPOFF_CRASH_ROUNDS=300 cargo test --test crash -- --nocapture
	TIPOFF_POWER_CUT_ROUNDS=100 cargo test --test power_cut -- --nocapture
	TIPOFF_SEED=$(SEED) TIPOFF_HISTORIES=$(HISTORIES) cargo test --test simulation -- --nocapture
	TIPOFF_SEED=$(SEED) TIPOFF_LIVE_HISTORIES=100 cargo test --test live -- --nocapture

.PHONY: mutants
mutants: ## Break a promise on purpose, one way after the other, and see that a test fails
	python3 tests/mutants/run.py

.PHONY: lint
lint: $(BUF) ## Hold the code against its rules
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings
	$(BUF) lint
	$(BUF) format --diff --exit-code
	cargo test --quiet --test architecture
	python3 tests/mutants/run.py --check

.PHONY: bench
bench: ## Measure speed beside its limits: a table, a report, plots (SCENARIO=fan-out runs one, SIZE=100 one size of it, QUICK=1 the short form)
	QUICK=$(QUICK) SIZE=$(SIZE) cargo bench --bench exchange $(if $(SCENARIO),-- $(SCENARIO))

.PHONY: tools
tools: ## Install what the tests need: ext4 on loop devices, where this is root on Debian
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& ! { command -v mkfs.ext4 && command -v losetup && command -v mount; } >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq e2fsprogs mount util-linux; \
	fi

$(BUF):
	npm install --no-save --no-fund --no-audit --silent @bufbuild/buf@$(BUF_VERSION)

$(PYTHON): tests/interop/requirements.txt
	@if ! python3 -m venv .venv 2>/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq python3-venv; \
		python3 -m venv --clear .venv; \
	fi
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
