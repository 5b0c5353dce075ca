/* SPDX-License-Identifier: MIT */

/*
 * A reload. The whole configuration is read and checked first, as at a start. Then it replaces the old one
 * at once. The only step that may still fail, for lack of memory, is the pool's; it is all or nothing, and
 * it comes first. Nothing that is open is disturbed:
 *
 *   - a request holds a reference to the configuration that it began with: its token, its limits, its
 *     aliases;
 *   - a removed key lives on for the requests that use it; a key that stays keeps its health and counters;
 *   - an upstream call goes on with the address that it was sent to, and a running time-out keeps its
 *     length;
 *   - settings that are fixed until a restart (sockets, the environment, credentials …) stay, and one line
 *     names them if they differ now.
 *
 * SIGHUP and the bus both come through here; systemd gets RELOADING=1 and READY=1.
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

/* The messages while the configuration is read: each is logged at once, and the first fault is kept. */
typedef struct Messages {
        char *fault;
} Messages;

static void messages_done(Messages *s) {
        free(s->fault);
}

static void say(LogLevel level, const char *line, void *userdata) {
        Messages *s = userdata;

        log_full(level, "%s", line);
        if (level == LOG_LEVEL_ERROR && !s->fault)
                s->fault = strdup(line);
}

int manager_set_keys(Manager *m, const Config *c, PoolChange *ret) {
        _cleanup_free_ PoolKeyWanted *wanted = NULL;
        int r;

        wanted = calloc(MAX(c->n_keys, 1U), sizeof(PoolKeyWanted));
        if (!wanted)
                return -ENOMEM;
        for (size_t i = 0; i < c->n_keys; i++)
                wanted[i] = (PoolKeyWanted){
                        .secret = c->keys[i].secret,
                        .name = c->keys[i].name,
                        .project = c->keys[i].project,
                        .disabled = c->keys[i].disabled,
                };
        state_writer_before_change(m->state_writer);
        r = pool_set_keys(m->pool, wanted, c->n_keys, day_clock_now(), ret);
        if (r < 0)
                return r;
        state_writer_after_change(m->state_writer);
        pool_set_warn_at(m->pool, (unsigned) c->quota_warn_at);
        pool_set_limits(m->pool, c->limits, c->n_limits, day_clock_now());
        return 0;
}

EngineApiParams manager_engine_params(const Config *c) {
        return (EngineApiParams){
                .base_url = c->gemini_base_url,
                .connect_timeout = c->connect_timeout,
                .first_byte_timeout = c->first_byte_timeout,
                .stream_idle_timeout = c->stream_idle_timeout,
        };
}

/* Takes the configuration. */
static int put_in_place(Manager *m, Config *c, PoolChange *ret) {
        EngineApiParams engine = manager_engine_params(c);
        int r;

        r = manager_set_keys(m, c, ret);
        if (r < 0)
                return r;

        pool_keep_days(m->pool, (unsigned) c->stats_retention_days);
        c->max_connections = m->config->max_connections; /* may have been lowered at the start */
        http_configure(m->http, c);
        engine_api_configure(m->engine, &engine);
        manager_configure_cli(m, c);
        log_config_apply(c, m->loop);
        config_unref(m->config);
        m->config = c;
        events_look(m->events);
        if (manager_set_idle_exit(m) < 0)
                log_warning("IDLE_EXIT: could not be set: out of memory");
        return 0;
}

static int reload(Manager *m, Messages *messages, PoolChange *ret) {
        _cleanup_(config_unrefp) Config *c = NULL;
        char line[256];
        int r;

        if (m->draining) {
                say(LOG_LEVEL_ERROR, "the daemon is ending: nothing is reloaded", messages);
                return -ESHUTDOWN;
        }
        r = config_load(&m->paths, m->config, say, messages, &c);
        if (r < 0)
                return r;
        if (m->beyond_loopback && c->tokens.n_client == 0) {
                (void) snprintf(line, sizeof(line),
                                "ALLOWED_TOKENS: none: must be at least one client token, because %s is "
                                "beyond loopback",
                                m->beyond_loopback);
                say(LOG_LEVEL_ERROR, line, messages);
                return -EINVAL;
        }
        r = put_in_place(m, c, ret);
        if (r >= 0)
                TAKE_PTR(c);
        return r;
}

int manager_reload(Manager *m, char **ret_message) {
        _cleanup_(messages_done) Messages messages = {};
        PoolChange change;
        char message[1024];
        int r;

        if (!m->draining)
                notify_reloading(m->notify);
        r = reload(m, &messages, &change);
        if (r >= 0) {
                (void) snprintf(message, sizeof(message),
                                "configuration reloaded: %zu key%s added, %zu removed, %zu kept",
                                change.n_added, change.n_added == 1 ? "" : "s", change.n_removed,
                                change.n_kept);
                log_event(LOG_LEVEL_INFO, MESSAGE_RELOADED, message);
        } else {
                char refused[sizeof(message) + 64];

                (void) snprintf(message, sizeof(message), "%s", messages.fault ?: strerror(-r));
                (void) snprintf(refused, sizeof(refused),
                                "configuration not reloaded, nothing has changed: %s", message);
                log_event(LOG_LEVEL_ERROR, MESSAGE_RELOAD_REFUSED, refused);
        }
        if (!m->draining)
                notify_ready(m->notify);
        bus_reloaded(m->bus, r >= 0, message);

        if (ret_message)
                *ret_message = strdup(message);
        return r;
}

/* A SIGHUP from the kernel means that the terminal is gone: the daemon ends, unless started with nohup. */
static int on_sighup(sd_event_source *s _unused_, const struct signalfd_siginfo *si, void *userdata) {
        Manager *m = userdata;

        if (si->ssi_code != SI_KERNEL)
                (void) manager_reload(m, NULL);
        else if (!m->nohup)
                manager_drain(m, "The terminal is gone");
        return 0;
}

int manager_watch_sighup(Manager *m) {
        struct sigaction before;

        m->nohup = sigaction(SIGHUP, NULL, &before) >= 0 && before.sa_handler == SIG_IGN;
        return sd_event_add_signal(loop_event(m->loop), &m->sighup, SIGHUP, on_sighup, m);
}
