/* SPDX-License-Identifier: MIT */

/* Connects the bus with the rest of the daemon: its calls into it, and the events that it publishes. */

#include "core/day-clock.h"
#include "daemon/manager-internal.h"
#include "server/key-test.h"
#include "server/models.h"
#include "server/request-list.h"
#include "server/live/live.h"
#include "server/statistics.h"

static const Config *get_config(void *userdata) {
        Manager *m = userdata;

        return m->config;
}

static size_t get_active(void *userdata) {
        Manager *m = userdata;

        return http_n_exchanges(m->http);
}

static int start_statistics(StatsSink *sink, StatsWalk **ret, void *userdata) {
        Manager *m = userdata;

        return statistics_walk_new(
                &(StatsSource){ .pool = m->pool, .config = m->config, .queue = m->http->queue,
                               .live = live_sessions_counts(m->http->live) }, sink, ret);
}

static int step_statistics(StatsWalk *w) {
        return statistics_walk_step(w, day_clock_now());
}

static int get_listed(const char *model, bool fetch, void *userdata) {
        Manager *m = userdata;

        return model_list_look(m->http->models, model, fetch);
}

static size_t each_request(RequestViewFn f, void *f_userdata, void *userdata) {
        Manager *m = userdata;

        return request_list_each(m->http, NULL, f, f_userdata);
}

static int start_test(const PoolKey *k, KeyTestFn f, void *f_userdata, KeyTest **ret, void *userdata) {
        Manager *m = userdata;

        return key_test_new(m->http, k, f, f_userdata, ret);
}

static int do_reload(uint64_t *ret_serial, const char **ret_refusal, void *userdata) {
        return manager_reload(userdata, ret_serial, ret_refusal);
}

int manager_start_bus(Manager *m) {
        int r;

        r = bus_new(
                &(BusParams){
                        .loop = m->loop,
                        .pool = m->pool,
                        .control_socket = m->config->control_socket,
                        .config = get_config,
                        .active = get_active,
                        .reload = do_reload,
                        .listed = get_listed,
                        .requests = each_request,
                        .statistics = start_statistics,
                        .statistics_step = step_statistics,
                        .statistics_free = statistics_walk_free,
                        .test = start_test,
                        .test_free = key_test_free,
                        .userdata = m,
                },
                &m->bus);
        if (r < 0)
                return r;
        events_listen(m->events, &m->bus_events, &bus_observer, m->bus);
        return 0;
}

void manager_stop_bus(Manager *m) {
        events_unlisten(&m->bus_events);
        m->bus = bus_free(m->bus);
}
