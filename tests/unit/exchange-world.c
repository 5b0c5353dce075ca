/* SPDX-License-Identifier: MIT */
#include "exchange-world.h"

#include <sys/random.h>

#include "pool-wraps.h"
#include "pool/internal.h"
#include "server/reply.h"

#define START (1795377600 * USEC_PER_SEC) /* realtime: as noon.h has it */

struct Walk w;

uint64_t draw(uint64_t n) {
        uint64_t z = w.random += 0x9E3779B97F4A7C15ULL;

        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
        return (z ^ z >> 31) % n;
}

/* --- what a client reads --- */

static void read_token(Client *c, const char *s) {
        unsigned attempt, event;

        check(!c->has_end && c->n_errors == 0, "`%.12s` after the end of the answer", s);
        if (memcmp(s, "[ping]", 6) == 0)
                return;
        if (memcmp(s, "[error]", 7) == 0) {
                c->n_errors++;
                w.n_stream_errors++;
                return;
        }
        if (sscanf(s, "[%u.%u", &attempt, &event) == 2) {
                if (event == 0 && c->reading >= 0 && c->tries[c->reading].is_part) {
                        check(c->tries[c->reading].n_sent == c->next, "a part of an answer that is cut");
                        c->reading = -1;
                        c->next = 0;
                        w.n_joined++;
                }
                check(c->reading < 0 || c->reading == (int) attempt, "an answer of two attempts");
                check(event == c->next, "event %u, not %u", event, c->next);
                c->reading = (int) attempt;
                c->next++;
                return;
        }
        check(sscanf(s, "[%u]", &attempt) == 1 && (int) attempt == c->reading, "bytes from nowhere: %.12s",
              s);
        check(c->tries[attempt].n_sent == c->next && c->tries[attempt].ended_well,
              "the end of an answer that did not end so");
        c->has_end = true;
}

void read_tokens(Client *c, Buf *b, size_t n) {
        size_t done = 0;

        while (done < n) {
                const char *s = buf_data(b) + done, *end = memchr(s, ']', b->n - done);
                char token[512] = ""; /* with a NUL, which the buffer does not have */

                check(*s == '[' && end && (size_t) (end - s) < sizeof(token) - 1, "bytes that are cut");
                memcpy(token, s, (size_t) (end + 1 - s));
                read_token(c, token);
                done = (size_t) (end + 1 - buf_data(b));
        }
        buf_consume(b, done);
}

/* --- what is wrapped --- */

ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags);

usec_t __wrap_clock_realtime(void) {
        return START + w.loop.now;
}

ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags) {
        for (size_t i = 0; i < n; i++)
                ((uint8_t *) p)[i] = (uint8_t) draw(256);
        return (ssize_t) n;
}

static int lend(int r, const Lease *lease) {
        if (r == 0) {
                check(w.n_leases < CALLS, "too many leases");
                w.leases[w.n_leases++].id = lease->id;
        }
        return r;
}

int __wrap_pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal) {
        return lend(__real_pool_pick_for(p, q, now, ret, ret_refusal), ret);
}

int __wrap_pool_pick_spare(Pool *p, const PoolRequest *q, const Lease *other, usec_t now, Lease *ret) {
        return lend(__real_pool_pick_spare(p, q, other, now, ret), ret);
}

int __wrap_pool_pick_rotation_of(Pool *p, const PoolRequest *q, usec_t now, Lease *ret,
                                 PoolRefusal *ret_refusal) {
        return lend(__real_pool_pick_rotation_of(p, q, now, ret, ret_refusal), ret);
}

void __wrap_pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now) {
        unsigned i = 0;

        while (i < w.n_leases && w.leases[i].id != lease->id)
                i++;
        check(i < w.n_leases, "a lease that is not out is given back");
        w.leases[i] = w.leases[--w.n_leases];
        __real_pool_report(p, lease, v, usage, now);
}

/* --- the fake HTTP server --- */

const char *http_request_header(HttpRequest *r, const char *name) {
        return NULL;
}

const char *http_request_argument(HttpRequest *r, const char *name) {
        return NULL;
}

void http_request_each_header(HttpRequest *r, void (*f)(const char *name, const char *value, void *userdata),
                              void *userdata) {
}

void http_request_each_argument(HttpRequest *r,
                                void (*f)(const char *name, const char *value, void *userdata),
                                void *userdata) {
}

Buf *http_request_body(HttpRequest *r) {
        return &r->body;
}

bool http_request_hold(HttpRequest *r, uint64_t n) {
        return true;
}

Buf *http_request_out(HttpRequest *r) {
        return &r->out;
}

bool http_request_is_replied(const HttpRequest *r) {
        return r->replied;
}

bool http_request_is_full(const HttpRequest *r) {
        return r->full;
}

void http_request_flush(HttpRequest *r) {
        check(!r->finished, "bytes are passed on after the end");
        check(r->streaming, "bytes are passed on before the stream has begun");
        if (r->out.n > HIGH_MARK)
                r->full = true;
        r->client->last_byte = w.loop.now;
}

void http_request_finish(HttpRequest *r, bool clean) {
        check(r->streaming && !r->finished, "a stream ends twice, or without a beginning");
        r->finished = true;
        r->clean = clean;
        r->n_at_end = r->out.n;
        r->client->n_answers++;
}

static void reply(Request *q, int status) {
        check(!q->io->replied, "two answers");
        q->io->replied = true;
        q->io->client->status = status;
        q->io->client->n_answers++;
}

void request_reply(Request *q, int status, const char *content_type, Buf *body) {
        reply(q, status);
        check(status == 200, "an answer that is an error");
        read_tokens(q->io->client, body, body->n);
}

typedef struct FakeTranslation {
        Translation t;
        Buf held; /* not streaming: the events until the end */
        char end[16];
        bool is_finished;
        unsigned n_more; /* requests that it still has */
        unsigned attempt; /* of the last event */
        bool is_signed;
        Client *client;
} FakeTranslation;

/* The model's own rule: a request may give up while keys are left only if its tries were dear. */
static void check_gave_up(Client *c) {
        Exchange *x = c->q.exchange;
        PoolRequest pick = { .model = x->target.model, .exclude = c->run, .n_exclude = c->n_run };
        Lease lease;

        check(x->late || c->injected || c->last.class != VERDICT_SIGNATURE || c->n_tries >= 64 ||
                      c->n_tries == 0 ||
                      !CONTAINER_OF(x->target.translation, FakeTranslation, t)->is_signed,
              "a refused signature is the answer, before the sentinel was tried");
        if (x->late || c->injected || !c->last_cheap || c->n_dear >= 3 || c->n_tries >= 64 ||
            c->method == GEMINI_COUNT_TOKENS)
                return;
        check(__real_pool_pick_for(w.http.p.pool, &pick, __wrap_clock_realtime(), &lease, NULL) != 0,
              "an error after %u cheap tries, while a key is usable", c->n_tries);
}

void request_reply_error(Request *q, const ApiError *e) {
        check_gave_up(q->io->client);
        reply(q, e->status);
        check(q->io->out.n == 0, "bytes beside an error");
        check(e->status >= 400, "an error with status %d", e->status);
        q->io->client->n_errors++;
        w.n_late += e->status == 504;
        w.n_errors++;
}

int request_stream(Request *q, const char *content_type) {
        Client *c = q->io->client;

        check(!q->io->replied, "two answers");
        if (w.fail_stream) {
                w.fail_stream = false;
                if (c->has_begun)
                        c->injected = c->stream_refused = true;
                else
                        c->head_refused = true;
                c->has_begun = false;
                return -ENOMEM;
        }
        if (!c->has_begun) { /* without an event */
                check(q->config->route.stream_open_after > 0 && c->method == GEMINI_STREAM,
                      "a head without an event");
                check(w.loop.now >= c->began + OPEN_AFTER, "an early head");
                w.n_opened++;
        }
        q->io->replied = q->io->streaming = true;
        c->status = 200;
        return 0;
}

void request_note_refusal(Request *q, const PoolRefusal *r) {
}

void request_note_key(Request *q, const PoolKey *k) {
}

void request_note_verdict(Request *q, VerdictClass class) {
}

/* --- the fake dialect --- */

static int fake_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                        ApiError *ret_error) {
        static char nothing[2 * BIG] = "x"; /* no JSON, and no names */
        FakeTranslation *f = calloc(1, sizeof(FakeTranslation));
        Client *client = &w.clients[strtoul(c->request_id, NULL, 10)];

        assert_non_null(f);
        check(client->is_long == (n == LONG), "a body of %zu bytes", n);
        check(!client->has_begun, "another model within a stream");
        if (client->is_long && draw(16) == 0) { /* the request is invalid, at least for this model */
                api_error_set(ret_error, 400, NULL, "no");
                client->injected = true;
                w.n_refused++;
                free(f);
                return DIALECT_E_REFUSED;
        }
        f->t.dialect = &fake_dialect;
        f->t.method = client->method;
        assert_true(client->size <= sizeof(nothing));
        f->t.gemini = (Buf){ .base = nothing, .n = client->size };
        f->held = BUF_INIT(BIG);
        f->client = client;
        f->n_more = client->method != GEMINI_COUNT_TOKENS && draw(8) == 0 ? 1 + (unsigned) draw(3) : 0;
        f->is_signed = draw(2) == 0;
        client->last.class = VERDICT_OK; /* nothing was tried with it yet */
        memcpy(f->t.model, client->model, strlen(client->model) + 1);
        return *ret = &f->t, 0;
}

static int fake_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict) {
        FakeTranslation *f = CONTAINER_OF(t, FakeTranslation, t);

        if (json[0] == '?') { /* an error within the answer */
                verdict_init(ret_verdict, draw(2) ? VERDICT_OVERLOAD : VERDICT_MINUTE, 429, NULL);
                return DIALECT_E_VERDICT;
        }
        if (json[0] == '!')
                return -ENOMEM;
        if (json[0] == '~') /* an event without content */
                return 0;
        if (json[n - 1] == '$') {
                f->is_finished = true;
                n--;
        }
        f->attempt = (unsigned) strtoul(json + 1, NULL, 10);
        (void) snprintf(f->end, sizeof(f->end), "[%u]", f->attempt);
        if (translation_streams(t)) {
                f->client->is_between = false;
                f->client->has_begun = true; /* request_stream() follows, unless it was open already */
        }
        return buf_append(translation_streams(t) ? out : &f->held, json, n);
}

static void fake_reset(Translation *t) {
        FakeTranslation *f = CONTAINER_OF(t, FakeTranslation, t);

        buf_clear(&f->held);
        f->is_finished = false;
}

static int fake_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        FakeTranslation *f = CONTAINER_OF(t, FakeTranslation, t);

        if (!f->is_finished) {
                verdict_init(ret_verdict, VERDICT_CUT, 200, NULL);
                return DIALECT_E_VERDICT;
        }
        if (f->n_more > 0) { /* not streaming, only what the last one has answered is shown and followed */
                Client *c = f->client;

                f->n_more--;
                c->tries[f->attempt].is_part = c->is_between = translation_streams(t);
                c->n_run = c->n_dear = c->n_overloads = 0;
                w.n_more++;
                return DIALECT_E_MORE;
        }
        if (!translation_streams(t))
                (void) buf_append(out, buf_data(&f->held), f->held.n);
        return buf_puts(out, f->end);
}

static bool fake_drop_signatures(Translation *t) {
        FakeTranslation *f = CONTAINER_OF(t, FakeTranslation, t);
        Client *c = f->client;

        check(c->last.class == VERDICT_SIGNATURE, "signatures are dropped for another reason");
        if (!f->is_signed)
                return false;
        f->is_signed = false;
        c->n_run = c->n_dear = c->n_overloads = 0;
        w.n_unsigned++;
        return true;
}

static void fake_stream_error(Translation *t, const ApiError *e, Buf *out) {
        FakeTranslation *f = CONTAINER_OF(t, FakeTranslation, t);

        if (f->client->is_between || !f->client->has_begun)
                check_gave_up(f->client);
        w.n_open_errors += !f->client->has_begun;
        (void) buf_puts(out, "[error]");
}

static Translation *fake_free(Translation *t) {
        FakeTranslation *f = CONTAINER_OF(t, FakeTranslation, t);

        buf_done(&f->held);
        free(f);
        return NULL;
}

const Dialect fake_dialect = {
        .name = "fake",
        .ping = "[ping]",
        .request = fake_request,
        .event = fake_event,
        .finish = fake_finish,
        .stream_error = fake_stream_error,
        .reset = fake_reset,
        .drop_signatures = fake_drop_signatures,
        .free = fake_free,
};

/* --- the fake engine --- */

/* After the first overload another project is tried at once, after each other one any key after a pause. */
static void check_overload(const Client *c, const Attempt *a) {
        bool at_once = c->n_overloads > 0 && c->overloaded_at == w.loop.now;

        if (c->n_overloads == 0 || !verdict_rule(c->last.class)->backoff || c->q.hedged || c->injected ||
            w.loop.timer_failed == w.loop.now)
                return;
        check(!at_once || c->n_overloads == 1, "no pause after %u overloads", c->n_overloads);
        check(!at_once || a->upstream.lease.key->project != c->overloaded, "the overloaded project at once");
        w.n_elsewhere += at_once;
        w.n_paused += !at_once;
}

static int fake_start(Engine *e, const EngineRequest *r, const EngineSink *sink, void *userdata,
                      EngineCall **ret) {
        Attempt *a = userdata;
        Client *c = a->request->io->client;
        Exchange *x = c->q.exchange;
        Call *call = w.calls;

        check(!c->has_begun || c->is_between, "an attempt after the answer has begun");
        w.n_behind += c->io.streaming && !c->has_begun;
        check(c->n_answers == 0 && c->n_tries < 64, "%u answers and %u tries, and another try", c->n_answers,
              c->n_tries);
        check(x && a->upstream.lease.key, "an attempt without a lease");
        if (x->tries.n <= 1 || x->target.n_fallbacks != c->n_fallbacks) { /* was queued, or another model */
                c->n_run = c->n_dear = c->n_overloads = 0;
                c->n_fallbacks = x->target.n_fallbacks;
        }
        check(c->n_dear < 3, "a try after three dear ones");
        check_overload(c, a);
        c->run[c->n_run++] = a->upstream.lease.key;
        c->tries[c->n_tries++] = (Try){ .key = a->upstream.lease.key };
        w.most_tries = MAX(w.most_tries, c->n_tries);
        if (w.fail_start) {
                w.fail_start = false;
                c->injected = true;
                return -ENOMEM;
        }
        while (call->taken)
                call++;
        check(call < w.calls + CALLS, "too many calls");
        *call = (Call){ .call.engine = e, .client = c, .sink = *sink, .userdata = userdata, .taken = true,
                        .number = c->n_tries - 1, .started = w.loop.now, .with_key = r->key };
        w.n_calls++;
        return *ret = &call->call, 0;
}

static void fake_pause(EngineCall *e, bool paused) {
        CONTAINER_OF(e, Call, call)->paused = paused;
}

static void fake_call_free(EngineCall *e) {
        Call *call = CONTAINER_OF(e, Call, call);

        check(call->taken, "a call is freed twice");
        check(!call->in_event, "a call is freed within its event");
        call->taken = false;
        w.n_calls--;
}

const EngineOps fake_engine_ops = { .start = fake_start, .pause = fake_pause, .free = fake_call_free };

/* The rule of core/tries once more, in other words. */
static bool is_cheap(const Verdict *v, usec_t took, size_t size) {
        if (v->status < 400 || v->status > 499 || took > USEC_PER_SEC || size >= BIG)
                return false;
        switch (v->class) {
        case VERDICT_KEY_DEAD:
        case VERDICT_PROJECT_DEAD:
        case VERDICT_BILLING:
        case VERDICT_LIMIT_ZERO:
        case VERDICT_DAY:
        case VERDICT_MINUTE:
        case VERDICT_RATE_UNKNOWN:
        case VERDICT_TOO_LARGE:
        case VERDICT_MODEL_FOR_PROJECT:
        case VERDICT_KEY_REFUSED:
                return true;
        default:
                return false;
        }
}

void call_end(Call *call, VerdictClass class) {
        static const int statuses[_VERDICT_CLASS_MAX] = {
                [VERDICT_OK] = 200,       [VERDICT_KEY_DEAD] = 400,     [VERDICT_PROJECT_DEAD] = 403,
                [VERDICT_BILLING] = 429,  [VERDICT_LIMIT_ZERO] = 429,   [VERDICT_DAY] = 429,
                [VERDICT_MINUTE] = 429,   [VERDICT_RATE_UNKNOWN] = 429, [VERDICT_TOO_LARGE] = 429,
                [VERDICT_RESOURCE] = 403, [VERDICT_REQUEST] = 400,      [VERDICT_MODEL_FOR_PROJECT] = 404,
                [VERDICT_GEO] = 400,      [VERDICT_OVERLOAD] = 503,     [VERDICT_KEY_REFUSED] = 403,
                [VERDICT_FOREIGN] = 401,      [VERDICT_SIGNATURE] = 400,
        };
        const Attempt *a = call->userdata;
        Client *c = call->client;
        Verdict v;

        verdict_init(&v, class, statuses[class], NULL);
        if (class == VERDICT_MINUTE || class == VERDICT_DAY)
                v.retry_after = draw(8) * USEC_PER_SEC;
        c->tries[call->number].ended_well = class == VERDICT_OK && call->is_last_sent;
        c->last = a->is_final ? *a->verdict : v;
        c->last_cheap = is_cheap(&c->last, w.loop.now - call->started, c->size);
        if (c->last.class == VERDICT_OK && !call->is_last_sent)
                c->last_cheap = false;
        if (!c->tries[call->number].ended_well && !c->last_cheap && a == c->q.exchange->attempt)
                c->n_dear++;
        if (c->last.class == VERDICT_OK && !call->is_last_sent)
                c->last.class = VERDICT_CUT; /* as the dialect finds */
        if (verdict_rule(c->last.class)->backoff) {
                c->n_overloads++;
                c->overloaded = a->upstream.lease.key->project;
                c->overloaded_at = w.loop.now;
        }
        call->sink.done(&v, call->userdata);
        check(!call->taken || call->userdata != a || call->client != c || call->n_sent == 0,
              "a call outlives its end");
}

void call_event(Call *call) {
        Client *c = call->client;
        char json[160];
        int n, r;

        switch (draw(40)) {
        case 0:
                n = snprintf(json, sizeof(json), "?");
                break;
        case 1:
                n = snprintf(json, sizeof(json), "!");
                c->injected = c->injected || call->userdata == c->q.exchange->attempt;
                break;
        case 2 ... 5:
                n = snprintf(json, sizeof(json), "~");
                break;
        default:
                if (call->is_last_sent)
                        return;
                call->is_last_sent = c->method != GEMINI_STREAM || draw(4) == 0;
                n = snprintf(json, sizeof(json), "[%u.%u%*s]%s", call->number, call->n_sent++,
                             draw(3) == 0 ? 100 : 0, "", call->is_last_sent ? "$" : "");
                c->tries[call->number].n_sent = call->n_sent;
        }
        if (json[0] != '[')
                c->injected = c->injected || json[0] == '!';
        call->in_event = true;
        c->stream_refused = false;
        r = call->sink.event(json, (size_t) n, call->userdata);
        call->in_event = false;
        check(call->taken, "a call is gone after its event");
        check(!c->stream_refused || r < 0, "a stream that was not begun is a success");
        if (r < 0)
                call_end(call, VERDICT_INTERNAL);
}
