/* SPDX-License-Identifier: MIT */
#include "dialect/hops.h"

#include "base/limits-continue.h"
#include "base/text.h"

void hops_note_token(Buf *token, const GeminiCandidate *c) {
        if (c->index > 0 || !json_view_is(c->continuation, '"') || json_view_is_empty(c->continuation))
                return;
        buf_clear(token);
        (void) buf_append(token, c->continuation.p, (size_t) (c->continuation.end - c->continuation.p));
}

bool hops_may_continue(const Hops *h, const Answer *a, const Buf *token) {
        if (!streq(a->candidates[0].finish, "CONTINUATION") || a->is_blocked || token->n == 0)
                return false;
        for (size_t i = 1; i < CANDIDATES_MAX; i++)
                if (a->candidates[i].is_seen)
                        return false;
        return !h || h->n < CONTINUATIONS_MAX;
}

/* The client's request must stay as it was. The token is its last member, so that the places of signatures
 * in it stay, too. */
static int write_request(Hops *h, Translation *t, const Buf *token) {
        size_t n_tail = h->n > 0 ? h->n_tail : 1; /* at first, the object's end */
        size_t n = t->gemini.n - n_tail;
        Buf request = BUF_INIT(n + token->n + 64);

        (void) buf_append(&request, buf_data(&t->gemini), n);
        (void) buf_puts(&request, ",\"continuationToken\":");
        (void) buf_append(&request, buf_data(token), token->n);
        (void) buf_putc(&request, '}');
        if (request.error < 0)
                return request.error;
        h->n_tail = request.n - n;
        translation_change(t, &request);
        return 0;
}

int hops_continue(Hops *h, Translation *t, const Buf *token) {
        int r;

        r = write_request(h, t, token);
        if (r < 0)
                return r;
        if (h->n++ == 0)
                h->prompt = t->usage.prompt;
        usage_add(&h->usage, &t->usage);
        gemini_counts_add_kinds(&h->counts, &t->counts);
        return 0;
}
