# What one can do here; `make help` lists it. Every target works in a fresh clone.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup tools check format test test-long coverage demo bench docs lock clean

BIN := .venv/bin
STAMP := .venv/.ready
PYTEST := $(BIN)/python -m pytest

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) tools ## make .venv from the lock file, install the tools that tests need

$(STAMP): requirements/dev.txt pyproject.toml scripts/setup.sh
	@scripts/setup.sh

tools:
	@scripts/tools.sh

check: $(STAMP) ## format, lint, types, import contracts: what must be green before review
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## rewrite the sources in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

test: setup check ## the whole suite, as CI runs it
	$(PYTEST) -n 2 --dist loadfile -m "not long"

test-long: setup ## the heavier sweeps: faults at every step, large files
	$(PYTEST) -m long

coverage: setup ## the suite again, with the lines and branches that it never runs
	$(PYTEST) -n 2 --dist loadfile -m "not long" --cov --cov-report=term-missing:skip-covered

demo: $(STAMP) ## start a server, import 28,000 airports, show what was rejected (KEEP=1: leave it running)
	@$(BIN)/python demo/run.py $(if $(filter-out 0,$(KEEP)),--keep)

bench: $(STAMP) ## measure the promised ratios on this machine
	@$(BIN)/python bench/run.py

docs: $(STAMP) ## write the generated reference pages anew
	$(BIN)/python scripts/generate_reference.py

lock: $(STAMP) ## resolve the dependencies anew within their bounds
	$(BIN)/python scripts/lock.py --upgrade
	@touch $(STAMP)

clean: ## remove what was built or measured; keeps .venv
	rm -rf .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist bench/.data
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
