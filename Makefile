# Everything sets itself up: a machine needs Python 3.11 or newer, make and git, no more.
# DAY narrows build, verify and run to one day, e.g.  make run DAY=Day01
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DAY    ?=

.PHONY: lab test quick build verify run bench clean

# A stamp per extra: `make lab` on a student's laptop installs no instructor's tool.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "The course needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.lab: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[lab]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $@ $(VENV)/.lab

lab: $(VENV)/.lab
	$(BIN)/jupyter lab

test: $(VENV)/.dev
	$(BIN)/python -m pytest

quick: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not executes"

build verify run: $(VENV)/.dev
	$(BIN)/dlcourse $@ $(DAY)

bench: $(VENV)/.dev
	$(BIN)/python tests/bench/run.py

clean:
	rm -rf $(VENV)
