/* SPDX-License-Identifier: MIT */

/*
 * The start: everything that can fail is checked before anything listens. The end: the first SIGTERM or
 * SIGINT stops new work and lets open requests finish, up to DRAIN_TIMEOUT; the second ends at once.
 */

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/limits-responses.h"
#include "base/limits-vault.h"
#include "base/log.h"
#include "base/text.h"
#include "core/day-clock.h"
#include "daemon/log-config.h"
#include "daemon/manager-internal.h"
#include "daemon/message-ids.h"
#include "io/descriptors.h"
#include "io/listen.h"

#define JOB_SOCKET_NAME "job" /* FileDescriptorName= of gemgated-job.socket */
#define CUT_GRACE       USEC_PER_SEC /* within the STOP_MARGIN of notify.c */

static int exit_status(int r) {
        switch (r) {
        case -EACCES:
        case -EPERM:
                return EX_NOPERM;
        case -EADDRINUSE:
        case -EADDRNOTAVAIL:
        case -ENOENT:
        case -EPROTOTYPE:
        case -ENOTSOCK:
        case -EIO:
                return EX_UNAVAILABLE;
        case -EINVAL:
                return EX_CONFIG;
        default:
                return EX_SOFTWARE;
        }
}

/* --- the end --- */

static void on_ended(void *userdata) {
        Manager *m = userdata;

        if (m->draining && http_is_quiet(m->http))
                manager_end_state(m);
}

static void on_request(void *userdata) {
        Manager *m = userdata;

        bus_touch(m->bus);
        notify_changed(m->notify);
        /* The ending request is still counted now, so look at the end of the turn. */
        if (m->draining)
                loop_hook_ask(m->loop, &m->ended);
}

static void on_full(unsigned n, HttpFull what, void *userdata) {
        Manager *m = userdata;

        events_connections_full(m->events, n, what);
}

static void on_models_done(void *userdata) {
        Manager *m = userdata;

        bus_models_done(m->bus);
}

/* DRAIN_TIMEOUT is over: open requests end with an error, and their clients have CUT_GRACE to read it. */
static int on_drain_timeout(sd_event_source *s, uint64_t usec _unused_, void *userdata) {
        Manager *m = userdata;
        bool again = m->cut || m->ending;

        if (!m->cut)
                log_warning(m->ending ? "DRAIN_TIMEOUT is over: another process still locks the state file"
                                      : "DRAIN_TIMEOUT is over: open requests are cut");
        m->cut = true;
        if (!again)
                http_cut(m->http);
        if (again || sd_event_source_set_time(s, usec_add(loop_now(m->loop), CUT_GRACE)) < 0 ||
            sd_event_source_set_enabled(s, SD_EVENT_ONESHOT) < 0)
                loop_exit(m->loop, 0);
        return 0;
}

static int on_signal(sd_event_source *s _unused_, const struct signalfd_siginfo *si, void *userdata) {
        Manager *m = userdata;

        if (m->signalled) {
                log_info("a second signal: ending at once");
                loop_exit(m->loop, 0);
                return 0;
        }
        m->signalled = true;
        manager_drain(m, si->ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
        return 0;
}

void manager_drain(Manager *m, const char *why) {
        char message[128];
        int r;

        if (m->draining)
                return;
        m->draining = true;
        notify_stopping(m->notify, m->config->drain_timeout);
        (void) snprintf(message, sizeof(message), "%s: finishing open requests", why);
        log_event(LOG_LEVEL_INFO, MESSAGE_DRAINING, message);
        http_drain(m->http);
        engine_cli_drain(m->cli);
        bus_draining(m->bus);
        r = sd_event_add_time(loop_event(m->loop), &m->drain_timer, CLOCK_MONOTONIC,
                              usec_add(clock_monotonic(), m->config->drain_timeout), USEC_PER_MSEC,
                              on_drain_timeout, m);
        if (r < 0)
                loop_exit(m->loop, 0);
        loop_hook_ask(m->loop, &m->ended);
}

/* --- requests that wait for a key --- */

static void on_health_changed(const PoolKey *k _unused_, const char *model _unused_,
                              PoolState before _unused_, PoolState after, const char *reason _unused_,
                              usec_t until _unused_, void *userdata) {
        Manager *m = userdata;

        if (after == POOL_USABLE)
                http_kick(m->http);
}

static void on_key_added(const PoolKey *k _unused_, void *userdata) {
        Manager *m = userdata;

        http_kick(m->http);
}

static const PoolObserver http_observer = { .health_changed = on_health_changed, .key_added = on_key_added };

/* --- the start --- */

/* More clients than the limit has room for wait until others have gone (io/descriptors.c). With HTTP/1.1
 * upstream that is about half of the limit; this looks at what it has room for at most. */
static void raise_nofile(Manager *m) {
        struct rlimit rl;
        size_t most;

        if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
                return;
        rl.rlim_cur = rl.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &rl);
        if (rl.rlim_cur == RLIM_INFINITY)
                return;
        descriptors_set_limit(loop_descriptors(m->loop), rl.rlim_cur);
        most = descriptors_most_clients(rl.rlim_cur);
        if (m->config->max_connections > most) {
                log_warning("MAX_CONNECTIONS is %llu, but the limit of open files, %llu, leaves room for "
                            "%zu: the limit (LimitNOFILE=) must be raised, or MAX_CONNECTIONS lowered",
                            (unsigned long long) m->config->max_connections,
                            (unsigned long long) rl.rlim_cur, most);
                m->config->max_connections = most;
        }
}

static bool is_beyond_loopback(int fd) {
        union {
                struct sockaddr sa;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
                struct sockaddr_storage storage;
        } a = {};
        socklen_t n = sizeof(a);
        Address address;

        if (getsockname(fd, &a.sa, &n) < 0)
                return true;
        return address_from_sockaddr(&a.sa, &address) >= 0 && !address_is_loopback(&address);
}

static int listen_on(Manager *m, int fd, const char *name) {
        char shown[LISTEN_NAME_MAX], refusal[CONFIG_REFUSAL_MAX];
        bool is_unix;
        int r;

        listen_format(fd, shown);
        if (is_beyond_loopback(fd)) {
                if (config_refuses(m->config, shown, refusal)) {
                        log_error("%s", refusal);
                        (void) close(fd);
                        return -EINVAL;
                }
                free(m->beyond_loopback);
                m->beyond_loopback = strdup(shown);
                if (!m->beyond_loopback) {
                        (void) close(fd);
                        return -ENOMEM;
                }
        }
        r = listen_check(fd, &is_unix);
        if (r < 0) {
                log_error("the socket %s%s%s: must be a listening stream socket", shown,
                          name ? ", passed as " : "", strempty(name));
                (void) close(fd);
                return r;
        }
        r = http_listen(m->http, fd);
        if (r < 0) {
                log_error("could not serve on %s: %s", shown, strerror(-r));
                return r;
        }
        log_info("listening on %s%s%s", shown, name ? ", passed as " : "", strempty(name));
        return 0;
}

/* The socket that receives the CLI's requests; without one, jobs are refused. */
static void listen_for_jobs(Manager *m, int fd) {
        int r = manager_listen_jobs(m, fd);

        if (r < 0)
                log_warning("the Gemini CLI cannot be served: no socket for its jobs: %s", strerror(-r));
}

/* The sockets that systemd passed; 0 if there are none. */
static int listen_passed(Manager *m, int *ret_job) {
        char **names = NULL;
        int n, r = 0;

        n = sd_listen_fds_with_names(true, &names);
        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i;

                if (streq(names[i], JOB_SOCKET_NAME)) {
                        (void) safe_close(*ret_job);
                        *ret_job = fd;
                } else {
                        m->passed = true;
                        if (r >= 0)
                                r = listen_on(m, fd, names[i]);
                }
                free(names[i]);
        }
        free(names);
        return n < 0 ? n : r;
}

static const char *what_is_needed(const char *address, int error) {
        bool is_unix = startswith(address, "unix:");

        switch (error) {
        case EADDRINUSE:
                return "an address and port that no other program listens on";
        case EADDRNOTAVAIL:
                return "an address of this machine";
        case EACCES:
        case EPERM:
                return is_unix ? "in a directory in which gemgated may create files"
                               : "a port that gemgated may use, such as one from 1024 up";
        case ENOENT:
        case ENOTDIR:
                return "in a directory that exists";
        default:
                return "an address that gemgated can listen on";
        }
}

static int listen_configured(Manager *m) {
        int r, fd;

        for (char **s = m->config->listen; s && *s; s++) {
                r = listen_open(*s, &fd);
                if (r < 0) {
                        log_error("LISTEN: %s: must be %s: %s", *s, what_is_needed(*s, -r), strerror(-r));
                        return r;
                }
                r = listen_on(m, fd, NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int listen_all(Manager *m) {
        int r, job = -1;

        r = listen_passed(m, &job);
        if (r >= 0 && !m->passed)
                r = listen_configured(m);
        if (r >= 0)
                listen_for_jobs(m, job);
        return r;
}

static int watch_signals(Manager *m) {
        sigset_t mask;
        int r;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGXFSZ, SIG_IGN); /* writing beyond a limit fails like writing to a full disk */
        if (sigemptyset(&mask) < 0 || sigaddset(&mask, SIGTERM) < 0 || sigaddset(&mask, SIGINT) < 0 ||
            sigaddset(&mask, SIGHUP) < 0 || sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        r = sd_event_add_signal(loop_event(m->loop), &m->sigterm, SIGTERM, on_signal, m);
        if (r < 0)
                return r;
        r = sd_event_add_signal(loop_event(m->loop), &m->sigint, SIGINT, on_signal, m);
        if (r < 0)
                return r;
        return manager_watch_sighup(m);
}

static int manager_init(Manager *m) {
        EngineApiParams engine = manager_engine_params(m->config);
        Config *c = m->config;
        usec_t now;
        int r;

        day_clock_start();
        now = day_clock_now();

        r = zone_new(c->quota_reset_timezone, now, &m->zone);
        if (r < 0) {
                log_error("QUOTA_RESET_TIMEZONE: %s: %s", c->quota_reset_timezone,
                          r == -ENOENT ? "this zone is not installed (tzdata)"
                                       : "not the name of a time zone");
                return r == -ENOENT ? -EINVAL : r;
        }
        r = loop_new(&m->loop);
        if (r < 0)
                return r;
        raise_nofile(m);
        loop_hook_add(m->loop, &m->ended, on_ended, m);
        m->ended_added = true;
        r = watch_signals(m);
        if (r < 0)
                return r;
        r = pool_new(m->zone, now, &m->pool);
        if (r < 0)
                return r;
        r = vault_new(&(VaultLimits){ VAULT_MAX, VAULT_BYTES_MAX, VAULT_AGE_MAX }, &m->vault);
        if (r < 0)
                return r;
        r = response_store_new(
                &(ResponseStoreLimits){ RESPONSES_MAX, RESPONSES_BYTES_MAX, RESPONSES_CLIENT_MAX,
                                        RESPONSES_CLIENT_BYTES_MAX, RESPONSES_AGE_MAX },
                c->route.responses == RESPONSE_KEEP_STATE, &m->responses);
        if (r < 0)
                return r;
        r = manager_set_keys(m, c);
        if (r < 0)
                return r;
        r = engine_api_new(m->loop, &engine, &m->engine);
        if (r < 0)
                return r;
        r = manager_start_cli(m);
        if (r < 0)
                return r;
        return http_new(
                &(HttpParams){
                        .loop = m->loop,
                        .config = c,
                        .pool = m->pool,
                        .engine = m->engine,
                        .client = engine_api_client(m->engine),
                        .cli = m->cli,
                        .jobs = m->jobs,
                        .zone = m->zone,
                        .vault = m->vault,
                        .responses = m->responses,
                        .changed = on_request,
                        .full = on_full,
                        .models_done = on_models_done,
                        .userdata = m,
                },
                &m->http);
}

int manager_new(Config *config, const ConfigPaths *paths, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        m = calloc(1, sizeof(Manager));
        if (!m) {
                config_unref(config);
                return EX_SOFTWARE;
        }
        m->config = config;
        m->paths = *paths;
        r = manager_init(m);
        if (r < 0) {
                if (r != -EINVAL)
                        log_error("could not start: %s", strerror(-r));
                return exit_status(r);
        }
        *ret = TAKE_PTR(m);
        return 0;
}

void manager_apply_log(Manager *m) {
        log_config_apply(m->config, m->loop);
}

int manager_listen(Manager *m) {
        int r;

        /* The restored state is not reported to observers as a change. */
        r = manager_start_state(m);
        if (r >= 0)
                r = events_new(m->loop, m->pool, &m->events);
        if (r >= 0)
                r = listen_all(m);
        if (r >= 0) {
                events_listen(m->events, &m->http_events, &http_observer, m);
                r = manager_start_notify(m);
        }
        if (r >= 0)
                r = manager_set_idle_exit(m);
        if (r >= 0)
                r = manager_start_bus(m);
        return r < 0 ? exit_status(r) : 0;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;
        manager_stop_reload(m);
        manager_stop_bus(m);
        manager_stop_notify(m);
        events_unlisten(&m->http_events);
        http_free(m->http);
        manager_stop_cli(m);
        engine_api_free(m->engine);
        manager_stop_state(m);
        events_free(m->events);
        pool_free(m->pool);
        vault_free(m->vault);
        response_store_free(m->responses);
        if (m->ended_added)
                loop_hook_remove(&m->ended);
        log_config_done();
        sd_event_source_unref(m->drain_timer);
        sd_event_source_unref(m->sigterm);
        sd_event_source_unref(m->sigint);
        sd_event_source_unref(m->sighup);
        loop_free(m->loop);
        zone_free(m->zone);
        config_unref(m->config);
        free(m->beyond_loopback);
        free(m);
        return NULL;
}

int manager_run(Manager *m) {
        size_t n = pool_n_keys(m->pool);
        int r;

        log_info("gemgated " GEMGATE_VERSION " serves %zu key%s", n, n == 1 ? "" : "s");
        notify_ready(m->notify);
        r = loop_run(m->loop);
        if (r < 0) {
                log_error("the event loop failed: %s", strerror(-r));
                return EX_SOFTWARE;
        }
        log_info("ended");
        return r;
}
