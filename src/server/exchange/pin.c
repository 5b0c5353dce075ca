/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "dialect/gemini/names.h"
#include "server/exchange/pin.h"
#include "server/files/named.h"
#include "server/files/owner.h"
#include "server/http.h"

typedef struct Look {
        Request *request;
        FileOwner asker;
        PoolProject *project;
        char first[BINDING_NAME_MAX + 1], other[BINDING_NAME_MAX + 1];
        char refused[BINDING_NAME_MAX + 1]; /* made by another client */
} Look;

static void look_at(Look *l, const char *name) {
        PoolProject *project = pool_bound_to(l->asker.pool, name, l->asker.now);

        if (!project || l->refused[0])
                return;
        if (!file_owner_may_use(&l->asker, name)) {
                memcpy(l->refused, name, strlen(name) + 1);
                return;
        }
        if (project == l->project || l->other[0])
                return;
        memcpy(l->project ? l->other : l->first, name, strlen(name) + 1);
        l->project = l->project ?: project;
}

/* All of them: which one is refused must not be seen by which the error names. */
static bool on_name(const char *name, void *userdata) {
        Look *l = userdata;

        named_note(l->request, name);
        look_at(l, name);
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
        Look l = { .request = q };
        int r;

        l.asker.pool = q->http->p.pool;
        if (!names_nothing(s) && pool_n_bound(l.asker.pool) > 0) {
                r = file_owner_init(&l.asker, q);
                if (r < 0)
                        return r;
        }
        if (!strnull(s->path))
                look_at(&l, s->path);
        if (s->json && s->json->n > 0)
                fault = gemini_names(buf_data(s->json), s->json->n, s->all, on_name, &l);
        else if (s->names)
                each_name(s->names, &l);
        if (l.refused[0])
                return file_owner_refuse(q, l.refused, ret_error);
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
