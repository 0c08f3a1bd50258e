# The targets people expect. Everything runs in .venv, made from python3 -m venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Three test files side by side on two cores, as most tests wait for servers. A file stays whole, because its tests share
# what is dear to start.
FILES := --numprocesses=3 --dist=loadfile --no-loadscope-reorder
# Half of the quick tests, by time: those that run the program or parts of it. The other half runs beside it, and neither
# under xdist, whose bookkeeping costs half as much as these tests.
RUNNING := tests/engine tests/commands tests/web
# Only these install programs and make Debian roots for their tests; other runs of pytest use what is there.
test coverage soak bench: export AMI_EXPORTER_TEST_PROVIDE := 1

.DEFAULT_GOAL := help
.PHONY: help demo run quick quick-running quick-rest test soak lint types docs coverage dist sbom lock bench clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# What the program needs, as image and packages have it.
$(VENV)/.program: deploy/docker/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# And what is needed to work on it. The pip of older Pythons does not know --group.
$(VENV)/.installed: $(VENV)/.program pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/pip install --quiet --editable . --group dev
	touch $@

demo: $(VENV)/.program ## a simulated PBX with living traffic, and its metrics
	$(BIN)/python -m ami_exporter demo

run: $(VENV)/.program ## serve, with the flags in ARGS
	$(BIN)/python -m ami_exporter $(ARGS)

quick: $(VENV)/.installed lint types ## while you work, in a minute: ruff, mypy and the tests that need Python alone
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target quick-running quick-rest

quick-running:
	$(BIN)/python -m pytest -q -p no:xdist -m "not machine and not slow" $(RUNNING)

quick-rest:
	$(BIN)/python -m pytest -q -p no:xdist -m "not machine and not slow" $(RUNNING:%=--ignore=%)

test: $(VENV)/.installed lint types ## everything, on real Asterisk 22 and 16 where root on Debian
	$(BIN)/python -m pytest $(FILES)

soak: $(VENV)/.installed ## an hour of churn, restarts and scrapes; AMI_EXPORTER_SOAK_SECONDS=600 for less
	$(BIN)/python -m pytest -m soak -s

lint: $(VENV)/.installed ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed ## mypy --strict
	$(BIN)/mypy

docs: $(VENV)/.installed ## write what is generated: docs/metrics.md, docs/fields.md, the configuration's schema, rules, dashboards
	$(BIN)/ami-exporter metrics > docs/metrics.md
	$(BIN)/python -m tests.support.fields_page
	$(BIN)/python -m ami_exporter.config.schema
	$(BIN)/python -m prometheus.build
	$(BIN)/python -m prometheus.pages
	$(BIN)/python -m grafana.build

coverage: $(VENV)/.installed ## branch coverage of all tests, the exporter's own processes included
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q $(FILES)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

dist: $(VENV)/.installed ## wheel, sdist, self-contained executable, .deb, .rpm, Kubernetes manifests and SBOM, into dist/
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python deploy/standalone/build.py dist dist/*.whl
	PYTHON=$(BIN)/python deploy/rpm/build dist dist/ami-exporter-*-linux-*
	PYTHON=$(BIN)/python deploy/deb/build dist dist/*.whl
	$(BIN)/python deploy/kubernetes/build.py dist/kubernetes
	deploy/docker/sbom $(BIN)/cyclonedx-py dist/ami-exporter.cdx.json

sbom: $(VENV)/.installed ## what image and Debian package are made of, CycloneDX, into dist/
	mkdir -p dist
	deploy/docker/sbom $(BIN)/cyclonedx-py dist/ami-exporter.cdx.json

lock: ## pin the dependencies of image and Debian package anew
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/pip install --quiet --disable-pip-version-check pip-tools
	deploy/docker/lock $(VENV)/lock/bin/pip-compile

bench: $(VENV)/.installed ## speed, memory and scale (an hour or so; MEMORY=full, WRITE=1, BENCH=poll codec events memory fleet cost start strangers web)
	$(BIN)/python -m benchmarks --memory $(or $(MEMORY),short) $(if $(WRITE),--write) $(BENCH)

clean: ## remove what make made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
