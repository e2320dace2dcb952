# Everything lives in .venv. Each target that needs it builds it first; a second time takes no time.
PYTHON ?=
export PYTHON

PY := .venv/bin/python
# A command in the environment of the tests: it sees neither .env nor what the caller exported.
PRIVATELY := $(PY) -m tests.environment
CODE := kommobridge bots llm sandbox tests scripts manage.py
TEMPLATES := $(wildcard templates bots/templates kommobridge/templates sandbox/templates)
REAL := processes or browser or chaos
# What `make check` has time for: everything of a tenant and of the protocol, without sockets and the widget's zips.
QUICK := tests/bots --ignore=tests/bots/widget tests/kommobridge/base
PIP_COMPILE := $(PY) -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help setup dev-setup static system demo test check lint types contracts migrations format cover statements bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: ## Build .venv from the hash lock, write secrets into .env, collect static files
	@python=$$(sh scripts/find-python.sh) && "$$python" scripts/install.py run
	@$(PY) scripts/write_env.py
	@$(PY) -m scripts.collect_static
	@echo "Environment, .env and static files are in place."

dev-setup: ## The same .venv with the tools for tests and checks
	@python=$$(sh scripts/find-python.sh) && "$$python" scripts/install.py dev

static: dev-setup
	@$(PY) -m scripts.collect_static

system: ## As root: install the Debian packages that tests need (chromium, postgresql, nodejs)
	@bash scripts/system.sh

demo: setup ## Everything for a first look: database, demo account, sandbox, web and worker; Ctrl-C ends it
	@$(PY) manage.py demo

test: system static ## All checks and all tests, on SQLite and PostgreSQL
	@$(MAKE) -j 2 lint types contracts migrations
	@bash scripts/tests.sh

check: lint types contracts ## The quick part: lint, types, import contract, unit tests
	@$(PY) -m pytest -q -n 2 -m "not ($(REAL) or postgres)" $(QUICK)

lint: dev-setup ## Style of code and templates
	@$(PY) -m ruff check --quiet --output-format concise .
	@told=$$($(PY) -m ruff format --check . 2>&1) || { echo "$$told"; exit 1; }
	@if [ -n "$(TEMPLATES)" ]; then $(PY) -m djlint --quiet --lint $(TEMPLATES); fi

types: dev-setup ## Type hints, strictly
	@$(PRIVATELY) $(PY) -m mypy --no-error-summary $(CODE)

contracts: dev-setup ## Who may import whom
	@told=$$($(PY) -c 'from importlinter.cli import lint_imports_command as check; check()' --no-logo 2>&1) || { echo "$$told"; exit 1; }

migrations: dev-setup ## Whether every change of a model has its migration
	@$(PRIVATELY) $(PY) manage.py makemigrations --check --dry-run

format: dev-setup ## Put code into its usual form
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format .

cover: dev-setup ## Which lines no test reaches
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest -q -m "not ($(REAL))"
	@$(PY) -m coverage combine --quiet && $(PY) -m coverage report

statements: dev-setup ## How many statements on Kommo a test proves of the sandbox; fails when one has none
	@$(PY) -m scripts.statements

bench: static ## Measure speed beside a bare baseline; ARGS="--embedded --rates 5,20", see docs/benchmarks.md
	@$(PRIVATELY) $(PY) -m tests.benchmarks $(ARGS)

lock: dev-setup ## Make the locks anew after a change of requirements*.txt; UPGRADE=1 takes newer versions
	@$(PY) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Locks are made with Python 3.11: make lock PYTHON=python3.11" >&2; exit 1; }
	@echo "requirements.lock (up to a minute)"
	@CUSTOM_COMPILE_COMMAND="make lock" $(PIP_COMPILE) --output-file requirements.lock requirements.txt
	@echo "requirements-dev.lock (up to a minute)"
	@CUSTOM_COMPILE_COMMAND="make lock" $(PIP_COMPILE) --constraint requirements.lock --output-file requirements-dev.lock requirements-dev.txt

clean: ## Remove caches and collected files; .venv, .env and data stay
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov var/static
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
