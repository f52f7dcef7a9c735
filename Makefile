SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
export PYTHONPATH := .:protos:clients/python

.PHONY: run test letter check books settings bench chaos protos help
.DEFAULT_GOAL := help

run: $(VENV)/.run  ## everything: environment, home, databases, all services; Ctrl-C stops it
	@exec $(PYTHON) -m services run

test: $(VENV)/.dev  ## the whole suite, on SQLite and on PostgreSQL
	@.ci/packages
	$(PYTHON) -m pytest -n 2 --dist loadgroup $(PYTEST)

# As typed: make would take a dollar sign in them for a variable.
letter: export LETTER_TEXT := $(value TEXT)
letter: export LETTER_FILE := $(value FILE)
letter: $(VENV)/.run  ## sends a letter to the running house and checks its receipt; TEXT=... FILE=...
	@exec $(PYTHON) -m services letter --text "$$LETTER_TEXT" $${LETTER_FILE:+--file "$$LETTER_FILE"}

check: $(VENV)/.dev  ## format, lint, types, protos, structure
	$(VENV)/bin/ruff format --check -q .
	$(VENV)/bin/ruff check -q .
	$(VENV)/bin/mypy
	cd protos && ../$(VENV)/bin/buf lint
	.ci/breaking
	$(MAKE) -s protos
	git diff --exit-code --stat -- protos
	$(PYTHON) -m pytest -q tests/structure

books: $(VENV)/.run  ## re-reads every letter and receipt and the whole log, of a running or a stopped house
	@exec $(PYTHON) -m services books

settings:  ## all settings with their values, secrets masked
	@exec $(firstword $(wildcard $(PYTHON)) python3) -m services settings

bench: $(VENV)/.dev  ## speed and memory beside Postfix and aiosmtpd, into tests/bench/RESULTS.md
	@.ci/packages
	$(PYTHON) -m tests.bench

chaos: $(VENV)/.dev  ## the long form of the tests under faults
	CHAOS=long $(PYTHON) -m pytest tests/chaos

protos: $(VENV)/.dev  ## generates the stubs beside the .proto files
	cd protos && PATH="../$(VENV)/bin:$$PATH" ../$(PYTHON) -m grpc_tools.protoc -I . --python_out=. --grpc_python_out=. \
		--mypy_out=quiet:. --mypy_grpc_out=quiet:. $$(find zwrotka -name '*.proto' | sort)

help:  ## this
	@echo "Targets:"
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'
	@echo; echo "Settings, from the environment or from the file that NAME_FILE names:"
	@exec $(firstword $(wildcard $(PYTHON)) python3) -m services settings

$(VENV)/.run: requirements.txt .ci/venv
	@.ci/venv requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt .ci/venv
	@.ci/venv requirements-dev.txt
	@touch $@ $(VENV)/.run
