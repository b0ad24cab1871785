# make demo    trains the three settings on embedded images, writes a report
# make test    lint and the whole test suite: make quick, then make slow
# make quick   lint and the tests that are not slow, about ten minutes
# make slow    the tests that take minutes each
# make clean   removes the environment and what was built
#
# Everything is installed into $(VENV); PYTHON says by which interpreter.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
RUNS ?= runs

# make DEMO_FLAGS=--epochs=2 is the demo in short.
DEMO_FLAGS ?=

.PHONY: demo test quick slow lint clean

demo: $(VENV)/installed
	$(BIN)/python -m experiments.three_settings \
	    --flagfile=experiments/recipes/demo.txt --output_dir=$(RUNS)/demo $(DEMO_FLAGS)

test:
	@$(MAKE) quick
	@$(MAKE) slow

quick: lint
	$(BIN)/python -m pytest -n auto --dist loadfile -m 'not slow'

slow: $(VENV)/tested
	$(BIN)/python -m pytest -n auto --dist loadfile -m slow

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(VENV)/installed: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and "keras_contrastive needs Python 3.11 to 3.13, this is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -e .
	@touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
