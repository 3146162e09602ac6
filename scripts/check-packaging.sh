#!/usr/bin/env bash
# Checks what an installation consists of: the systemd unit, `make install`, the Dockerfile and the scripts.
#
#   scripts/check-packaging.sh                 # with the debug build of the command, which `make plugins` makes
#   scripts/check-packaging.sh release         # with the release build
#
# A check whose tool isn't on this machine is skipped by name. Needs no network and changes nothing outside a
# temporary directory.
set -euo pipefail
cd "$(dirname "$0")/.."

profile="${1:-debug}"
# The highest exposure that `systemd-analyze security` may find, in tenths: what is left is the network, memory
# that becomes executable, and what packaging/samsyn.service gives a reason for.
exposure_max=12
temporary="$(mktemp -d)"
trap 'rm -rf "$temporary"' EXIT

passed=0
failed=0
skipped=0
pass() { passed=$((passed + 1)); echo "ok       $*"; }
fail() { failed=$((failed + 1)); echo "FAILED   $*"; }
skip() { skipped=$((skipped + 1)); echo "skipped  $*"; }
# check NAME COMMAND…: passes when the command ends well; what it printed is shown when it doesn't.
check() {
    local name="$1"
    shift
    if "$@" >"$temporary/said" 2>&1; then
        pass "$name"
    else
        fail "$name"
        sed 's/^/         /' "$temporary/said"
    fi
}
has() { command -v "$1" >/dev/null; }

for script in scripts/*.sh .ci/run; do
    check "$script: bash reads it" bash -n "$script"
done
if has shellcheck; then
    check "shellcheck finds nothing" shellcheck scripts/*.sh .ci/run
else
    skip "shellcheck: it is not installed"
fi

# Every file that `make install` names is a file of the repository, or built; nothing is built by looking.
install=(make --no-print-directory INSTALL_PROFILE="$profile" DESTDIR="$temporary/root")
check "make -n install" "${install[@]}" -n install
built="${CARGO_TARGET_DIR:-target}/$profile/samsyn"
if [ -x "$built" ] && [ -e "${CARGO_TARGET_DIR:-target}/plugins/crm.wasm" ]; then
    check "make install into DESTDIR" "${install[@]}" install
    root="$temporary/root/usr/local"
    check "the installed command runs" "$root/bin/samsyn" --version
    check "every plug-in is installed" bash -c "[ \"\$(ls '$root/share/samsyn/plugins' | wc -l)\" = \"\$(ls -d plugins/*/plugin.toml | wc -l)\" ]"
    check "bash reads its completions" bash -n "$root/share/bash-completion/completions/samsyn"
    check "nothing of DESTDIR stands in the unit" bash -c "! grep -rq '$temporary' '$root/lib'"
    check "everything but the command can be read by all" bash -c "[ -z \"\$(find '$root' -type f ! -perm -004)\" ]"
    check "make uninstall" "${install[@]}" uninstall
    check "nothing is left of it" bash -c "[ -z \"\$(find '$temporary/root' -type f)\" ]"

    # With a PREFIX of its own, so that the path of the command in the unit leads to a command.
    prefix="$temporary/prefix"
    check "make install with a PREFIX" make --no-print-directory INSTALL_PROFILE="$profile" PREFIX="$prefix" install
    unit="$prefix/lib/systemd/system/samsyn.service"
else
    skip "make install: there is no $built, or no plug-ins; run \`make plugins\`"
    unit="$temporary/samsyn.service"
    # Any command does to look at the rest of the unit.
    sed 's|/usr/local/bin/samsyn|/bin/true|' packaging/samsyn.service >"$unit"
fi

if has systemd-analyze; then
    verify() { systemd-analyze verify "$unit" 2>&1 | tee "$temporary/verified"; [ ! -s "$temporary/verified" ]; }
    check "systemd-analyze verify says nothing" verify
    check "systemd-analyze security: at most $exposure_max tenths" \
        systemd-analyze security --offline=true --threshold="$exposure_max" "$unit"
else
    skip "systemd-analyze: systemd is not installed"
fi
if has systemd-sysusers; then
    check "systemd-sysusers reads packaging/samsyn.sysusers.conf" \
        systemd-sysusers --dry-run "$PWD"/packaging/samsyn.sysusers.conf
else
    skip "systemd-sysusers: systemd is not installed"
fi

# What the Dockerfile promises, as far as it can be read off it.
check "the image's command isn't root" grep -qE '^USER [1-9][0-9]*:[1-9][0-9]*$' Dockerfile
check "the image has a health check, and gets signals itself" bash -c \
    "grep -q '^HEALTHCHECK' Dockerfile && grep -q '^ENTRYPOINT \\[' Dockerfile && grep -q '^STOPSIGNAL' Dockerfile"
copied() { # Whatever the workspace is made of is sent to the build.
    local member
    for member in $(sed -n 's/^members = \[\(.*\)\]/\1/p' Cargo.toml | tr -d '",'); do
        grep -qx "!${member%%/*}" .dockerignore || { echo "$member is not in .dockerignore"; return 1; }
    done
}
check "every member of the workspace is in the image's context" copied

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
