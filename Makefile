# One command for each habit. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
PLUGINS := crm email loyalty service-desk sms tier-sync
COMPONENTS := $(PLUGINS:%=$(TARGET)/plugins/%.wasm)
# Only for tests and benchmarks: what attacks the host.
TEST_PLUGINS := hostile
TEST_COMPONENTS := $(TEST_PLUGINS:%=$(TARGET)/plugins/%.wasm)

# Rounds of power cuts and bit flips before `make torture` goes on to the real command.
DISK_ROUNDS ?= 20

# Which build of the host builds the plug-ins. They come out the same; this saves building it twice.
PROFILE ?= debug
SAMSYN := $(TARGET)/$(PROFILE)/samsyn

# Where `make install` puts things, below DESTDIR if that is given, and which build of the host it takes.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SHAREDIR ?= $(PREFIX)/share
SYSTEMDDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
INSTALL_PROFILE ?= release
BUILT := $(TARGET)/$(INSTALL_PROFILE)/samsyn
BASH_COMPLETION := $(SHAREDIR)/bash-completion/completions/samsyn
ZSH_COMPLETION := $(SHAREDIR)/zsh/site-functions/_samsyn
FISH_COMPLETION := $(SHAREDIR)/fish/vendor_completions.d/samsyn.fish
INSTALLED := $(BINDIR)/samsyn $(PLUGINS:%=$(SHAREDIR)/samsyn/plugins/%.wasm) \
	$(SYSTEMDDIR)/samsyn.service $(SYSUSERSDIR)/samsyn.conf \
	$(BASH_COMPLETION) $(ZSH_COMPLETION) $(FISH_COMPLETION) \
	$(patsubst docs/%,$(SHAREDIR)/doc/samsyn/%,$(wildcard docs/*.md)) $(SHAREDIR)/doc/samsyn/LICENSE

.PHONY: help demo test torture plugins test-plugins bench lint format-check clippy deny fmt clean setup-wasm \
	host-debug host-release build install uninstall

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## Build everything and run the demo; ARGS="--events 2000 --exit" makes it smaller
	@scripts/announce.sh demo
	@$(MAKE) --no-print-directory plugins PROFILE=release
	@$(TARGET)/release/samsyn demo $(ARGS)

test: ## Build everything and run all tests
	@scripts/announce.sh test
	@scripts/peers
	@$(MAKE) --no-print-directory plugins test-plugins
	cargo test --workspace

torture: plugins ## Kill, abort and damage a host until stopped; ARGS="--seed 7 --minutes 60" bounds it
	SAMSYN_ROUNDS=$(DISK_ROUNDS) cargo test --workspace --lib -- --ignored --nocapture torture_
	cargo test --workspace --test stories -- --ignored --nocapture torture_
	cargo test --workspace --test survival -- --ignored --nocapture torture_calls
	TORTURE_ARGS="$(ARGS)" cargo test --workspace --test survival -- --ignored --exact torture::until_stopped --nocapture

plugins: $(COMPONENTS) ## Build the plug-ins that changed, into target/plugins

test-plugins: $(TEST_COMPONENTS)

bench: ## Measure, with baselines in the same run; writes target/bench.json; ARGS="--only log.sync" keeps the rest
	@$(MAKE) --no-print-directory plugins test-plugins PROFILE=release
	cargo run --release -p samsyn-bench -- $(ARGS)

lint: format-check clippy deny ## Check formatting, clippy and dependencies

build: ## Build what `make install` installs: the command in release, and the plug-ins
	@$(MAKE) --no-print-directory plugins PROFILE=release

install: ## Install what was built; PREFIX=/usr/local and DESTDIR= say where. Builds only what is missing
	@for file in $(BUILT) $(COMPONENTS); do \
		if [ ! -e "$$file" ]; then exec $(MAKE) --no-print-directory plugins PROFILE=$(INSTALL_PROFILE); fi; done
	install -D -m 755 $(BUILT) $(DESTDIR)$(BINDIR)/samsyn
	install -d $(DESTDIR)$(SHAREDIR)/samsyn/plugins $(DESTDIR)$(SHAREDIR)/doc/samsyn
	install -m 644 $(COMPONENTS) $(DESTDIR)$(SHAREDIR)/samsyn/plugins
	install -m 644 $(wildcard docs/*.md) LICENSE $(DESTDIR)$(SHAREDIR)/doc/samsyn
	sed -e 's|/usr/local/bin|$(BINDIR)|g' -e 's|/usr/local/share|$(SHAREDIR)|g' packaging/samsyn.service \
		| install -D -m 644 /dev/stdin $(DESTDIR)$(SYSTEMDDIR)/samsyn.service
	install -D -m 644 packaging/samsyn.sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/samsyn.conf
	set -o pipefail; $(BUILT) completions bash | install -D -m 644 /dev/stdin $(DESTDIR)$(BASH_COMPLETION)
	set -o pipefail; $(BUILT) completions zsh | install -D -m 644 /dev/stdin $(DESTDIR)$(ZSH_COMPLETION)
	set -o pipefail; $(BUILT) completions fish | install -D -m 644 /dev/stdin $(DESTDIR)$(FISH_COMPLETION)
	@$(if $(DESTDIR),true,echo 'A service: systemd-sysusers && systemctl daemon-reload && systemctl enable --now samsyn')

uninstall: ## Remove what `make install` installed; data and configuration stay
	rm -f $(INSTALLED:%=$(DESTDIR)%)
	@rmdir --ignore-fail-on-non-empty $(DESTDIR)$(SHAREDIR)/samsyn/plugins $(DESTDIR)$(SHAREDIR)/samsyn \
		$(DESTDIR)$(SHAREDIR)/doc/samsyn 2>/dev/null || true

fmt: ## Format the code
	cargo fmt --all

clean: ## Delete what was built
	cargo clean

.PHONY: docs
docs: ## Build the SDK's documentation, with examples, and print its path
	cargo doc --no-deps -p samsyn-plugin
	@echo $(TARGET)/doc/samsyn_plugin/index.html

format-check:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets -- -D warnings

deny:
	@scripts/cargo-deny.sh

setup-wasm:
	@scripts/setup-wasm.sh

# With the tests, so that `cargo test` afterwards finds the same features and builds nothing twice.
host-debug:
	cargo build --workspace --bins --tests

host-release:
	cargo build --release -p samsyn -p samsyn-demo --bins

# What a component is made of. A change in how they are built rebuilds them too.
SHARED_SOURCES := $(shell find plugins/sdk plugins/email-addresses plugins/phone-numbers plugins/visible-text \
	wit host/build/src -type f) Cargo.lock

define COMPONENT
$(TARGET)/plugins/$(1).wasm: $(shell find $(2)/$(1) -type f) $(SHARED_SOURCES) | setup-wasm host-$(PROFILE)
	@$(SAMSYN) --quiet plugin build $(2)/$(1)
endef
$(foreach plugin,$(PLUGINS),$(eval $(call COMPONENT,$(plugin),plugins)))
$(foreach plugin,$(TEST_PLUGINS),$(eval $(call COMPONENT,$(plugin),tests)))
