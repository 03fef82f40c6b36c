PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test commands rest smoke faults cluster lint format docs systems

demo: $(VENV)/.installed
	$(BIN)/python -m tune_jobs.demo

# Tests that run whole commands take as long as all others together, so the halves run at once: a
# test of a run waits for processes to start more than it computes.
COMMANDS = tests/tune_jobs/test_smoke.py tests/tune_jobs/engine/test_own_job.py \
	tests/examples tests/formats tests/test_wheel.py

test: lint
	$(MAKE) --jobs=2 $(addprefix --,$(filter output-sync,$(.FEATURES))) commands rest

commands: $(VENV)/.installed
	$(BIN)/python -m pytest $(COMMANDS)

rest: $(VENV)/.installed
	$(BIN)/python -m pytest $(addprefix --ignore=,tests/faults tests/cluster $(COMMANDS))

smoke: $(VENV)/.installed
	$(BIN)/python -m pytest tests/tune_jobs/test_smoke.py

cluster: $(VENV)/.installed
	CLUSTER=1 $(BIN)/python -m pytest tests/cluster -s

faults: $(VENV)/.installed
	$(BIN)/python -m pytest tests/faults

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed
	$(BIN)/python -m docs.generate

DATA ?= data

systems: $(VENV)/.installed
	$(BIN)/python -m benchmarks.systems $(DATA)

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
