# `make demo` shows everything on the real parts; `make test` runs every test layer; `make check` reads the code only.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SEED ?= 1
MINUTES ?= 20

.PHONY: demo down test check format docs visual-report hostile fuzz chaos lock bench bench-budget bench-peers bench-state bench-scale capacity bench-latency bench-memory bench-targets bench-encoders bench-sandbox bench-spike bench-flood clean

demo: $(READY)
	@$(BIN)/darkroom demo

down: $(READY)
	@$(BIN)/darkroom down

test: check
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/settings_table.py --check
	$(BIN)/python docs/presets_table.py --check
	$(BIN)/python docs/gallery.py --check

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/settings_table.py
	$(BIN)/python docs/presets_table.py
	$(BIN)/python docs/gallery.py

visual-report: $(READY)
	@$(BIN)/python -m tests.golden visual-report.html

hostile: $(READY)
	@$(BIN)/python -m tests.hostile

fuzz: $(READY)
	@$(BIN)/python -m tests.fuzz.decode -max_total_time=600

chaos: $(READY)
	@$(BIN)/python -m tests.chaos --seed $(SEED) --minutes $(MINUTES)

bench-encoders: $(READY)
	@$(BIN)/python bench/encoders.py $(ARGS)

bench-sandbox: $(READY)
	@$(BIN)/python bench/sandbox.py $(ARGS)

bench-spike: $(READY)
	@$(BIN)/python bench/spike.py --write $(ARGS)

bench-flood: $(READY)
	@$(BIN)/python bench/flood.py --write $(ARGS)

bench: $(READY)
	@$(BIN)/python bench/throughput.py --write $(ARGS)

bench-budget: $(READY)
	@$(BIN)/python bench/budget.py --write $(ARGS)

bench-peers: $(READY)
	@$(BIN)/python bench/peers.py --write $(ARGS)

bench-state: $(READY)
	@$(BIN)/python bench/state.py --write $(ARGS)

bench-scale: $(READY)
	@$(BIN)/python bench/scale.py --write $(ARGS)

capacity: $(READY)
	@$(BIN)/python bench/capacity.py --write $(ARGS)

bench-latency: $(READY)
	@$(BIN)/python bench/latency.py --write $(ARGS)

bench-memory: $(READY)
	@$(BIN)/python bench/memory.py --write $(ARGS)

bench-targets: $(READY)
	@$(BIN)/python bench/targets.py --write $(ARGS)

lock: $(READY)
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 --extra dev --no-annotate \
	    --custom-compile-command "make lock" setup.py -o requirements.lock

clean:
	rm -rf $(VENV) build demo-out *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): setup.py requirements.lock
	@sh tools/check-machine "$(PYTHON)"
	@echo "Installing the Python packages into $(VENV); this takes about a minute"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
