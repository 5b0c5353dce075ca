/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "core/day-clock.h"
#include "dialect/gemini/kind.h"
#include "dialect/gemini/resource.h"
#include "dialect/json.h"
#include "server/files/made.h"
#include "server/http.h"

#define LIFE_MAX    (366 * USEC_PER_DAY)
#define RENEWED_MIN (30 * USEC_PER_DAY)

static usec_t expiry_of(const char *name, usec_t expires, usec_t now) {
        return expires > now ? MIN(expires, usec_add(now, LIFE_MAX))
                             : usec_add(now, gemini_kind(name)->life);
}

static void bind(Request *q, PoolKey *key, const Token *maker, const char *name, const char *google,
                 usec_t expires) {
        const GeminiKind *kind = gemini_kind(name);
        usec_t now = day_clock_now();

        if (!maker || !key)
                return;
        if (kind->by_the_way && !pool_bind_make_room(q->http->p.pool, kind->kind, maker->secret, now))
                return;
        (void) pool_bind_name(q->http->p.pool,
                              &(BindingWanted){ .name = name,
                                                .key = key,
                                                .token = maker->secret,
                                                .expires = expiry_of(name, expires, now),
                                                .upstream = strnull(google) ? NULL : google },
                              now);
}

/* What never expires is kept by asking for it: once a day, because each change is written. */
static void renew(Pool *pool, const GeminiResource *g, usec_t now) {
        usec_t life = gemini_kind(g->name)->life;

        if (g->expires > 0)
                pool_bind_renew(pool, g->name, expiry_of(g->name, g->expires, now), now);
        else if (life >= RENEWED_MIN)
                pool_bind_renew(pool, g->name, usec_add(now - now % USEC_PER_DAY, life), now);
}

void made_learn(const UpstreamQuery *query, const char *kind, const Token *maker) {
        Request *q = query->request;
        GeminiResource g;

        if (!kind || !gemini_resource_read(buf_data(&query->answer), query->answer.n, kind, &g))
                return;
        if (maker)
                bind(q, query->call.lease.key, maker, g.name, g.google, g.expires);
        else
                renew(q->http->p.pool, &g, day_clock_now());
}

/* Who asks for another's object, such as an admin token, does not get what Google makes of it. */
static bool is_makers(Request *q, const GeminiPath *row, const char *name) {
        Pool *pool = q->http->p.pool;
        BindingOwner owner;

        if (!q->token)
                return false;
        return row->makes || (name[0] && pool_owner(pool, q->token->secret, &owner) >= 0 &&
                              pool_is_bound_by(pool, name, &owner, day_clock_now()));
}

/* Files that belong to no client yet, and are of the same project as what has named them. */
static void on_file(const char *name, void *userdata) {
        const UpstreamQuery *query = userdata;
        Request *q = query->request;
        usec_t now = day_clock_now();

        if (!pool_bound_to(q->http->p.pool, name, now) &&
            pool_may_bind(q->http->p.pool, q->token->secret, now))
                bind(q, query->call.lease.key, q->token, name, NULL, 0);
}

void made_learn_files(UpstreamQuery *query, const GeminiPath *row, const char *name) {
        static const struct {
                const char *kind, *member;
        } rows[] = {
                { BINDING_BATCHES, "responsesFile" },
                { BINDING_OPERATIONS, "uri" },
                { BINDING_FILES, "uri" }, /* files:register */
        };
        const char *kind = row->makes ?: row->kind;

        if (!kind || !is_makers(query->request, row, name) || query->answer.n == 0 ||
            json_fault(buf_data(&query->answer), query->answer.n))
                return;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(kind, rows[i].kind))
                        gemini_resource_files(buf_data(&query->answer), query->answer.n, rows[i].member,
                                              on_file, query);
}

void made_bind(Request *q, PoolKey *key, const char *made) {
        GeminiResource g = {};

        if (gemini_resource_name(made, &g))
                bind(q, key, q->token, g.name, g.google, 0);
}

void made_bind_session(Request *q, PoolKey *key, const char *name) {
        bind(q, key, q->token, name, NULL, 0);
}
