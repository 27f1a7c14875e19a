# Two commands matter: `make run` and `make test`. `make` alone prints this help.
# The first of these that runs and is new enough (a name may be there without running).
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
export WITHOUT
.DEFAULT_GOAL := help
.PHONY: help setup console run test test-unit check bench soak lock clean

help: ## print this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || \
	  { echo "需要 Python 3.11 或更新版本 Python 3.11 or newer is needed (set PYTHON=...)"; exit 1; }
	@echo "[1/3] 建立虚拟环境 creating $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "[2/3] 安装依赖(约 1-3 分钟) installing the locked packages, 1-3 minutes"
	@( $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes \
	  -r requirements.lock || echo "FAILED" ) \
	  | awk '/^(Collecting|Downloading|Installing)/ {n++; printf "\r      %d  %-60.60s", n, $$2; fflush()} \
	         /^FAILED/ {bad = 1} END {print ""; exit bad}' || \
	  { echo "安装失败,见上 the installation failed, see above"; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "installing the locked test packages"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.installed ## create the virtual environment and build the console
	@echo "[3/3] 构建控制台 building the console"
	@$(BIN)/python command_center/console/build.py

run: setup ## install what is needed and start everything: http://127.0.0.1:8080
	@exec $(BIN)/command-center serve $(ARGS)

test: $(VENV)/.installed-dev ## install what tests need and run them all (WITHOUT=chromium,... leaves peers out)
	@$(BIN)/python -m tests.harness.packages --install
	@$(BIN)/python command_center/console/build.py
	@$(BIN)/python -m tests.harness.run $(ARGS)

test-unit: $(VENV)/.installed-dev ## run the unit tests alone: no Debian package needed, under a minute
	@$(BIN)/python -m pytest tests --ignore=tests/service --ignore=tests/peers --ignore=tests/scenarios \
	  --ignore=tests/faults --ignore=tests/console -m "not peer" $(ARGS)

check: $(VENV)/.installed-dev ## ruff, mypy strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.installed-dev ## run every benchmark and write docs/benchmarks.md
	@$(BIN)/python -m benchmarks all --write docs/benchmarks.md

soak: $(VENV)/.installed-dev ## the long forms of the tests, these alone: hours
	@$(BIN)/python -m tests.harness.packages --install
	@SOAK=1 $(BIN)/python -m pytest -m soak $(ARGS)

lock: $(VENV)/.installed-dev ## resolve pyproject.toml again into the two hashed lock files
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## remove what was built (keeps ./var, where the data is)
	rm -rf $(VENV) command_center/web/dist command_center/console/node_modules
