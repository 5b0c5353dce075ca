/* SPDX-License-Identifier: MIT */

/* The status for systemd, and IDLE_EXIT, after which systemd starts the daemon again. */

#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "core/day-clock.h"
#include "daemon/manager-internal.h"

/* --- the status line --- */

static void no_keys(const Manager *m, char ret[static NOTIFY_STATUS_MAX]) {
        if (m->paths.config_dir)
                (void) snprintf(ret, NOTIFY_STATUS_MAX,
                                "No API keys: put them into %s/api-keys, one a line, then reload",
                                m->paths.config_dir);
        else
                (void) snprintf(ret, NOTIFY_STATUS_MAX, "No API keys: set API_KEYS");
}

static const char *requests(uint64_t n) {
        return n == 1 ? "request" : "requests";
}

static usec_t on_status(char ret[static NOTIFY_STATUS_MAX], void *userdata) {
        Manager *m = userdata;
        usec_t now = day_clock_now();
        size_t n_open = http_n_exchanges(m->http), n_keys = pool_n_keys(m->pool);
        PoolCounters c;

        if (m->draining) {
                (void) snprintf(ret, NOTIFY_STATUS_MAX, "Finishing open requests: %zu %s open", n_open,
                                requests(n_open));
                return USEC_INFINITY;
        }
        if (n_keys == 0) {
                no_keys(m, ret);
                return USEC_INFINITY;
        }
        pool_client_counters(m->pool, now, &c);
        (void) snprintf(ret, NOTIFY_STATUS_MAX, "%zu of %zu %s usable, %zu %s open, %llu %s today",
                        pool_usable_keys(m->pool, now), n_keys, n_keys == 1 ? "key" : "keys", n_open,
                        requests(n_open), (unsigned long long) c.today, requests(c.today));
        return usec_sub(pool_day(m->pool, now)->end, now);
}

static void on_health_changed(const PoolKey *k _unused_, const char *model _unused_,
                              PoolState before _unused_, PoolState after _unused_,
                              const char *reason _unused_, usec_t until _unused_, void *userdata) {
        notify_changed(userdata);
}

static void on_key(const PoolKey *k _unused_, void *userdata) {
        notify_changed(userdata);
}

int manager_start_notify(Manager *m) {
        static const PoolObserver observer = {
                .health_changed = on_health_changed,
                .key_added = on_key,
                .key_removed = on_key,
        };
        int r;

        r = notify_new(&(NotifyParams){ .loop = m->loop, .status = on_status, .userdata = m }, &m->notify);
        if (r < 0)
                return r;
        events_listen(m->events, &m->notify_events, &observer, m->notify);
        return 0;
}

/* --- IDLE_EXIT --- */

static usec_t on_quiet_since(void *userdata) {
        Manager *m = userdata;

        return MAX(http_quiet_since(m->http), bus_quiet_since(m->bus));
}

static void on_idle(void *userdata) {
        Manager *m = userdata;
        char duration[DURATION_STRING_MAX], why[DURATION_STRING_MAX + 32];

        duration_format(m->config->idle_exit, duration);
        (void) snprintf(why, sizeof(why), "idle for %s (IDLE_EXIT)", duration);
        manager_drain(m, why);
}

int manager_set_idle_exit(Manager *m) {
        usec_t after = m->config->idle_exit;

        m->idle = idle_free(m->idle);
        if (after == 0)
                return 0;
        if (!m->passed) {
                log_warning("IDLE_EXIT: ignored, because without systemd's sockets nothing would start the "
                            "daemon again");
                return 0;
        }
        return idle_new(
                &(IdleParams){
                        .loop = m->loop,
                        .after = after,
                        .quiet_since = on_quiet_since,
                        .over = on_idle,
                        .userdata = m,
                },
                &m->idle);
}

void manager_stop_notify(Manager *m) {
        events_unlisten(&m->notify_events);
        m->notify = notify_free(m->notify);
        m->idle = idle_free(m->idle);
}
