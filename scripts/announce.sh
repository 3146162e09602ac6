#!/usr/bin/env bash
# Says what a target of the Makefile is about to do and how long it takes. The times were measured on two
# cores (AMD EPYC); a machine with more is faster, nearly in proportion.
#
#   scripts/announce.sh demo|test
set -euo pipefail

target="${CARGO_TARGET_DIR:-target}"
cores="$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)"

say() { echo "$1: $2" >&2; }

# What compiling from nothing takes on this machine, in minutes: most of it runs on all cores.
minutes() { echo $((1 + $1 * 2 / (cores < 2 ? 1 : cores))); }

case "${1:-}" in
demo)
    if [ -x "$target/release/samsyn-demo" ]; then
        say demo "1. build what changed (seconds)  2. run the demo (about 10 seconds)"
    else
        say demo "1. compile the host and its libraries: about $(minutes 8) minutes on $cores cores; cargo shows how many of the crates are done"
        say demo "2. build the plug-ins: about half a minute  3. run the demo: about 10 seconds"
        say demo "The next time only the demo runs."
    fi
    ;;
test)
    if [ -d "$target/debug/deps" ]; then
        say test "1. build what changed  2. run all tests: about 6 minutes; each suite states its seconds"
    else
        say test "1. compile everything with its tests: about $(minutes 10) minutes on $cores cores; cargo shows how many of the crates are done"
        say test "2. run all tests: about 6 minutes; each suite states its seconds"
    fi
    ;;
*)
    echo "usage: scripts/announce.sh demo|test" >&2
    exit 2
    ;;
esac
