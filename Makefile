# What people and CI call. `make demo` and `make test` need Python 3.11 or newer with venv, and nothing else:
# everything is installed below .work/, pinned and hashed. `make clean` removes all of it.
PYTHON ?= python3
RUN := .work/project/bin/python
.DEFAULT_GOAL := help
.PHONY: help install demo drill drill-all test bench lint format schema updates reference release-templates cdk-floor mutants steps doctor-confusion integ clean

help:
	@echo "make demo    deploy the real app onto an AWS emulator on this computer, fail over, show it, remove it"
	@echo "make drill   a failover on this computer, measured: SCENARIOS=all DELAYS=0,30,120,180 for the whole table"
	@echo "make test    all tests, the deployment on the emulator among them"
	@echo "make bench   how fast, right and cheap the function is, in virtual time; writes benchmarks/RESULTS.md"
	@echo "make lint    ruff and mypy"
	@echo "make mutants seed faults into the function's logic, and see that the tests find each"
	@echo "make steps   a million steps of the function's state machine"
	@echo "make doctor-confusion plant faults by chance on the emulator, and see which hop the doctor names"
	@echo "make integ   on AWS, in an account of yours: see tests/integ/README.md"
	@echo "make clean   remove everything that make installed or left behind"

install:
	@$(PYTHON) tools/check_python.py && $(PYTHON) -m tools.install

demo: install
	@$(RUN) -m tools.demo

# The command, then one scenario beside others; or the scenarios given. docs/drill.md has the rest.
drill: install
	@PYTHONPATH=lambdas $(RUN) -m tools.run tools.drill \
		$(if $(SCENARIOS),scenarios --scenarios $(SCENARIOS) $(if $(DELAYS),--delays $(DELAYS)),both)

# All scenarios at all delays, about 20 minutes on an idle computer: figures, tables and chart of docs/drill.md.
drill-all: install
	@PYTHONPATH=lambdas $(RUN) -m tools.run tools.drill --scenarios all --delays 0,30,120,180 --lanes \
		--json docs/drill.json
	@$(RUN) -m tools.run tests.drill.page

test: install
	@$(RUN) -m tools.run pytest -n auto

bench: install
	@$(RUN) -m tools.run benchmarks

lint: install
	@$(RUN) -m tools.run ruff check .
	@$(RUN) -m tools.run ruff format --check .
	@$(RUN) -m tools.run mypy

format: install
	@$(RUN) -m tools.run ruff check --fix .
	@$(RUN) -m tools.run ruff format .

schema: install
	@$(RUN) -m tools.run pg_privatelink.schema docs/privatelink.schema.json

# Every option, from the models and docstrings; it quotes docs/updates.md, so make that first.
reference: install
	@$(RUN) -m tools.run tools.reference

updates: install
	@$(RUN) -m tools.run tests.updates.table

# make release-templates VERSION=1.2.3, twice: the first copies the apps of the last release, the second synthesizes.
release-templates: install
	@$(RUN) -m tools.run tests.releases.synthesize tests/releases/v$(subst .,_,$(VERSION))

# The oldest aws-cdk-lib that pyproject.toml admits, in an environment of its own; not part of `make test`.
cdk-floor: install
	@$(RUN) -m tools.cdk_floor

# Seeded faults in the function's logic, one at a time: each must make a test fail.
mutants: install
	@$(RUN) -m tools.run tools.mutants

# The function's state machine for a million steps; SEED=1 repeats a run.
steps: install
	@PYTHONPATH=lambdas $(RUN) -m tools.run tools.steps --steps 1000000 $(if $(SEED),--seed $(SEED))

# Sound services that are unusual, then faults by chance: what the doctor says of each. Half an hour; SEED=1 repeats a run.
doctor-confusion: install
	@$(RUN) -m tools.run tests.cli.confusion $(if $(SEED),--seed $(SEED)) --write docs/doctor.md

# On AWS, in an account of yours: costs money, asks first, destroys everything. make integ REGION=eu-central-1
integ: install
	@$(RUN) -m tests.integ --region "$(REGION)" $(if $(PROFILE),--profile "$(PROFILE)")

clean:
	@rm -rf .work cdk.out .hypothesis .pytest_cache .ruff_cache
