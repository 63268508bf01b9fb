# From a bare machine with Python ≥ 3.11 and make. Options: DEMO_ARGS, TEST_ARGS, BENCH_ARGS, PYTHON.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
RUN = .venv/bin/python
LOCK = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml

# Packages are compiled when they are first used (scripts/bootstrap.py); forbidden that, every start would do it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test faults bench lint lock messages python local dev

help:
	@echo "make demo | test | faults | bench | lint | lock | messages   (see README.md)"

demo: local
	@$(RUN) manage.py demo $(DEMO_ARGS)

test: dev
	@$(RUN) -m pytest $(TEST_ARGS)

faults: dev
	@$(RUN) -m pytest -m faults --durations=0 --durations-min=1 $(TEST_ARGS)

bench: dev
	@$(RUN) -m tests.benchmarks $(BENCH_ARGS)

lint: export SECRET_KEY = lint
lint: dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/djlint templates --lint
	$(RUN) manage.py makemigrations --check --dry-run

lock: dev
	$(LOCK) --output-file requirements/runtime.txt
	$(LOCK) --extra local --output-file requirements/local.txt
	$(LOCK) --extra local --extra dev --output-file requirements/dev.txt

messages: dev
	$(RUN) -m scrm.site.messages

python:
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed and not found. Debian 12, Ubuntu 24.04: apt-get install python3-venv;" \
			"elsewhere say make PYTHON=/path/to/python3 …" >&2; exit 1; }

local dev: python
	@$(PYTHON) scripts/bootstrap.py $@
