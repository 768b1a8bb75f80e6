# What people and CI call. `make demo` and `make test` need Python 3.11 or newer with venv, and nothing else:
# everything is installed below .work/, pinned and hashed. `make clean` removes all of it.
PYTHON ?= python3
RUN := .work/project/bin/python
.DEFAULT_GOAL := help
.PHONY: help install demo test lint format schema clean

help:
	@echo "make demo    deploy the real app onto an AWS emulator on this computer, fail over, show it, remove it"
	@echo "make test    all tests, the deployment on the emulator among them"
	@echo "make lint    ruff and mypy"
	@echo "make clean   remove everything that make installed or left behind"

install:
	@$(PYTHON) tools/check_python.py && $(PYTHON) -m tools.install

demo: install
	@$(RUN) -m tools.demo

test: install
	@$(RUN) -m tools.run pytest

lint: install
	@$(RUN) -m tools.run ruff check .
	@$(RUN) -m tools.run ruff format --check .
	@$(RUN) -m tools.run mypy

format: install
	@$(RUN) -m tools.run ruff check --fix .
	@$(RUN) -m tools.run ruff format .

schema: install
	@$(RUN) -m tools.run pg_privatelink.schema docs/privatelink.schema.json

clean:
	@rm -rf .work cdk.out .hypothesis .pytest_cache .ruff_cache
