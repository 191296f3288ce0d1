# The course's commands. `make run` and `make test` set everything up by themselves, once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help run lab test test-colab test-latest notebooks bench lint lock

help:
	@echo "make run         execute the course on its simulated data, and open one page with what came out"
	@echo "                 (HACK=06 for one hack, PROFILE=ci for the quickest sizes)"
	@echo "make lab         open the notebooks in JupyterLab"
	@echo "make test        lint, unit tests, and every notebook from end to end"
	@echo "make test-colab  every notebook with the versions that Colab has (test-latest: with the newest of all)"
	@echo "make notebooks   write the notebooks anew from solutions/*.py (REPO=owner/name, EXECUTE=always)"
	@echo "make bench       measure the training loop and the simulators"
	@echo "make lint        ruff, import-linter, and whether anything generated is stale"
	@echo "make lock        write the requirements anew from pyproject.toml (UPGRADE=1: the newest versions)"
	@echo "On Linux PyTorch comes without CUDA where no NVIDIA card is seen; TORCH=cuda or TORCH=cpu decides."

run: $(READY)
	HACK_PROFILE=$(or $(PROFILE),$(HACK_PROFILE),demo) $(BIN)/python -m tools.run_course $(if $(HACK),--hack $(HACK))

lab: $(READY)
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks

test: lint
	$(BIN)/python -m pytest -q -n 2 --dist worksteal tests
	$(BIN)/python -m tools.check_notebooks

test-colab test-latest: test-%: $(READY)
	$(BIN)/python -m tools.environment $* $(VENV)-$*
	$(BIN)/python -m tools.check_notebooks --python $(VENV)-$*/bin/python

notebooks: $(READY)
	$(BIN)/python -m tools.generate $(if $(REPO),--repo $(REPO)) $(if $(HACK),--hack $(HACK)) --execute $(or $(EXECUTE),auto)

bench: $(READY)
	$(BIN)/python -m benchmarks.run

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/python -m tools.generate --check
	$(BIN)/python -m tools.lesson

lock: $(READY)
	$(BIN)/python -m tools.lock

# The environment: made when it is missing, renewed when what it is made from has changed.
$(READY): requirements.txt requirements-cuda.txt pyproject.toml tools/environment.py
	@"$(PYTHON)" -c "import sys; sys.exit(sys.version_info[:2] != (3, 11))" 2>/dev/null || { \
		echo "The course needs Python 3.11, found: $$("$(PYTHON)" --version 2>&1 || echo none)."; \
		echo "Install it (Debian, Ubuntu: apt install python3.11-venv; macOS: brew install python@3.11;"; \
		echo "anywhere: uv python install 3.11 or pyenv install 3.11), or name it: make PYTHON=/path/to/python3.11"; \
		exit 1; }
	"$(PYTHON)" -m tools.environment course $(VENV)
	@touch $(READY)
