# The container image: gemgated, gemgatectl and their libraries, without a shell or a package manager. docs/CONTAINER.md
# describes its use; packaging/compose.yaml is the easiest way.
#
#   docker build -t gemgate .
#   docker build -t gemgate --build-arg WITH_CLI=1 .        with Node.js and the Gemini CLI (docs/CLI.md)
#   docker build -t gemgate --build-arg DEBIAN=trixie .     with the libraries of Debian 13

ARG DEBIAN=bookworm

# --- the build ---

FROM debian:${DEBIAN}-slim AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
COPY packaging/deps packaging/progress packaging/
# No version is pinned, so that a new build has the latest fixes of the release.
# hadolint ignore=DL3008
RUN packaging/deps build \
    && apt-get install -y --no-install-recommends tzdata \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN meson setup /build . --buildtype=release --prefix=/usr -Dtests=false -Dsim=false \
    && ninja -C /build src/gemgated src/gemgatectl src/gemgate-runner \
    && strip /build/src/gemgated /build/src/gemgatectl /build/src/gemgate-runner

# Only the certificates of the package, without others that this machine trusts. posix/ and right/ contain the same zones
# again.
RUN packaging/container-root /root-0 /build/src/gemgated=/usr/bin/gemgated /build/src/gemgatectl=/usr/bin/gemgatectl \
    && install -d /root-0/etc/ssl/certs /root-0/usr/share/zoneinfo \
    && cat /usr/share/ca-certificates/mozilla/*.crt >/root-0/etc/ssl/certs/ca-certificates.crt \
    && tar -C /usr/share/zoneinfo -c --exclude=./posix --exclude=./right . | tar -C /root-0/usr/share/zoneinfo -x \
    && cp /etc/os-release /root-0/etc/ \
    && printf '%s\n' 'root:x:0:0:root:/:/usr/sbin/nologin' \
        'gemgate:x:10001:10001:gemgate:/var/lib/gemgate:/usr/sbin/nologin' >/root-0/etc/passwd \
    && printf '%s\n' 'root:x:0:' 'gemgate:x:10001:' >/root-0/etc/group \
    && echo 'hosts: files dns' >/root-0/etc/nsswitch.conf \
    && mkdir -p /empty/run /empty/state /empty/logs /empty/tmp /root-0/run

# --- the Gemini CLI, with WITH_CLI=1; otherwise empty ---

FROM build AS cli
ARG WITH_CLI=0
# hadolint ignore=DL3008
RUN mkdir /root-1 \
    && case $WITH_CLI in \
        0) exit 0 ;; \
        1) ;; \
        *) echo "WITH_CLI=$WITH_CLI: must be 0 or 1" >&2; exit 64 ;; \
    esac \
    && apt-get update \
    && apt-get install -y --no-install-recommends npm \
    && packaging/install-gemini-cli --prefix=/root-1/opt/gemgate-cli \
    && packaging/container-root --on=/root-0 /root-1 /build/src/gemgate-runner=/usr/lib/gemgate/gemgate-runner \
        =/opt/gemgate-cli/bin/node \
    && rm -rf /var/lib/apt/lists/*

# --- the image ---

FROM scratch
COPY --from=build /root-0/ /
COPY --from=cli /root-1/ /
COPY --from=build --chown=10001:10001 /empty/run /run/gemgate
COPY --from=build --chown=10001:10001 /empty/state /var/lib/gemgate
COPY --from=build --chown=10001:10001 /empty/logs /logs
COPY --from=build --chown=10001:10001 /empty/tmp /tmp

ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="gemgate" \
      org.opencontainers.image.description="A gateway to Google's Gemini with a pool of API keys" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"

# gemgated reads the secrets that an engine mounts by their names: api-keys, allowed-tokens, admin-tokens.
ENV LISTEN=0.0.0.0:8080 \
    LOG_DIR=/logs \
    CONTROL_SOCKET=/run/gemgate/bus \
    STATE_URL=sqlite:/var/lib/gemgate/state.db \
    CREDENTIALS_DIRECTORY=/run/secrets
EXPOSE 8080
# Both outlive the container, and are writable even if its root is read-only.
VOLUME ["/var/lib/gemgate", "/logs"]
# A number, because Kubernetes' runAsNonRoot must see that it is not 0.
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/gemgated", "--health"]
ENTRYPOINT ["/usr/bin/gemgated"]
