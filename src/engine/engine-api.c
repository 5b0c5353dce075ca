/* SPDX-License-Identifier: MIT */

/*
 * One attempt over HTTP. The status decides how the body is read. Of anything but 200 it is an error, kept
 * up to a ceiling and classified at the end. Of a 200 it is one answer, kept whole, or a stream, split into
 * events as it arrives.
 *
 * Google and the proxies before it do not always send the stream that was requested. A body that begins like
 * JSON is kept whole and read at its end: it is an error, an answer, or an array of answers. If it breaks
 * off, or something else follows, the answers that are whole are passed on nevertheless, and the verdict is
 * VERDICT_CUT: whether they are complete is for the dialect to say. Within a stream
 * an error may come as plain JSON, without `data:`. The reader of the stream keeps such lines, and if they
 * are an error of Google, they are the verdict. Whether the answer was complete by then, and so is good in
 * spite of it, is for the dialect to say.
 *
 * Two time-outs run, never together: until the first byte of the body, and then between bytes. None runs
 * while the call is paused, because then the client is slow; nor while a body that is not held goes up: the
 * caller looks at its progress.
 *
 * A file is passed on as it comes (EngineSink.piece). Its answer may also be a part, with status 206.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "base/trace.h"
#include "core/sse.h"
#include "dialect/gemini/delay.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/event.h"
#include "dialect/json.h"
#include "engine/engine-api.h"
#include "io/timeout.h"

#define KEY_HEADER "x-goog-api-key"
#define URL_MAX    2048U

typedef struct EngineApi {
        Engine engine;
        Loop *loop;
        HttpClient *client;
        EngineApiParams p;
        TimeoutQueue *first_byte, *idle;
        size_t n_calls;
} EngineApi;

typedef enum BodyForm {
        BODY_UNKNOWN, /* nothing but white space has come */
        BODY_WHOLE,
        BODY_EVENTS,
} BodyForm;

typedef struct ApiCall {
        EngineCall call;
        EngineApi *api;
        GeminiMethod method;
        EngineSink sink;
        void *userdata;
        Secret *key;
        const LogIds *ids;
        HttpCall *http;
        Timeout timeout;
        Sse sse;
        Buf body;        /* an answer in one piece, or an error */
        int status;      /* HTTP's; 0: no byte of the body has come */
        BodyForm form;   /* of a 200 */
        size_t n_left;   /* of a body that is not held; SIZE_MAX: not known */
        int event_error; /* what the sink's event() or piece() returned */
        bool has_event;  /* one was passed on */
        bool is_torn;    /* the stream has ended within an event */
        bool begun, timed_out, paused;
} ApiCall;

static const struct {
        const char *path; /* between base URL and model, or the whole */
        const char *verb; /* after the model; NULL: no model */
        bool stream;
} methods[_GEMINI_METHOD_MAX] = {
        [GEMINI_GENERATE] = { "/v1beta/models/", ":generateContent", false },
        [GEMINI_STREAM] = { "/v1beta/models/", ":streamGenerateContent?alt=sse", true },
        [GEMINI_COUNT_TOKENS] = { "/v1beta/models/", ":countTokens", false },
        [GEMINI_EMBED] = { "/v1beta/models/", ":embedContent", false },
        [GEMINI_EMBED_BATCH] = { "/v1beta/models/", ":batchEmbedContents", false },
        [GEMINI_PREDICT] = { "/v1beta/models/", ":predict", false },
        [GEMINI_PREDICT_LONG] = { "/v1beta/models/", ":predictLongRunning", false },
        [GEMINI_INTERACT] = { "", NULL, false },
        [GEMINI_INTERACT_STREAM] = { "", NULL, true },
        [GEMINI_WATCH] = { "", NULL, true },
        [GEMINI_RESOURCE] = { "", NULL, false },
        [GEMINI_LIST_MODELS] = { "/v1beta/models?pageSize=1000", NULL, false },
};

static_assert(ENGINE_HEADERS_MAX <= HTTP_CALL_HEADERS_MAX, "all of them have to fit into a call");

/* --- events --- */

static int on_event(const char *data, size_t n, void *userdata) {
        ApiCall *c = userdata;

        c->has_event = true;
        return c->sink.event(data, n, c->userdata);
}

static int on_last_event(const char *data, size_t n, void *userdata) {
        ApiCall *c = userdata;

        c->is_torn = json_fault(data, n);
        return c->is_torn ? 0 : on_event(data, n, c);
}

/* Of a transfer that broke off. */
static int drop_event(const char *data _unused_, size_t n _unused_, void *userdata _unused_) {
        return 0;
}

static bool is_blank(const char *p, const char *end) {
        while (p < end && memchr(TEXT_WHITESPACE, *p, strlen(TEXT_WHITESPACE)))
                p++;
        return p == end;
}

static size_t length(JsonView v) {
        return (size_t) (v.end - v.p);
}

/* For a stream, an array of answers is a sequence of events. Passes on those that are whole; of a body that
 * has none, what it is instead. */
static int pass_array(ApiCall *c, JsonView array, bool is_alone, bool is_complete) {
        JsonCursor answers = json_enter_array(array);
        JsonView answer;
        int r = 0;

        while (r >= 0 && json_next(&answers, NULL, &answer) && !json_fault(answer.p, length(answer)))
                r = on_event(answer.p, length(answer), c);
        if (!c->has_event)
                return is_complete ? on_event(array.p, length(array), c) : 0;
        c->is_torn = !is_alone || json_fault(array.p, length(array));
        return r;
}

/* Nearly always the body is one answer. Its check makes the index with which it is then read. */
static int pass_prepared(ApiCall *c, const char *body) {
        int r;

        r = on_event(body, c->body.n, c);
        gemini_event_forget();
        return r;
}

static int pass_whole(ApiCall *c, const char *body, bool is_complete) {
        bool is_array = methods[c->method].stream && json_first(body, c->body.n) == '[', is_alone;
        JsonView first;

        if (is_complete && !is_array && gemini_method_generates(c->method) &&
            gemini_event_prepare(body, c->body.n))
                return pass_prepared(c, body);
        first = json_view(body, c->body.n);
        if (!first.p)
                return is_complete ? on_event(body, c->body.n, c) : 0;
        is_alone = is_blank(first.end, body + c->body.n);
        if (is_array)
                return pass_array(c, first, is_alone, is_complete);
        if (is_complete && is_alone)
                return on_event(body, c->body.n, c);
        if (json_fault(first.p, length(first)))
                return is_complete ? on_event(body, c->body.n, c) : 0;
        c->is_torn = !is_alone;
        return on_event(first.p, length(first), c);
}

/* The body of a 200 has ended: passes on what is still held. If it is not complete by HTTP's framing, that
 * is only JSON that is whole nevertheless. */
static int pass_rest(ApiCall *c, bool is_complete) {
        const char *body;

        if (c->form == BODY_EVENTS)
                return sse_end(&c->sse, is_complete ? on_last_event : drop_event, c);
        if (methods[c->method].stream && c->form == BODY_UNKNOWN)
                return 0;
        body = buf_cstr(&c->body);
        return body ? pass_whole(c, body, is_complete) : c->body.error;
}

/* A stream of events begins with the name of a field, or with a comment. */
static int take_stream(ApiCall *c, const char *p, size_t n) {
        while (c->form == BODY_UNKNOWN && n > 0) {
                if (memchr(TEXT_WHITESPACE, *p, strlen(TEXT_WHITESPACE)))
                        p++, n--;
                else
                        c->form = *p == '{' || *p == '[' ? BODY_WHOLE : BODY_EVENTS;
        }
        return c->form == BODY_EVENTS ? sse_feed(&c->sse, p, n, on_event, c) : buf_append(&c->body, p, n);
}

/* An answer, not an error. */
static bool is_good(const ApiCall *c, int status) {
        return status == 200 || (status == 206 && c->sink.piece);
}

static int take_good(ApiCall *c, const char *p, size_t n) {
        if (c->sink.piece)
                return c->sink.piece(c->status, p, n, c->userdata);
        return methods[c->method].stream ? take_stream(c, p, n) : buf_append(&c->body, p, n);
}

static int on_http_data(int status, const char *p, size_t n, void *userdata) {
        ApiCall *c = userdata;
        int r;

        if (!c->paused)
                timeout_start(c->api->idle, &c->timeout);
        if (!c->begun)
                c->call.first_byte = loop_now(c->api->loop);
        c->begun = true;
        c->status = status;
        if (!is_good(c, status)) {
                n = MIN(n, UPSTREAM_ERROR_MAX - c->body.n);
                return buf_append(&c->body, p, n);
        }
        r = take_good(c, p, n);
        if (r < 0)
                c->event_error = r;
        return r;
}

/* Once all of the body is read, the answer has its time. */
static ssize_t on_http_read(char *p, size_t n, void *userdata) {
        ApiCall *c = userdata;
        ssize_t k;

        k = c->sink.read(p, n, c->userdata);
        if (k > 0 && c->n_left != SIZE_MAX)
                c->n_left -= MIN((size_t) k, c->n_left);
        if (!c->begun && (k == 0 || (k > 0 && c->n_left == 0)))
                timeout_start(c->api->first_byte, &c->timeout);
        return k;
}

static void on_http_header(const char *line, size_t n, void *userdata) {
        ApiCall *c = userdata;

        c->sink.header(line, n, c->userdata);
}

/* --- the end of a call --- */

static void call_finish(ApiCall *c, const Verdict *v) {
        timeout_stop(&c->timeout);
        c->sink.done(v, c->userdata); /* frees c */
}

/* Before the verdict: the rest of a 200. */
static void end_body(ApiCall *c, bool is_complete) {
        if (c->status == 200 && c->event_error == 0 && !c->sink.piece)
                c->event_error = MIN(pass_rest(c, is_complete), 0);
}

/* After it: an error that came as plain text within a stream explains more than the stream's end does, and
 * a text or nothing that came instead of a stream is no answer. */
static void weigh_text(const ApiCall *c, Verdict *v) {
        const Buf *stray = &c->sse.stray;
        const char *text = stray->n > 0 ? buf_data(stray) : "", *error;
        size_t n;

        if (c->event_error < 0)
                return;
        if (gemini_event_find_error(text, stray->n, &error, &n))
                gemini_error_classify(c->status, error, n, c->key, v);
        else if (v->class == VERDICT_OK && methods[c->method].stream && !c->has_event)
                gemini_error_classify(c->status, text, stray->n, c->key, v);
}

static void on_timeout(Timeout *t) {
        ApiCall *c = CONTAINER_OF(t, ApiCall, timeout);
        Verdict v;

        c->timed_out = true;
        c->http = http_call_free(c->http);
        end_body(c, false);
        if (c->begun)
                verdict_init(&v, VERDICT_CUT, 0, "Gemini fell silent in the middle of its answer.");
        else
                verdict_init(&v, VERDICT_TIMEOUT, 0, "Gemini sent no answer in time.");
        (void) snprintf(v.cause, sizeof(v.cause), "no byte within %s (%.1f s)",
                        c->begun ? "STREAM_IDLE_TIMEOUT" : "FIRST_BYTE_TIMEOUT",
                        (double) (c->begun ? c->api->p.stream_idle_timeout : c->api->p.first_byte_timeout) /
                                (double) USEC_PER_SEC);
        weigh_text(c, &v);
        call_finish(c, &v);
}

/* No answer came. The cause is without secrets. */
static void verdict_of_silence(const char *what, const char *cause, Verdict *ret) {
        char message[HTTP_CAUSE_MAX + 128];

        (void) snprintf(message, sizeof(message), "%s%s%s", what, cause[0] ? ": " : ".", cause);
        verdict_init(ret, VERDICT_UNREACHABLE, 0, message);
}

static void verdict_of_error(const ApiCall *c, int status, Verdict *ret) {
        gemini_error_classify(status, buf_data(&c->body), c->body.n, c->key, ret);
        gemini_delay_add_header(ret, http_call_retry_after(c->http));
}

static void verdict_of_outcome(const ApiCall *c, HttpOutcome outcome, int status, const char *cause,
                               Verdict *ret) {
        switch (outcome) {
        case HTTP_OUTCOME_COMPLETE:
                if (is_good(c, status) && !c->is_torn)
                        verdict_init(ret, VERDICT_OK, status, NULL);
                else if (is_good(c, status))
                        verdict_init(ret, VERDICT_CUT, status, "Gemini's answer broke off.");
                else
                        verdict_of_error(c, status, ret);
                return;
        case HTTP_OUTCOME_ABORTED:
                verdict_init(ret, c->event_error == -E2BIG ? VERDICT_CUT : VERDICT_INTERNAL, status,
                             c->event_error == -E2BIG ? "Gemini's answer is larger than gemgate takes."
                                                      : "gemgate could not take Gemini's answer.");
                return;
        case HTTP_OUTCOME_UNREACHED:
        case HTTP_OUTCOME_LACKING:
                verdict_of_silence("Gemini could not be reached", cause, ret);
                ret->is_own = outcome == HTTP_OUTCOME_LACKING;
                break;
        case HTTP_OUTCOME_BROKEN:
        default:
                /* An error without its end is still the error that it begins with. */
                if (status != 0 && !is_good(c, status)) {
                        verdict_of_error(c, status, ret);
                        return;
                }
                if (status == 0)
                        verdict_of_silence("Gemini gave no answer", cause, ret);
                else
                        verdict_init(ret, VERDICT_CUT, 0, "Gemini's answer broke off.");
                break;
        }
}

/* For the log: the client's words, what Google's answer is called, or what was seen instead of one. */
static void name_cause(Verdict *v, const char *cause) {
        if (v->class == VERDICT_OK)
                return;
        if (cause[0] || v->status == 0)
                text_copy(v->cause, sizeof(v->cause), cause);
        else if (v->class == VERDICT_FOREIGN)
                text_copy(v->cause, sizeof(v->cause), v->message);
        else
                (void) snprintf(v->cause, sizeof(v->cause), "HTTP %d%s%s", v->status,
                                v->reason[0] ? " " : "", v->reason);
}

static void on_http_sent(void *userdata) {
        ApiCall *c = userdata;

        c->call.sent = true;
}

static void on_http_done(HttpOutcome outcome, int status, const char *cause, void *userdata) {
        ApiCall *c = userdata;
        Verdict v;

        c->status = status;
        end_body(c, outcome == HTTP_OUTCOME_COMPLETE);
        verdict_of_outcome(c, c->event_error < 0 ? HTTP_OUTCOME_ABORTED : outcome, status, cause,
                           &v);
        weigh_text(c, &v);
        name_cause(&v, cause);
        if (outcome == HTTP_OUTCOME_UNREACHED || outcome == HTTP_OUTCOME_LACKING)
                trace(connect_failed, c->ids, "%s", cause);
        call_finish(c, &v);
}

static int call_url(const EngineApi *e, const EngineRequest *q, Buf *ret) {
        (void) buf_puts(ret, e->p.base_url);
        if (q->resource)
                (void) buf_puts(ret, q->resource->path);
        else
                (void) buf_puts(ret, methods[q->method].path);
        if (methods[q->method].verb && !q->resource) {
                (void) buf_puts(ret, q->model);
                (void) buf_puts(ret, methods[q->method].verb);
        }
        if (q->page_token) {
                /* Google's own token, but it goes into a URL: nothing passes that could end the value. */
                (void) buf_puts(ret, "&pageToken=");
                for (const char *s = q->page_token; *s; s++)
                        (void) buf_printf(ret, "%%%02X", (unsigned) (unsigned char) *s);
        }
        return buf_cstr(ret) ? 0 : ret->error;
}

static void api_call_pause(EngineCall *call, bool paused) {
        ApiCall *c = CONTAINER_OF(call, ApiCall, call);

        if (c->paused == paused)
                return;
        c->paused = paused;
        if (!c->http) /* it has ended, and what it left is being passed on */
                return;
        if (paused)
                timeout_stop(&c->timeout);
        else
                timeout_start(c->api->idle, &c->timeout);
        http_call_pause(c->http, paused);
}

static void api_call_more(EngineCall *call) {
        ApiCall *c = CONTAINER_OF(call, ApiCall, call);

        if (c->http)
                http_call_continue(c->http);
}

static void api_call_free(EngineCall *call) {
        ApiCall *c = CONTAINER_OF(call, ApiCall, call);

        timeout_stop(&c->timeout);
        http_call_free(c->http);
        sse_done(&c->sse);
        buf_done(&c->body);
        secret_unref(c->key);
        c->api->n_calls--;
        free(c);
}

static int api_call_start(Engine *engine, const EngineRequest *q, const EngineSink *sink, void *userdata,
                          EngineCall **ret) {
        const HttpCallOps ops = { .data = on_http_data,
                                  .header = sink->header ? on_http_header : NULL,
                                  .sent = on_http_sent,
                                  .read = sink->read ? on_http_read : NULL,
                                  .done = on_http_done };
        static const EngineResource none = {};
        const EngineResource *resource = q->resource ?: &none;
        EngineApi *e = CONTAINER_OF(engine, EngineApi, engine);
        _cleanup_(engine_call_freep) EngineCall *call = NULL;
        ApiCall *c;
        _cleanup_buf_ Buf url = BUF_INIT(URL_MAX);
        int r;

        r = call_url(e, q, &url);
        if (r < 0)
                return r;

        c = calloc(1, sizeof(ApiCall));
        if (!c)
                return -ENOMEM;
        *c = (ApiCall){
                .call.engine = engine,
                .api = e,
                .method = q->method,
                .sink = *sink,
                .userdata = userdata,
                .key = secret_ref(q->key),
                .ids = q->ids ?: &log_no_request,
                .body = BUF_INIT(UPSTREAM_ANSWER_MAX),
                .n_left = q->n_body,
        };
        c->timeout = TIMEOUT_INIT(c->timeout);
        sse_init(&c->sse, UPSTREAM_EVENT_MAX, UPSTREAM_ERROR_MAX);
        e->n_calls++;
        call = &c->call;

        r = http_call_start(e->client,
                            &(HttpCallParams){
                                    .url = buf_data(&url),
                                    .body = q->body,
                                    .n_body = q->n_body,
                                    .method = resource->verb,
                                    .content_type = resource->content_type,
                                    .headers = resource->headers,
                                    .n_headers = resource->n_headers,
                                    .secret_header = KEY_HEADER,
                                    .secret = q->key,
                                    .proxy = q->proxy,
                                    .connect_timeout = e->p.connect_timeout,
                            },
                            &ops, c, &c->http);
        if (r < 0)
                return r;
        if (!sink->read)
                timeout_start(e->first_byte, &c->timeout);
        *ret = TAKE_PTR(call);
        return 0;
}

/* --- the engine --- */

static void client_renew(EngineApi *e) {
        http_client_renew(e->client, &(HttpClientParams){
                                             .url = e->p.base_url,
                                             .ca_file = e->p.ca_file,
                                             .warm = e->p.warm,
                                             .connect_timeout = e->p.connect_timeout,
                                     });
}

int engine_api_new(Loop *loop, const EngineApiParams *p, Engine **ret) {
        static const EngineOps ops = {
                .start = api_call_start,
                .pause = api_call_pause,
                .more = api_call_more,
                .free = api_call_free,
        };
        _cleanup_(engine_api_freep) Engine *engine = NULL;
        EngineApi *e;
        int r;

        e = calloc(1, sizeof(EngineApi));
        if (!e)
                return -ENOMEM;
        e->engine.ops = &ops;
        e->loop = loop;
        e->p = *p;
        engine = &e->engine;
        r = http_client_new(loop, &e->client);
        if (r < 0)
                return r;
        client_renew(e);
        r = timeout_queue_new(loop, p->first_byte_timeout, on_timeout, &e->first_byte);
        if (r < 0)
                return r;
        r = timeout_queue_new(loop, p->stream_idle_timeout, on_timeout, &e->idle);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(engine);
        return 0;
}

void engine_api_configure(Engine *engine, const EngineApiParams *p) {
        EngineApi *e = CONTAINER_OF(engine, EngineApi, engine);

        e->p = *p;
        client_renew(e);
        timeout_queue_set_duration(e->first_byte, p->first_byte_timeout);
        timeout_queue_set_duration(e->idle, p->stream_idle_timeout);
}

HttpClient *engine_api_client(const Engine *engine) {
        return CONTAINER_OF(engine, EngineApi, engine)->client;
}

Engine *engine_api_free(Engine *engine) {
        EngineApi *e;

        if (!engine)
                return NULL;
        e = CONTAINER_OF(engine, EngineApi, engine);
        assert(e->n_calls == 0);
        timeout_queue_free(e->first_byte);
        timeout_queue_free(e->idle);
        http_client_free(e->client);
        free(e);
        return NULL;
}
