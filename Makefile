# Two commands: `make repro` and `make test`. Both set up .venv from the hashed locks first.

SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# All cores, but four at most: each may run a browser and the pipeline. A file stays together.
PYTEST := python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile
PIP_INSTALL := $(VENV)/bin/python -m pip install --quiet --no-deps --require-hashes

.DEFAULT_GOAL := help
.PHONY: help repro plots check test mutants bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

repro: $(VENV)/run .dvc/plots_page.html ## Run the pipeline: whatever changed since last time, then the result
	@python -m pipeline.params
	@dvc repro
	@python -m tools.summary

plots: repro ## Draw all plots on one page, which opens without a network
	@dvc plots show

check: $(VENV)/dev ## Lint, types and the unit tests: under a minute, for while you work
	@ruff check --quiet . && ruff format --check --quiet .
	@mypy
	@$(PYTEST) -m "not slow"

test: check ## All of check, then the real graph, registries and browser
	@$(PYTEST) -m slow

mutants: $(VENV)/mutants ## Change the code on purpose, see what the unit tests notice (an hour or more)
	@python -m tools.mutants

bench: $(VENV)/bench ## Time the search beside its peers, and how it grows (two hours)
	@python -m stages.download
	@python -m benchmarks.search
	@python -m benchmarks.growth

lock: $(VENV)/dev ## Compile the .in files into the hashed locks, with the newest versions
	@for set in requirements requirements/dev requirements/bench requirements/mutants; do \
	  uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header $$set.in -o $$set.txt; done

clean: ## Remove the environment and DVC's cache; results stay
	@rm -rf $(VENV) .dvc/cache .dvc/tmp

# A stamp is written last: an interrupted set-up is begun anew.
$(VENV)/run: requirements.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v[:2] == (3, 11) or sys.exit( \
	  f"make: PYTHON is Python {v[0]}.{v[1]}; allowed: Python 3.11 (make PYTHON=/path/to/python3.11)")'
	@echo "Setting up $(VENV) (a minute or two, once)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

.dvc/plots_page.html: $(VENV)/run tools/plots_page.py
	@python -m tools.plots_page

$(VENV)/dev: $(VENV)/run requirements/dev.txt
	@echo "Adding the tests' packages"
	@$(PIP_INSTALL) -r requirements/dev.txt
	@touch $@

$(VENV)/mutants: $(VENV)/dev requirements/mutants.txt
	@echo "Adding what changes the code"
	@$(PIP_INSTALL) -r requirements/mutants.txt
	@touch $@

$(VENV)/bench: $(VENV)/run requirements/bench.txt
	@echo "Adding the benchmarks' packages"
	@$(PIP_INSTALL) -r requirements/bench.txt
	@touch $@
