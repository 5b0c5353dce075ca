/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "dialect/gemini/names.h"
#include "server/exchange/pin.h"
#include "server/files/owner.h"
#include "server/http.h"

typedef struct Look {
        FileOwner asker;
        PoolProject *project;
        char first[BINDING_NAME_MAX + 1], other[BINDING_NAME_MAX + 1];
        char refused[BINDING_NAME_MAX + 1]; /* made by another client */
} Look;

static bool on_name(const char *name, void *userdata) {
        Look *l = userdata;
        PoolProject *project = pool_bound_to(l->asker.pool, name, l->asker.now);

        if (!project)
                return true;
        if (!file_owner_may_use(&l->asker, name)) {
                memcpy(l->refused, name, strlen(name) + 1);
                return false;
        }
        if (project == l->project || l->other[0])
                return true;
        memcpy(l->project ? l->other : l->first, name, strlen(name) + 1);
        l->project = l->project ?: project;
        return true;
}

static void each_name(const Buf *names, Look *l) {
        const char *p = names->n > 0 ? buf_data(names) : "", *end = p + names->n;

        while (p < end && on_name(p, l))
                p += strlen(p) + 1;
}

static bool names_nothing(const PinSearch *s) {
        return strnull(s->path) && (!s->json || s->json->n == 0) && (!s->names || s->names->n == 0);
}

int pin_find(Request *q, const PinSearch *s, char ret[static BINDING_NAME_MAX + 1], ApiError *ret_error) {
        const char *fault = s->fault;
        Look l = {};
        int r;

        l.asker.pool = q->http->p.pool;
        if (!names_nothing(s) && pool_n_bound(l.asker.pool) > 0) {
                r = file_owner_init(&l.asker, q);
                if (r < 0)
                        return r;
        }
        if (strnull(s->path) || on_name(s->path, &l)) {
                if (s->json && s->json->n > 0)
                        fault = (s->all ? gemini_names_all : gemini_names_each)(buf_data(s->json),
                                                                                s->json->n, on_name, &l);
                else if (s->names)
                        each_name(s->names, &l);
        }
        if (l.refused[0])
                return file_owner_refuse(l.refused, ret_error);
        /* Where all may use all files, Google alone decides about spellings. */
        if (fault && !file_owner_is_anyone(q)) {
                api_error_set(ret_error, 400, NULL, "%s", fault);
                return DIALECT_E_REFUSED;
        }
        if (l.other[0]) {
                api_error_set(ret_error, 400, NULL,
                              "%s and %s were made in different Google projects, and no API key can see "
                              "both: make one of them again.",
                              l.first, l.other);
                return DIALECT_E_REFUSED;
        }
        memcpy(ret, l.first, sizeof(l.first));
        return 0;
}

PoolProject *pin_project(const Request *q, const char *pinned) {
        return pinned[0] ? pool_bound_to(q->http->p.pool, pinned, day_clock_now()) : NULL;
}
