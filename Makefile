# The same short commands at the desk and in CI.
.PHONY: demo test check venv format chaos

demo:
	@tools/make-venv
	@.venv/bin/python examples/flights/prepare.py
	@./modyn-supervisor examples/flights/pipeline.yaml examples/flights/config.yaml --experiment-mode

venv:
	@tools/make-venv requirements-dev.txt

test: venv
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

check: venv
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

format: venv
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

# Runs under faults, compared with one that nothing happened to; then how soon a lost worker's task is published again,
# and trainings of so many minutes that must never be: make chaos N=200 SEED=0 MINUTES=10
N = 200
SEED = 0
MINUTES = 10
chaos: venv
	.venv/bin/python -m benchmarks.chaos --faults $(N) --seed $(SEED)
	.venv/bin/python -m benchmarks.chaos.latency
	.venv/bin/python -m benchmarks.chaos.long_tasks --minutes $(MINUTES)
