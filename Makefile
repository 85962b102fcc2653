# Two commands: `make repro` and `make test`. Both set up .venv from the hashed locks first.

SHELL := /bin/sh
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# dvc asks for the user's name, which a container may not know, and for a HOME.
export LOGNAME := $(or $(LOGNAME),$(firstword $(shell id -un 2>/dev/null || id -u)))
ifneq ($(shell [ "$$HOME" ] && [ -d "$$HOME/." ] && [ -w "$$HOME" ] && echo ours),ours)
export HOME := $(CURDIR)/.dvc/tmp/home
endif
# What would bring other modules in, or stop ours from coming.
unexport PYTHONHOME PYTHONINSPECT PYTHONPATH PYTHONPLATLIBDIR PYTHONSAFEPATH PYTHONUSERBASE
COMPILE := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header
# All cores, but four at most: each may run a browser and the pipeline. A file stays together, and
# the files begin in the order of tests/conftest.py.
PYTEST := python -m pytest --numprocesses logical --maxprocesses 4 \
  --dist loadfile --no-loadscope-reorder
SEED := $(shell date +%s)

.DEFAULT_GOAL := help
.PHONY: help repro report gate reproduced plots pairs verify check test test-all dev lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

repro: $(VENV)/run .dvc/plots_page.html ## Run the pipeline: whatever changed since last time, then the result
	@python -m tools.repro

report: $(VENV)/run ## What a change did, in report.md and report.html; BASE=main names what to compare with
	@python -m tools.report $(if $(BASE),'$(BASE)')

gate: $(VENV)/run ## Judge the change by the limits of gate.yaml; BASE as above
	@python -m tools.gate $(if $(BASE),'$(BASE)')

reproduced: $(VENV)/run ## Does the code give what is committed, byte for byte? ANEW=1 runs every stage
	@python -m tools.reproduced $(if $(ANEW),--anew)

plots: repro ## Draw all plots on one page, which opens without a network
	@dvc plots show

pairs: repro ## Run every pair of digits that is missing, show all 45 in docs/ (ten minutes or more)
	@python -m tools.pairs

verify: $(VENV)/run ## Hash results and cache anew; FIX=1 gets back what is damaged
	@python -m tools.health $(if $(FIX),--fix)

.PHONY: lint
lint: $(VENV)/dev
	@ruff check --quiet . && ruff format --check --quiet .
	@oxfmt --check figures/explorer_page/*.js >/dev/null || oxfmt --list-different figures/explorer_page/*.js
	@mypy

check: lint ## Lint, types and the unit tests: a minute, for while you work
	@$(PYTEST) -m "not slow and not long"

test: lint ## All of check, the real graph and a browser: some minutes
	@$(PYTEST) -m "not long"

test-all: lint ## All of test, what takes long, and property tests drawn at random
	@echo 'Property tests draw at random; the same again: make test-all SEED=$(SEED)'
	@$(PYTEST) --hypothesis-profile=random --hypothesis-seed=$(SEED)

dev: $(VENV)/dev ## Set up .venv with what developers, remotes in S3 and clusters need; runs nothing

lock: $(VENV)/run ## Compile the .in files into the hashed locks, with the newest versions
	@for set in requirements requirements/setup requirements/dev; do $(COMPILE) $$set.in -o $$set.txt; done

# A stamp is written last: an interrupted set-up is begun anew. The first one says whose environment
# it is. After the project was moved, the Python replaced, or for another `make PYTHON=...`: anew.
OWNER := $(shell cat $(VENV)/run 2>&1)
ASKED := $(CURDIR) $(shell '$(or $(PYTHON),$(VENV)/bin/python)' -V 2>&1 || :)
ifneq ($(OWNER),$(ASKED))
.PHONY: $(VENV)/run
endif

$(VENV)/run: requirements.txt requirements/setup.txt
	@sh tools/set_up.sh $(if $(PYTHON),'$(PYTHON)')

.dvc/plots_page.html: $(VENV)/run tools/plots_page.py
	@python -m tools.plots_page

$(VENV)/dev: $(VENV)/run requirements/dev.txt
	@python -m tools.set_up requirements/dev.txt
	@touch $@
