# `make demo` and `make test` are all that a newcomer needs; `make help` lists the rest.
# Neither installs anything outside .venv; models are fetched on first use into the user's cache.

SHELL := bash
.SHELLFLAGS := -o pipefail -ec
.DEFAULT_GOAL := help

PYTHON ?= python3
# FAISS for the GPU where a driver answers; override with EXTRA=cpu, gpu or gpu-cuda13.
ifndef EXTRA
EXTRA := $(shell nvidia-smi >/dev/null 2>&1 && echo gpu || echo cpu)
endif
# Another place for torch alone, such as the CPU build (on Linux PyPI has the CUDA build only):
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
UV_VERSION := 0.13.8

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(EXTRA)
# gpu-cuda13 needs a newer torch than the one pinned.
CONSTRAINTS := $(if $(filter gpu-cuda13,$(EXTRA)),,-c constraints.txt)
# Not compiled ahead: most modules of these packages are never imported, the rest compile once.
PIP := $(BIN)/pip install --disable-pip-version-check --no-compile
# Folder of the public data sets that `make eval` reads; docs/evaluation.md names them.
DATA ?= ../shared/data
FAST := not model and not data and not slow
# Folders that it leaves out whole: what they import takes seconds.
SLOW := acceptance api cli mcp page

# In English the default generator answers; in Hungarian the answer is quoted, here from English.
QUESTION_EN := What is citation precision?
QUESTION_HU := Mennyi memóriát igényel paraméterenként az Adam vegyes pontosságú tanításnál?

# One process for the commands of the demo: the model libraries take seconds to load.
define DEMO
import shlex, sys
from rag.cli import main
for command in sys.argv[1:]:
    print(f"\n$$ {command}", flush=True)
    if code := main(shlex.split(command)[1:]):
        sys.exit(code)
endef
export DEMO

.PHONY: demo test test-fast acceptance fuzz lint format serve eval bench lock install clean clean-all help

demo: install ## Ingest corpus/ and ask one question in English and one in Hungarian
	@$(BIN)/python -c "$$DEMO" 'rag ingest corpus --index demo' \
		'rag ask "$(QUESTION_EN)" --index demo' \
		'rag ask "$(QUESTION_HU)" --index demo'
	@echo
	@echo 'Ask your own:   $(BIN)/rag ask "…" --index demo'
	@echo 'Over HTTP:      $(BIN)/rag serve --index demo'
	@echo 'Your documents: $(BIN)/rag ingest FOLDER'

test: lint ## Everything: ruff, mypy --strict, all tests, coverage of rag and api at least 90%
	$(BIN)/python -m pytest --cov=rag --cov=api --cov-fail-under=90

test-fast: install ## Fast tests of rag with fakes: offline, in seconds
	$(BIN)/python -m pytest -q -m "$(FAST)" -p no:schemathesis $(SLOW:%=--ignore=tests/%)

acceptance: install ## The whole suite of docs/reliability.md: kills, faults, damage, hostile files
	RAG_ACCEPTANCE=full $(BIN)/python -m pytest -q -s --durations=0 tests/acceptance

fuzz: install ## 10,000 requests made up from the OpenAPI document, none may bring the service down
	RAG_FUZZ=10000 $(BIN)/python -m pytest -q -n0 tests/api/test_service_schema.py

lint: install ## ruff check, ruff format --check, mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict

format: install ## Let ruff reformat and repair what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

serve: install ## Serve the indexes over HTTP on this machine
	$(BIN)/rag serve

eval: install ## Measure on all suites, resumable (hours): make eval DATA=DIR
	$(BIN)/rag eval run all --data $(DATA) --resume

bench: install ## Run every benchmark in benchmarks/, the million at 20,000
	@for script in benchmarks/ingest.py benchmarks/start.py benchmarks/service.py benchmarks/serving.py \
		"benchmarks/million.py --passages 20000"; \
		do echo "== $$script"; $(BIN)/python $$script; done

lock: ## Resolve constraints.txt anew (all of it: make lock UPGRADE=--upgrade)
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet uv==$(UV_VERSION)
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
		--fork-strategy fewest --no-annotate --no-header $(UPGRADE) \
		--extra cpu --extra gpu --extra dev pyproject.toml --output-file constraints.txt
	@{ echo '# Exact versions, transitive, of the extras cpu, gpu and dev. Made by `make lock`.'; \
	   echo '# Constraints install nothing by themselves: the nvidia-* lines hold only where a CUDA'; \
	   echo '# build of torch or FAISS asks for them. torch is pinned in pyproject.toml, [tool.uv]:'; \
	   echo '# where an index offers the CPU build 2.13.0+cpu it satisfies the pin, and no range of'; \
	   echo '# another package then pulls in the CUDA build, which is larger by gigabytes.'; \
	   cat constraints.txt; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt

install: $(STAMP) ## Create or refresh .venv

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed; name one with PYTHON=python3.12' >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'No virtual environment: on Debian and Ubuntu, apt-get install python3-venv' >&2; exit 2; }

# The wheels of FAISS exclude each other, so a change of EXTRA removes the others first.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing into $(VENV), with FAISS for $(EXTRA) (log: $(VENV)/install.log) …'
	@[ -e $@ ] || $(BIN)/pip uninstall --quiet --yes faiss-cpu faiss-gpu faiss-gpu-cuvs 2>/dev/null
	@rm -f $(VENV)/.installed-*
	@{ $(if $(TORCH_INDEX),$(PIP) --no-deps torch $(CONSTRAINTS) --index-url $(TORCH_INDEX) &&) \
		$(PIP) --editable '.[$(EXTRA),dev]' $(CONSTRAINTS); } 2>&1 | tee $(VENV)/install.log \
		| while IFS= read -r line; do case "$$line" in \
			*[0-9]\ [MG]B\)) echo "$$line" ;; \
			Installing\ collected*) echo '  Unpacking …' ;; \
		esac; done \
		|| { tail -n 20 $(VENV)/install.log >&2; exit 1; }
	@touch $@

clean: ## Remove caches and the demo's index; .venv, other indexes and models stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov build dist indexes/demo
	find rag api tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

clean-all: clean ## clean, and remove .venv
	rm -rf $(VENV)

help: ## This list
	@echo 'A newcomer needs two:'
	@grep -hE '^(demo|test):.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo 'The rest:'
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | grep -vE '^(demo|test):' | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo 'Variables: PYTHON=$(PYTHON) EXTRA=$(EXTRA) (cpu, gpu, gpu-cuda13) TORCH_INDEX=URL DATA=DIR'
