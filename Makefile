# Every target sets up what it needs. CI runs the same targets.
PYTHON ?= python3
VENV := .venv
SPARK := .venv-spark
AUDIT := .venv-audit
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE :=

.PHONY: console console-check screenshots help setup setup-spark lock check format test test-fast demo up bench docs clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready $(SPARK)/.ready ## Install what the project needs, in two virtual environments here

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Decant needs Python 3.11 or later; this is " + sys.version)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes -r requirements.txt -d $(VENV)/wheels
	touch $@

$(SPARK)/.ready: requirements-spark.txt
	test -x $(SPARK)/bin/python || $(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-spark.txt
	$(SPARK)/bin/python local_aws/glue_runtime/class_archive.py 2>/dev/null
	touch $@

$(AUDIT)/.ready: requirements-audit.txt
	test -x $(AUDIT)/bin/python || $(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	touch $@

lock: ## Resolve requirements/*.in again into the pinned, hashed files
	./requirements/lock

check: $(VENV)/.ready $(AUDIT)/.ready ## Lint, types, security, import contracts, workflow and template lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive app.py chalicelib cli glue_scripts infrastructure local_aws 2>/dev/null # its log names each nosec of a line
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/decant workflows lint
	$(BIN)/python -m infrastructure.lint
	$(BIN)/python -m infrastructure.audit
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet --no-progress .github

format: $(VENV)/.ready ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: setup ## Run the whole suite: unit, integration, workflows, acceptance
	$(BIN)/python -m pytest

test-fast: $(VENV)/.ready ## Run the unit tests only (seconds)
	$(BIN)/python -m pytest tests/unit

demo: setup ## Load the sample files on this machine and show what happened to each
	$(BIN)/decant demo

up: setup ## Start the embedded AWS with Decant on it, and stay
	$(BIN)/decant up

docs: $(VENV)/.ready ## Write the pages that are made from the code
	$(BIN)/python -m cli.documentation
	$(BIN)/python -m local_aws.reality --write

console: ## Build the console's pages again, from console/ (needs Node 20.19 or later)
	cd console && npm ci --no-audit --no-fund && npm run build

console-check: console ## Fail unless the committed pages are what the source builds
	git diff --exit-code --stat chalicelib/console
	test -z "$$(git status --porcelain chalicelib/console)"

screenshots: setup ## Take the pictures of docs/console.md again
	CONSOLE_SCREENSHOTS=docs/images/console $(BIN)/python -m pytest tests/console/test_screenshots.py -n 0

bench: setup ## Measure, and write benchmarks/results.json
	$(BIN)/python -m benchmarks

clean: ## Remove the environments and all local state
	rm -rf $(VENV) $(SPARK) $(AUDIT) .decant .decant-demo .pytest_cache .mypy_cache .ruff_cache
