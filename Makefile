# make chat   installs what Ibid needs, adds the bundled corpus, opens the chat page
# make test   all checks and tests; `make` alone lists the rest

.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON  ?= python3
LIBRARY ?= library
CORPUS  ?= ingest/corpus/huggingface-papers.txt
PORT    ?= 7860

VENV := .venv
BIN  := $(VENV)/bin
# Stamps carry the digest of what was installed: switching branches back and forth installs again only when needed.
RUN_STAMP := $(VENV)/.run-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
DEV_STAMP := $(VENV)/.dev-$(shell cat requirements-dev.lock pyproject.toml | cksum | cut -d' ' -f1)
UV_INSTALL = VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: help chat test test-all test-local check bench lock format captures clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

chat: $(RUN_STAMP)  ## the chat page on 127.0.0.1; PORT=, LIBRARY=, CORPUS= choose others
	@$(BIN)/ibid add --library '$(LIBRARY)' '$(CORPUS)'
	@exec $(BIN)/ibid serve --library '$(LIBRARY)' --port '$(PORT)'

test: check  ## all checks, then the tests (some need a browser: see CONTRIBUTING.md)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-all: check  ## the same, with the tests that take minutes
	$(BIN)/python -m pytest -n 2 --dist loadfile

# Without a file that is there the tests skip, and say so. The runtime is installed from its own lock, for this only.
LOCAL_MODEL_FILE ?= $(or $(IBID_MODELS),$(HOME)/.local/share/ibid-models)/qwen2.5-coder-1.5b.gguf
test-local: $(DEV_STAMP)  ## asks a real local model (slow); LOCAL_MODEL_FILE= names its GGUF file
	@if [ -f '$(LOCAL_MODEL_FILE)' ]; then $(UV_INSTALL) --require-hashes -r requirements-local.lock; \
	    else echo "No model at $(LOCAL_MODEL_FILE): the tests skip. Get it with: $(BIN)/ibid model pull"; fi
	LOCAL_MODEL_FILE='$(LOCAL_MODEL_FILE)' $(BIN)/python -m pytest -rs tests/test_local_engine.py

check: $(DEV_STAMP)  ## format, lint, types, import law, generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/generated_pages.py --check

bench: $(DEV_STAMP)  ## measures speed and prints the tables of docs/benchmarks.md
	$(BIN)/python -m benchmarks

lock: | $(BIN)/uv  ## resolves the locks again from pyproject.toml
	$(BIN)/uv pip compile requirements-tools.in --upgrade $(LOCK_FLAGS) -o requirements-tools.lock
	$(BIN)/uv pip compile pyproject.toml --upgrade $(LOCK_FLAGS) -o requirements.lock
	$(BIN)/uv pip compile requirements-local.in --upgrade $(LOCK_FLAGS) -o requirements-local.lock
	$(BIN)/uv pip compile pyproject.toml --upgrade --extra dev --extra evals -c requirements.lock $(LOCK_FLAGS) -o requirements-dev.lock

LOCK_FLAGS := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

format: $(DEV_STAMP)  ## formats the code and writes the generated docs
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python tools/generated_pages.py

captures: $(DEV_STAMP)  ## renews the README's terminal capture and pictures
	$(BIN)/python tools/captures.py

clean:  ## removes the environment and caches, never a library
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Ibid needs Python 3.11 or newer; $(PYTHON) is older or missing. Name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	    || { rm -rf $(VENV); echo "Python's venv module is missing; install it: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) (once; about 800 MB) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tools.lock

$(RUN_STAMP): | $(BIN)/uv
	@$(UV_INSTALL) --require-hashes -r requirements.lock
	@$(UV_INSTALL) --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.run-* && touch $@

$(DEV_STAMP): $(RUN_STAMP)
	@$(UV_INSTALL) --require-hashes -r requirements-dev.lock
	@rm -f $(VENV)/.dev-* && touch $@
