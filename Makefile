# The project's commands. `make demo` and `make test` set up what they need in .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint types format schema clients wheel clean

demo: $(STAMP)
	@$(BIN)/trunkline demo

test: $(STAMP)
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Client software for tests/clients; without it those tests are skipped.
clients:
	cd tests/clients/node && npm install --no-save --silent

schema: $(STAMP)
	$(BIN)/python -m trunkline_protocol.generate

wheel: $(STAMP)
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist

clean:
	rm -rf .venv* dist .pytest_cache .ruff_cache .hypothesis

# pip 25.1 is the first that reads dependency groups.
$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@
