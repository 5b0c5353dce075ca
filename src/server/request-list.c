/* SPDX-License-Identifier: MIT */
#include "server/exchange/exchange.h"
#include "server/live/live.h"
#include "server/request-list.h"
#include "server/routes.h"

/* The states of a request that is not an exchange: its body arrives; a handler waits for Google; its answer
 * is being sent. */
static const char *state_of(const Request *q) {
        if (q->exchange)
                return exchange_state(q->exchange);
        if (q->live)
                return live_state(q->live);
        /* The management never asks Google: its answer is being made (server/admin/long-answer.h). */
        if (http_request_is_replied(q->io) || (q->cancel && q->route->right == TOKEN_ADMIN))
                return "answering";
        return q->cancel && !q->arrived ? "asking" : "reading";
}

static RequestView view_of(const Request *q, usec_t now) {
        return (RequestView){
                .id = q->id,
                .client = q->token ? q->token->name ?: q->token->mask : NULL,
                .route = q->route ? q->route->path : NULL,
                .model = q->model[0] ? q->model : NULL,
                .state = state_of(q),
                .key = q->key_mask[0] ? q->key_mask : NULL,
                .key_name = q->key_named ? q->key_name : NULL,
                .age = usec_sub(now, http_request_started(q->io)),
                .attempts = q->attempts,
                .bytes = http_request_sent(q->io),
        };
}

size_t request_list_each(const Http *h, const Request *except, RequestViewFn f, void *userdata) {
        usec_t now = clock_monotonic();
        size_t n = 0;

        LIST_FOREACH(i, &h->requests) {
                const Request *q = list_entry(i, Request, requests);

                if (q == except || n++ >= REQUESTS_SHOWN_MAX)
                        continue;
                RequestView v = view_of(q, now);
                f(&v, userdata);
        }
        return n;
}
