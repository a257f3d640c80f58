# `make demo` and `make test` set up everything they need. PYTHON names the interpreter to build the environment with.
PYTHON ?= python3.11
VENV ?= .venv
BIN = $(VENV)/bin
N ?= 3
SUITE ?= benchmarks/suites/generators.toml

.PHONY: demo test test-notebooks check fix bench notebooks clean

# torch and friends are not needed; the environment holds this package, its [local] models' runtime and the dev tools.
$(BIN)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[local,dev]'
	touch $@

demo: $(BIN)/.ready
	$(BIN)/autodata models pull qwen2.5-coder-1.5b
	$(BIN)/autodata models pull qwen2.5-coder-0.5b
	$(BIN)/autodata generate --domain math_objects --documents builtin --n $(N) --max-rounds 3 --passes 3 --run-dir runs/demo-$$(date +%Y%m%d-%H%M%S)

test: $(BIN)/.ready
	$(BIN)/autodata models pull smollm2-135m
	$(BIN)/autodata models pull qwen2.5-coder-0.5b
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered \
		--ignore tests/live/test_notebooks.py

# One after the other, with the cores for themselves: about five minutes.
test-notebooks: $(BIN)/.ready
	$(BIN)/autodata models pull smollm2-135m
	$(BIN)/autodata models pull qwen2.5-coder-0.5b
	$(BIN)/python -m pytest --no-cov tests/live/test_notebooks.py

check: $(BIN)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python

fix: $(BIN)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(BIN)/.ready
	$(BIN)/autodata bench $(SUITE) --yes --out benchmarks/results/bench_$(basename $(notdir $(SUITE))).json
	$(BIN)/python benchmarks/tables.py

# Runs the notebooks and keeps what they said; their runs are made anew.
notebooks: $(BIN)/.ready
	rm -rf notebooks/runs
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jupyter execute --inplace notebooks/*.ipynb

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .coverage
