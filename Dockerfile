# gemgated and its libraries, nothing else: no shell tools are added, no compiler stays.
#
#   docker build -t gemgate .
#   docker run -p 127.0.0.1:8080:8080 -e API_KEYS -e ALLOWED_TOKENS -e 'ALLOWED_IPS=["*"]' gemgate
#
# ALLOWED_IPS: behind a published port every client comes from the bridge's address.

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        gcc libc6-dev libcurl4-openssl-dev libjson-c-dev libmicrohttpd-dev libmimalloc-dev libsqlite3-dev libssl-dev libsystemd-dev meson ninja-build pkg-config
COPY . /src
RUN meson setup /build /src --buildtype=release --prefix=/usr --strip -Dtests=false -Dsim=false \
    && DESTDIR=/out meson install -C /build

FROM debian:bookworm-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates libcurl4 libjson-c5 libmicrohttpd12 libmimalloc2.0 libsqlite3-0 libsystemd0 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin gemgate
COPY --from=build /out/ /
ENV LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
USER gemgate
ENTRYPOINT ["/usr/bin/gemgated"]
