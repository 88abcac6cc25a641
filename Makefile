# Everything from nothing: Python 3.11 to 3.13 and make are all that must be there.
# The first run makes .venv from the hash-pinned locks; stamps in it make the next one immediate.

VENV   := .venv
SDK3   := .venv-sdk3
BIN    := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
# Training uses one thread, as one container of the course does.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help smoke lab test tests sdk3 lint format course docs bench contract grade-bank lock clean

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

smoke: $(VENV)/runtime ## Set everything up and run the reference notebooks on the local SageMaker
	$(BIN)/corelab smoke

lab: $(VENV)/runtime ## Set everything up and open the notebooks in JupyterLab
	$(BIN)/corelab lab

test: lint tests ## Check everything: format, lint, types, imports, generated notebooks, tests

tests: $(VENV)/dev ## Run the tests
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

sdk3: $(VENV)/runtime $(SDK3)/installed ## Drive the local SageMaker with SageMaker SDK 3, in an environment of its own
	@rm -rf build/sdk3 && mkdir -p build/sdk3
	@CORELAB_HOME=build/sdk3/home $(BIN)/corelab up
	@CORELAB_HOME=$(CURDIR)/build/sdk3/home $(SDK3)/bin/python -m pytest tests/sdk3 -q --confcutdir=tests/sdk3 -W ignore; \
		status=$$?; CORELAB_HOME=build/sdk3/home $(BIN)/corelab down; exit $$status

lint: $(VENV)/dev ## Check format, lint, types, imports, and that the notebooks are what course/ says
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/corelab build --check

format: $(VENV)/dev ## Put the code in its one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

course: $(VENV)/runtime ## Rebuild source/ and release/ from course/
	$(BIN)/corelab build
	$(BIN)/corelab release

docs: $(VENV)/dev ## Build the documentation into build/docs, every link in it checked
	$(BIN)/python docs/faithful.py
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet docs build/docs
	@echo "Open build/docs/index.html"

bench: $(VENV)/dev ## Measure against plain XGBoost, plain moto and Flask in the same run
	$(BIN)/python -m benchmarks

contract: $(VENV)/dev ## Run every notebook on the local and on the AWS path, and compare their calls
	cd tests && $(CURDIR)/$(BIN)/python -m contract

grade-bank: $(VENV)/dev ## Grade the bank of right and wrong submissions: caught, missed, falsely rejected
	cd tests/grading && $(CURDIR)/$(BIN)/python -m bank

lock: $(BIN)/uv ## Resolve the dependencies again and write the locks
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(LOCK) --group sdk3 -o requirements-sdk3.lock
	echo "uv==$$($(BIN)/uv --version | cut -d' ' -f2)" | $(LOCK) - -o requirements-uv.lock

clean: ## Delete the environment, caches and everything built
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

# uv installs in seconds; pip, which takes minutes, is there for indexes that only pip is set up for.
# Tests start hundreds of processes: for them all is compiled at once, as pip does.
INSTALL = $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(1) \
	|| $(BIN)/python -m pip install --quiet --no-deps --require-hashes -r $(1)
PACKAGE = $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . \
	|| $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) -m venv failed; on Debian and Ubuntu install python3-venv"; exit 1; }

$(BIN)/uv: requirements-uv.lock | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

# An environment for development holds everything that the runtime needs, and stays one.
$(VENV)/runtime: requirements.lock pyproject.toml | $(BIN)/uv
	@echo "Installing into $(VENV) ..."
	@if test -e $(VENV)/dev; then $(call INSTALL,requirements-dev.lock); else $(call INSTALL,requirements.lock); fi
	@$(PACKAGE)
	@touch $@

$(SDK3)/installed: requirements-sdk3.lock | $(BIN)/uv
	@echo "Installing SageMaker SDK 3 into $(SDK3) ..."
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SDK3)
	@$(BIN)/uv pip sync --quiet --python $(SDK3)/bin/python --require-hashes requirements-sdk3.lock
	@$(BIN)/uv pip install --quiet --python $(SDK3)/bin/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: requirements-dev.lock pyproject.toml | $(BIN)/uv
	@echo "Installing into $(VENV), development tools included ..."
	@UV_COMPILE_BYTECODE=1 $(call INSTALL,requirements-dev.lock)
	@$(PACKAGE)
	@touch $(VENV)/runtime $@
