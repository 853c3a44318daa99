# provhub: what there is to run. `make` lists it.

GO      ?= go
BIN     := bin
PLUGINS := $(notdir $(wildcard plugins/provhub-connector-*))
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: help build demo test check bench generate clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

build: ## build provhub and its plugins into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/provhub $(addprefix ./plugins/,$(PLUGINS))

demo: build ## run the main job on sample data, twice, and show what happened
	examples/quickstart/demo

test: ## start the servers the tests need, check the code, run all tests
	scripts/test

check: ## formatting, vet and static analysis only
	scripts/check

bench: build ## measure against references; prints a table
	scripts/bench

generate: ## regenerate schemas/gen from the protobuf files (needs protoc)
	scripts/generate

clean: ## remove what was built
	rm -rf $(BIN)
