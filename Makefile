# What a new machine needs is Go, Node and git; the targets fetch the rest into .tools, and Debian's packages by apt.
export PATH := $(CURDIR)/.tools/bin:$(PATH)
export GOFLAGS := -buildvcs=false
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo dev)
TESTFLAGS ?= -race -shuffle=on
.DEFAULT_GOAL := build
FUZZTIME ?= 60s
.PHONY: build demo test fuzz lint bench bench-proxy bench-tools proto clean

build: ## bin/pitstop
	CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/pitstop .

demo: build example ## the whole way, from a publish to reloads under load
	go run ./e2e/demo bin/pitstop examples/node-app

test: example preload-apps runners grpc-app cc .tools/bin/grpcurl .tools/bin/h2spec ## all tests, with real Node and real clients
	go test $(TESTFLAGS) $$(go list ./... | grep -v /e2e$$)
	go test $(TESTFLAGS) -parallel 4 -timeout 15m ./e2e # they wait more than they work

fuzz: ## every fuzz target for a while; what it finds stays in testdata/fuzz, and is a test from then on
	@go list ./... | while read -r p; do go test -list '^Fuzz' $$p | grep '^Fuzz' | while read -r f; do \
		echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done || exit 1; done

soak-hostile: example grpc-app .tools/bin/grpcurl .tools/bin/h2spec ## many more hostile requests on both engines; HOSTILE_SEED plays others
	HOSTILE_CASES=$${HOSTILE_CASES:-50000} go test -count=1 -timeout 60m -run TestHostile -v ./e2e

lint: .tools/bin/staticcheck .tools/bin/errcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	go vet ./...
	staticcheck ./...
	errcheck -ignoretests -exclude .errcheck ./...

bench: build example bench/pm2/node_modules/.package-lock.json ## what it costs, beside its peers; writes bench/README.md
	go test -run '^$$' -bench . -benchmem ./drain ./child/logs ./proxy/lean ./proxy/http1
	go build -o bin/bench-reload ./bench/reload
	bin/bench-reload -write bench/README.md
	$(MAKE) bench-proxy BENCHFLAGS="-write bench/README.md"

# BENCHFLAGS="-quick" for two minutes of it, -h for the rest.
bench-proxy: build bench-tools ## what a request costs on its way through, beside nginx and HAProxy
	go build -o bin/bench-proxy ./bench/proxy
	bin/bench-proxy $(BENCHFLAGS)

proto: .tools/bin/buf .tools/bin/protoc-gen-go .tools/bin/protoc-gen-go-grpc ## control/controlpb from control/proto
	cd control/proto && buf lint && buf generate

clean:
	rm -rf bin .tools examples/node-app/node_modules bench/pm2/node_modules child/testdata/*/node_modules
	rm -rf child/preload/testdata/*/node_modules child/preload/testdata/next/.next e2e/testdata/grpc/node_modules

# What benchmarks need: Debian's own. They need not run as services.
bench-tools:
	@command -v nginx >/dev/null && command -v haproxy >/dev/null && command -v wrk >/dev/null || \
		(apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light haproxy wrk)

# What tests need.

.PHONY: example preload-apps runners grpc-app cc
example: examples/node-app/node_modules/.package-lock.json
grpc-app: e2e/testdata/grpc/node_modules/.package-lock.json
runners: child/testdata/runners/node_modules/.package-lock.json
preload-apps: child/preload/testdata/apps/node_modules/.package-lock.json child/preload/testdata/nodes/node_modules/.package-lock.json \
	child/preload/testdata/next/.next/BUILD_ID

child/preload/testdata/next/.next/BUILD_ID: child/preload/testdata/next/node_modules/.package-lock.json \
	$(wildcard child/preload/testdata/next/app/*.js child/preload/testdata/next/app/*/*.js)
	cd child/preload/testdata/next && NEXT_TELEMETRY_DISABLED=1 node_modules/.bin/next build

%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund && touch node_modules/.package-lock.json

# The race detector needs a C compiler. Without tini and dumb-init, which stand for those that users put in between, their
# tests are skipped.
cc:
	@command -v gcc >/dev/null || (apt-get update -qq && apt-get install -y -qq gcc libc6-dev)
	@command -v tini >/dev/null && command -v dumb-init >/dev/null || (apt-get update -qq && apt-get install -y -qq tini dumb-init) || \
		echo "tini and dumb-init cannot be installed: their tests are skipped"

.tools/bin/grpcurl: export PKG = github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
.tools/bin/h2spec: export PKG = github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
.tools/bin/staticcheck: export PKG = honnef.co/go/tools/cmd/staticcheck@v0.8.2
.tools/bin/errcheck: export PKG = github.com/kisielk/errcheck@v1.30.0
.tools/bin/buf: export PKG = github.com/bufbuild/buf/cmd/buf@v1.75.0
.tools/bin/protoc-gen-go: export PKG = google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.11
.tools/bin/protoc-gen-go-grpc: export PKG = google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2
.tools/bin/%:
	GOBIN=$(CURDIR)/.tools/bin go install $(PKG)
