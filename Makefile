# Two commands bring a newcomer to a result: `make up` and `make test`. `make help` lists the rest.
# MODEL, BASE_FORM, SERVER_PORT, FRONT_PORT, DEVICE and N reach `make up` from the command line or the environment by themselves.
# `python3 -m deploy.up --help` (deploy.cluster, deploy.monitor) says which variables are read.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help up cluster monitor pin test check lint format bench bench-engine bench-tune bench-env quant-table results figures pictures docs sbom eval train train-all recorded rerank lock clean env

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1|/' | awk -F'|' '{printf "  make %-10s %s\n", $$1, $$2}'

up: ## install, start the model server (8000) and the OCR front (8080); MODEL=… serves another base
	@$(PYTHON) -m deploy.up

cluster: ## N model servers behind vllm-router, sharing one registry folder; N=3 by default
	@$(PYTHON) -m deploy.cluster

monitor: ## Prometheus (Grafana where it is installed) beside running services; prints the addresses
	@$(PYTHON) -m deploy.monitor

pin: ## write the digests of foreign images into Dockerfiles, compose file and manifests (asks their registries)
	@$(PYTHON) -m deploy.images.pin

env: ## the environment with everything for development (.venv)
	@$(PYTHON) -m deploy.up.dev

test: env ## the whole suite from nothing; brings the programs it needs, or says which tests it leaves out
	@$(VENV) -m tests.support.tools
	@$(VENV) -m tests.support.run $(ARGS)

check: lint ## for daily work: style, types and unit tests
	@$(VENV) -m pytest tests/unit -q -n 2 -m "not slow" $(ARGS)

lint: env ## ruff and strict mypy
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy

format: env ## let ruff put the code in order
	@$(VENV) -m ruff check --fix . && $(VENV) -m ruff format .

bench: env ## cards end to end on running services, one by one and by several clients; the last line is JSON
	@$(VENV) -m benchmarks.cards.card $(ARGS)

quant-table: env ## what each quantization costs and gives; about 30 minutes, ARGS=--quick for few
	@$(VENV) -m benchmarks.quantization.table $(ARGS)

bench-engine: env ## every benchmark of the engine, an hour and more on two quiet cores; pictures in benchmarks/results
	@for run in lora.tax lora.mixed lora.many lora.floor lora.memory "rivals.today --shape embedded" "rivals.today --shape qwen3-0.6b --crowds 8"; do \
	  $(VENV) -m benchmarks.$$run || exit 1; done

bench-tune: env ## try launches on this machine; the winner becomes a profile that the server reads
	@$(VENV) -m benchmarks.tune.launch $(ARGS)

bench-env: env ## what `benchmarks.rivals.today` compares with, each in an environment of its own; llama.cpp is compiled (ARGS=openvino for one)
	@$(VENV) -m benchmarks.rivals.environments $(ARGS)

results: env ## every result file measured anew, then the numbers in README and docs; five hours, ARGS="--only card load" for some
	@$(VENV) -m benchmarks.rerun $(ARGS)

figures: env ## bring the numbers in README, docs and the shipped model cards up to date with the result files, and the tables of settings
	@for one in $$($(VENV) -c "from adapters.registry.home import SHIPPED; print(*SHIPPED)"); do \
	  $(VENV) -m adapters card adapters/$${one/@//} --license apache-2.0 || exit 1; done
	@$(VENV) -m benchmarks.publish.figures --write
	@$(VENV) -m benchmarks.publish.settings --write
	@$(VENV) -m benchmarks.quantization.report
	@$(VENV) -m deploy.capacity

pictures: env ## the pictures in README and docs, from running services (make up) and Chromium
	@$(VENV) -m benchmarks.publish.result_picture
	@$(VENV) -m benchmarks.publish.page_pictures

docs: env ## the documentation as a site, in English and French, in site/; fails for a link that leads nowhere
	@NO_MKDOCS_2_WARNING=1 $(VENV) -m mkdocs build --strict --quiet && echo "site/index.html"

eval: env ## the held-out cards through the running services; scores go beside the adapter
	@$(VENV) -m adapters evaluate $(ARGS)

train: env ## train the shipped adapter from its recipe
	@$(VENV) -m adapters train adapters/recipes/cni.yaml $(ARGS)

PARTS := cni-first cni-second cni-third cni-fourth cni-fifth
train-all: env ## train every part of the shipped adapter from nothing (a night); each replaces its weights beside the recipes
	@for one in $(PARTS); do \
	  folder=$$($(VENV) -m adapters train adapters/recipes/$$one.yaml --runs runs/$$one --registry runs/$$one/registry $(ARGS)) && \
	  cp $$folder/{adapter_config.json,adapter_model.safetensors,training.json,training.png} adapters/recipes/$$one/ || exit 1; done
	@$(VENV) -m adapters train adapters/recipes/cni.yaml $(ARGS)

recorded: env ## draw the training cards, read them with the real OCR, keep the lines (forty minutes on one core)
	@draw() { $(VENV) -m adapters cards --out runs/recorded/$$1 --count $$2 --seed $$1 --condition $$3 $$4 && \
	  $(VENV) -m ocr_frontend lines runs/recorded/$$1 --out runs/recorded/$$1/lines.jsonl; }; \
	draw 100 240 both && draw 101 240 both && draw 102 320 both && draw 200 400 both && draw 201 400 both && draw 202 400 both && \
	draw 203 320 both "--document cni-2025-verso" && draw 300 140 hard && draw 301 140 hard && draw 302 140 hard
	@$(VENV) -m adapters record runs/recorded/10[01] --out adapters/recipes/recorded.jsonl.gz
	@$(VENV) -m adapters record runs/recorded/102 --out adapters/recipes/recorded-more.jsonl.gz
	@$(VENV) -m adapters record runs/recorded/20[0123] --out adapters/recipes/recorded-third.jsonl.gz
	@$(VENV) -m adapters record runs/recorded/30[012] --out adapters/recipes/recorded-hard.jsonl.gz

rerank: env ## learn anew what words say and which lines say a field, with the model server of make up
	@$(VENV) -m adapters kinds
	@for seed in 8104 8105 8106; do \
	  $(VENV) -m adapters cards --out runs/rerank/varied-$$seed --split train --condition varied --count 250 --seed $$seed || exit 1; done
	@for seed in 8104 8105 8106 8107; do \
	  $(VENV) -m adapters cards --out runs/rerank/stamped-$$seed --split train --condition stamped --count 250 --seed $$seed || exit 1; done
	@for seed in 8108 8109; do \
	  $(VENV) -m adapters cards --out runs/rerank/narrow-$$seed --split train --condition narrow --count 250 --seed $$seed || exit 1; done
	@for seed in 8110 8111; do \
	  $(VENV) -m adapters cards --out runs/rerank/faint-$$seed --split train --condition faint --count 250 --seed $$seed || exit 1; done
	@$(VENV) -m adapters cards --out runs/rerank/hard --split train --condition hard --count 200 --seed 8101
	@$(VENV) -m adapters cards --out runs/rerank/both --split train --condition both --count 120 --seed 8102
	@for one in runs/rerank/*; do $(VENV) -m ocr_frontend choices $$one --out $$one/choices.jsonl.gz || exit 1; done
	@$(VENV) -m adapters rerank runs/rerank/*

# The CPU build of PyTorch comes from a folder of wheels where there is one; the GPU lock must not see that folder.
LOCK := uv pip compile -q pyproject.toml --python-version 3.11 --no-emit-find-links --no-emit-index-url --no-header --generate-hashes
ON_CPU := UV_FIND_LINKS=$${UV_FIND_LINKS:-$$PIP_FIND_LINKS} $(LOCK) --override requirements/overrides.txt
lock: ## pin every package anew, by version and hash; one lock an environment
	$(ON_CPU) --extra cpu --extra adapters --extra front --extra dev --extra docs --extra rerank -o requirements/dev.lock
	$(ON_CPU) --extra cpu --extra adapters -c requirements/dev.lock -o requirements/cpu.lock
	sed -i -E '/^torch==/{:a;/\\$$/{N;ba};s/ \\\n +--hash=[^[:space:]]+//g}' requirements/dev.lock requirements/cpu.lock # built for one Python, elsewhere for another
	$(ON_CPU) --extra front -c requirements/dev.lock -o requirements/front.lock
	$(LOCK) --extra router -o requirements/router.lock
	env -u UV_FIND_LINKS $(LOCK) --extra gpu --extra adapters -o requirements/gpu.lock

sbom: env ## what each image is made of, as CycloneDX, in build/sbom
	@mkdir -p build/sbom
	@for one in cpu gpu front router; do \
	  .venv/bin/uv tool run -q --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements/$$one.lock --pyproject pyproject.toml \
	    --output-reproducible --output-format JSON -o build/sbom/$$one.cdx.json 2>/dev/null || exit 1; done; echo build/sbom/*

clean: ## remove environments, runs and what was built (not the cache)
	rm -rf .venv .venv-* build runs site
