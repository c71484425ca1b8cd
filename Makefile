# Every command here works on a machine with nothing but Python 3.11+ and make.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help run setup test lint fmt shell reset lock bench screenshots

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(INSTALLED) ## Install, start everything with demo data, print addresses and logins; Ctrl-C stops it all
	@$(BIN)/python -m headway.run

setup: $(INSTALLED) ## Only install

test: $(INSTALLED) ## Every check and every test
	@scripts/test

lint: $(INSTALLED) ## Only the checks that need no database
	@scripts/test --lint

fmt: $(INSTALLED) ## Format the code and fix what can be fixed by itself
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

shell: $(INSTALLED) ## A Python shell with the models at hand
	@$(BIN)/python manage.py shell

reset: $(INSTALLED) ## Throw the demo's data away; the next run starts afresh
	@$(BIN)/python -m headway.reset

bench: $(INSTALLED) ## Measure speed
	@$(BIN)/python -m benchmarks

screenshots: $(INSTALLED) ## Take the README's screenshots again
	@scripts/chromium && $(BIN)/python -m tests.screenshots

lock: $(INSTALLED) ## Write the requirement locks again, with newer versions where allowed
	@$(BIN)/pip install --quiet uv && scripts/lock

# The environment is made once; its packages are installed again only when the lock is newer than they are.
$(BIN)/python:
	@scripts/venv $(PYTHON)

$(INSTALLED): requirements-dev.txt | $(BIN)/python
	@echo "Installing the locked packages into .venv (about a minute)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@
