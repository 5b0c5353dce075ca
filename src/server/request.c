/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "dialect/json.h"
#include "server/reply.h"
#include "server/request.h"
#include "server/routes.h"

void request_handle(Request *q) {
        ApiError e;
        int r;

        r = q->route->handler(q, &e);
        if (r == 0)
                return;
        if (r < 0)
                api_error_from_failure(&e, r);
        request_reply_error(q, &e);
}

void request_note_refusal(Request *q, const PoolRefusal *r) {
        if (!q->exhausted)
                q->exhausted = malloc(sizeof(RequestRefusal));
        if (q->exhausted)
                *q->exhausted = (RequestRefusal){ .pool = *r, .at = day_clock_now() };
}

void request_note_key(Request *q, const PoolKey *k) {
        secret_mask_key(pool_key_secret(k), q->key_mask);
        text_copy(q->key_name, sizeof(q->key_name), pool_key_id(k));
        q->key_named = pool_key_is_named(k);
}

/* A stream is noted as ok when it begins; its final verdict replaces that. */
void request_note_verdict(Request *q, VerdictClass class) {
        (q->is_verdict_early ? verdicts_amend : verdicts_add)(&q->verdicts, class);
}

int request_json(Request *q, struct json_object **ret, ApiError *ret_error) {
        Buf *body = http_request_body(q->io);
        int r;

        r = json_parse_body(buf_data(body), body->n, ret, ret_error);
        return r == DIALECT_E_REFUSED ? HANDLER_E_REFUSED : r;
}

void request_client_format(const Request *q, char ret[static ADDRESS_STRING_MAX]) {
        if (q->client_unix)
                (void) snprintf(ret, ADDRESS_STRING_MAX, "unix");
        else
                address_format(&q->client, ret);
}
