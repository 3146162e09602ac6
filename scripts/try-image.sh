#!/usr/bin/env bash
# Builds the runtime stage of the Dockerfile without a registry of images and starts it: over a Debian that
# mmdebstrap makes, around a command that is built already.
#
#   sudo scripts/try-image.sh            # around target/debug/samsyn and target/plugins
#   sudo scripts/try-image.sh release
#
# Needs root, and mmdebstrap, buildah, podman and runc from Debian. It isn't part of CI. The build stage of the
# Dockerfile isn't run: it needs an image of Rust.
set -euo pipefail
cd "$(dirname "$0")/.."

profile="${1:-debug}"
temporary="$(mktemp -d)"
# Plain directories: they work in any place, at the price of a copy a layer.
store=(--root "$temporary/storage" --runroot "$temporary/run" --storage-driver vfs)
# Of the two runtimes Debian has this one also works where control groups are of both versions.
podman=(podman "${store[@]}" --runtime runc)
container=samsyn-try
say() { echo "image: $*" >&2; }
clean() {
    "${podman[@]}" rm --force --time 0 "$container" >/dev/null 2>&1 || true
    rm -rf "$temporary"
}
trap clean EXIT

say "a Debian of the runtime's kind"
# shellcheck source=/dev/null
. /etc/os-release
mmdebstrap --quiet --variant=minbase "$VERSION_CODENAME" "$temporary/debian.tar"
base="$(buildah "${store[@]}" from scratch)"
buildah "${store[@]}" add --quiet "$base" "$temporary/debian.tar" / >/dev/null
buildah "${store[@]}" commit --quiet --rm "$base" localhost/samsyn-base >/dev/null

say "what the build stage leaves, of the $profile build"
make --no-print-directory --silent install INSTALL_PROFILE="$profile" DESTDIR="$temporary/build/out" PREFIX=/usr
rm -r "$temporary/build/out/usr/lib/systemd" "$temporary/build/out/usr/lib/sysusers.d"
install -d -m 0700 "$temporary/build/data/samsyn"

say "the runtime stage"
sed -n -e '/^ARG RUNTIME_IMAGE/p' -e '/AS runtime$/,$p' Dockerfile >"$temporary/Dockerfile"
buildah "${store[@]}" build --quiet --isolation chroot --format docker --pull-never \
    --build-arg RUNTIME_IMAGE=localhost/samsyn-base --build-context build="$temporary/build" \
    --file "$temporary/Dockerfile" --tag localhost/samsyn-try "$temporary" >/dev/null

say "a container with a read-only root, without capabilities"
# Its network is the machine's, for a machine that can't make another; so it listens on loopback alone. Its
# limits are the machine's. Without systemd nobody runs the health check but this script.
"${podman[@]}" run --detach --name "$container" --network host --cgroups no-conmon \
    --ulimit nofile="$(ulimit -Sn):$(ulimit -Hn)" --ulimit nproc=4096:4096 \
    --health-interval disable --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
    --stop-timeout 60 \
    --env SAMSYN_LISTEN=127.0.0.1:17400 --env SAMSYN_HOST=http://127.0.0.1:17400 localhost/samsyn-try >/dev/null
inside() { "${podman[@]}" exec "$container" "$@"; }
for _ in $(seq 60); do
    inside samsyn status --ready >/dev/null 2>&1 && break
    sleep 1
done
[ "$(inside samsyn status --ready)" = ready ]
say "its user: $(inside id -u):$(inside id -g)"
[ "$(inside id -u)" = 10001 ]
[ "$(inside stat --format %u:%a /data/samsyn)" = 10001:700 ]
"${podman[@]}" healthcheck run "$container"
say "healthy"
token="$("${podman[@]}" logs "$container" 2>/dev/null | grep -oE 'samsyn_[A-Za-z0-9_-]+' | head -1)"
command=("${podman[@]}" exec --env "SAMSYN_TOKEN=$token" "$container" samsyn)
"${command[@]}" plugin install /usr/share/samsyn/plugins/crm.wasm --yes --accept-fields
"${command[@]}" event send --name profile.updated --identifier customer_id=1 --propose first_name=Anna --wait
"${command[@]}" profile get customer_id:1
say "stopping"
"${podman[@]}" stop "$container" >/dev/null
code="$("${podman[@]}" inspect --format '{{.State.ExitCode}}' "$container")"
[ "$code" = 0 ] || { say "it ended with $code"; exit 1; }
"${podman[@]}" start "$container" >/dev/null
for _ in $(seq 60); do
    inside samsyn status --ready >/dev/null 2>&1 && break
    sleep 1
done
"${command[@]}" profile get customer_id:1 | grep -q Anna
say "built, started, healthy, stopped and started again with its data"
