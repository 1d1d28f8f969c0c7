# sudo make demo    everything on a bare machine: set-up, an image, a daemon, the main job, step by step
# sudo make test    set-up, lint, unit tests, tests on the real kernel, leak check
# sudo make bench   measurements, kept in bench/results/
SHELL := bash
NODE := node_modules/node/bin/node
DEPCRUISE := $(NODE) node_modules/dependency-cruiser/bin/dependency-cruise.mjs
BIOME := $(NODE) node_modules/@biomejs/biome/bin/biome
TSC := $(NODE) node_modules/@typescript/native/bin/tsc

.PHONY: help setup sensor console demo test unit system lint format docs bench bench-peers clean root sdk

help:
	@sed -n '1,3s/^# //p' Makefile
	@echo 'sudo make setup   only the set-up · make sensor · make console · make lint · make format · make unit · sudo make system · sudo make bench-peers · make clean'

setup:
	@scripts/setup

# Only the sensor: eBPF programs and the program that loads them. Where the tools or the kernel's types are missing, it says so.
sensor:
	@$(MAKE) --no-print-directory -s -C native sensor

# The pages that the daemon serves, unless they are built from these very sources.
console:
	@$(NODE) scripts/console.ts build

demo: root
	@scripts/setup
	@scripts/demo

test: root
	@scripts/setup
	@$(NODE) scripts/test.ts lint unit console system leaks

unit:
	@$(NODE) scripts/test.ts unit

system: root
	@$(NODE) scripts/test.ts system leaks

lint:
	@$(BIOME) check --error-on-warnings .
	@$(TSC) --noEmit
	@$(TSC) --noEmit -p src/apps/console
	@$(DEPCRUISE) --config .dependency-cruiser.mjs src

format:
	@$(BIOME) check --write .

docs:
	@$(NODE) scripts/cli-doc.ts > docs/cli.md
	@$(NODE) scripts/openapi.ts > docs/openapi.json
	@$(NODE) scripts/sdk-types.ts > sdk/src/api-types.ts
	@$(NODE) scripts/rules-doc.ts

# The package of the SDK: sdk/dist.
sdk:
	@$(NODE) scripts/sdk-build.ts

bench: root
	@scripts/setup
	@$(NODE) bench/main.ts
	@$(NODE) bench/wake.ts
	@$(NODE) bench/shop.ts
	@$(NODE) bench/gateway.ts
	@$(NODE) bench/admission.ts
	@$(NODE) bench/scan.ts
	@$(NODE) bench/sensing.ts
	@$(NODE) bench/sensor.ts
	@$(NODE) bench/rules.ts
	@$(NODE) bench/activity.ts
	@$(NODE) bench/console.ts
	@$(NODE) bench/api.ts
	@$(NODE) bench/telemetry.ts
	@$(NODE) bench/overhead.ts

bench-peers: root
	@scripts/setup peers

clean:
	$(MAKE) -C native clean
	rm -rf node_modules sdk/dist

root:
	@[ "$$(id -u)" = 0 ] || { echo 'This needs root: namespaces, mounts, cgroups and nftables are made. Run it with sudo.' >&2; exit 1; }
