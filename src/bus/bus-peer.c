/* SPDX-License-Identifier: MIT */

/*
 * CONTROL_SOCKET: the same objects as on the system bus, without a bus, for containers. A peer is checked
 * once, when it connects: by SO_PEERCRED and SO_PEERGROUPS it must be root, the daemon's own user or a
 * member of the group. Any other connection is closed. There is no policy file and no polkit here. At most
 * BUS_PEERS_MAX peers are connected at one time.
 *
 * A client may send its first calls right after the handshake. If sd-bus reads both at once, the calls are
 * in its buffer, and poll() does not report them. So when the handshake is done (the local signal
 * Connected), the connection is processed until its buffer is empty.
 */

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>

#include "base/log.h"
#include "bus/bus-internal.h"
#include "io/listen.h"

#define GROUPS_MAX 65536U

/* --- the credentials --- */

static int peer_groups(int fd, gid_t **ret, size_t *ret_n) {
        socklen_t size = 64 * sizeof(gid_t);

        for (;;) {
                _cleanup_free_ gid_t *gids = malloc(size);

                if (!gids)
                        return -ENOMEM;
                if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &size) >= 0) {
                        *ret = TAKE_PTR(gids);
                        *ret_n = size / sizeof(gid_t);
                        return 0;
                }
                if (errno != ERANGE || size > GROUPS_MAX * sizeof(gid_t))
                        return -errno;
        }
}

static bool peer_is_admin(int fd, gid_t admins) {
        _cleanup_free_ gid_t *gids = NULL;
        struct ucred u;
        socklen_t size = sizeof(u);
        size_t n = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &size) < 0)
                return false;
        if (bus_gate_is_admin(u.uid, &u.gid, 1, admins))
                return true;
        return peer_groups(fd, &gids, &n) >= 0 && bus_gate_is_admin(u.uid, gids, n, admins);
}

/* --- peers --- */

typedef struct Peer {
        BusLink link;
        List peers;
        sd_event_source *unread;
} Peer;

static Peer *peer_free(Peer *p) {
        if (!p)
                return NULL;
        list_unlink(&p->peers);
        p->link.owner->n_peers--;
        sd_event_source_unref(p->unread);
        bus_link_close(&p->link);
        free(p);
        return NULL;
}
DEFINE_CLEANUP(Peer *, peer_free);

static int on_disconnected(sd_bus_message *m _unused_, void *userdata, sd_bus_error *e _unused_) {
        peer_free(userdata);
        return 0;
}

static int on_unread(sd_event_source *s, void *userdata) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = sd_bus_ref(((Peer *) userdata)->link.bus);

        /* sd_bus_process() may free the peer, and its source with it. */
        (void) sd_event_source_ref(s);
        if (sd_bus_process(bus, NULL) > 0)
                (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        sd_event_source_unref(s);
        return 0;
}

static int on_connected(sd_bus_message *m _unused_, void *userdata, sd_bus_error *e _unused_) {
        Peer *p = userdata;

        return sd_event_add_defer(loop_event(p->link.owner->p.loop), &p->unread, on_unread, p);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_) {
        static const char name[] = ":1.1";
        Peer *p = userdata;

        /* The peer calls methods without reading the answers. */
        if (!bus_link_takes(&p->link)) {
                peer_free(p);
                return 1;
        }
        /* Clients that expect a bus (busctl --address=) call this first. */
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello") > 0) {
                (void) sd_bus_reply_method_return(m, "s", name);
                return 1;
        }
        return 0;
}

/* Takes the descriptor, also on failure. */
static int peer_connect(Peer *p, int fd_) {
        _cleanup_close_ int fd = fd_;
        sd_id128_t id;
        int r;

        r = sd_id128_randomize(&id);
        if (r < 0)
                return r;
        r = sd_bus_new(&p->link.bus);
        if (r < 0)
                return r;
        r = sd_bus_set_fd(p->link.bus, fd, fd);
        if (r < 0)
                return r;
        TAKE_FD(fd);
        r = sd_bus_set_description(p->link.bus, "gemgate-peer");
        if (r < 0)
                return r;
        return sd_bus_set_server(p->link.bus, true, id);
}

static int peer_start(Peer *p, int fd) {
        sd_bus *bus;
        int r;

        r = peer_connect(p, fd);
        if (r < 0)
                return r;
        bus = p->link.bus;
        r = sd_bus_add_filter(bus, NULL, on_message, p);
        if (r < 0)
                return r;
        r = bus_add_objects(&p->link);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, p);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                "org.freedesktop.DBus.Local", "Connected", on_connected, p);
        if (r < 0)
                return r;
        r = sd_bus_set_connected_signal(bus, true);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        return bus_attach(p->link.owner, bus);
}

static void serve(Bus *b, int fd) {
        _cleanup_(peer_freep) Peer *p = NULL;

        if (b->n_peers >= BUS_PEERS_MAX || !peer_is_admin(fd, b->admins)) {
                (void) close(fd);
                return;
        }
        p = calloc(1, sizeof(Peer));
        if (!p) {
                (void) close(fd);
                return;
        }
        bus_link_init(&p->link, b);
        list_init(&p->peers);
        list_append(&b->peers, &p->peers);
        b->n_peers++;
        if (peer_start(p, fd) < 0)
                return;
        bus_link_open(&p->link);
        TAKE_PTR(p);
}

static int on_connection(sd_event_source *s _unused_, int fd, uint32_t events _unused_, void *userdata) {
        for (size_t i = 0; i < BUS_ACCEPTS_MAX; i++) {
                int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (peer < 0)
                        break;
                serve(userdata, peer);
        }
        return 0;
}

/* --- the socket --- */

/* Members of the group may connect if the socket can be given to the group; else only the own user and
 * root. */
static int restrict_socket(const char *path, gid_t admins) {
        bool shared =
                admins != BUS_NO_GROUP && (admins == getegid() || chown(path, (uid_t) -1, admins) >= 0);

        return chmod(path, shared ? 0660 : 0600) < 0 ? -errno : 0;
}

int bus_peer_listen(Bus *b) {
        char address[sizeof("unix:") + 128];
        int r;

        if (!b->control_socket)
                return 0;
        (void) snprintf(address, sizeof(address), "unix:%s", b->control_socket);
        r = listen_open(address, &b->listen_fd);
        if (r >= 0)
                r = restrict_socket(b->control_socket, b->admins);
        if (r >= 0)
                r = sd_event_add_io(loop_event(b->p.loop), &b->listener, b->listen_fd, EPOLLIN,
                                    on_connection, b);
        /* Without a free descriptor accept() fails and the source stays ready: the loop must not spin. */
        if (r >= 0)
                r = sd_event_source_set_ratelimit(b->listener, USEC_PER_SEC, BUS_PEERS_MAX);
        if (r < 0) {
                log_error("CONTROL_SOCKET: %s: %s", b->control_socket, strerror(-r));
                return r;
        }
        log_info("administration on unix:%s", b->control_socket);
        return 0;
}

void bus_peer_stop(Bus *b) {
        LIST_FOREACH(i, &b->peers)
                peer_free(list_entry(i, Peer, peers));
        b->listener = sd_event_source_unref(b->listener);
        if (b->listen_fd >= 0)
                (void) unlink(b->control_socket);
        b->listen_fd = safe_close(b->listen_fd);
}
