# Everything a visitor needs. `make` alone prints this list.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
DEMO := kinescope-demo
BENCH ?= bench
THREADS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install demo bench orphans test test-cluster slurm-packages browser lint format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## the environment, in .venv

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $@

demo: $(INSTALLED) ## restore the bundled clip with real weights; a few minutes on two cores
	$(BIN)/snakemake --config manifest=demo/manifest.tsv
	@echo
	@echo "Restored video:        $(CURDIR)/results/$(DEMO)/$(DEMO).mp4"
	@echo "Source beside result:  $(CURDIR)/results/$(DEMO)/comparison.png"
	@echo "Report, in a browser:  $(CURDIR)/results/$(DEMO)/$(DEMO).html"

bench: $(INSTALLED) $(VENV)/oracle $(VENV)/rivals ## ours against other programs, measured here; about a quarter of an hour on two cores
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python benchmarks/end_to_end.py --threads $(THREADS) --out $(BENCH)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python benchmarks/speed.py --threads $(THREADS) --out $(BENCH)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python benchmarks/sizes.py --threads $(THREADS) --out $(BENCH)

# Other programs that benchmarks compare with; where they cannot be installed, they are left out.
$(VENV)/rivals: requirements-bench.txt $(INSTALLED)
	-$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-bench.txt
	@touch $@

orphans: ## cancel the Slurm jobs that a killed run in this folder left behind
	@profiles/slurm/orphans.sh

test: $(INSTALLED) $(VENV)/oracle browser ## linters and all tests
	PATH="$(CURDIR)/$(BIN):$$PATH" $(MAKE) --no-print-directory lint
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n auto

test-cluster: $(INSTALLED) slurm-packages ## the workflow on a Slurm cluster of its own, with accidents
	shellcheck tests/cluster/slurm.sh profiles/slurm/orphans.sh .ci/run
	PATH="$(CURDIR)/$(BIN):$$PATH" timeout --signal INT --kill-after 60 2400 $(BIN)/python -m pytest -n 2 tests/cluster

# On Debian and Ubuntu, by root; elsewhere they must be there.
slurm-packages:
	@PATH="$$PATH:/usr/sbin" which slurmctld munged shellcheck >/dev/null || { apt-get update -qq && apt-get install -qq --no-install-recommends slurm-wlm munge shellcheck; }

# Pages are tested in it; where it cannot be installed, the tests say so.
browser:
	-@which chromium google-chrome >/dev/null || { apt-get update -qq && apt-get install -qq --no-install-recommends chromium; }

# The original packages, against which parity tests hold ours. They do not build everywhere; the tests then say so.
$(VENV)/oracle: requirements-parity.txt $(INSTALLED)
	-$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -r requirements-parity.txt
	@touch $@

lint: $(INSTALLED) ## style, types, workflow
	$(BIN)/ruff format --check src workflow demo tests training benchmarks
	$(BIN)/ruff check src workflow demo tests training benchmarks
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(INSTALLED) ## bring the code into shape
	$(BIN)/ruff format src workflow demo tests training benchmarks
	$(BIN)/ruff check --fix src workflow demo tests training benchmarks
	$(BIN)/snakefmt Snakefile workflow

lock: $(INSTALLED) ## pin the newest versions that pyproject.toml allows
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-header --no-annotate pyproject.toml -o requirements.lock
	$(MAKE) --no-print-directory environment.yml

environment.yml: requirements.lock
	{ printf '# Made by `make environment.yml` from requirements.lock.\nname: restoration\nchannels: [conda-forge, nodefaults]\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n'; sed "s/'/\"/g; s/.*/      - '&'/" requirements.lock; } > $@

clean: ## remove the environment and everything computed
	rm -rf $(VENV) work results logs weights bench .snakemake
