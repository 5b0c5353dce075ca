/* SPDX-License-Identifier: MIT */

/* The store for what survives a restart: which sources it has, and where its file is. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "pool/state/schema.h"
#include "daemon/manager-internal.h"
#include "daemon/state-format.h"
#include "io/store-sqlite.h"

#define FILE_NAME "state.db"

/* The file's path; "": state is kept in memory only. */
static void find_path(const Config *c, char ret[static STATE_PATH_MAX + 1]) {
        const char *path = startswith(c->state_url, "sqlite:"), *directory = getenv("STATE_DIRECTORY");
        size_t n;

        ret[0] = 0;
        if (path) {
                (void) snprintf(ret, STATE_PATH_MAX + 1, "%s", path);
                return;
        }
        if (!streq(c->state_url, "auto") || strnull(directory))
                return;
        n = strcspn(directory, ":"); /* systemd separates several by colons */
        if (directory[0] != '/' || n + sizeof("/" FILE_NAME) > STATE_PATH_MAX)
                log_warning("STATE_DIRECTORY: no absolute path that could be used: counters stay in memory");
        else
                (void) snprintf(ret, STATE_PATH_MAX + 1, "%.*s/" FILE_NAME, (int) n, directory);
}

int manager_start_state(Manager *m) {
        const StateWriterSource sources[] = { { &pool_state_source, m->pool },
                                              { &vault_state_source, m->vault },
                                              { &response_state_source, m->responses } };
        _cleanup_(store_freep) Store *store = NULL;
        char path[STATE_PATH_MAX + 1];
        int r;

        pool_keep_days(m->pool, (unsigned) m->config->stats_retention_days);
        find_path(m->config, path);
        if (!path[0]) {
                if (m->config->route.responses == RESPONSE_KEEP_STATE)
                        log_warning("RESPONSES_STORE: state: needs a state file (STATE_URL): responses are "
                                    "kept in memory");
                return 0;
        }
        r = store_sqlite_new(m->loop, path, &state_format, &store);
        if (r >= 0)
                r = state_writer_new(m->loop, store, sources, ELEMENTSOF(sources), &m->state_writer);
        if (r >= 0)
                (void) TAKE_PTR(store);
        return r;
}

static void on_state_ended(void *userdata) {
        Manager *m = userdata;

        loop_exit(m->loop, 0);
}

/* The last request has ended: writes what is left within DRAIN_TIMEOUT, and ends the loop. */
void manager_end_state(Manager *m) {
        if (m->ending)
                return;
        m->ending = true;
        if (m->state_writer)
                state_writer_end(m->state_writer, on_state_ended, m);
        else
                loop_exit(m->loop, 0);
}

void manager_stop_state(Manager *m) {
        m->state_writer = state_writer_free(m->state_writer);
}
