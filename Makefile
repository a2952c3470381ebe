# The two commands a newcomer needs are `make demo` and `make test`; each sets everything up.
.PHONY: demo test faults fuzz check bench bench-quick docs clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
GENERATED := docs/design/determinism.md docs/design/faults.md docs/design/scaling.md
# One thread: on a busy machine more threads make small matrix products many times slower.
export OMP_NUM_THREADS ?= 1
export MPLBACKEND ?= Agg

# torch goes first and pinned, so that nothing later drags in another build of it.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --use-pep517 --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/pip install --quiet --use-pep517 --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

demo: $(READY)  ## learn the bundled digits class after class, and show that nothing is forgotten
	$(BIN)/plasticish learn --out runs/demo --force

test: $(READY)  ## all tests and every example in the documentation
	$(BIN)/python -m pytest -n 2

faults: $(READY)  ## fifty kills of everything that lives in a folder, every point of a save: an hour
	PLASTICISH_FAULTS=50 $(BIN)/python -m pytest tests/faults

fuzz: $(READY)  ## a million hostile inputs for everything that reads bytes: half an hour
	$(BIN)/python -m plasticish.bench.fuzzing --inputs 1000000

check: $(READY)  ## format, lint, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## rerun every scenario, compare with benchmarks/results, write runs/bench/report.html
	$(BIN)/plasticish bench --all

bench-quick: $(READY)  ## the same in short, beside benchmarks/quick: under three minutes
	$(BIN)/plasticish bench --all --quick

docs: $(READY)  ## regenerate what is generated in the documents, and build the site into site/
	$(BIN)/python -m plasticish.bench.readme README.md QUICKSTART.md benchmarks/README.md $(GENERATED)
	$(BIN)/python -m plasticish.cli.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

clean:
	rm -rf $(VENV) build dist
