# Each target does its own set-up: a virtual environment in .venv and what the target needs in it.
# A second call starts at once.

PYTHON ?= python3
# Or each of the hundreds of processes of a test run compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo serve-demo test lint docs bench constraints clean

help:            ## show this list
	@sed -n 's/^\([a-z-]*\): *.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/demo ## run the toolkit on its made-up sample; look at demo/results/report.html
	@$(BIN)/photochat demo --out demo

serve-demo: .venv/demo ## serve the chat on the sample, to try it in two browsers
	@$(BIN)/photochat demo --serve --out demo

test: .venv/test ## run all tests, the linter and the type checker among them
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

lint: .venv/test ## check style and types, and mend what can be mended
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/python -m mypy

docs: .venv/test ## build the documentation into site/, from these files alone
	@$(BIN)/python docs/reference.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict && echo "open site/index.html"

bench: .venv/test ## measure every speed claim; docs/benchmarks.md shows what came out
	@$(BIN)/python -m benchmarks

constraints:     ## pin the newest versions that fit together, for Python 3.10 and later
	@$(BIN)/python -m pip install --quiet uv
	@printf 'torch==2.14.1\ntorchvision==0.29.1\n' | $(BIN)/uv pip compile --quiet --universal \
		--python-version 3.10 --extra all --extra docs --extra dev --constraint - --upgrade \
		--no-header --no-annotate --no-emit-index-url pyproject.toml --output-file constraints.txt

clean:           ## remove what the targets made
	rm -rf .venv demo site build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "Python 3.10 or later is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "making .venv"
	@$(PYTHON) -m venv .venv

.venv/demo: .venv/bin/python pyproject.toml constraints.txt
	@echo "installing the toolkit"
	@$(PIP) --editable '.[verify]' scikit-image
	@touch $@

.venv/test: .venv/bin/python pyproject.toml constraints.txt
	@echo "installing the toolkit and what its tests need"
	@$(PIP) --editable '.[browse,models,postgres,redis,search,verify,docs,dev]'
	@touch $@ .venv/demo
