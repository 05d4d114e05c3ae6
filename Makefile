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

# Two tests at a time, one thread each: on two cores faster than one at a time with two threads.
test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

quick: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m "not executes and not slow"

build verify run: $(VENV)/.dev
	$(BIN)/dlcourse $@ $(DAY)

bench: $(VENV)/.dev
	for bench in tests/bench/bench_*.py; do $(BIN)/python $$bench; done

clean:
	rm -rf $(VENV)
