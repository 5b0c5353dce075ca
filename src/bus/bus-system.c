/* SPDX-License-Identifier: MIT */

/*
 * The connection to the system bus (sd-bus takes $DBUS_SYSTEM_BUS_ADDRESS). Connecting, the handshake and
 * the request for the name are asynchronous. Every failure ends in fail(), which drops the connection and
 * arms a timer for the next attempt: after WAIT_MIN at first, doubling to WAIT_MAX. A failure is logged
 * once, not at each attempt; without a bus, as in a container, it is no more than information. With
 * CONTROL_SOCKET the administration has its way, so that a missing bus is of interest for debugging only.
 *
 * On a machine without a bus its socket does not exist. Then inotify waits for the socket instead of the
 * timer, which has WAIT_WATCHED for what inotify does not see: an idle daemon is not woken up for nothing.
 *
 * If another program owns the name, the daemon waits in the bus's queue for it. Until it owns the name it
 * sends no signals, because clients that match org.gemgate1 match the owner of the name.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "bus/bus-internal.h"
#include "io/path-watch.h"

#define WAIT_MIN (250 * USEC_PER_MSEC)
#define WAIT_MAX (30 * USEC_PER_SEC)
#define WAIT_WATCHED (5 * USEC_PER_MINUTE)
#define ACCURACY (50 * USEC_PER_MSEC)

/* As sd-bus has it; /var/run/dbus/system_bus_socket of the D-Bus specification is the same. */
#define ADDRESS_VARIABLE "DBUS_SYSTEM_BUS_ADDRESS"
#define ADDRESS          "unix:path=/run/dbus/system_bus_socket"
#define ADDRESS_PATH     "unix:path="

/* DBUS_REQUEST_NAME_REPLY_IN_QUEUE (D-Bus specification) */
#define IN_QUEUE 2U

static void drop(Bus *b) {
        b->socket = path_watch_free(b->socket);
        b->gate = bus_gate_free(b->gate);
        bus_link_close(&b->system);
}

static void log_failure(Bus *b, int r) {
        bool refused = r == -EACCES || r == -EPERM;
        LogLevel level = refused ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;

        if (b->logged == r)
                return;
        b->logged = r;
        if (b->control_socket)
                level = LOG_LEVEL_DEBUG;
        if (refused)
                log_full(level,
                         "the system bus refuses the name " BUS_NAME ": is its policy " BUS_NAME
                         ".conf installed? Serving without a bus, and trying again");
        else
                log_full(level, "no system bus (%s): serving without it, and trying again", strerror(-r));
}

static void try_connect(Bus *b);

static void on_socket(void *userdata) {
        try_connect(userdata);
}

/* True if inotify waits for the socket. An address with several sockets, or with escapes, is not watched. */
static bool watch_socket(Bus *b) {
        const char *address = secure_getenv(ADDRESS_VARIABLE);
        _cleanup_free_ char *path = NULL;

        if (!address)
                address = ADDRESS;
        if (strncmp(address, ADDRESS_PATH "/", strlen(ADDRESS_PATH) + 1) != 0 || strpbrk(address, ";%"))
                return false;
        address += strlen(ADDRESS_PATH);
        path = strndup(address, strcspn(address, ","));
        return path && path_watch_new(b->p.loop, path, on_socket, b, &b->socket) == 0;
}

static void fail(Bus *b, int r) {
        usec_t wait = b->wait;

        log_failure(b, r);
        drop(b);
        if (r == -ENOENT && watch_socket(b)) {
                wait = WAIT_WATCHED;
                b->wait = WAIT_MIN;
        } else
                b->wait = MIN(2 * b->wait, WAIT_MAX);
        (void) sd_event_source_set_time(b->retry, usec_add(loop_now(b->p.loop), wait));
        (void) sd_event_source_set_enabled(b->retry, SD_EVENT_ONESHOT);
}

static void own(Bus *b) {
        log_info("on the system bus as " BUS_NAME);
        b->wait = WAIT_MIN;
        b->logged = 0;
        bus_link_open(&b->system);
}

static int on_disconnected(sd_bus_message *m _unused_, void *userdata, sd_bus_error *e _unused_) {
        fail(userdata, -ECONNRESET);
        return 0;
}

static int on_name_acquired(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_) {
        Bus *b = userdata;
        const char *name;

        if (sd_bus_message_read(m, "s", &name) > 0 && strcmp(name, BUS_NAME) == 0 &&
            !list_is_linked(&b->system.links))
                own(b);
        return 0;
}

/* The bus sends NameAcquired to the owner without a match, too: nothing is lost if it refuses this one. */
static int on_match(sd_bus_message *m _unused_, void *userdata _unused_, sd_bus_error *e _unused_) {
        return 0;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *e _unused_) {
        Bus *b = userdata;
        uint32_t answer;
        int r;

        if (sd_bus_message_is_method_error(reply, NULL))
                r = -sd_bus_message_get_errno(reply);
        else
                r = sd_bus_message_read(reply, "u", &answer);
        if (r < 0)
                fail(b, r);
        else if (answer == IN_QUEUE)
                log_warning("another program owns the name " BUS_NAME " on the system bus: waiting for it");
        return 0;
}

static int set_up(Bus *b) {
        sd_bus *bus = b->system.bus;
        int r;

        r = bus_gate_new(bus, b->admins, &b->gate);
        if (r < 0)
                return r;
        r = bus_add_objects(&b->system);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, b);
        if (r < 0)
                return r;
        r = sd_bus_match_signal_async(bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                      "org.freedesktop.DBus", "NameAcquired", on_name_acquired, on_match, b);
        if (r < 0)
                return r;
        r = sd_bus_request_name_async(bus, NULL, BUS_NAME, SD_BUS_NAME_QUEUE, on_name, b);
        if (r < 0)
                return r;
        return bus_attach(b, bus);
}

static void try_connect(Bus *b) {
        int r;

        drop(b);
        r = sd_bus_open_system_with_description(&b->system.bus, "gemgate");
        if (r >= 0)
                r = set_up(b);
        if (r < 0)
                fail(b, r);
}

static int on_retry(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        try_connect(userdata);
        return 0;
}

int bus_system_start(Bus *b) {
        int r;

        if (b->p.no_system_bus)
                return 0;
        b->wait = WAIT_MIN;
        r = sd_event_add_time(loop_event(b->p.loop), &b->retry, CLOCK_MONOTONIC, 0, ACCURACY, on_retry, b);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(b->retry, SD_EVENT_OFF);
        if (r < 0)
                return r;
        try_connect(b);
        return 0;
}

void bus_system_stop(Bus *b) {
        b->retry = sd_event_source_unref(b->retry);
        drop(b);
}
