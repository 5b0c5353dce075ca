/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/hash.h"
#include "base/text.h"
#include "core/response-store.h"
#include "dialect/gemini/names.h"
#include "dialect/gemini/path.h"
#include "dialect/json.h"
#include "io/give-back.h"
#include "server/files/chosen.h"
#include "server/http.h"
#include "server/reading.h"
#include "server/routes.h"

/* --- what a body is translated with --- */

const char *reading_resolve(const Config *c, const char *name, bool *cli) {
        const char *model = config_alias(c, name), *bare = startswith(model, "cli/");

        if (bare && cli)
                *cli = true;
        return bare ?: model;
}

bool reading_is_for_cli(const Config *c, const Translation *t) {
        bool cli = t->cli || (t->dialect->is_chat && c->engine == CONFIG_ENGINE_CLI);

        (void) reading_resolve(c, t->model, &cli);
        return cli;
}

static const char *resolve_model(const char *name, void *userdata) {
        return reading_resolve(userdata, name, NULL);
}

/* The fallback model replaces the request's model. */
static const char *resolve_fallback(const char *name _unused_, void *userdata) {
        return userdata;
}

static const char *request_header(const char *name, void *request) {
        return http_request_header(request, name);
}

static const char *request_argument(const char *name, void *request) {
        return http_request_argument(request, name);
}

static uint64_t next_nonce(Http *h) {
        h->id_state += UINT64_C(0x9E3779B97F4A7C15);
        return hash_mix(h->id_state);
}

static ResponseStore *responses_of(Request *q) {
        return q->config->route.responses == RESPONSE_KEEP_OFF ? NULL : q->http->p.responses;
}

static uint64_t client_of(const Request *q) {
        return q->token ? q->token->id : 0;
}

/* A short request may name a long conversation. */
bool reading_is_long(Request *q) {
        if (http_request_body(q->io)->n > HTTP_SMALL_BODY_MAX)
                return true;
        return q->dialect && q->dialect->names_responses && responses_of(q) &&
               response_store_bytes(responses_of(q), client_of(q)) > HTTP_SMALL_BODY_MAX;
}

static DialectContext context_of(Request *q, const char *instead) {
        return (DialectContext){
                .default_model = q->config->default_model,
                .rules = &q->config->route.rules,
                .chat_images = q->config->route.chat_images,
                .vault = q->http->p.vault,
                .responses = responses_of(q),
                .client = client_of(q),
                .request_id = q->id,
                .created = clock_realtime() / USEC_PER_SEC,
                .nonce = next_nonce(q->http),
                .path_rest = q->rest,
                .must_finish = q->inner,
                .store = q->config->route.store,
                .store_is_told = q->config->route.store_is_told,
                .header = request_header,
                .argument = request_argument,
                .request = q->io,
                .resolve_model = instead ? resolve_fallback : resolve_model,
                .userdata = instead ? (void *) (uintptr_t) instead : q->config,
        };
}

/* --- reading: pure functions --- */

static const char *text_of(const Buf *b) {
        return b->n > 0 ? buf_data(b) : "";
}

/* Restores the client's request from that of the Gemini CLI. */
static int restore(const Job *job, const char *rest, Buf *body, ApiError *ret_error) {
        _cleanup_buf_ Buf restored = BUF_INIT(body->n + JOB_LINE_MAX);
        GeminiMethod method;
        size_t n_model;
        bool generates;
        int r;

        if (gemini_method_of_path(strempty(rest), &n_model, &method) < 0)
                method = GEMINI_GENERATE; /* the dialect refuses the path */
        generates = gemini_method_generates(method);
        if (!generates && method != GEMINI_COUNT_TOKENS) {
                api_error_set(ret_error, 404, NULL,
                              "A job of the Gemini CLI may generate and count tokens.");
                return DIALECT_E_REFUSED;
        }
        r = cli_request_restore(text_of(body), body->n, generates ? job->asked : NULL, &restored,
                                ret_error);
        if (r != 0)
                return r;
        buf_done(body);
        *body = restored;
        restored = BUF_INIT(0);
        return 0;
}

static int translate(const Dialect *d, const DialectContext *c, const Job *job, Buf *body,
                     Translation **ret, ApiError *ret_error) {
        int r = job ? restore(job, c->path_rest, body, ret_error) : 0;

        return r != 0 ? r : d->request(c, text_of(body), body->n, ret, ret_error);
}

static int check_object(const Buf *body, ApiError *ret_error) {
        const char *s = text_of(body), *why = json_fault(s, body->n);

        if (!why && json_first(s, body->n) != '{')
                why = "not an object";
        if (!why)
                return 0;
        api_error_set(ret_error, 400, NULL, "The request body is not a JSON object: %s.", why);
        return DIALECT_E_REFUSED;
}

int reading_translate(Request *q, const char *instead, Translation **ret, ApiError *ret_error) {
        DialectContext c = context_of(q, instead);

        return translate(q->dialect, &c, q->job, http_request_body(q->io), ret, ret_error);
}

int reading_check(Request *q, ApiError *ret_error) {
        return check_object(http_request_body(q->io), ret_error);
}

/* --- in the thread --- */

static bool on_name(const char *name, void *userdata) {
        Reading *r = userdata;

        return r->n_names++ < PIN_NAMES_MAX && buf_append(&r->names, name, strlen(name) + 1) >= 0;
}

static int list_names(Reading *r, const Buf *json) {
        bool all = !r->dialect || gemini_method_names_all(r->translation->method);

        r->names = BUF_INIT(PIN_NAMES_MAX * (BINDING_NAME_MAX + 1));
        if (json->n > 0)
                r->names_fault = gemini_names(buf_data(json), json->n, all, on_name, r);
        if (r->n_names <= PIN_NAMES_MAX)
                return r->names.error;
        api_error_set(&r->refusal, 400, NULL, "The request names too many files and other objects.");
        return DIALECT_E_REFUSED;
}

/* What the Gemini CLI gets, if it serves the request. */
static int split(Reading *r) {
        const Translation *t = r->translation;

        if (r->job || !reading_is_for_cli(r->config, t) || !(t->dialect->is_chat || t->dialect->is_cli))
                return 0;
        r->cli = calloc(1, sizeof(CliRequest));
        if (!r->cli)
                return -ENOMEM;
        return cli_request_split(text_of(&t->gemini), t->gemini.n, r->cli, &r->refusal);
}

static int read_body(Reading *r) {
        int e;

        if (!r->dialect) {
                e = check_object(&r->body, &r->refusal);
                if (e == 0 && r->makes)
                        chosen_list(&r->body, r->makes, &r->chosen);
                return e != 0 ? e : list_names(r, &r->body);
        }
        e = translate(r->dialect, &r->context, r->job, &r->body, &r->translation, &r->refusal);
        if (e != 0)
                return e;
        translation_count_asked(r->translation);
        e = list_names(r, &r->translation->gemini);
        return e != 0 ? e : split(r);
}

static void reading_run(WorkerTask *t) {
        Reading *r = CONTAINER_OF(t, Reading, task);

        r->error = read_body(r);
        memory_note(r->body.n);
}

/* --- in the loop --- */

static void destroy(Reading *r) {
        if (r->cli)
                cli_request_done(r->cli);
        free(r->cli);
        translation_free(r->translation);
        buf_done(&r->names);
        buf_done(&r->chosen);
        buf_done(&r->body);
        buf_done(&r->headers);
        buf_done(&r->arguments);
        job_unref(r->job);
        config_unref(r->config);
        free(r->rest);
        free(r);
}

static void reading_on_done(WorkerTask *t) {
        Reading *r = CONTAINER_OF(t, Reading, task);

        r->done(r);
}

static void reading_on_drop(WorkerTask *t) {
        Reading *r = CONTAINER_OF(t, Reading, task);
        GiveBack *give_back = r->give_back;

        destroy(r);
        give_back_check(give_back); /* its request has ended before */
}

static void copy_pair(const char *name, const char *value, void *userdata) {
        Buf *pairs = userdata;

        if (!value)
                return;
        (void) buf_append(pairs, name, strlen(name) + 1);
        (void) buf_append(pairs, value, strlen(value) + 1);
}

/* The first of the name, as http_request_header() has it. */
static const char *find_pair(const Buf *pairs, const char *name) {
        const char *p = text_of(pairs), *end = p + pairs->n;

        while (p < end) {
                const char *value = p + strlen(p) + 1;

                if (strcaseeq(p, name))
                        return value;
                p = value + strlen(value) + 1;
        }
        return NULL;
}

static const char *copied_header(const char *name, void *reading) {
        return find_pair(&((const Reading *) reading)->headers, name);
}

static const char *copied_argument(const char *name, void *reading) {
        return find_pair(&((const Reading *) reading)->arguments, name);
}

static int copy_context(Reading *r, Request *q, const char *instead) {
        r->context = context_of(q, instead);
        r->headers = r->arguments = BUF_INIT(2 * HTTP_HEADERS_MAX);
        http_request_each_header(q->io, copy_pair, &r->headers);
        http_request_each_argument(q->io, copy_pair, &r->arguments);
        if (r->headers.error < 0 || r->arguments.error < 0)
                return -ENOMEM;
        if (q->rest && !(r->rest = strdup(q->rest)))
                return -ENOMEM;
        text_copy(r->id, sizeof(r->id), q->id);
        text_copy(r->instead, sizeof(r->instead), strempty(instead));
        r->context.path_rest = r->rest;
        r->context.request_id = r->id;
        r->context.header = copied_header;
        r->context.argument = copied_argument;
        r->context.request = r;
        if (instead)
                r->context.userdata = r->instead;
        return 0;
}

static const char *makes_of(const Request *q) {
        const GeminiPath *row = gemini_path_find(q->route->method, q->path);

        return row ? row->makes : NULL;
}

int reading_begin(Request *q, const Dialect *dialect, const char *instead, void (*done)(Reading *r),
                  void *userdata, Reading **ret) {
        Buf *body = http_request_body(q->io);
        Reading *r;
        int e;

        r = calloc(1, sizeof(Reading));
        if (!r)
                return -ENOMEM;
        r->task = (WorkerTask){ .run = reading_run, .done = reading_on_done, .drop = reading_on_drop };
        r->done = done;
        r->userdata = userdata;
        r->give_back = q->http->give_back;
        r->dialect = dialect;
        r->makes = dialect ? NULL : makes_of(q);
        r->chosen = BUF_INIT(CHOSEN_BYTES_MAX);
        r->config = config_ref(q->config);
        r->job = q->job ? job_ref(q->job) : NULL;
        e = copy_context(r, q, instead);
        if (e < 0) {
                destroy(r);
                return e;
        }
        r->body = *body;
        *body = BUF_INIT(0);
        worker_add(q->http->worker, &r->task);
        *ret = r;
        return 0;
}

void reading_return_body(Reading *r, Request *q) {
        Buf *body = http_request_body(q->io);

        assert(!r->task.pending);
        buf_done(body);
        *body = r->body;
        r->body = BUF_INIT(0);
}

Reading *reading_free(Reading *r, Worker *w) {
        if (!r)
                return NULL;
        if (r->task.pending)
                worker_drop(w, &r->task);
        else
                destroy(r);
        return NULL;
}
