/* SPDX-License-Identifier: MIT */

/*
 * src/bus and src/server do not include each other; daemon/manager gives both what they need.
 *
 *     bus.c          the properties' values, and all signals
 *     bus-system.c   the connection to the system bus, which may come and go while the daemon serves
 *     bus-peer.c     the same objects for clients of CONTROL_SOCKET
 *     bus-gate.c     access control; bus-polkit.c asks polkit
 *     bus-answer.c   replies about all keys, in slices, and how many bytes may wait
 *     bus-test.c     tests of keys, whose calls wait
 *     bus-manager.c, bus-health.c, bus-statistics.c, bus-requests.c, bus-days.c, bus-key.c   the objects
 *
 * A signal is sent to every open link whose peer reads. A link with BUS_QUEUE_MAX unread messages misses
 * signals until its peer has read some of them, so queues are bounded.
 *
 * PropertiesChanged is coalesced: bus_touch() arms a timer if none is armed. When the timer fires, the
 * values are collected once and compared with those of the last signal. So a busy daemon sends one signal a
 * second, and an idle one sends none, except after the end of the day, when today's counters start from
 * zero.
 */

#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "bus/bus-answer.h"
#include "bus/bus-internal.h"
#include "bus/bus-key.h"
#include "bus/bus-manager.h"
#include "bus/bus-test.h"

#define CHANGES_INTERVAL USEC_PER_SEC
#define ACCURACY         (100 * USEC_PER_MSEC)

/* --- facts --- */

/* The values of LOG_LEVEL. */
static const char *const levels[_LOG_LEVEL_MAX] = {
        [LOG_LEVEL_ERROR] = "ERROR",
        [LOG_LEVEL_WARNING] = "WARNING",
        [LOG_LEVEL_INFO] = "INFO",
        [LOG_LEVEL_DEBUG] = "DEBUG",
};

const BusFacts *bus_facts(Bus *b) {
        usec_t turn = loop_now(b->p.loop), now;
        BusFacts *f = &b->facts;
        PoolCounters c, clients;
        const Day *day;

        if (b->facts_at == turn)
                return f;
        b->facts_at = turn;
        now = day_clock_now();
        day = pool_day(b->p.pool, now);
        pool_counters(b->p.pool, now, &c);
        pool_client_counters(b->p.pool, now, &clients);
        *f = (BusFacts){
                .state = f->state,
                .reloaded = f->reloaded,
                .log_level = levels[log_get_level()],
                .keys_total = (uint32_t) pool_n_keys(b->p.pool),
                .keys_enabled = (uint32_t) pool_enabled_keys(b->p.pool),
                .keys_usable = (uint32_t) pool_usable_keys(b->p.pool, now),
                .models = (uint32_t) pool_n_models(b->p.pool),
                .active = (uint32_t) b->p.active(b->p.userdata),
                .requests_total = c.total,
                .requests_today = c.today,
                .client_requests_total = clients.total,
                .client_requests_today = clients.today,
                .last_reset = day->start,
                .next_reset = day->end,
        };
        return f;
}

static int on_changes(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        char *names[BUS_MANAGER_FACTS_MAX + 1];
        Bus *b = userdata;
        const BusFacts *f;
        usec_t midnight;

        b->facts_at = 0;
        f = bus_facts(b);
        b->changed = false;
        if (bus_manager_compare(&b->shown, f, names) > 0) {
                b->shown = *f;
                LIST_FOREACH(i, &b->links) {
                        BusLink *l = list_entry(i, BusLink, links);

                        if (bus_link_takes(l))
                                (void) sd_bus_emit_properties_changed_strv(l->bus, BUS_PATH, BUS_MANAGER,
                                                                           names);
                }
        }
        midnight = usec_sub(f->next_reset, day_clock_now());
        (void) sd_event_source_set_time(b->changes,
                                        usec_add(loop_now(b->p.loop), usec_add(midnight, CHANGES_INTERVAL)));
        (void) sd_event_source_set_enabled(b->changes, SD_EVENT_ONESHOT);
        return 0;
}

void bus_touch(Bus *b) {
        if (!b || b->changed || list_is_empty(&b->links))
                return;
        b->changed = true;
        (void) sd_event_source_set_time(b->changes, usec_add(loop_now(b->p.loop), CHANGES_INTERVAL));
        (void) sd_event_source_set_enabled(b->changes, SD_EVENT_ONESHOT);
}

/* --- links --- */

static bool has_room(const BusLink *l, uint64_t max) {
        uint64_t n;

        return sd_bus_get_n_queued_write(l->bus, &n) >= 0 && n < max;
}

void bus_link_init(BusLink *l, Bus *owner) {
        *l = (BusLink){ .owner = owner };
        list_init(&l->links);
        list_init(&l->answers);
}

bool bus_link_takes(const BusLink *l) {
        return has_room(l, BUS_QUEUE_MAX);
}

void bus_link_open(BusLink *l) {
        if (list_is_linked(&l->links))
                return;
        list_append(&l->owner->links, &l->links);
        bus_touch(l->owner); /* its peer may have missed changes */
}

void bus_link_close(BusLink *l) {
        bus_answers_drop(l);
        list_unlink(&l->links);
        l->bus = sd_bus_close_unref(l->bus);
}

/* Else sd-bus waits at the end of the loop until everything is written, also for a peer that never reads. */
int bus_attach(Bus *b, sd_bus *bus) {
        int r;

        r = sd_bus_set_close_on_exit(bus, false);
        return r < 0 ? r : sd_bus_attach_event(bus, loop_event(b->p.loop), SD_EVENT_PRIORITY_NORMAL);
}

/* Runs before all other filters, because it is added last. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_) {
        BusLink *l = userdata;
        uint8_t type;

        if (sd_bus_message_get_type(m, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL)
                return 0;
        l->owner->called_at = loop_now(l->owner->p.loop);
        return bus_answer_admits(l, m) ? 0 : 1;
}

usec_t bus_quiet_since(const Bus *b) {
        if (!b)
                return 0;
        return (b->gate && !bus_gate_is_idle(b->gate)) || b->n_answers > 0 || b->n_looks > 0 ||
                               !list_is_empty(&b->tests)
                       ? USEC_INFINITY : b->called_at;
}

int bus_add_objects(BusLink *l) {
        Bus *b = l->owner;
        int r;

        r = bus_manager_add(b, l->bus);
        if (r < 0)
                return r;
        r = bus_key_add(b, l->bus);
        if (r < 0)
                return r;
        r = sd_bus_add_object_manager(l->bus, NULL, BUS_PATH);
        if (r < 0)
                return r;
        return sd_bus_add_filter(l->bus, NULL, on_message, l);
}

/* --- signals --- */

#define EMIT(b, call)                                                                                       \
        do {                                                                                                \
                LIST_FOREACH(_i, &(b)->links) {                                                            \
                        BusLink *link = list_entry(_i, BusLink, links);                                     \
                                                                                                            \
                        if (bus_link_takes(link))                                                           \
                                (void) (call);                                                              \
                }                                                                                           \
        } while (false)

static void on_health_changed(const PoolKey *k, const char *model, PoolState before, PoolState after,
                              const char *reason, usec_t until, void *userdata) {
        _cleanup_free_ char *path = NULL;
        Bus *b = userdata;

        bus_touch(b);
        if (list_is_empty(&b->links) || bus_key_path(k, &path) < 0)
                return;
        EMIT(b,
             sd_bus_emit_signal(link->bus, BUS_PATH, BUS_MANAGER, "KeyHealthChanged", "osssst", path, model,
                                pool_state_to_string(before), pool_state_to_string(after), reason, until));
        if (model[0])
                return;
        if (before == POOL_DISABLED || after == POOL_DISABLED)
                EMIT(b, sd_bus_emit_properties_changed(link->bus, path, BUS_KEY, "State", "Enabled", NULL));
        else
                EMIT(b, sd_bus_emit_properties_changed(link->bus, path, BUS_KEY, "State", NULL));
}

static void on_exhausted(const char *model, usec_t until, void *userdata) {
        Bus *b = userdata;

        EMIT(b, sd_bus_emit_signal(link->bus, BUS_PATH, BUS_MANAGER, "QuotaExhausted", "st", model, until));
}

static void on_project_learned(const PoolKey *k, const char *project, size_t n_others, void *userdata) {
        _cleanup_free_ char *path = NULL;
        Bus *b = userdata;

        if (list_is_empty(&b->links) || bus_key_path(k, &path) < 0)
                return;
        EMIT(b, sd_bus_emit_signal(link->bus, BUS_PATH, BUS_MANAGER, "ProjectLearned", "os", path, project));
        EMIT(b, sd_bus_emit_properties_changed(link->bus, path, BUS_KEY, "Project", NULL));
}

static void on_quota_warning(const PoolKey *k, const char *project, const char *model, uint64_t used,
                             uint64_t limit, void *userdata) {
        _cleanup_free_ char *path = NULL;
        Bus *b = userdata;

        if (list_is_empty(&b->links) || bus_key_path(k, &path) < 0)
                return;
        EMIT(b, sd_bus_emit_signal(link->bus, BUS_PATH, BUS_MANAGER, "QuotaWarning", "osstt", path,
                                   project ?: "", model, used, limit));
}

static void on_key_added(const PoolKey *k, void *userdata) {
        _cleanup_free_ char *path = NULL;
        Bus *b = userdata;

        bus_touch(b);
        if (!list_is_empty(&b->links) && bus_key_path(k, &path) >= 0)
                EMIT(b, sd_bus_emit_object_added(link->bus, path));
}

/* Not sd_bus_emit_object_removed(): it looks up the key, which may not be in the pool any more. */
static void on_key_removed(const PoolKey *k, void *userdata) {
        _cleanup_free_ char *path = NULL;
        Bus *b = userdata;

        bus_touch(b);
        if (!list_is_empty(&b->links) && bus_key_path(k, &path) >= 0)
                EMIT(b, sd_bus_emit_interfaces_removed(link->bus, path, BUS_KEY, "org.freedesktop.DBus.Peer",
                                                       "org.freedesktop.DBus.Introspectable",
                                                       "org.freedesktop.DBus.Properties", NULL));
}

const PoolObserver bus_observer = {
        .health_changed = on_health_changed,
        .exhausted = on_exhausted,
        .project_learned = on_project_learned,
        .quota_warning = on_quota_warning,
        .key_added = on_key_added,
        .key_removed = on_key_removed,
};

void bus_reloaded(Bus *b, uint64_t serial, bool ok, const char *message) {
        if (!b)
                return;
        if (ok)
                b->facts.reloaded = clock_realtime();
        b->facts_at = 0;
        bus_touch(b);
        /* The signals of thousands of added and removed keys may have filled the queue just now. Clients
         * wait for this one, so it may exceed BUS_QUEUE_MAX. */
        LIST_FOREACH(i, &b->links) {
                BusLink *l = list_entry(i, BusLink, links);

                if (has_room(l, 2 * BUS_QUEUE_MAX))
                        (void) sd_bus_emit_signal(l->bus, BUS_PATH, BUS_MANAGER, "Reloaded", "bs", ok,
                                                  message);
        }
        bus_manager_reloaded(b, serial, ok, message); /* after the signal, which has what changed */
}

void bus_draining(Bus *b) {
        if (!b)
                return;
        b->facts.state = "draining";
        bus_touch(b);
}

/* --- the whole --- */

int bus_new(const BusParams *p, Bus **ret) {
        _cleanup_(bus_freep) Bus *b = NULL;
        int r;

        b = calloc(1, sizeof(Bus));
        if (!b)
                return -ENOMEM;
        *b = (Bus){
                .p = *p,
                .admins = bus_gate_group(),
                .listen_fd = -1,
                .started = clock_realtime(),
                .started_monotonic = clock_monotonic(),
        };
        list_init(&b->links);
        list_init(&b->peers);
        list_init(&b->tests);
        bus_link_init(&b->system, b);
        b->facts.state = "running";
        b->facts.reloaded = b->started;

        r = sd_event_add_time(loop_event(p->loop), &b->changes, CLOCK_MONOTONIC, 0, ACCURACY, on_changes, b);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(b->changes, SD_EVENT_OFF);
        if (r < 0)
                return r;
        if (p->control_socket) {
                b->control_socket = strdup(p->control_socket);
                if (!b->control_socket)
                        return -ENOMEM;
        }
        b->shown = *bus_facts(b);
        r = bus_peer_listen(b);
        if (r < 0)
                return r;
        r = bus_looks_new(b);
        if (r < 0)
                return r;
        r = bus_system_start(b);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b);
        return 0;
}

Bus *bus_free(Bus *b) {
        if (!b)
                return NULL;
        for (size_t i = 0; i < b->n_reloads; i++)
                sd_bus_message_unref(b->reloads[i].call);
        bus_looks_free(b);
        bus_tests_free(b);
        bus_system_stop(b);
        bus_peer_stop(b);
        sd_event_source_unref(b->changes);
        free(b->control_socket);
        free(b);
        return NULL;
}
