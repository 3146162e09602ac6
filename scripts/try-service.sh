#!/usr/bin/env bash
# Boots a Debian with systemd in a container, installs the host there with `make install`, and has systemd run
# it: does the host work with everything that packaging/samsyn.service takes from it?
#
#   sudo scripts/try-service.sh            # with target/debug/samsyn and target/plugins
#   sudo scripts/try-service.sh release
#
# Needs root, and mmdebstrap and systemd-container from Debian. It isn't part of CI.
set -euo pipefail
cd "$(dirname "$0")/.."

profile="${1:-debug}"
root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
say() { echo "service: $*" >&2; }

say "a Debian with systemd"
# shellcheck source=/dev/null
. /etc/os-release
mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus "$VERSION_CODENAME" "$root"
make --no-print-directory --silent install INSTALL_PROFILE="$profile" DESTDIR="$root"

# What an administrator does there, and what must come of it.
cat >"$root/root/try.sh" <<'INSIDE'
#!/usr/bin/env bash
set -euo pipefail
trap 'echo "failed at line $LINENO"; journalctl --no-pager -u samsyn | tail -20; poweroff' ERR
is_ready() { for _ in $(seq 30); do samsyn status --ready >/dev/null 2>&1 && return; sleep 1; done; false; }
shows() { [ "$(systemctl show --value --property "$1" samsyn)" = "$2" ]; }
plugins=/usr/local/share/samsyn/plugins

is_ready
SAMSYN_TOKEN="$(journalctl --no-pager -u samsyn | grep -oE 'samsyn_[A-Za-z0-9_-]+' | head -1)"
export SAMSYN_TOKEN
for plugin in crm loyalty email sms service-desk tier-sync; do
    samsyn plugin install "$plugins/$plugin.wasm" --yes --accept-fields >/dev/null
done
echo "plug-ins are compiled and installed"
samsyn event send --name profile.updated --identifier customer_id=1 --propose first_name=Anna --wait >/dev/null
samsyn profile get customer_id:1 | grep -q Anna
echo "an event is decided"
main="$(systemctl show --value --property MainPID samsyn)"
grep -q '^CapEff:.0000000000000000$' "/proc/$main/status"
grep -q '^NoNewPrivs:.1$' "/proc/$main/status"
grep -q '^Seccomp:.2$' "/proc/$main/status"
[ "$(stat --format %U:%a /var/lib/samsyn)" = samsyn:700 ]
[ -z "$(find /var/lib/samsyn -perm /077)" ]
[ -z "$(journalctl --no-pager --quiet -u samsyn | grep -E '"level":"(WARN|ERROR)"' || true)" ]
echo "it has no capability, its data is its own, and it warns of nothing"
runuser -u samsyn -- samsyn backup /tmp/backup --data /var/lib/samsyn >/dev/null
runuser -u samsyn -- samsyn log verify --data /var/lib/samsyn >/dev/null
echo "backup and verify run as its user beside it"
kill -9 "$main"
sleep 3
is_ready
samsyn profile get customer_id:1 | grep -q Anna
shows NRestarts 1
echo "it comes back after a kill"
systemctl stop samsyn
shows Result success
systemctl start samsyn
is_ready
echo "it stops cleanly"
echo 'nonsense = 1' >/etc/samsyn/samsyn.toml
systemctl restart samsyn
sleep 4
shows ExecMainStatus 2 && shows NRestarts 0 && shows ActiveState failed
echo "a wrong configuration isn't tried again"
echo "all of it holds"
poweroff
INSIDE
chmod +x "$root/root/try.sh"
cat >"$root/etc/systemd/system/try.service" <<'UNIT'
[Service]
ExecStart=/root/try.sh
StandardOutput=file:/root/said
StandardError=inherit
UNIT
wants="$root/etc/systemd/system/multi-user.target.wants"
mkdir -p "$wants"
ln -s /usr/local/lib/systemd/system/samsyn.service "$wants/"
ln -s /etc/systemd/system/try.service "$wants/"

say "it boots"
timeout 300 systemd-nspawn --quiet --register=no --keep-unit --private-network --directory "$root" --boot \
    >"$root/root/boot" 2>&1 || say "the container ended with $?"
sed 's/^/service: /' "$root/root/said" >&2
grep -qx 'all of it holds' "$root/root/said"
