# Two commands for a fresh clone, each of which sets up all it needs:
#   make demo   the main job on the clip that ships; says where the results are
#   make test   format, lint, types and tests, as CI runs them

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv
# Python compiles what it imports: compiling all of it beforehand takes half a minute.
INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt

.PHONY: demo test clean

demo: $(VENV)/.runtime-installed
	$(VENV)/bin/pixie-live --demo

test: $(VENV)/.dev-installed
	VIRTUAL_ENV=$(CURDIR)/$(VENV) scripts/check

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime-installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) -e .
	touch $@

$(VENV)/.dev-installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	scripts/receivers & receivers=$$!; $(INSTALL) -e ".[dev]" && wait $$receivers
	touch $@ $(VENV)/.runtime-installed

clean:
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache
