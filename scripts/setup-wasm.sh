#!/usr/bin/env bash
# Gets a compiler for wasm32-unknown-unknown, which plug-ins are built for. Does nothing when there
# is one. `samsyn plugin build` finds what this leaves by the same steps (host/build/src/toolchain.rs);
# this one may also ask sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
packages=(rustc-web rust-web-src)
# Left where rustup couldn't download, so that nobody waits for the network twice.
mark="${CARGO_TARGET_DIR:-target}/wasm/.rustup-has-no-wasm32"

has_target() { [ -d "$("$1" --print sysroot)/lib/rustlib/$target/lib" ]; }

# Debian's compiler does when it is recent enough for edition 2024 and has the target or its sources.
debian_is_ready() {
    [ -x /usr/bin/rustc ] || return 1
    local minor
    minor=$(/usr/bin/rustc --version | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
    [ "${minor:-0}" -ge 85 ] || return 1
    has_target /usr/bin/rustc || [ -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ]
}

say() { echo "setup: $*" >&2; }

if has_target rustc; then
    exit 0
fi
if [ ! -e "$mark" ]; then
    say "the compiler has no $target: rustup target add $target"
    if command -v rustup >/dev/null && rustup target add "$target" >&2 && has_target rustc; then
        exit 0
    fi
    mkdir -p "$(dirname "$mark")"
    touch "$mark"
fi
if debian_is_ready; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    say "rustup can't add $target and there is no apt-get here; add the target by hand: rustup target add $target"
    exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        say "rustup can't add $target; as root, run: apt-get install ${packages[*]}"
        exit 1
    fi
    root=(sudo)
fi
install() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}" >&2; }
say "rustup can't add $target: ${root[*]:-} apt-get install ${packages[*]}"
# A fresh machine has no package lists yet.
install || { "${root[@]}" apt-get update -q >&2 && install; }
debian_is_ready || {
    say "apt-get has installed ${packages[*]}, but they are too old; add the target by hand: rustup target add $target"
    exit 1
}
