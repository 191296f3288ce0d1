# The course's commands. `make run` and `make test` set everything up by themselves, once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help run lab test notebooks bench lint lock

help:
	@echo "make run         execute the course on its simulated data, and open one page with what came out"
	@echo "                 (HACK=06 for one hack, PROFILE=ci for the quickest sizes)"
	@echo "make lab         open the notebooks in JupyterLab"
	@echo "make test        lint, unit tests, and every notebook from end to end"
	@echo "make notebooks   write the notebooks anew from solutions/*.py (REPO=owner/name, EXECUTE=always)"
	@echo "make bench       measure the training loop and the simulators"
	@echo "make lint        ruff, import-linter, and whether anything generated is stale"
	@echo "make lock        write requirements.txt anew from pyproject.toml"

run: $(READY)
	HACK_PROFILE=$(or $(PROFILE),$(HACK_PROFILE),demo) $(BIN)/python tools/run_course.py $(if $(HACK),--hack $(HACK))

lab: $(READY)
	$(BIN)/jupyter lab notebooks

test: lint
	$(BIN)/python -m pytest -q -n 2 --dist worksteal tests
	$(BIN)/python tools/check_notebooks.py

notebooks: $(READY)
	$(BIN)/python tools/generate.py $(if $(REPO),--repo $(REPO)) $(if $(HACK),--hack $(HACK)) --execute $(or $(EXECUTE),auto)

bench: $(READY)
	$(BIN)/python benchmarks/run.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check

lock: $(READY)
	$(BIN)/python tools/lock.py

# The environment: made when it is missing, renewed when what it is made from has changed.
$(READY): requirements.txt pyproject.toml
	@"$(PYTHON)" -c "import sys; sys.exit(sys.version_info[:2] != (3, 11))" 2>/dev/null || { \
		echo "The course needs Python 3.11, found: $$("$(PYTHON)" --version 2>&1 || echo none)."; \
		echo "Install it (Debian, Ubuntu: apt install python3.11-venv; macOS: brew install python@3.11;"; \
		echo "anywhere: uv python install 3.11 or pyenv install 3.11), or name it: make PYTHON=/path/to/python3.11"; \
		exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $(READY)
