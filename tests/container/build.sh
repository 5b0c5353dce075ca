#!/bin/bash
# SPDX-License-Identifier: MIT
#
# build.sh OUT - builds the Dockerfile, without and with the Gemini CLI, without an engine or a registry (as root)
#
# The base image is made of Debian's packages by mmdebstrap, under the name that FROM asks for, and buildah builds upon
# it in a chroot. What comes of it, for NAME gemgate and gemgate-cli:
#
#     OUT/NAME/root/        the image unpacked, with its owners and modes
#     OUT/NAME/image.json   its configuration and history, from buildah
#     OUT/NAME/oci/         its layers, compressed as a registry would have them
#     OUT/base/             the base image unpacked (that of compose's second service)
#     OUT/base.tar          the base image, kept for the next time: it takes longest
#     OUT/canary            a text that is planted in the build's folder wherever a secret or a leftover may lie
#
# Everything else lies in a folder that is removed. The mounts are those of a namespace of this script's own.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -z "${BUILD_IN_NAMESPACE-}" ]; then
        BUILD_IN_NAMESPACE=1 exec unshare --mount --propagation private -- "$0" "$@"
fi
unset BUILD_IN_NAMESPACE

[ $# -eq 1 ] || {
        echo "usage: build.sh OUT" >&2
        exit 64
}
mkdir -p "$1"
out=$(readlink -e "$1")
exec </dev/null

# apt's own user has to get in.
work=$(mktemp -d "${TMPDIR:-/tmp}/gemgate-image-XXXXXX")
chmod 755 "$work"
running=''
cleanup() {
        local rc=$?
        trap '' INT TERM HUP
        [ -z "$running" ] || kill -KILL "$running" 2>/dev/null || true
        awk -v t="$work/" 'index($2, t) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r m; do
                umount -l "$m" || true
        done
        rm -rf --one-file-system "$work"
        exit $rc
}
trap cleanup EXIT
trap 'exit 143' INT TERM HUP

# A step, in a namespace of processes: one signal ends all of it, and it dies with this script. In the background, or
# bash would not handle a signal before it has ended.
step() {
        local rc=0
        setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=SIGKILL --mount-proc --propagation private -- \
                "$@" >"$work/log" 2>&1 &
        running=$!
        wait "$running" || rc=$?
        running=''
        [ "$rc" -eq 0 ] || tail -n 60 "$work/log" >&2
        return "$rc"
}

# buildah always keeps a cache and a lock there.
mkdir -p "$work"/{lib,cache,tmp,context} /var/lib/containers /var/cache/containers
mount --bind "$work/lib" /var/lib/containers
mount --bind "$work/cache" /var/cache/containers
export TMPDIR=$work/tmp

# Overlays make layers cheap, so that the second image begins where the first one has been; upon another overlay there
# are none.
driver=vfs layers=false
mkdir "$work"/try{,-upper,-work}
if mount -t overlay -o "lowerdir=$work/tmp,upperdir=$work/try-upper,workdir=$work/try-work" overlay "$work/try" 2>/dev/null; then
        umount "$work/try"
        driver=overlay layers=true
fi
buildah=(buildah --root "$work/storage" --runroot "$work/run" --storage-driver $driver)

# --- the base, with this machine's sources and checks of packages ---

base=docker.io/library/debian:bookworm-slim
if [ ! -s "$out/base.tar" ]; then
        step tests/container/debian-root bookworm "$work/base.tar"
        mv "$work/base.tar" "$out/base.tar"
fi
id=$("${buildah[@]}" from scratch)
"${buildah[@]}" add -q "$id" "$out/base.tar" / >/dev/null
"${buildah[@]}" config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$id"
"${buildah[@]}" commit -q --rm --format docker "$id" "$base" >/dev/null

# --- what is built: this tree, and around it what must not get into an image ---

packaging/clean-tree "$work/context"
canary=canary-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "$canary" >"$out/canary"
for place in .env logs/gemgate.log .git/config build-test/leftover src/.env units/examples/debug.log packaging/.env; do
        mkdir -p "$(dirname "$work/context/$place")"
        echo "API_KEYS=$canary" >"$work/context/$place"
done

# --format docker: the other one has no HEALTHCHECK. What this machine trusts in the network is lent to RUN, and is not
# a part of any layer.
arguments=(--isolation chroot --pull-never --format docker --layers=$layers --ulimit nofile=4096:4096)
trusted=/usr/local/share/ca-certificates
[ -z "$(ls -A "$trusted" 2>/dev/null)" ] || arguments+=(--volume "$trusted:$trusted:ro")
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!name-}" ] || arguments+=(--build-arg "$name")
done

# unpack IMAGE FOLDER
unpack() {
        local id root
        id=$("${buildah[@]}" from --pull-never "$1")
        root=$("${buildah[@]}" mount "$id")
        rm -rf "$2"
        cp -a "$root" "$2"
        "${buildah[@]}" rm "$id" >/dev/null
}

# image NAME ARGUMENT...
image() {
        local name=$1
        shift
        step "${buildah[@]}" bud "${arguments[@]}" "$@" -t "localhost/$name" "$work/context"
        rm -rf "${out:?}/$name"
        mkdir "$out/$name"
        "${buildah[@]}" inspect --type image "localhost/$name" >"$out/$name/image.json"
        "${buildah[@]}" push -q "localhost/$name" "oci:$out/$name/oci:$name"
        unpack "localhost/$name" "$out/$name/root"
}

image gemgate
image gemgate-cli --build-arg WITH_CLI=1
unpack "$base" "$out/base"
