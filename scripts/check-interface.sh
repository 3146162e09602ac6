#!/usr/bin/env bash
# Holds a running host against its own description: /openapi.json is valid OpenAPI 3.1, and
# schemathesis, with every check it has, finds nothing that the host does otherwise.
#
#   SAMSYN_TOKEN=… scripts/check-interface.sh http://127.0.0.1:8080
#
# It writes, removes and skips: never point it at a host whose data you want to keep.
# SAMSYN_INTERFACE_SEED and SAMSYN_INTERFACE_EXAMPLES change what is tried.
set -euo pipefail

host="${1:?the address of a host, such as http://127.0.0.1:8080}"
: "${SAMSYN_TOKEN:?an admin token of the host}"
export SAMSYN_TOKEN
# The components that it tries to install.
export SAMSYN_INTERFACE_COMPONENTS="${SAMSYN_INTERFACE_COMPONENTS:-${CARGO_TARGET_DIR:-target}/plugins}"
seed="${SAMSYN_INTERFACE_SEED:-20261121}"
# Cases for each call and phase: with these some 3,000 requests, a minute.
examples="${SAMSYN_INTERFACE_EXAMPLES:-50}"

cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
tools="$target/interface-tools"
requirements=tests/interface/requirements.txt

# Installs what the machine lacks, where that can be done without asking; says what it does.
install() {
    local wanted="$1" why="$2"
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "$why: install it (Debian: apt-get install $wanted), then run this again" >&2
        exit 2
    fi
    echo "setup: apt-get install $wanted" >&2
    # A new machine has no list of packages yet.
    # shellcheck disable=SC2086
    apt-get install -qq -y $wanted >&2 || { apt-get update -qq >&2 && apt-get install -qq -y $wanted >&2; }
}

new_enough() { python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

set_up() {
    local made="$tools/made-of"
    if cmp -s "$requirements" "$made"; then return; fi
    local missing="the interface's check needs Python 3.11 or newer"
    new_enough || install "python3 python3-venv" "$missing"
    new_enough || { echo "$missing; python3 is $(python3 --version)" >&2; exit 2; }
    # Debian ships venv without pip unless python3-venv is there.
    python3 -c 'import ensurepip' 2>/dev/null || install python3-venv "Python's venv can't install pip"
    echo "setup: installing schemathesis and openapi-spec-validator into $tools" >&2
    rm -rf "$tools"
    python3 -m venv "$tools"
    if ! "$tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$requirements" >&2; then
        echo "the packages can't be installed: pip must reach PyPI or a mirror of it (PIP_INDEX_URL); then run this again" >&2
        exit 2
    fi
    cp "$requirements" "$made"
}

mkdir -p "$target"
# Two checks at once install once.
exec 8>"$target/interface-tools.lock"
flock 8
set_up
flock -u 8

# Nothing of an earlier run is used: the seed alone decides what is tried.
export HYPOTHESIS_STORAGE_DIRECTORY="$tools/hypothesis"
description="$(mktemp)"
trap 'rm -f "$description"' EXIT
"$tools/bin/python" -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' \
    "$host/openapi.json" >"$description"
"$tools/bin/openapi-spec-validator" --schema 3.1 "$description"

echo "schemathesis: seed $seed, $examples examples" >&2
"$tools/bin/schemathesis" --config-file tests/interface/schemathesis.toml run "$host/openapi.json" \
    --checks all --seed "$seed" --max-examples "$examples" --workers 1 --continue-on-failure \
    --generation-database none --no-color
