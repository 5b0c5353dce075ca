/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <string.h>

#include "server/admin/long-answer.h"
#include "server/http.h"
#include "server/reply.h"

#define LONG_ANSWER_PATIENCE (5 * USEC_PER_SEC) /* unread for so long, it gives way to another */

typedef struct LongAnswer {
        List link; /* in Http.long_answers, while it has a place */
        Request *request;
        const LongAnswerOps *ops;
        void *answer; /* NULL: it is complete */
        LoopSlice slice;
        Buf body;
        unsigned n_starts;
} LongAnswer;

static void work_done(LongAnswer *a) {
        loop_slice_remove(&a->slice);
        if (a->answer)
                a->ops->free(a->answer);
        a->answer = NULL;
}

static void give_up_place(LongAnswer *a) {
        list_unlink(&a->link);
        a->request->http->n_long_answers--;
}

/* Also at the end of a request that was answered: until then the client may be reading. */
static void cancel(Request *q) {
        LongAnswer *a = q->pending;

        work_done(a);
        buf_done(&a->body);
        if (list_is_linked(&a->link))
                give_up_place(a);
        q->pending = NULL;
        free(a);
}

/* If the answer becomes larger nevertheless, it is copied once. */
static void reserve(LongAnswer *a) {
        const Pool *p = a->request->http->p.pool;
        size_t size = pool_n_keys(p) * a->ops->key_size + pool_n_slots(p) * a->ops->pair_size;

        if (size > 0 && size < MANAGE_ANSWER_MAX)
                (void) buf_reserve(&a->body, size);
}

static int begin(LongAnswer *a) {
        if (++a->n_starts > LONG_ANSWER_STARTS_MAX)
                return -ESTALE;
        buf_clear(&a->body);
        reserve(a);
        return a->ops->begin(a->answer, &a->body);
}

/* 1: there is more to do. */
static int step(LongAnswer *a) {
        int r;

        r = a->ops->step(a->answer, &a->body);
        if (a->body.error < 0)
                return a->body.error;
        if (r != -ESTALE)
                return r;
        r = begin(a);
        return r < 0 ? r : 1;
}

static int refuse(const LongAnswer *a, int r, ApiError *ret_error) {
        if (r == -E2BIG)
                api_error_set(ret_error, 500, NULL,
                              "The answer would be larger than gemgate sends (%u MiB).",
                              MANAGE_ANSWER_MAX >> 20);
        else if (r == -ESTALE)
                api_error_set_busy(ret_error,
                                   "The keys were replaced again and again meanwhile: try again.");
        else
                return a->ops->refuse ? a->ops->refuse(r, ret_error) : r;
        return HANDLER_E_REFUSED;
}

/* True: there is more to do. Else *ret is a handler's result. */
static bool advance(LongAnswer *a, int *ret, ApiError *ret_error) {
        Request *q = a->request;
        int r;

        r = step(a);
        if (r > 0)
                return true;
        work_done(a);
        *ret = r < 0 ? refuse(a, r, ret_error) : 0;
        if (r < 0)
                buf_done(&a->body);
        else
                request_reply(q, 200, REPLY_JSON, &a->body);
        return false;
}

static void on_slice(void *userdata) {
        LongAnswer *a = userdata;
        Request *q = a->request;
        ApiError e;
        int r;

        if (advance(a, &r, &e))
                return;
        if (r < 0)
                request_fail(q, 500, NULL, "The answer could not be made: %s.", strerror(-r));
        else if (r == HANDLER_E_REFUSED)
                request_reply_error(q, &e);
}

/* Among the answers that are complete, and that their clients do not read, one loses its place. */
static bool make_room(Http *h) {
        usec_t least = usec_sub(clock_monotonic(), LONG_ANSWER_PATIENCE);
        LongAnswer *oldest = NULL;

        LIST_FOREACH(i, &h->long_answers) {
                LongAnswer *a = list_entry(i, LongAnswer, link);
                usec_t progress = a->answer ? USEC_INFINITY : http_request_progress(a->request->io);

                if (progress <= least) {
                        least = progress;
                        oldest = a;
                }
        }
        if (!oldest)
                return false;
        give_up_place(oldest);
        http_request_cut(oldest->request->io);
        return true;
}

int long_answer_start(Request *q, const LongAnswerOps *ops, void *answer, ApiError *ret_error) {
        Http *h = q->http;
        LongAnswer *a = NULL;
        int r;

        if (h->n_long_answers >= LONG_ANSWERS_MAX && !make_room(h)) {
                ops->free(answer);
                api_error_set_busy(ret_error,
                                   "%u such answers are being made or read already: try again later.",
                                   LONG_ANSWERS_MAX);
                return HANDLER_E_REFUSED;
        }
        a = calloc(1, sizeof(LongAnswer));
        if (!a) {
                ops->free(answer);
                return -ENOMEM;
        }
        *a = (LongAnswer){ .request = q, .ops = ops, .answer = answer, .body = BUF_INIT(MANAGE_ANSWER_MAX) };
        list_append(&h->long_answers, &a->link);
        h->n_long_answers++;
        q->pending = a;
        q->cancel = cancel;
        r = begin(a);
        if (r < 0)
                return r;
        if (!advance(a, &r, ret_error))
                return r;
        loop_slice_add(h->p.loop, &a->slice, on_slice, a);
        return 0;
}
