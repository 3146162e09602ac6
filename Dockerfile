# A Samsyn host in an image: the command, the plug-ins of this repository, and nothing that runs beside them.
#
#   docker build -t samsyn .
#   docker run --rm -v samsyn:/data -p 127.0.0.1:7400:7400 -e SAMSYN_INSECURE_LISTEN=true --stop-timeout 60 samsyn
#
# The host listens beyond the container's loopback, so it doesn't start without TLS unless it is told that the
# network is its own (SAMSYN_INSECURE_LISTEN=true, as above: the port is published for this machine alone). With
# TLS: mount certificate and key and set SAMSYN_TLS_CERTIFICATE, SAMSYN_TLS_KEY, and for the health check
# SAMSYN_HOST=https://… and SAMSYN_CA.
#
# The first start prints the admin token, once. `--read-only --tmpfs /tmp --cap-drop ALL
# --security-opt no-new-privileges` suit it: it writes to /data, and compiles plug-ins in /tmp. A volume
# belongs to one container at a time.

# Any Rust from 1.95 on whose glibc isn't newer than the runtime's.
ARG BUILD_IMAGE=docker.io/library/rust:1.95-bookworm
# Any image with glibc; the command needs nothing else.
ARG RUNTIME_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
# Plug-ins are built for it; `scripts/setup-wasm.sh` finds it.
RUN rustup target add wasm32-unknown-unknown
COPY . .
RUN make build \
    && make install DESTDIR=/out PREFIX=/usr \
    && rm -r /out/usr/lib/systemd /out/usr/lib/sysusers.d \
    && install -d -m 0700 /data/samsyn

FROM ${RUNTIME_IMAGE} AS runtime
COPY --from=build /out/ /
# A number, so that it needs no entry in /etc/passwd and an orchestrator sees that it isn't root.
# What it writes is nobody else's to read.
COPY --from=build --chown=10001:10001 /data/ /data/
USER 10001:10001
VOLUME /data
WORKDIR /data
ENV SAMSYN_DATA=/data/samsyn \
    SAMSYN_LISTEN=0.0.0.0:7400 \
    SAMSYN_LOG_FORMAT=json
EXPOSE 7400
# The host itself catches SIGTERM: it answers, decides what it took, writes the view. That takes 15 seconds or
# so at most, longer than the ten that `docker stop` waits by default.
STOPSIGNAL SIGTERM
# Whether it takes events. A host that folds a long log at its start isn't ready until then.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 CMD ["samsyn", "status", "--ready"]
ENTRYPOINT ["samsyn"]
CMD ["serve"]
