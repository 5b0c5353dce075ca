/* SPDX-License-Identifier: MIT */
#include "base/hash.h"
#include "base/limits.h"
#include "io/http-room.h"

#define LARGE_PER_CLIENT(max) ((max) / 2)
#define RESERVE(max)          ((max) / 8)
#define SMALL_PER_CLIENT(max) (RESERVE(max) / 4)

static HttpHolder *holder_of(HttpRoom *m, const HttpShare *s) {
        return &m->holders[hash_mix(s->client) & (HTTP_ROOM_PLACES - 1)];
}

static bool has_room(const HttpRoom *m, const HttpShare *s, const HttpHolder *h, uint64_t n) {
        bool small = s->n + n <= HTTP_SMALL_BODY_MAX;

        /* The maximum may have become less than what is held. */
        if (n > m->max || m->held > m->max - n)
                return false;
        if (s->client == 0 || m->held == s->n)
                return true;
        if (small && h->small + n <= SMALL_PER_CLIENT(m->max))
                return true;
        return m->held + n <= m->max - RESERVE(m->max) &&
               (h->all == s->n || h->all + n <= LARGE_PER_CLIENT(m->max));
}

bool http_room_take(HttpRoom *m, HttpShare *s, uint64_t n) {
        HttpHolder *h = holder_of(m, s);

        if (!has_room(m, s, h, n))
                return false;
        if (!s->large && s->n + n > HTTP_SMALL_BODY_MAX) {
                s->large = true;
                h->small -= s->n;
        }
        if (!s->large)
                h->small += n;
        h->all += n;
        m->held += n;
        s->n += n;
        return true;
}

void http_room_give_back(HttpRoom *m, HttpShare *s) {
        HttpHolder *h = holder_of(m, s);

        if (!s->large)
                h->small -= s->n;
        h->all -= s->n;
        m->held -= s->n;
        s->n = 0;
        s->large = false;
}
