/* SPDX-License-Identifier: MIT */

/*
 * Bytes that pass through gemgate, a buffer at a time: the slower side makes the other one wait. A transfer
 * that is too slow ends:
 *
 *   - After each HTTP_BODY_WINDOW, HTTP_BODY_WINDOW_MIN bytes must have moved; up to as many more count for
 *     the next window, so that a pause after quick progress does no harm.
 *   - Whose fault it is shows in the buffer. While a file goes up, bytes that wait in it mean that Google
 *     takes none, and an empty buffer that the client sends none; while a file comes down, a full one means
 *     that the client takes none.
 *   - Before the first byte of an upload has left, keys are being tried, whose number is limited. After the
 *     last one, Google has FIRST_BYTE_TIMEOUT for its answer.
 */

#include "base/limits.h"
#include "server/files/internal.h"
#include "server/http.h"
#include "server/reply.h"

static Resource *resource_of(Request *q) {
        return q->pending;
}

/* --- what the client's side reports --- */

static void on_arrived(Request *q) {
        Resource *r = resource_of(q);

        if (r->query.call.call)
                engine_call_more(r->query.call.call);
}

static void on_drained(Request *q) {
        Resource *r = resource_of(q);

        if (r->query.call.call)
                engine_call_pause(r->query.call.call, false);
}

/* Ends it in the middle. The client gets the error; or, if it has bytes of the file, no end of it. */
static void fail(Resource *r, VerdictClass class, const ApiError *e) {
        Request *q = r->request;
        bool is_replied = http_request_is_replied(q->io);

        upstream_query_end(&r->query, class);
        request_note_verdict(q, class);
        q->verdict = verdict_rule(class)->name;
        (void) resource_free(r);
        if (is_replied)
                http_request_cut(q->io);
        else
                request_reply_error(q, e);
}

static void on_cut(Request *q) {
        ApiError e;

        api_error_set_busy(&e, "The gateway is stopping, and this request was not answered in time.");
        fail(resource_of(q), VERDICT_CLIENT_GONE, &e);
}

/* --- its progress --- */

static void begin(Resource *r, uint64_t size) {
        Request *q = r->request;

        timeout_stop(&r->deadline);
        r->transfer.left = size;
        timeout_start(q->http->transfer_due, &r->transfer.due);
        q->cut = on_cut;
}

void transfer_up(Resource *r, uint64_t size) {
        begin(r, size);
        r->request->arrived = on_arrived;
}

void transfer_down(Resource *r, uint64_t size) {
        begin(r, size);
        r->request->drained = on_drained;
        r->transfer.is_down = r->transfer.begun = true;
}

void transfer_moved(Resource *r, size_t n) {
        r->transfer.begun = true;
        r->transfer.moved += n;
        if (r->transfer.left != UINT64_MAX)
                r->transfer.left -= MIN((uint64_t) n, r->transfer.left);
        if (r->transfer.left == 0)
                r->request->arrived = NULL;
}

void transfer_all_moved(Resource *r) {
        r->transfer.left = 0;
        r->request->arrived = NULL;
}

bool transfer_is_delivered(const Resource *r) {
        return r->transfer.is_down && r->transfer.left == 0;
}

void transfer_end(Resource *r) {
        Request *q = r->request;

        timeout_stop(&r->transfer.due);
        q->arrived = q->drained = q->cut = NULL;
}

static bool may_be_slow(const Resource *r) {
        const Transfer *t = &r->transfer;

        if (t->is_down)
                return false;
        return t->left == 0 || (!t->begun && http_request_has_bytes(r->request->io));
}

static void end_late(Resource *r) {
        HttpRequest *io = r->request->io;
        ApiError e;

        if (!r->transfer.is_down && !http_request_has_bytes(io)) {
                api_error_set(&e, 408, NULL, "The body arrived too slowly.");
                fail(r, VERDICT_CLIENT_GONE, &e);
                return;
        }
        api_error_set(&e, 504, NULL, "Gemini took the upload too slowly.");
        fail(r, r->transfer.is_down && http_request_is_full(io) ? VERDICT_CLIENT_GONE : VERDICT_TIMEOUT, &e);
}

void transfer_on_due(Timeout *due) {
        Transfer *t = CONTAINER_OF(due, Transfer, due);
        Resource *r = CONTAINER_OF(t, Resource, transfer);
        uint64_t n = t->carried + t->moved;

        if (n < HTTP_BODY_WINDOW_MIN && !may_be_slow(r)) {
                end_late(r);
                return;
        }
        t->carried = n < HTTP_BODY_WINDOW_MIN ? 0 : MIN(n - HTTP_BODY_WINDOW_MIN, HTTP_BODY_WINDOW_MIN);
        t->moved = 0;
        timeout_start(r->request->http->transfer_due, due);
}
