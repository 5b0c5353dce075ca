#!/bin/bash
# SPDX-License-Identifier: MIT
#
# boot.sh - run a real systemd as PID 1 of private namespaces, on a throw-away
# overlay of the host's own root filesystem.  No image, no host systemd, no TTY.
#
#   boot.sh start NAME [OPTION]...     boot; returns when the boot is over
#   boot.sh exec NAME CMD [ARG]...     run CMD inside, as root, in no unit (40 ms)
#   boot.sh unit NAME CMD [ARG]...     run CMD inside, as a transient service (80 ms)
#   boot.sh stop NAME                  clean poweroff, then remove every trace
#   boot.sh kill NAME                  the same without the clean shutdown
#   boot.sh run [OPTION]... -- CMD...  start, exec, stop; exit status of CMD; inside
#                                      all dies with boot.sh, even on SIGKILL
#   boot.sh gc                         remove what a killed `run' left (start does too)
# Options:
#   -s SCRIPT  source SCRIPT in the new root before systemd (install units, users, ...);
#              the host's root is $SDH_HOST there
#   -b DIR[:AT]  bind the host's DIR read-write, for what must outlive the overlay (coverage
#              data, logs); give AT outside /tmp and /home, which PrivateTmp= and the like hide
#   -k UNIT    do not mask UNIT (e.g. systemd-logind.service)
#   -o DIR     keep the overlay in DIR: a second start with it is a reboot of the first
#   -u         pure cgroup2 instead of hybrid: no MemoryMax=, TasksMax=, CPUQuota= on a
#              host whose controllers are bound to v1, but systemctl freeze works
# Environment: SDH_TIMEOUT (60, seconds to boot), SDH_JOURNAL (file: the journal at stop)
#
# How: first separate cgroups in each hierarchy that systemd can use, because a systemd whose cgroup root is the
# machine's takes every process of the machine into its own groups (cg_joined() refuses that); then new namespaces, in
# which an overlay of / gets fresh API file systems, an empty /etc/systemd and masks for what makes no sense here; then
# pivot_root and systemd. All mounts die with the namespace. Never build into the directories below a mounted
# overlay: bind them (-b).
set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
SELF=$(readlink -f "$0")
BASE=${SDH_DIR:-/run/sdh}
TIMEOUT=${SDH_TIMEOUT:-60}
SYSTEMD=/lib/systemd/systemd
V1=" cpu cpuacct memory devices blkio pids "     # v1 controllers that systemd 252 can use
MASK=(getty.target systemd-logind.service systemd-update-utmp.service
        systemd-update-utmp-runlevel.service systemd-binfmt.service
        proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount
        sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount
        sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount
        kmod-static-nodes.service systemd-modules-load.service systemd-sysctl.service
        systemd-random-seed.service systemd-pcrphase.service systemd-pcrphase-sysinit.service
        systemd-repart.service systemd-firstboot.service systemd-machine-id-commit.service
        cryptsetup.target integritysetup.target veritysetup.target remote-fs.target
        systemd-ask-password-wall.path systemd-ask-password-console.path
        systemd-journald-audit.socket systemd-initctl.socket systemd-tmpfiles-clean.timer
        systemd-sysusers.service systemd-remount-fs.service)

die() { echo "boot.sh: $*" >&2; exit 1; }
now_ms() { local t=${EPOCHREALTIME/./}; echo $((t / 1000)); }
# processes are kept as "PID STARTTIME", so that a reused pid is never taken for ours
# shellcheck disable=SC2086 # the words of the line are wanted
ident() { local s; read -r s <"/proc/$1/stat" && s=${s##*) } && set -- "$1" $s && echo "$1 ${21}"; }
alive() {
        local p
        [ -s "$1" ] && read -r p _ <"$1" && [ -d "/proc/$p" ] &&
                [ "$(ident "$p" 2>/dev/null)" = "$(<"$1")" ] &&
                ! grep -q '^State:.Z' "/proc/$p/status" 2>/dev/null
}
pid() { local p; read -r p _ <"$1"; echo "$p"; }

# --- cgroups: one directory sdh-NAME below the caller's own in each hierarchy ---
cg_make() {
        local ctl path f
        while IFS=: read -r _ ctl path; do
                path=${path%/}
                case $ctl in
                '') f="v2 /sys/fs/cgroup/unified"; [ -d "${f#* }" ] || f="v2 /sys/fs/cgroup" ;;
                name=systemd) f="systemd /sys/fs/cgroup/systemd" ;;
                *) [[ $V1 = *" $ctl "* ]] || continue; f="$ctl /sys/fs/cgroup/$ctl" ;;
                esac
                [ -e "${f#* }/cgroup.procs" ] || continue
                mkdir "${f#* }$path/sdh-$NAME"; echo "$f$path/sdh-$NAME" >>"$D/cgroups"
        done </proc/self/cgroup
        grep -q '^v2 ' "$D/cgroups" || die "no cgroup2 below /sys/fs/cgroup"
}
cg_join() { local h d; while read -r h d; do
                [ -d "$d$1" ] || mkdir -p "$d$1"; echo 0 >"$d$1/cgroup.procs"
        done <"$D/cgroups"; }
cg_joined() {   # A systemd whose cgroup root is the host's root moves EVERY process of
        # the host into its init.scope: each hierarchy that it will see must be ours.
        local h d k own; own=$'\n'$(</proc/self/cgroup)$'\n'
        grep -q '^v2 ' "$D/cgroups" || return 1
        while read -r h d; do
                case $h in v2) k=: ;; systemd) k=name=systemd: ;; *) k=$h: ;; esac
                [[ $own =~ $'\n'[0-9]+:${k}[^$'\n':]*/sdh-${D##*/}$'\n' ]] || return 1
        done <"$D/cgroups"; }
cg_remove() { local d; [ -f "$D/cgroups" ] || return 0
        while read -r _ d; do
                for _ in 1 2 3 4 5 6 7 8 9 10; do
                        [ -d "$d" ] || break
                        find "$d" -depth -type d -delete 2>/dev/null || sleep 0.05
                done
                [ ! -d "$d" ] || echo "boot.sh: cannot remove $d" >&2
        done <"$D/cgroups"; }

# --- inside: PID 1 of the new namespaces, before systemd -------------------------
inner() {       # still in the host's cgroup namespace; only PID 1 joins, as systemd must
        D=$1    # not meet processes of another pid namespace in its root cgroup
        cg_join ''; cg_joined || { echo "not in our own cgroups"; exit 1; }
        exec unshare --cgroup -- "$SELF" __inner2 "$D"
}
inner2() {
        local R h d p u tty devs o=nosuid,nodev,noexec,X-mount.mkdir
        local MODE='' SETUP='' KEEP='' OVERLAY='' BINDS=()
        D=$1
        # shellcheck disable=SC1091
        . "$D/conf"                                 # the five
        read -r p _ </proc/self/stat                # in the host's /proc: our pid there
        ident "$p" >"$D/pid1.tmp"; mv "$D/pid1.tmp" "$D/pid1"
        tty=$(tty 2>/dev/null) || tty=
        export LIBMOUNT_UTAB=$D/utab                # else mount(8) writes to the host's /run/mount

        mount -t tmpfs -o mode=755 sdh "$D/mnt"
        R=$D/mnt/root; [ -n "$OVERLAY" ] || OVERLAY=$D/mnt
        mkdir -p "$R" "$OVERLAY/upper" "$OVERLAY/work"
        mount -t overlay -o "lowerdir=/,upperdir=$OVERLAY/upper,workdir=$OVERLAY/work" sdh "$R"

        # API file systems, one mount(8) for all
        {       cat <<'E'
proc /proc proc nosuid,nodev,noexec 0 0
sysfs /sys sysfs ro,nosuid,nodev,noexec 0 0
tmpfs /dev tmpfs mode=755,nosuid 0 0
devpts /dev/pts devpts newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec,X-mount.mkdir 0 0
tmpfs /dev/shm tmpfs mode=1777,nosuid,nodev,X-mount.mkdir 0 0
mqueue /dev/mqueue mqueue nosuid,nodev,noexec,X-mount.mkdir 0 0
tmpfs /run tmpfs mode=755,nosuid,nodev 0 0
E
                [ "$MODE" = unified ] || echo "tmpfs /sys/fs/cgroup tmpfs mode=755,nosuid,nodev,noexec 0 0"
                while read -r h d; do
                        case $MODE-$h in
                        unified-v2) echo "cgroup2 /sys/fs/cgroup cgroup2 nosuid,nodev,noexec 0 0" ;;
                        unified-*) ;;
                        *-v2) echo "cgroup2 /sys/fs/cgroup/unified cgroup2 $o 0 0" ;;
                        *-systemd) echo "cgroup /sys/fs/cgroup/systemd cgroup $o,none,name=systemd 0 0" ;;
                        *) echo "cgroup /sys/fs/cgroup/$h cgroup $o,$h 0 0" ;;
                        esac
                done <"$D/cgroups"
        } >"$D/fstab"
        mount -a -T "$D/fstab" --target-prefix "$R"
        # the kernel's knobs are read-only, but for net: that netns is our own; and so is
        # the tmpfs above the v1 hierarchies, lest systemd mounts, and so takes from the
        # host, those that the host left unmounted
        mount --bind "$R/proc/sys" "$R/proc/sys"
        mount --bind "$R/proc/sys/net" "$R/proc/sys/net"
        cp /proc/sys/kernel/random/uuid "$R/run/.boot_id"     # each boot its own, for journalctl -b
        mount --bind "$R/run/.boot_id" "$R/proc/sys/kernel/random/boot_id"
        mount -o remount,bind,ro,nosuid,nodev,noexec "$R/proc/sys"
        [ ! -e "$R/proc/sysrq-trigger" ] || mount --bind /dev/null "$R/proc/sysrq-trigger"
        [ "$MODE" = unified ] || mount -o remount,bind,ro,nosuid,nodev,noexec "$R/sys/fs/cgroup"
        devs=(/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty)
        [ ! -c /dev/fuse ] || devs+=(/dev/fuse)
        cp -a "${devs[@]}" "$R/dev/"; ln -s pts/ptmx "$R/dev/ptmx"; ln -s /proc/self/fd "$R/dev/fd"
        ln -s fd/0 "$R/dev/stdin"; ln -s fd/1 "$R/dev/stdout"; ln -s fd/2 "$R/dev/stderr"
        if [ -c "$tty" ]; then : >"$R/dev/console"; mount --bind "$tty" "$R/dev/console"; fi

        if [ ! -e "$R/etc/.sdh" ]; then
                # a clean /etc/systemd: none of the host's enabled units, no generators
                # (an empty file masks a unit or a generator, as a link to /dev/null does)
                rm -rf "$R/etc/systemd/system" "$R/etc/systemd/system.control" "$R"/etc/rc[0-9S].d
                mkdir -p "$R/etc/systemd/system" "$R/etc/systemd/system-generators" \
                        "$R/etc/systemd/system.conf.d" "$R/etc/systemd/journald.conf.d" "$R/etc/tmpfiles.d"
                for u in "$R"/lib/systemd/system-generators/*; do
                        : >"$R/etc/systemd/system-generators/${u##*/}"
                done
                for u in "${MASK[@]}"; do
                        [[ " $KEEP " = *" $u "* ]] || : >"$R/etc/systemd/system/$u"
                done
                printf '[Manager]\nDefaultTimeoutStartSec=20s\nDefaultTimeoutStopSec=10s\n' \
                        >"$R/etc/systemd/system.conf.d/sdh.conf"
                printf '[Journal]\nStorage=%s\nReadKMsg=no\nAudit=no\n' \
                        "$([ "$OVERLAY" = "$D/mnt" ] && echo volatile || echo persistent)" \
                        >"$R/etc/systemd/journald.conf.d/sdh.conf"
                ln -sf /dev/null "$R/etc/tmpfiles.d/tmp.conf"   # else boot empties /tmp, a project there too
                : >"$R/etc/fstab"; echo sdh >"$R/etc/hostname"
                rm -f "$R/etc/machine-id" "$R/var/lib/dbus/machine-id"
                read -r u </proc/sys/kernel/random/uuid; echo "${u//-/}" >"$R/etc/machine-id"
                ln -s /etc/machine-id "$R/var/lib/dbus/machine-id"
        else
                SETUP=
        fi
        for p in "${BINDS[@]}"; do
                h=${p%%:*}; d=$R${p#*:}; [ -d "$d" ] || mkdir -p "$d"; mount --bind "$h" "$d"
        done

        mkdir -p "$R/.sdh-host"; cd "$R"; pivot_root . .sdh-host; cd /
        mount --make-rprivate /
        if [ -n "$SETUP" ]; then
                SDH_HOST=/.sdh-host bash -e "/.sdh-host$SETUP" || { echo "$SETUP: status $?"; exit 1; }
        fi
        : >/etc/.sdh
        umount -l /.sdh-host; rmdir /.sdh-host
        mount --make-rshared /                      # as PID 1 does on a real machine
        if [ -c /dev/console ]; then
                exec </dev/console >/dev/console 2>&1
        else
                exec </dev/null >/dev/null 2>&1
        fi
        exec env -i container=sdh PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
                LANG=C.UTF-8 TERM=dumb $SYSTEMD --system --show-status=no --unit=multi-user.target
}

# --- outside ---------------------------------------------------------------------
start() {
        NAME=${1:?name}; shift
        [[ $NAME =~ ^[A-Za-z0-9_-]{1,40}$ ]] || die "bad name: $NAME"
        [ "$(id -u)" = 0 ] || die "must be root"
        [ -x $SYSTEMD ] || die "no systemd here"
        command -v dbus-daemon >/dev/null || die "no dbus-daemon here"
        local mode=hybrid setup='' keep='' overlay='' binds=() t0 o state end
        while getopts "s:b:k:o:u" o; do case $o in
                s) setup=$(readlink -e "$OPTARG") || die "$OPTARG: not there" ;;
                b) o=$(readlink -e "${OPTARG%%:*}") || die "$OPTARG: not there"
                        [[ $OPTARG = *:/* ]] && binds+=("$o:${OPTARG#*:}") || binds+=("$o:$o") ;;
                k) keep+=" $OPTARG" ;;
                o) mkdir -p "$OPTARG"; overlay=$(readlink -e "$OPTARG") ;;
                u) mode=unified ;;
                *) exit 2 ;;
        esac; done
        [ ! -e /sys/fs/cgroup/cgroup.controllers ] || mode=unified      # a pure cgroup2 host
        gc
        D=$BASE/.new$$; for o in 1 2 3 4 5; do mkdir -p "$D/mnt" && break; done   # others may rmdir $BASE
        chmod 700 "$D"; ident $$ >"$D/owner"        # complete before it has its name: gc looks at all names
        mv -T "$D" "$BASE/$NAME" 2>/dev/null || { rm -r "$D"; die "$NAME exists (boot.sh kill $NAME)"; }
        D=$BASE/$NAME
        printf 'MODE=%q SETUP=%q KEEP=%q OVERLAY=%q BINDS=(%s)\n' "$mode" "$setup" "$keep" "$overlay" \
                "${binds[*]+"${binds[*]@Q}"}" >"$D/conf"
        t0=$(now_ms); end=$((t0 + TIMEOUT * 1000))
        cg_make
        # script(1) makes a pty for /dev/console, so that the output of PID 1 is in console.log
        # shellcheck disable=SC2086 # PDEATH is several words, or none
        TERM=dumb setsid ${PDEATH:-} script -qefc "exec unshare --fork --kill-child --pid --mount \
                --uts --ipc --net -- '$SELF' __inner '$D'" "$D/console.log" </dev/null >/dev/null 2>&1 &
        ident $! >"$D/sup"
        disown                                      # bash need not report when it is killed
        until [ -s "$D/pid1" ] && [ -S "/proc/$(pid "$D/pid1")/root/run/systemd/private" ]; do
                alive "$D/sup" || { cat "$D/console.log" >&2; cleanup; die "PID 1 ended before it was up"; }
                [ "$(now_ms)" -lt $end ] || { cat "$D/console.log" >&2; stop_kill; die "boot timed out"; }
                sleep 0.02
        done
        state=$(inside timeout "$TIMEOUT" systemctl is-system-running --wait) || :
        echo "boot.sh: $NAME $state in $(($(now_ms) - t0)) ms, pid 1 is $(pid "$D/pid1")" >&2
        case $state in
        running) ;;
        degraded) inside systemctl --failed --no-legend --plain >&2 ;;
        *) cat "$D/console.log" >&2; stop_kill; die "state: ${state:-none}" ;;
        esac
}
inside() (
        cg_join /exec
        exec nsenter -t "$(pid "$D/pid1")" -m -u -i -n -p -C -- env -C "$PWD" -u NOTIFY_SOCKET -u LISTEN_FDS \
                -u LISTEN_PID -u INVOCATION_ID -u JOURNAL_STREAM -u DBUS_SESSION_BUS_ADDRESS HOME=/root SYSTEMD_PAGER= \
                SYSTEMD_COLORS=0 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
)
open() { NAME=${1:?name}; D=$BASE/$NAME; [ -d "$D" ] || die "no such instance: $NAME"; }
cleanup() {     # with PID 1 gone its mount namespace, thus every mount, is gone
        cg_remove; rmdir "$D/mnt" 2>/dev/null || :; rm -rf --one-file-system "$D"
        rmdir --ignore-fail-on-non-empty "$BASE" 2>/dev/null || :; }
gone() {        # within $1 ms; script(1) would linger for seconds
        local end=$(($(now_ms) + $1))
        while alive "$D/pid1"; do [ "$(now_ms)" -lt $end ] || return 1; sleep 0.02; done
        if alive "$D/sup"; then kill -KILL "$(pid "$D/sup")" 2>/dev/null || :; fi
        while alive "$D/sup"; do sleep 0.01; done; }
stop_kill() {
        if alive "$D/pid1"; then
                kill -KILL "$(pid "$D/pid1")"
        elif alive "$D/sup"; then
                kill -KILL "$(pid "$D/sup")" 2>/dev/null || :
        fi
        gone 5000 || die "pid 1 does not go away"; cleanup; }
stop_clean() { local t0 rc=0; t0=$(now_ms)
        if alive "$D/pid1"; then
                [ -z "${SDH_JOURNAL:-}" ] || inside journalctl --no-pager -o short-precise >"$SDH_JOURNAL" 2>&1 || :
                kill -s RTMIN+4 "$(pid "$D/pid1")"
                gone 30000 || { echo "boot.sh: no clean shutdown, killing" >&2; rc=1; }
        fi
        stop_kill; echo "boot.sh: $NAME stopped in $(($(now_ms) - t0)) ms" >&2; return $rc; }
gc() { local d; for d in "$BASE"/*/; do
                D=${d%/}; [ -e "$D/owner" ] || continue
                alive "$D/owner" || alive "$D/sup" || alive "$D/pid1" || cleanup
        done; }

case ${1:-} in
__inner) inner "$2" ;;
__inner2) inner2 "$2" ;;
start) shift; start "$@" ;;
exec) open "${2:-}"; shift 2; inside "$@" ;;
unit) open "${2:-}"; shift 2; inside systemd-run --quiet --pipe --wait --collect --service-type=exec -- "$@" ;;
stop) open "${2:-}"; stop_clean ;;
kill) open "${2:-}"; stop_kill ;;
gc) gc ;;
run) shift; opts=(); while [ $# -gt 0 ] && [ "$1" != -- ]; do opts+=("$1"); shift; done; shift || :
        NAME=run$$; D=$BASE/$NAME; PDEATH="setpriv --pdeathsig KILL"
        trap 'trap - EXIT; [ ! -d "$D" ] || stop_kill' EXIT; trap 'exit 143' TERM; trap 'exit 130' INT; trap 'exit 129' HUP
        start "$NAME" "${opts[@]}"; rc=0; inside "$@" & { wait $! || rc=$?; } 2>/dev/null
        stop_clean || rc=1; exit $rc ;;
*) sed -n '2,/^set /s/^# \{0,1\}//p' "$SELF"; exit 2 ;;
esac
