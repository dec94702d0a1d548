# Two commands for a fresh machine with Python 3.11 or newer, git and make: `make demo` and `make test`.
# Every path is relative, so that the checkout may lie in a folder with spaces.

PYTHON := $(shell for python in python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
BIN := .venv/bin

.PHONY: help demo test

help:
	@echo "make demo    train a small network on real digits, evaluate it, show what to try next"
	@echo "make test    run linter, type checker and tests"

demo: .venv/installed
	$(BIN)/nnctl train specs/quickstart.yaml
	@run=$$(ls -dt checkpoints/quickstart/*/ | head -n 1); run=$${run%/}; set -e; \
	echo; echo "$(BIN)/nnctl eval $$run"; \
	$(BIN)/nnctl eval "$$run"; \
	echo; \
	echo "Try next:"; \
	printf '  %-42s%s\n' ". .venv/bin/activate" "" \
		"nnctl inspect $$run" "what the signal and its gradient do in every layer" \
		"nnctl check specs/vgg11.yaml" "shapes, parameters and cost, before any training" \
		"nnctl train specs/spirals.yaml" "another network, in seconds" \
		"nnctl explain conv" "any name that a spec may use"

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "nnctl needs Python 3.11 or newer, found neither as python3.11 nor as python3" >&2; exit 1; }
	"$(PYTHON)" -m venv .venv

# A stamp is newer than pyproject.toml while what that file asks for is installed.
.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --editable .
	$(BIN)/python -m compileall -q nnctl
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --editable ".[dev]"
	$(BIN)/python -m compileall -q nnctl
	@touch $@ .venv/installed
