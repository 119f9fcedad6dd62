# `make help` lists the targets. Variables to set on the command line:
#   PYTHON=python3.12   the interpreter that .venv is made from (3.11 to 3.13)
#   ADLAKE_URI=...      the lake that `make run` works on
#   ARGS="..."          more arguments for `make run`, `make run-s3`, `make airflow` and `make bench`
#   S3_PORT=8333        where the server of `make s3` answers; S3_ARGS="..." more arguments for it
#   JOBS=2              how many test processes run at once

PYTHON ?= python3
JOBS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
PIP_INSTALL := $(UV) pip install --python $(BIN)/python

# Debian packages that `make test-all` needs besides what the locked requirements bring.
SYSTEM_PACKAGES := faketime strace chromium

# Each stamp lies in .venv, so that removing .venv removes what it says.
TOOLS := $(VENV)/.stamp-tools
CORE := $(VENV)/.stamp-core
DEV := $(VENV)/.stamp-dev
PROJECT := $(VENV)/.stamp-project

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup setup-dev wheel run airflow s3 s3-stop run-s3 test test-all test-rest test-slow test-airflow test-soak test-faults coverage check \
	format docs mutants sbom lock bench bench-quick clean \
	system-packages vega

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

setup: $(CORE) $(PROJECT) ## Make .venv with what adlake needs to run

setup-dev: $(DEV) $(PROJECT) ## Add to .venv all extras and the developer's tools

$(TOOLS): requirements/tools.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "adlake needs Python 3.11 to 3.13: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || \
		{ echo "This Python cannot make a venv; on Debian: apt-get install python3-venv" >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	PIP_USER=0 $(BIN)/python -m pip install --quiet --require-hashes -r requirements/tools.txt
	@touch $@

$(CORE): requirements/core.txt $(TOOLS)
	$(PIP_INSTALL) --require-hashes -r requirements/core.txt
	@touch $@

# The developer's requirements hold the core's, in the same versions.
$(DEV): requirements/dev.txt requirements/core.txt $(TOOLS)
	$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@touch $(CORE) $@

$(PROJECT): pyproject.toml $(TOOLS)
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

system-packages:
	@for package in $(SYSTEM_PACKAGES); do \
		dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" -ne 0 ]; then \
		echo "The tests need these system packages:$$missing" >&2; exit 1; \
	elif [ -n "$$missing" ]; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy $$missing; \
	fi

# The server of `make s3` and whoever works on it. It is for this machine, so its secret is none.
S3_PORT ?= 8333
S3_ARGS ?=
S3_KEYS := AWS_ACCESS_KEY_ID=adlake AWS_SECRET_ACCESS_KEY=adlake-on-this-machine
S3_ENVIRON := $(S3_KEYS) AWS_ENDPOINT_URL=http://127.0.0.1:$(S3_PORT) AWS_REGION=us-east-1

# Whether .s3/pid is the number of that server; after a reboot it may be anyone's.
S3_RUNS = pid="$$(cat .s3/pid 2>/dev/null)" && { cat "/proc/$$pid/cmdline" || ps -o args= -p "$$pid"; } \
	2>/dev/null | tr '\0' ' ' | grep -qF -- "-dir=$(CURDIR)/.s3/data "

s3: setup-dev ## Start an S3 server on this machine, its data in .s3/
	@mkdir -p .s3/data .s3/logs
	@if $(S3_RUNS); then echo "it runs already"; else \
		env $(S3_KEYS) GOMEMLIMIT=400MiB setsid $(BIN)/weed -logdir=.s3/logs mini "-dir=$(CURDIR)/.s3/data" \
			-ip=127.0.0.1 -ip.bind=127.0.0.1 -webdav=false -admin.ui=false \
			-master.telemetry=false -s3.port=$(S3_PORT) -s3.port.iceberg=0 -s3.port.lance=0 \
			-bucket=lake $(S3_ARGS) >.s3/logs/out.log 2>&1 </dev/null & echo $$! >.s3/pid; \
	fi
	@for wait in 1 2 3 4 5 6 7 8 9; do \
		env $(S3_ENVIRON) $(BIN)/adlake doctor --lake s3://lake/main >.s3/logs/doctor.log 2>&1 && break; \
		test $$wait -lt 9 || { cat .s3/logs/doctor.log >&2; exit 1; }; sleep 1; \
	done
	@echo "To work on it:"; printf '  export %s\n' $(S3_ENVIRON) ADLAKE_URI=s3://lake/main

s3-stop: ## Stop the server of `make s3`; its data stays
	@while $(S3_RUNS); do kill -9 "$$pid"; sleep 0.1; done; rm -f .s3/pid

run-s3: s3 ## Run the whole pipeline on the server of `make s3`
	env $(S3_ENVIRON) $(BIN)/adlake run --lake s3://lake/main $(ARGS)

wheel: setup ## Build the wheel, dist/adlake-*.whl, to install elsewhere
	$(BIN)/python -m hatchling build -t wheel -d dist

run: setup ## Run the whole pipeline on the lake at ADLAKE_URI (default: ./lake)
	$(BIN)/adlake run $(ARGS)

airflow: setup-dev ## Start Airflow with the DAGs on http://127.0.0.1:8080, until Ctrl-C
	@$(BIN)/python scripts/airflow_local.py $(ARGS)

# A module of tests stays in one process, so that what it prepares is prepared once.
test: setup-dev ## Run the quick tests
	$(BIN)/python -m pytest -m "not slow and not airflow and not faults and not browser and not cluster and not soak" \
		-n $(JOBS) --dist loadscope

test-all: coverage test-rest ## Run all tests: also the slow ones, Airflow's and those with faults

# Airflow gets a process of its own, as it changes logging, warnings and the environment when it
# is imported, and a home in .venv, so that it neither reads nor writes the user's.
AIRFLOW_PYTEST := AIRFLOW_HOME="$(CURDIR)/$(VENV)/airflow" $(BIN)/python -m pytest

test-rest: test-slow test-airflow

test-slow: setup-dev system-packages
	$(BIN)/python -m pytest -m "(slow or faults or browser or cluster) and not airflow and not soak" -n $(JOBS) --durations=60

test-airflow: setup-dev system-packages
	$(AIRFLOW_PYTEST) -m "airflow and not soak" --durations=20

test-soak: setup-dev system-packages ## Run the longest tests: random histories of deliveries, kills on every request
	$(BIN)/python -m pytest -m "soak and not airflow" -n $(JOBS)
	$(AIRFLOW_PYTEST) -m "soak and airflow"

# Not the histories in memory, which have no run to break, and neither clusters nor Airflow, whose
# faults are in test-rest.
test-faults: setup-dev system-packages ## Run what kills, breaks or races a run on one machine, also the longest (hours)
	$(BIN)/python -m pytest --ignore=tests/merge -m "(faults or soak) and not airflow and not cluster" -n $(JOBS)

coverage: setup-dev ## Run the quick tests and hold the branches of the rules, and all of pure modules, to at least 95 %
	@mkdir -p build
	$(BIN)/python -m pytest -q -m "not slow and not airflow and not faults and not browser and not cluster and not soak" \
		-n $(JOBS) --dist loadscope --cov --cov-report= --durations=60
	$(BIN)/coverage json -q -o build/coverage.json
	$(BIN)/python scripts/hold_coverage.py build/coverage.json

mutants: setup-dev ## Change the rules of rows and of who wins bit by bit, list those that no test sees, and hold the others to 85 % (an hour)
	$(BIN)/mutmut run --max-children $(JOBS)
	$(BIN)/mutmut results --all true | $(BIN)/python scripts/hold_mutants.py

check: setup-dev ## Check format, style, types, layers, SQL and that the locked packages fit
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint sql
	$(UV) pip check --python $(BIN)/python

format: setup-dev ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/sqlfluff fix sql

docs: setup-dev ## Make the tables of docs/kpis.md and docs/licences.md
	$(BIN)/python -m tests.docs.made_tables

# Of an environment with nothing but the core, so that the graph of what needs what is whole.
sbom: setup-dev ## Write what adlake brings with it as a CycloneDX file, build/sbom.json
	@rm -rf build/sbom && mkdir -p build
	$(UV) venv --quiet --no-project --python $(BIN)/python build/sbom
	$(UV) pip install --quiet --python build/sbom/bin/python --require-hashes -r requirements/core.txt
	$(BIN)/cyclonedx-py environment build/sbom/bin/python --pyproject pyproject.toml \
		--output-reproducible --output-file build/sbom.json

bench: s3 ## Run the benchmarks, with the server of `make s3` (half an hour; ARGS=--long: jobs of 100,000,000 rows)
	env $(S3_ENVIRON) $(BIN)/python -m benchmarks.run $(ARGS)

bench-quick: s3 ## See in two minutes whether all benchmarks work, on few rows; keeps no results
	env $(S3_ENVIRON) $(BIN)/python -m benchmarks.run --quick $(ARGS)

# All three files come from one resolution, so a package has the same version in each. It is made
# in a folder of its own: uv.lock names a registry's host, and the requirements name none.
EXPORT = $(CURDIR)/$(UV) export --quiet --frozen --no-emit-project --no-header

lock: $(TOOLS) ## Lock the newest allowed versions into requirements/
	@set -e; new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; \
	mkdir "$$new/pipeline"; cp pipeline/__init__.py "$$new/pipeline"; \
	cp pyproject.toml README.md LICENSE "$$new"; cd "$$new"; export UV_PYTHON="$(CURDIR)/$(BIN)/python"; \
	$(CURDIR)/$(UV) lock; \
	for name in core dev tools; do echo '# Made by `make lock`.' > $$name.txt; done; \
	$(EXPORT) >> core.txt; \
	$(EXPORT) --extra dev >> dev.txt; \
	$(EXPORT) --only-group tools >> tools.txt; \
	if grep -n '://' core.txt dev.txt tools.txt; then echo 'A requirement names a host' >&2; exit 1; fi; \
	for name in core dev tools; do \
		cmp -s $$name.txt "$(CURDIR)/requirements/$$name.txt" || \
			cp $$name.txt "$(CURDIR)/requirements/$$name.txt"; \
	done

vega: setup-dev ## Bundle anew what draws the charts of the HTML report
	$(BIN)/python -c 'import vl_convert; print(vl_convert.javascript_bundle(), end="")' \
		> pipeline/report/assets/vega.js

clean: ## Remove .venv, caches and build files; never a lake, an export or .s3
	rm -rf $(VENV) build dist mutants *.egg-info htmlcov .coverage .coverage.* \
		.hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find pipeline dags tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
