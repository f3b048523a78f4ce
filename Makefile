# The same short commands at the desk and in CI.
.PHONY: demo test test-long docker-test check venv format chaos

demo:
	@tools/make-venv
	@.venv/bin/python examples/flights/prepare.py
	@./modyn-supervisor examples/flights/pipeline.yaml examples/flights/config.yaml --experiment-mode

venv:
	@tools/make-venv requirements-dev.txt
	@$(MAKE) --no-print-directory .venv/frames/.made

.venv/frames/.made: requirements-frames.txt constraints.txt
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --no-deps -c constraints.txt \
	    --target .venv/frames -r requirements-frames.txt
	@touch $@

# Some 1,000 processes are started, each of which would compile all of our modules anew where no bytecode is written.
test: venv
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

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

# What takes longer than a change may wait for: short work never stands behind long work, ten million rows are validated
# in seconds, as many are joined with their labels, 200 million are selected in little memory, fifty runs are compared in
# seconds, policies lose little with half of the trainings, a sweep takes little more than half the
# time of its runs one after the other, labels that come later make no better models and are used as they were known, for 20
# streams, permutations share one kernel, the hundred-thousandth trigger costs what the first does, metrics cost next to
# nothing, a run outlasts all that producers do to files, and all that chaos does. Hours:
# make test-long TRIGGERS=100000 N=200
TRIGGERS = 100000
test-long: venv
	.venv/bin/python -m benchmarks.fleet_idle --check
	.venv/bin/python -m benchmarks.validate_rows --check
	.venv/bin/python -m benchmarks.label_join --check
	.venv/bin/python -m benchmarks.large_set --check
	.venv/bin/python -m benchmarks.label_delay --check
	.venv/bin/python -m benchmarks.detection --check
	.venv/bin/python -m benchmarks.best_schedule --check
	.venv/bin/python -m benchmarks.replays --check
	.venv/bin/python -m benchmarks.sweep_time --check
	.venv/bin/python -m benchmarks.compare_runs --check
	.venv/bin/python -m benchmarks.policies_on_data --check
	.venv/bin/python -m benchmarks.many_triggers --triggers $(TRIGGERS)
	.venv/bin/python -m benchmarks.many_triggers --triggers 1000 --scrape-every 1
	LATE_SEEDS=20 .venv/bin/python -m pytest tests/unit/stages/test_late_runs.py
	.venv/bin/python -m benchmarks.hostile_feed --seed $(SEED) --runs 10
	$(MAKE) chaos

# Builds the images and has the flights run on a fleet of containers, one of which is killed: needs a Docker engine.
# What it reads from the shell: docker/README.md.
docker-test: venv
	@.venv/bin/python examples/flights/prepare.py
	.venv/bin/python docker/test
