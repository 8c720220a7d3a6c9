# The project's commands. `make demo` and `make test` set up what they need in .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NVIM_VENV := tests/clients/nvim/.venv
VSCODE := editors/vscode

.PHONY: demo test lint types format schema corpus clients vscode test-vscode docs picture wheel bench clean

demo: $(STAMP)
	@$(BIN)/trunkline demo

test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Client software for tests/clients, as far as it needs no root; without it those tests are skipped.
clients:
	test -x $(NVIM_VENV)/bin/python || $(PYTHON) -m venv $(NVIM_VENV)
	$(NVIM_VENV)/bin/python -m pip install --quiet --require-hashes -r tests/clients/nvim/requirements.txt
	@if command -v npm >/dev/null; then \
	(cd tests/clients/node && npm install --no-save --silent) && (cd $(VSCODE) && npm install --silent); \
	else echo "Left for you: node and npm (Debian: nodejs npm), then make clients again."; fi
	@command -v emacs >/dev/null || echo "Left for you: Emacs and eglot (Debian: emacs-nox elpa-eglot)."
	@command -v vim >/dev/null || echo "Left for you: Vim and ALE (Debian: vim vim-ale)."

# The extension for VS Code: types, and the package that is installed.
vscode: clients
	cd $(VSCODE) && npm run --silent check && npm run --silent package

# VS Code itself in a headless browser, and pages in it. What it needs is about 900 MB; Debian: chromium.
test-vscode: clients $(STAMP)
	tests/clients/vscode/install.sh
	TRUNKLINE_TEST_CLIENTS=code-server,chromium $(BIN)/python -m pytest \
	tests/clients/test_code_server.py tests/clients/test_browser.py

schema: $(STAMP)
	$(BIN)/python -m trunkline_protocol.generate
	$(BIN)/python -m trunkline.config.generate

# How many recordings of ../shared/corpus every decoder reads exactly, and why not where it does not.
corpus: $(STAMP)
	$(BIN)/python tests/corpus_score.py

# The site in dist/site, with broken links as errors, and everything that the pages say can be run.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	$(BIN)/python -m pytest tests/docs

# The picture in README, recorded anew from the real program.
picture: $(STAMP)
	$(BIN)/python docs/make_picture.py docs/images/demo.svg

wheel: $(STAMP)
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist

# Trunkline beside other programs, which are installed into benchmarks/.peers as far as they can be; needs node.
# Prints tables of ratios, measured in this run; WRITE=--write puts them into benchmarks/RESULTS.md.
bench: $(STAMP)
	$(BIN)/python benchmarks/bench.py $(WRITE)

clean:
	rm -rf .venv* dist .pytest_cache .ruff_cache .hypothesis

# pip 25.1 is the first that reads dependency groups.
$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@
