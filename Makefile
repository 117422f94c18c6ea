VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= python3
OLDEST_PYTHON := 3.11
# Most of a small query is planning, on one core: two Spark sessions side by side, not more.
IN_PARALLEL := --numprocesses=2 --dist=loadfile --no-loadscope-reorder --durations=20

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-recorded demo-real show test test-fast fmt check lock docs wheel

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(STAMP) ## Virtual environment with genie-loop and its tools, from the lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "genie-loop needs Python $(OLDEST_PYTHON) or newer; this is: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Install one and name it, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
	  exit 3; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV), a few minutes the first time ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## The whole loop on the sample space: baseline, changes, gate, until its target
	$(BIN)/genie-loop demo

demo-recorded: setup ## From recorded answers to proposals: load, evaluate, cluster, propose, batch
	$(BIN)/genie-loop load samples/bike_share
	$(BIN)/genie-loop run --no-wait
	@$(MAKE) --no-print-directory show

demo-real: setup ## The same on two real databases with every recorded system: GENIE_LOOP_DATA=...
	@test -n "$(GENIE_LOOP_DATA)" || { \
	  echo "Name the folder of the real databases: make demo-real GENIE_LOOP_DATA=../shared/data" >&2; \
	  exit 2; }
	$(BIN)/genie-loop load $(GENIE_LOOP_DATA)/superhero
	$(BIN)/genie-loop load $(GENIE_LOOP_DATA)/world_1
	$(BIN)/genie-loop run --no-wait
	@$(MAKE) --no-print-directory show

show:
	$(BIN)/genie-loop status
	$(BIN)/genie-loop clusters
	$(BIN)/genie-loop proposals
	$(BIN)/genie-loop batches

test: setup ## All tests, the slow ones too
	$(BIN)/python -m pytest -m "slow or not slow" $(IN_PARALLEL)

test-fast: setup ## The tests that take no kills and no whole loops
	$(BIN)/python -m pytest $(IN_PARALLEL)

fmt: setup ## Format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: setup ## Lint, format, types, direction of imports, consistency of the lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pip check

lock: setup ## Lock file from pyproject.toml, without the address of any index
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version $(OLDEST_PYTHON) \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet \
	  --output-file requirements.lock

docs: setup ## The generated documents
	$(BIN)/genie-loop tables docs > docs/tables.md.new
	mv docs/tables.md.new docs/tables.md
	$(BIN)/python -c 'from transforms.judge_docs import judges_markdown as md; print(md(), end="")' \
	  > docs/judges.md.new
	mv docs/judges.md.new docs/judges.md

wheel: setup ## The wheel that the bundle deploys, in dist
	$(BIN)/uv build --wheel
