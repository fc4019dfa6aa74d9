# make serve      sets up everything, starts the service and the upload page beside it
# make check      lint and the tests that start no service: under a minute, for every save
# make test       sets up what the tests need and runs them
# make test-full  adds what needs root and Debian packages: Chromium, rclone, a full disk, crashes
# make lint       mypy strict, ruff, and whether generated pages are current (part of `make test`)
# make bench      measures meiku beside other servers (ARGS="--help" tells how); bench-micro, profile: from inside;
#                 bench-instructions: in machine instructions, whatever else the machine does
# make docs       writes the generated pages anew; make pictures, the pictures in them
# Settings pass through: make serve PORT=9100 PAGE_PORT=8100 DATA=/srv/meiku

VENV   := .venv
PYTHON := $(VENV)/bin/python
DATA   ?= meiku-data
PORT   ?= 9000
PAGE_PORT ?= 8080

# How often test-extra kills the service under load; `make test` does it five times.
CRASH_ROUNDS ?= 50

# test-extra is what test-full adds.
# What is judged without a service: signatures, rights, statements, bytes, the house's own laws.
SERVED := $(addprefix tests/wire/test_, documents.py hosts.py protocol.py service_addresses.py visitors.py)
QUICK  := tests/access tests/auth tests/signing tests/contracts tests/blobs \
          $(filter-out $(SERVED), $(wildcard tests/wire/test_*.py)) \
          $(addprefix tests/test_, architecture.py checksums.py config.py counters.py observe.py)

.PHONY: serve check test test-full test-extra lint docs pictures constraints clean

serve: $(VENV)/serve.made
	@$(PYTHON) examples/direct-upload/start.py --data $(DATA) --port $(PORT) --page-port $(PAGE_PORT)

check: $(VENV)/test.made lint
	$(PYTHON) -m pytest $(QUICK)

test: $(VENV)/test.made lint
	$(PYTHON) -m pytest --ignore=tests/browser --ignore=tests/full --ignore=tests/load

test-full: test test-extra

test-extra: $(VENV)/full.made
	MEIKU_CRASH_ROUNDS=$(CRASH_ROUNDS) $(PYTHON) -m pytest tests/browser tests/full tests/load tests/crash

lint: $(VENV)/test.made
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) scripts/write_docs.py --check

docs: $(VENV)/test.made
	$(PYTHON) scripts/write_docs.py

pictures: $(VENV)/test.made
	$(PYTHON) scripts/draw_pictures.py

$(VENV)/serve.made: pyproject.toml constraints.txt
	@scripts/make-venv $(VENV) example
	@touch $@

$(VENV)/test.made: pyproject.toml constraints.txt
	scripts/make-venv $(VENV) example,test,lint
	touch $@ $(VENV)/serve.made

$(VENV)/full.made: $(VENV)/test.made scripts/install-debian-packages
	scripts/install-debian-packages
	scripts/make-venv $(VENV) example,test,lint,browser
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Takes today's versions of everything that is used; run the tests before you commit it.
constraints: $(VENV)/full.made
	$(PYTHON) -m pip install --quiet --upgrade --upgrade-strategy eager -e '.[example,test,lint,browser,bench]'
	$(PYTHON) -m pip freeze --exclude-editable > constraints.txt

.PHONY: bench bench-micro bench-instructions profile

bench: $(VENV)/bench.made
	$(PYTHON) -m bench $(ARGS)

bench-micro: $(VENV)/bench.made
	$(PYTHON) -m bench.micro $(ARGS)

bench-instructions: $(VENV)/bench.made
	$(PYTHON) -m bench.instructions $(ARGS)

profile: $(VENV)/bench.made
	$(PYTHON) -m bench.profile $(ARGS)

$(VENV)/bench.made: pyproject.toml constraints.txt
	scripts/make-venv $(VENV) example,bench
	touch $@ $(VENV)/serve.made
