# Everything works on a machine with only Python >= 3.11, make and the package registries.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

# Many tests start programs: without the caches of compiled files each start takes up to three times as long.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test coverage soak bench bench-quick bench-guard docs release-check clean

help: ## What there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.core: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --upgrade pip
	@$(PY) -m pip install --quiet --editable .
	@touch $@

$(VENV)/.all: $(VENV)/.core
	@$(PY) -m pip install --quiet --no-compile --editable '.[all]' --group dev
	@touch $@

demo: $(VENV)/.core ## The whole MFA journey on the embedded emulator
	@$(PY) -m authing_mfa.demo

test: $(VENV)/.core ## Every check: lint, types, layers, tests, coverage of the core, the wheel
	@PY=$(PY) .ci/check

coverage: $(VENV)/.all ## 95 % of everything: all tests again, with the programs that they start, measured
	@$(PY) -m pytest -q -n $(or $(TEST_PROCESSES),3) --dist worksteal --timeout 300 --cov --cov-report=
	@$(PY) -m coverage report --fail-under=95

soak: $(VENV)/.all ## The long proofs: every byte of a request and an answer, a day's load, many kills
	@AUTHING_MFA_SOAK=1 PYTHONDEVMODE=1 $(PY) -m pytest -m "soak or hypothesis" -n $(or $(TEST_PROCESSES),2) --dist worksteal --timeout 900 -o faulthandler_timeout=800 --durations=10

bench: $(VENV)/.all ## All benchmarks, the tables and the plots
	-@$(PY) -m pip install --quiet httpx requests  # contenders; without an index their rows are left out
	@$(PY) -m benchmarks

bench-quick: $(VENV)/.all ## The figures that matter most, in about three minutes
	@$(PY) -m benchmarks --quick

bench-guard: $(VENV)/.all ## Fails when a call needs 5 % more instructions than benchmarks/baseline.json says
	@$(PY) -m benchmarks.guard

docs: $(VENV)/.all ## The command line's reference, and the documentation site in build/site
	@$(PY) -m scripts.cli_reference docs/cli.md
	@$(PY) -m sphinx -b html -W --keep-going -q docs build/site
	@$(PY) -m scripts.check_site build/site

release-check: $(VENV)/.all ## Build what would be published and check it; nothing is published
	@$(PY) -m scripts.release_check

clean: ## Remove what was made
	rm -rf $(VENV) $(VENV)-* dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* .benchmarks
