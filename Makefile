SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
export PYTHONPATH := .:protos:clients/python

.PHONY: check test protos

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check -q .
	$(VENV)/bin/ruff check -q .
	$(VENV)/bin/mypy
	cd protos && ../$(VENV)/bin/buf lint

test: $(VENV)/.dev
	$(PYTHON) -m pytest

protos: $(VENV)/.dev
	cd protos && PATH="../$(VENV)/bin:$$PATH" ../$(PYTHON) -m grpc_tools.protoc -I . --python_out=. --grpc_python_out=. \
		--mypy_out=quiet:. --mypy_grpc_out=quiet:. $$(find zwrotka -name '*.proto' | sort)

$(VENV)/.dev: requirements-dev.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -q --require-hashes -r requirements-dev.txt
	touch $@
