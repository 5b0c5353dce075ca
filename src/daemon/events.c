/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "core/day-clock.h"
#include "daemon/events.h"
#include "daemon/message-ids.h"
#include "io/log-limit.h"

struct Events {
        Pool *pool;
        List listeners;
        LogLimiter *limiter;
        LogKind changes, exhaustions, projects, warnings;
        LogLimiter *full_limiter; /* of what can last for hours: a line a minute */
        LogKind full[3]; /* by HttpFull */
        bool keys_gone;
};

#define FULL_INTERVAL (60 * USEC_PER_SEC)

/* What is logged when a key enters a state. */
static const struct {
        LogLevel level;
        const char *id;
        const char *sentence; /* follows "key NAME" */
} states[_POOL_STATE_MAX] = {
        [POOL_USABLE] = { LOG_LEVEL_INFO, MESSAGE_KEY_BACK, "is back" },
        [POOL_PROBING] = { LOG_LEVEL_DEBUG, NULL, "is being tried with one request" },
        [POOL_COOLING] = { LOG_LEVEL_DEBUG, NULL, "waits: its project's quota is spent" },
        [POOL_UNHEALTHY] = { LOG_LEVEL_WARNING, MESSAGE_KEY_UNHEALTHY, "is unhealthy" },
        [POOL_CLOSED] = { LOG_LEVEL_INFO, NULL, "is not used: the model is closed to its project" },
        [POOL_BILLING] = { LOG_LEVEL_WARNING, MESSAGE_KEY_DEAD,
                           "is not used: its project's billing needs attention" },
        [POOL_DEAD] = { LOG_LEVEL_WARNING, MESSAGE_KEY_DEAD, "is dead: Gemini rejects it for every model" },
        [POOL_DISABLED] = { LOG_LEVEL_INFO, NULL, "is disabled" },
};

static void format_until(usec_t until, char ret[static TIMESTAMP_STRING_MAX]) {
        if (until == 0 || until == USEC_INFINITY)
                (void) snprintf(ret, TIMESTAMP_STRING_MAX, "%s", until == 0 ? "now" : "re-enabled");
        else
                timestamp_format(until, 0, ret);
}

/* Logs once when the last usable key goes. */
static void look_for_keys(Events *e) {
        bool gone = pool_usable_keys(e->pool, day_clock_now()) == 0;

        if (gone && !e->keys_gone)
                log_event(LOG_LEVEL_ERROR, MESSAGE_KEYS_GONE,
                          "no key is usable any more: all requests are refused");
        e->keys_gone = gone;
}

static bool is_of_the_key(PoolState s) {
        return s == POOL_DEAD || s == POOL_BILLING || s == POOL_DISABLED;
}

static void log_change(Events *e, const PoolKey *k, const char *model, PoolState before, PoolState after,
                       const char *reason, usec_t until) {
        char message[512 + SLOT_ERROR_MAX], stamp[TIMESTAMP_STRING_MAX];
        bool dies = !model[0] && (after == POOL_DEAD || after == POOL_BILLING || after == POOL_UNHEALTHY);
        PoolKeyView v;
        const char *id = pool_key_id(k);

        /* A key that only waited for quota was not gone. */
        bool quiet = after == POOL_USABLE && before == POOL_COOLING;
        LogLevel level = quiet ? LOG_LEVEL_DEBUG : states[after].level;

        /* A state of the key itself is logged once, not again for each of its models. */
        if (model[0] && (is_of_the_key(after) || (is_of_the_key(before) && after == POOL_USABLE)))
                return;
        if (level > log_get_level() || !log_kind_pass(e->limiter, &e->changes))
                return;
        pool_key_view(e->pool, k, day_clock_now(), &v);
        format_until(until, stamp);
        /* An id is not in the configuration: the mask is how a person finds the key there. */
        (void) snprintf(message, sizeof(message), "key %s%s%s%s %s%s%s%s%s%s%s", id, v.name ? "" : " (",
                        v.name ? "" : v.mask, v.name ? "" : ")", states[after].sentence,
                        model[0] ? ", model " : "", model, until > 0 ? ", until " : "",
                        until > 0 ? stamp : "", dies && v.last_error ? ": " : "",
                        dies ? strempty(v.last_error) : "");
        log_event(level, quiet ? NULL : states[after].id, message,
                  { "key", v.mask },
                  { "key_name", id },
                  { "model", model[0] ? model : NULL },
                  { "state_before", pool_state_to_string(before) },
                  { "state", pool_state_to_string(after) },
                  { "reason", reason },
                  { "until", stamp });
}

/* --- the observer --- */

static void on_health_changed(const PoolKey *k, const char *model, PoolState before, PoolState after,
                              const char *reason, usec_t until, void *userdata) {
        Events *e = userdata;

        log_change(e, k, model, before, after, reason, until);
        if (!model[0])
                look_for_keys(e);
        LIST_FOREACH(i, &e->listeners) {
                EventsListener *l = list_entry(i, EventsListener, link);

                if (l->observer.health_changed)
                        l->observer.health_changed(k, model, before, after, reason, until, l->userdata);
        }
}

static void on_exhausted(const char *model, usec_t until, void *userdata) {
        char message[MODEL_NAME_MAX + TIMESTAMP_STRING_MAX + 64], stamp[TIMESTAMP_STRING_MAX];
        Events *e = userdata;

        format_until(until, stamp);
        if (log_kind_pass(e->limiter, &e->exhaustions)) {
                (void) snprintf(message, sizeof(message), "model %s: no key is left until %s", model, stamp);
                log_event(LOG_LEVEL_WARNING, MESSAGE_QUOTA_EXHAUSTED, message,
                          { "model", model },
                          { "until", stamp });
        }
        LIST_FOREACH(i, &e->listeners) {
                EventsListener *l = list_entry(i, EventsListener, link);

                if (l->observer.exhausted)
                        l->observer.exhausted(model, until, l->userdata);
        }
}

static void on_project_learned(const PoolKey *k, const char *project, size_t n_others, void *userdata) {
        char message[512];
        Events *e = userdata;
        PoolKeyView v;

        if (log_kind_pass(e->limiter, &e->projects)) {
                pool_key_view(e->pool, k, day_clock_now(), &v);
                (void) snprintf(message, sizeof(message),
                                "key %s belongs to the project %s, with %zu other%s: they share its quotas",
                                pool_key_id(k), project, n_others, n_others == 1 ? "" : "s");
                log_event(LOG_LEVEL_INFO, MESSAGE_PROJECT_LEARNED, message,
                          { "key", v.mask },
                          { "key_name", pool_key_id(k) },
                          { "project", project });
        }
        LIST_FOREACH(i, &e->listeners) {
                EventsListener *l = list_entry(i, EventsListener, link);

                if (l->observer.project_learned)
                        l->observer.project_learned(k, project, n_others, l->userdata);
        }
}

static void on_quota_warning(const PoolKey *k, const char *project, const char *model, uint64_t used,
                             uint64_t limit, void *userdata) {
        char message[512], numbers[2][24];
        Events *e = userdata;
        PoolKeyView v;

        if (log_kind_pass(e->limiter, &e->warnings)) {
                pool_key_view(e->pool, k, day_clock_now(), &v);
                (void) snprintf(numbers[0], sizeof(numbers[0]), "%llu", (unsigned long long) used);
                (void) snprintf(numbers[1], sizeof(numbers[1]), "%llu", (unsigned long long) limit);
                (void) snprintf(message, sizeof(message),
                                "model %s: %s of %s requests of the day are used, %s %s", model,
                                numbers[0], numbers[1], project ? "the project" : "the key",
                                project ?: pool_key_id(k));
                log_event(LOG_LEVEL_WARNING, MESSAGE_QUOTA_WARNING, message,
                          { "key", v.mask },
                          { "key_name", pool_key_id(k) },
                          { "project", project },
                          { "model", model },
                          { "used", numbers[0] },
                          { "limit", numbers[1] });
        }
        LIST_FOREACH(i, &e->listeners) {
                EventsListener *l = list_entry(i, EventsListener, link);

                if (l->observer.quota_warning)
                        l->observer.quota_warning(k, project, model, used, limit, l->userdata);
        }
}

static void on_key_added(const PoolKey *k, void *userdata) {
        Events *e = userdata;

        LIST_FOREACH(i, &e->listeners) {
                EventsListener *l = list_entry(i, EventsListener, link);

                if (l->observer.key_added)
                        l->observer.key_added(k, l->userdata);
        }
}

static void on_key_removed(const PoolKey *k, void *userdata) {
        Events *e = userdata;

        LIST_FOREACH(i, &e->listeners) {
                EventsListener *l = list_entry(i, EventsListener, link);

                if (l->observer.key_removed)
                        l->observer.key_removed(k, l->userdata);
        }
}

/* --- the whole --- */

int events_new(Loop *loop, Pool *pool, Events **ret) {
        static const PoolObserver observer = {
                .health_changed = on_health_changed,
                .exhausted = on_exhausted,
                .project_learned = on_project_learned,
                .quota_warning = on_quota_warning,
                .key_added = on_key_added,
                .key_removed = on_key_removed,
        };
        _cleanup_(events_freep) Events *e = NULL;
        int r;

        e = calloc(1, sizeof(Events));
        if (!e)
                return -ENOMEM;
        e->pool = pool;
        list_init(&e->listeners);
        r = log_limiter_new(loop, LOG_LIMIT_INTERVAL, LOG_LIMIT_BURST, &e->limiter);
        if (r < 0)
                return r;
        log_kind_init(e->limiter, &e->changes, "keys that changed");
        log_kind_init(e->limiter, &e->exhaustions, "models without a key");
        log_kind_init(e->limiter, &e->projects, "projects that were learned");
        log_kind_init(e->limiter, &e->warnings, "quotas that run low");
        r = log_limiter_new(loop, FULL_INTERVAL, 1, &e->full_limiter);
        if (r < 0)
                return r;
        log_kind_init(e->full_limiter, &e->full[HTTP_FULL_CONNECTIONS], "reaching MAX_CONNECTIONS");
        log_kind_init(e->full_limiter, &e->full[HTTP_FULL_GUESTS], "connections that are not allowed");
        log_kind_init(e->full_limiter, &e->full[HTTP_FULL_DESCRIPTORS], "reaching the limit of open files");
        e->keys_gone = pool_usable_keys(pool, day_clock_now()) == 0;
        pool_set_observer(pool, &observer, e);
        *ret = TAKE_PTR(e);
        return 0;
}

Events *events_free(Events *e) {
        if (!e)
                return NULL;
        pool_set_observer(e->pool, NULL, NULL);
        LIST_FOREACH(i, &e->listeners)
                list_unlink(i);
        log_limiter_free(e->limiter);
        log_limiter_free(e->full_limiter);
        free(e);
        return NULL;
}

void events_listen(Events *e, EventsListener *l, const PoolObserver *o, void *userdata) {
        *l = (EventsListener){ .observer = *o, .userdata = userdata };
        list_init(&l->link);
        list_append(&e->listeners, &l->link);
}

void events_connections_full(Events *e, unsigned n, HttpFull what) {
        char message[256], limit[24];

        if (!log_kind_pass(e->full_limiter, &e->full[what]))
                return;
        (void) snprintf(limit, sizeof(limit), "%u", n);
        switch (what) {
        case HTTP_FULL_GUESTS:
                (void) snprintf(message, sizeof(message),
                                "addresses that ALLOWED_IPS does not list have %u connections, an eighth of "
                                "MAX_CONNECTIONS: further ones are closed",
                                n);
                break;
        case HTTP_FULL_DESCRIPTORS:
                (void) snprintf(message, sizeof(message),
                                "the limit of open files is reached: %u clients are connected, and others "
                                "wait; to serve more, the limit (LimitNOFILE=) must be raised",
                                n);
                break;
        default:
                (void) snprintf(message, sizeof(message),
                                "MAX_CONNECTIONS is reached: %u clients are connected, and others wait", n);
        }
        log_event(LOG_LEVEL_WARNING, MESSAGE_CONNECTIONS, message, { "limit", limit });
}

void events_look(Events *e) {
        look_for_keys(e);
}

void events_unlisten(EventsListener *l) {
        if (l->link.next)
                list_unlink(&l->link);
}
