#!/usr/bin/env bash
# Checks the dependencies by deny.toml: which crates, whose licences, from where. Installs cargo-deny
# into the target directory when it isn't on the path; a debug build, because compiling it is the
# longer part.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-target}"
parent="$(cd "$(dirname "$target")" && pwd)"
PATH="$PATH:$parent/$(basename "$target")/tools/bin"
export PATH
if ! command -v cargo-deny >/dev/null; then
    echo "setup: installing cargo-deny into $target/tools" >&2
    CARGO_TARGET_DIR="$target/tools/build" cargo install --locked --debug --quiet --root "$target/tools" cargo-deny
    rm -rf "$target/tools/build"
fi
# Who brings a duplicate in: `cargo tree -d`.
exec cargo-deny --all-features check --hide-inclusion-graph bans licenses sources
