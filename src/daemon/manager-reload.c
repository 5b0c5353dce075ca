/* SPDX-License-Identifier: MIT */

/*
 * A reload. The whole configuration is read first, as at a start, in a thread (config-thread.c), while the
 * old one serves. Then it is checked. The pool gets the new keys in slices (pool/set.c); this is the only
 * step that may still fail, for lack of memory, and it is all or nothing. Then it gets the new MODEL_LIMITS,
 * in slices, too (pool/model-limits.c). At the end the new configuration replaces the old one at once, and
 * the reload is reported. Nothing that is open is disturbed:
 *
 *   - a request holds a reference to the configuration that it began with: its token, its limits, its
 *     aliases;
 *   - a removed key lives on for the requests that use it; a key that stays keeps its health and counters;
 *   - an upstream call goes on with the address that it was sent to, and a running time-out keeps its
 *     length;
 *   - settings that are fixed until a restart (sockets, the environment, credentials …) stay, and one line
 *     names them if they differ now.
 *
 * SIGHUP and the bus both come through here; systemd gets RELOADING=1 and READY=1. What comes during a
 * reload asks for another one after it: a file may have been read before it changed. If the daemon ends
 * meanwhile, keys that have begun to change are changed to the end.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "core/day-clock.h"
#include "pool/state/schema.h"
#include "daemon/log-config.h"
#include "daemon/manager-internal.h"
#include "daemon/message-ids.h"

#define CHANGED_MAX  1800U /* bytes: the names of all settings */
#define WARNINGS_MAX 2048U /* bytes of warnings, after which the answer has no more of them */

/* For the answer: each one behind the former. What does not fit into memory is only in the log. */
static void keep_warning(Manager *m, const char *line) {
        char *all = NULL;

        if (strlen(strempty(m->reload.warnings)) >= WARNINGS_MAX ||
            asprintf(&all, "%s; warning: %s", strempty(m->reload.warnings), line) < 0)
                return;
        free(m->reload.warnings);
        m->reload.warnings = all;
}

/* Each message about the configuration is logged at once, and the first fault is kept. */
static void say(LogLevel level, const char *line, void *userdata) {
        Manager *m = userdata;

        log_full(level, "%s", line);
        if (level == LOG_LEVEL_ERROR && !m->reload.fault)
                m->reload.fault = strdup(line);
        if (level == LOG_LEVEL_WARNING)
                keep_warning(m, line);
}

static PoolKeyWanted *wanted_of(const Config *c) {
        PoolKeyWanted *wanted = calloc(MAX(c->n_keys, 1U), sizeof(PoolKeyWanted));

        for (size_t i = 0; wanted && i < c->n_keys; i++)
                wanted[i] = (PoolKeyWanted){
                        .secret = c->keys[i].secret,
                        .name = c->keys[i].name,
                        .project = c->keys[i].project,
                        .proxy = c->keys[i].proxy,
                        .disabled = c->keys[i].disabled,
                };
        return wanted;
}

static void set_proxies(Manager *m, const Config *c) {
        const PoolProxies proxies = { c->proxy, c->project_proxies, c->n_project_proxies };

        pool_set_proxies(m->pool, &proxies);
}

static void set_limits(Manager *m, const Config *c) {
        pool_set_warn_at(m->pool, (unsigned) c->quota_warn_at);
        pool_set_limits(m->pool, c->limits, c->n_limits, day_clock_now());
}

int manager_set_keys(Manager *m, const Config *c) {
        _cleanup_free_ PoolKeyWanted *wanted = wanted_of(c);
        PoolChange change;
        int r;

        if (!wanted)
                return -ENOMEM;
        r = pool_set_keys(m->pool, wanted, c->n_keys, day_clock_now(), &change);
        if (r < 0)
                return r;
        set_limits(m, c);
        set_proxies(m, c);
        return 0;
}

EngineApiParams manager_engine_params(const Config *c) {
        return (EngineApiParams){
                .base_url = c->gemini_base_url,
                .ca_file = c->upstream_ca_file,
                .warm = c->upstream_warm && !c->proxy, /* the pool's calls have none */
                .connect_timeout = c->connect_timeout,
                .first_byte_timeout = c->first_byte_timeout,
                .stream_idle_timeout = c->stream_idle_timeout,
        };
}

/* The pool has the configuration's keys. */
static void put_in_place(Manager *m, Config *c) {
        EngineApiParams engine = manager_engine_params(c);

        state_writer_after_change(m->state_writer);
        pool_set_warn_at(m->pool, (unsigned) c->quota_warn_at);
        pool_keep_days(m->pool, (unsigned) c->stats_retention_days);
        c->max_connections = m->config->max_connections; /* may have been lowered at the start */
        http_configure(m->http, c);
        engine_api_configure(m->engine, &engine);
        set_proxies(m, c);
        manager_configure_cli(m, c);
        log_config_apply(c, m->loop);
        config_unref(m->config);
        m->config = config_ref(c);
        events_look(m->events);
        if (manager_set_idle_exit(m) < 0)
                log_warning("IDLE_EXIT: could not be set: out of memory");
}

static int refuse_at_end(Manager *m) {
        say(LOG_LEVEL_ERROR, "the daemon is ending: nothing is reloaded", m);
        return -ESHUTDOWN;
}

/* `c` is what was read. */
static int check(Manager *m, int faults, Config **c) {
        char line[CONFIG_REFUSAL_MAX];
        const char *warning;
        int r;

        if (m->draining)
                return refuse_at_end(m);
        r = config_load_finish(&m->paths, m->config, faults, say, m, c);
        if (r < 0)
                return r;
        if (m->beyond_loopback && config_refuses(*c, m->beyond_loopback, line)) {
                say(LOG_LEVEL_ERROR, line, m);
                return -EINVAL;
        }
        warning = config_token_warning(*c);
        if (warning)
                say(LOG_LEVEL_WARNING, warning, m);
        return 0;
}

/* `changed`: the settings beside the keys; of a reload that succeeded. The warnings are in the log already,
 * so only the caller gets them here. */
static void report(Manager *m, int r, const PoolChange *change, const char *changed) {
        _cleanup_free_ char *answer = NULL;
        char message[2048];

        if (r >= 0) {
                (void) snprintf(message, sizeof(message),
                                "configuration reloaded: %zu key%s added, %zu removed, %zu kept%s%s",
                                change->n_added, change->n_added == 1 ? "" : "s", change->n_removed,
                                change->n_kept, *changed ? "; changed: " : "", changed);
                log_event(LOG_LEVEL_INFO, MESSAGE_RELOADED, message);
        } else {
                char refused[sizeof(message) + 64];

                (void) snprintf(message, sizeof(message), "%s", m->reload.fault ?: strerror(-r));
                (void) snprintf(refused, sizeof(refused),
                                "configuration not reloaded, nothing has changed: %s", message);
                log_event(LOG_LEVEL_ERROR, MESSAGE_RELOAD_REFUSED, refused);
        }
        if (!m->draining)
                notify_ready(m->notify);
        if (r >= 0 && m->reload.warnings && asprintf(&answer, "%s%s", message, m->reload.warnings) < 0)
                answer = NULL;
        bus_reloaded(m->bus, m->reload.serial, r >= 0, answer ?: message);
}

static int begin(Manager *m);

static void drop_update(Manager *m) {
        m->reload.limiting = false;
        m->reload.update = pool_update_free(m->reload.update);
        free(TAKE_PTR(m->reload.wanted));
}

static void end(Manager *m) {
        loop_slice_remove(&m->reload.slice);
        m->reload.config = config_unref(m->reload.config);
        if (m->reload.again && !m->draining && begin(m) < 0)
                log_warning("could not reload again: out of memory");
}

static int update(Manager *m) {
        const Config *c = m->reload.config;
        int r;

        if (m->reload.limiting)
                return pool_limits_step(m->pool, day_clock_now(), UPDATE_SLICE_KEYS);
        if (m->draining && !pool_update_has_begun(m->reload.update))
                return refuse_at_end(m);
        r = pool_update_step(m->reload.update, day_clock_now(), UPDATE_SLICE_KEYS);
        if (r != 0)
                return r;
        m->reload.limiting = true;
        return pool_limits_begin(m->pool, c->limits, c->n_limits, day_clock_now());
}

/* The pool gets the keys, then the limits; then the keys are freed here. */
static void on_slice(void *userdata) {
        _cleanup_buf_ Buf changed = BUF_INIT(CHANGED_MAX);
        PoolChange change = {};
        Manager *m = userdata;
        int r;

        if (!m->reload.update) {
                if (!config_drop_keys(m->reload.config, UPDATE_SLICE_KEYS))
                        end(m);
                return;
        }
        r = update(m);
        if (r > 0)
                return;
        if (r == 0) {
                change = pool_update_change(m->reload.update);
                config_name_changes(m->config, m->reload.config, &changed);
                put_in_place(m, m->reload.config);
        }
        drop_update(m);
        report(m, r, &change, strempty(buf_cstr(&changed)));
}

static void on_saved(void *userdata) {
        Manager *m = userdata;
        int r;

        if (!m->reload.wanted)
                return; /* dropped meanwhile */
        r = pool_update_new(m->pool, m->reload.wanted, m->reload.config->n_keys, &m->reload.update);
        if (r < 0) {
                drop_update(m);
                report(m, r, &(PoolChange){}, "");
        }
        loop_slice_add(m->loop, &m->reload.slice, on_slice, m);
}

static void on_read(int r, int faults, Config *read, void *userdata) {
        Manager *m = userdata;

        m->reload.thread = config_thread_free(m->reload.thread);
        if (r >= 0)
                r = check(m, faults, &read);
        m->reload.config = read;
        if (r >= 0) {
                m->reload.wanted = wanted_of(read);
                r = m->reload.wanted ? 0 : -ENOMEM;
        }
        if (r >= 0) {
                state_writer_before_change(m->state_writer, on_saved, m);
                return;
        }
        report(m, r, &(PoolChange){}, "");
        if (read)
                loop_slice_add(m->loop, &m->reload.slice, on_slice, m);
        else
                end(m);
}

static int begin(Manager *m) {
        int r;

        m->reload.again = false;
        free(TAKE_PTR(m->reload.fault));
        free(TAKE_PTR(m->reload.warnings));
        r = config_thread_start(m->loop, &m->paths, say, on_read, m, &m->reload.thread);
        if (r < 0)
                return r;
        m->reload.serial++;
        notify_reloading(m->notify);
        return 0;
}

int manager_reload(Manager *m, uint64_t *ret_serial, const char **ret_refusal) {
        int r = 0;

        if (m->draining) {
                *ret_refusal = "the daemon is ending: nothing is reloaded";
                return -ESHUTDOWN;
        }
        if (m->reload.thread || m->reload.config)
                m->reload.again = true;
        else
                r = begin(m);
        *ret_serial = m->reload.serial + m->reload.again;
        *ret_refusal = strerror(-r);
        return r;
}

void manager_stop_reload(Manager *m) {
        m->reload.thread = config_thread_free(m->reload.thread);
        loop_slice_remove(&m->reload.slice);
        if (m->reload.limiting) /* the new configuration, which has the limits, goes */
                set_limits(m, m->config);
        drop_update(m);
        m->reload.config = config_unref(m->reload.config);
        free(TAKE_PTR(m->reload.fault));
        free(TAKE_PTR(m->reload.warnings));
}

/* A SIGHUP from the kernel means that the terminal is gone: the daemon ends, unless started with nohup. */
static int on_sighup(sd_event_source *s _unused_, const struct signalfd_siginfo *si, void *userdata) {
        const char *refusal;
        Manager *m = userdata;
        uint64_t serial;

        if (si->ssi_code != SI_KERNEL) {
                if (manager_reload(m, &serial, &refusal) < 0)
                        log_error("configuration not reloaded, nothing has changed: %s", refusal);
        } else if (!m->nohup)
                manager_drain(m, "The terminal is gone");
        return 0;
}

int manager_watch_sighup(Manager *m) {
        struct sigaction before;

        m->nohup = sigaction(SIGHUP, NULL, &before) >= 0 && before.sa_handler == SIG_IGN;
        return sd_event_add_signal(loop_event(m->loop), &m->sighup, SIGHUP, on_sighup, m);
}
