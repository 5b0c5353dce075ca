/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dialect/gemini/names.h"
#include "server/exchange/pin.h"
#include "server/http.h"

typedef struct Look {
        Pool *pool;
        usec_t now;
        PoolProject *project;
        char first[BINDING_NAME_MAX + 1], other[BINDING_NAME_MAX + 1];
} Look;

static bool on_name(const char *name, void *userdata) {
        Look *l = userdata;
        PoolProject *project = pool_bound_to(l->pool, name, l->now);

        if (!project || project == l->project)
                return true;
        memcpy(l->project ? l->other : l->first, name, strlen(name) + 1);
        if (l->project)
                return false;
        l->project = project;
        return true;
}

int pin_find(Request *q, const Buf *json, char ret[static BINDING_NAME_MAX + 1], ApiError *ret_error) {
        Look l = { .pool = q->http->p.pool, .now = clock_realtime() };

        if (json->n > 0 && pool_n_bound(l.pool) > 0)
                gemini_names_each(buf_data(json), json->n, on_name, &l);
        if (l.other[0]) {
                api_error_set(ret_error, 400, NULL,
                              "%s and %s were made in different Google projects, and no API key can see "
                              "both: upload one of them again.",
                              l.first, l.other);
                return DIALECT_E_REFUSED;
        }
        memcpy(ret, l.first, sizeof(l.first));
        return 0;
}

PoolProject *pin_project(const Request *q, const char *pinned) {
        return pinned[0] ? pool_bound_to(q->http->p.pool, pinned, clock_realtime()) : NULL;
}
