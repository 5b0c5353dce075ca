/* SPDX-License-Identifier: MIT */
/*
 * A request passes, in Google's own order: the path, the credentials, the body (strictly, unless the
 * simulator is lax); then the script. What is refused before the script takes nothing from a rule's `times`.
 * Where no rule fits, the model must be one that exists.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json/write.h"
#include "base/text.h"
#include "sim-api.h"
#include "sim-continue.h"
#include "sim-embed.h"
#include "sim-schema.h"
#include "sim-service.h"
#include "sim-store.h"

#define PAGE_SIZE_DEFAULT 50U
#define PAGE_SIZE_MAX     1000U
#define EMBED_BODY_MAX    4194304U

/* One request, while it is decided what to answer. */
typedef struct Call {
        Exchange *exchange;
        Sim *sim;
        const Request *request;
        char *model;      /* decoded; "" or NULL where there is none */
        const char *verb; /* NULL: the path is no method's */
        bool is_stored;   /* it is one of sim-store.h */
        char *key;        /* "" where there is none */
        AnswerForm form;
        json_object *json;
        Prompt prompt;
        unsigned hop;         /* of an answer in several */
        uint64_t request_hash; /* the same in each hop */
} Call;

static const struct {
        const char *verb;
        const char *message; /* of its request */
} verbs[] = {
        { "generateContent", "GenerateContentRequest" },
        { "streamGenerateContent", "GenerateContentRequest" },
        { "countTokens", "CountTokensRequest" },
        { "embedContent", "EmbedContentRequest" },
        { "batchEmbedContents", "BatchEmbedContentsRequest" },
};

/* 0: it is the path of a method; 1: it is none. */
static int read_path(Call *call) {
        static const char *const versions[] = { "/v1beta/", "/v1/", "/v1alpha/" };
        const Request *q = call->request;
        const char *rest = NULL, *colon;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(versions) && !rest; i++)
                rest = startswith(q->path, versions[i]);
        if (!rest || !(rest = startswith(rest, "models")))
                return 1;

        if (*rest == 0) {
                call->verb = "list";
                call->model = strdup("");
                return call->model ? !streq(q->method, "GET") : -ENOMEM;
        }
        if (*rest++ != '/')
                return 1;
        colon = strrchr(rest, ':');
        call->model = strndup(rest, colon ? (size_t) (colon - rest) : strlen(rest));
        if (!call->model)
                return -ENOMEM;
        r = text_percent_decode(call->model);
        if (r < 0 || !*call->model)
                return 1;
        if (!colon) {
                call->verb = "get";
                return !streq(q->method, "GET");
        }

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(colon + 1, verbs[i].verb))
                        call->verb = verbs[i].verb;
        return call->verb ? !streq(q->method, "POST") : 1;
}

static void read_form(Call *call) {
        _cleanup_free_ char *alt = NULL;

        call->form = ANSWER_PLAIN;
        if (!streq(call->verb, "streamGenerateContent"))
                return;
        (void) request_param(call->request, "alt", &alt);
        call->form = streq_ptr(alt, "sse") ? ANSWER_SSE : ANSWER_ARRAY;
}

/* The error that the credentials deserve, or NULL. */
static const char *read_credentials(Call *call) {
        const char *header = request_header(call->request, "x-goog-api-key");
        const char *authorization = request_header(call->request, "authorization");
        _cleanup_free_ char *param = NULL;

        (void) request_param(call->request, "key", &param);
        call->key = strdup(header ?: strempty(param));
        if (!call->key)
                return "internal";
        if (!!header + !!param + !!authorization > 1)
                return "two_credentials";
        if (authorization)
                return "unauthenticated";
        return *call->key ? NULL : "no_key";
}

static void refuse(Call *call, const char *name) {
        const SimError *e = error_find(name);
        ErrorFacts facts = {
                .key = call->key,
                .model = strempty(call->model),
                .verb = strempty(call->verb),
                .array = call->form == ANSWER_ARRAY,
        };
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20);

        error_write(e, &facts, &body);
        exchange_send(call->exchange, name, error_status(e, &facts), error_content_type(e), &body);
}

static void refuse_body(Call *call, const char *message, const char *details) {
        _cleanup_buf_ Buf body = BUF_INIT(4U << 20);

        error_write_plain(400, message, details, call->form == ANSWER_ARRAY, &body);
        exchange_send(call->exchange, "bad request", 400, JSON_TYPE, &body);
}

static const char *message_of(const char *verb) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i].verb, verb))
                        return verbs[i].message;
        return NULL;
}

static bool only_blanks(const Request *q, size_t from) {
        for (size_t i = from; i < q->n_body; i++)
                if (!strchr(TEXT_WHITESPACE, q->body[i]))
                        return false;
        return true;
}

/* The same of a request that is well-formed. */
static bool read_generate(Call *call) {
        _cleanup_buf_ Buf message = BUF_INIT(1U << 20);
        SignatureBook *book = &call->sim->signatures;
        ServiceCheck check = { .request = call->json,
                               .model = call->model,
                               .signatures = book,
                               .message = &message };

        book->demand = script_signatures(call->sim->script);
        if (continuation_take(call->json, call->model, &call->hop, &call->request_hash) < 0) {
                refuse(call, "invalid_argument");
                return false;
        }
        if (service_check(&check))
                return true;
        refuse_body(call, strempty(buf_cstr(&message)), NULL);
        return false;
}

static bool generates(const Call *call) {
        return streq(call->verb, "generateContent") || streq(call->verb, "streamGenerateContent");
}

static bool embeds(const Call *call) {
        return streq(call->verb, "embedContent") || streq(call->verb, "batchEmbedContents");
}

/* True if the body is good; else it has been answered. */
static bool read_body(Call *call) {
        _cleanup_schema_faults_ SchemaFaults faults = {};
        const Request *q = call->request;
        const char *message = message_of(call->verb);
        json_tokener *t = call->sim->tokener;
        int r;

        if (!message || call->sim->lax)
                return true;

        if (embeds(call) && q->n_body > EMBED_BODY_MAX) {
                refuse_body(call, "Request payload size exceeds the limit: 4194304 bytes.", NULL);
                return false;
        }
        if (q->n_body == 0) {
                refuse(call, "contents");
                return false;
        }
        json_tokener_reset(t);
        call->json = json_tokener_parse_ex(t, q->body, (int) q->n_body);
        if (!json_object_is_type(call->json, json_type_object) ||
            !only_blanks(q, json_tokener_get_parse_end(t))) {
                refuse_body(call, "Invalid JSON payload received. Unexpected token.", NULL);
                return false;
        }

        r = schema_check(message, call->json, &faults);
        if (r != 0) {
                refuse_body(call, strempty(buf_cstr(&faults.message)),
                            faults.details.n > 0 ? buf_cstr(&faults.details) : NULL);
                return false;
        }
        if (generates(call) && !read_generate(call))
                return false;
        prompt_read(call->json, &call->prompt);
        return true;
}

static uint64_t hash_of(const Call *call) {
        uint64_t h = 14695981039346656037ULL;

        if (!call->sim->lax)
                for (size_t i = 0; i < call->request->n_body; i++)
                        h = (h ^ (unsigned char) call->request->body[i]) * 1099511628211ULL;
        return h;
}

/* What a method other than the generating two gives. */
static void write_answer(Call *call, Buf *body) {
        _cleanup_free_ char *size_text = NULL, *token = NULL;
        Sim *s = call->sim;
        JWriter w = JWRITER_INIT(body);

        if (streq(call->verb, "get"))
                (void) model_write(s->models, call->model, body);
        else if (streq(call->verb, "list")) {
                uint64_t size = PAGE_SIZE_DEFAULT, start = 0;

                (void) request_param(call->request, "pageSize", &size_text);
                (void) request_param(call->request, "pageToken", &token);
                if (size_text)
                        (void) text_parse_u64(size_text, &size);
                if (token && startswith(token, "page-"))
                        (void) text_parse_u64(token + 5, &start);
                model_list_write(s->models, start, MIN(MAX(size, 1U), PAGE_SIZE_MAX), body);
        } else {
                jwrite_object(&w, NULL);
                jwrite_uint(&w, "totalTokens", call->prompt.tokens);
                jwrite_array(&w, "promptTokensDetails");
                jwrite_object(&w, NULL);
                jwrite_string(&w, "modality", "TEXT");
                jwrite_uint(&w, "tokenCount", call->prompt.tokens);
                jwrite_end(&w);
                jwrite_end(&w);
                jwrite_end(&w);
        }
}

/* The answer of a lax simulator depends on nothing but the action, the model and the form. */
static int compose(Call *call, Action *action, Answer **ret) {
        AnswerAsk ask = {
                .prompt = &call->prompt,
                .key = call->key,
                .model = call->model,
                .verb = call->verb,
                .form = call->form,
                .id = hash_of(call),
                .hop = call->hop,
                .request = call->request_hash,
        };
        bool cacheable = call->sim->lax && action->content != CONTENT_ERROR;
        Answer *a;
        int r;

        for (unsigned i = 0; cacheable && i < action->n_cache; i++)
                if (action->cache[i].form == call->form && streq(action->cache[i].model, call->model)) {
                        *ret = answer_ref(action->cache[i].answer);
                        return 0;
                }

        r = answer_compose(action, &ask, &a);
        if (r < 0)
                return r;
        if (cacheable && action->n_cache < ACTION_CACHE_MAX) {
                char *model = strdup(call->model);

                if (model) {
                        action->cache[action->n_cache].model = model;
                        action->cache[action->n_cache].form = call->form;
                        action->cache[action->n_cache++].answer = answer_ref(a);
                }
        }
        *ret = a;
        return 0;
}

/* The error that interrupts the stream: a plain one of this code, or the one that is named. */
static void compose_stream_error(Call *call, const Action *action) {
        ErrorFacts facts = {
                .key = call->key,
                .model = call->model,
                .verb = call->verb,
                .message = action->message,
                .retry = action->retry,
                .quota = action->quota,
                .no_code = action->no_code,
        };
        const SimError *e = action->stream_error;
        Buf *out = &call->exchange->play.stream_error;

        if (!e)
                e = error_for_status(action->code > 0 ? (unsigned) action->code : 503)
                            ?: error_find("overloaded");
        *out = BUF_INIT(1U << 20);
        error_write(e, &facts, out);
}

/* The signatures that a script spells out are as good as those that are made. */
static void note_signatures(Call *call, const Answer *a) {
        if (call->sim->lax)
                return;
        for (size_t i = 0; i < a->n; i++) {
                _cleanup_free_ char *text = NULL;
                const char *piece;
                size_t n;

                answer_piece(a, i, &piece, &n);
                text = strndup(piece, n);
                if (text)
                        signature_note(&call->sim->signatures, call->model, text);
        }
}

/* Vectors. A refusal has been sent if it is false. */
static bool embed(Call *call, Buf *body) {
        _cleanup_buf_ Buf message = BUF_INIT(1U << 20);

        if (embed_answer(call->json, call->model, streq(call->verb, "embedContent"), body, &message))
                return true;
        refuse_body(call, strempty(buf_cstr(&message)), NULL);
        return false;
}

static void perform(Call *call, Rule *rule) {
        Action *action = rule ? rule->action : script_default(call->sim->script);
        Answer *a;

        if (action->content == CONTENT_DEFAULT && embeds(call) && !call->sim->lax) {
                if (answer_new(200, ANSWER_PLAIN, JSON_TYPE, &a) < 0) {
                        refuse(call, "internal");
                        return;
                }
                if (!embed(call, &a->bytes)) {
                        answer_unref(a);
                        return;
                }
                answer_close_piece(a);
        } else if (action->content == CONTENT_DEFAULT && !generates(call)) {
                if (answer_new(200, ANSWER_PLAIN, JSON_TYPE, &a) < 0) {
                        refuse(call, "internal");
                        return;
                }
                write_answer(call, &a->bytes);
                answer_close_piece(a);
        } else if (compose(call, action, &a) < 0) {
                refuse(call, "internal");
                return;
        }

        if (action->content == CONTENT_JSON || action->content == CONTENT_SSE)
                note_signatures(call, a);
        if (action->ending == ENDING_ERROR)
                compose_stream_error(call, action);
        exchange_play(call->exchange, action->label, rule ? rule->line : 0, action, a);
}

/* The whole content, or the part that Range names: FROM- or FROM-TO. */
static void send_content(Call *call, uint64_t size, const char *type) {
        const char *range = request_header(call->request, "range");
        const char *from = range ? startswith(range, "bytes=") : NULL;
        uint64_t at = 0, end = size;
        char *header, *rest = NULL;
        bool is_part = false;

        if (from && *from != '-') {
                at = strtoull(from, &rest, 10);
                if (*rest == '-' && rest[1])
                        end = MIN(strtoull(rest + 1, NULL, 10) + 1, size);
                is_part = at < end;
        }
        if (!is_part)
                at = 0, end = size;
        if (asprintf(&header,
                     "Content-Type: %s\r\nAccept-Ranges: bytes\r\nETag: \"%llu\"\r\n"
                     "Content-Disposition: attachment; filename=\"a.bin\"",
                     type, (unsigned long long) size) < 0)
                abort();
        if (is_part) {
                char *whole = header;

                if (asprintf(&header, "%s\r\nContent-Range: bytes %llu-%llu/%llu", whole,
                             (unsigned long long) at, (unsigned long long) end - 1,
                             (unsigned long long) size) < 0)
                        abort();
                free(whole);
        }
        exchange_send_file(call->exchange, is_part ? 206 : 200, header, at, end);
}

/* Files, cached contents and what is in the store. A rule that names the method replaces what would
 * be done. */
static void serve_files(Call *call) {
        _cleanup_buf_ Buf body = BUF_INIT(64U << 20);
        Sim *s = call->sim;
        ScriptRequest asked = { .key = call->key,
                                .model = call->model,
                                .verb = call->verb,
                                .body = call->request->body,
                                .n_body = call->request->n_body };
        Rule *rule = script_match(s->script, &asked);
        const char *type = JSON_TYPE;
        char *header = NULL;
        uint64_t size;
        unsigned status;

        script_take(s->script, rule, &asked);
        if (rule) {
                perform(call, rule);
                return;
        }
        if (streq(call->verb, "files.download") &&
            files_content(&s->files, call->model, script_project(s->script, call->key), &size, &type)) {
                send_content(call, size, type);
                return;
        }
        if (call->is_stored)
                status = store_answer(&s->things, call->verb, call->model,
                                      script_project(s->script, call->key), call->request, &body, &type);
        else
                status = files_answer(&s->files, call->verb, call->model,
                                      script_project(s->script, call->key), call->request, &body, &header);
        exchange_send_head(call->exchange, call->verb, status, type, header, &body);
}

/* What the request names has to be its project's. */
static bool may_see(Call *call) {
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20);
        const char *error;
        unsigned status;

        if (call->sim->lax || !call->json ||
            files_visible(&call->sim->files, script_project(call->sim->script, call->key), call->json,
                          &error, &status))
                return true;
        error_write_plain(status, error, NULL, call->form == ANSWER_ARRAY, &body);
        exchange_send(call->exchange, "not visible", status, JSON_TYPE, &body);
        return false;
}

/* A rule that fits without a model is about the handshake, if it is one of HTTP. */
static void serve_live(Call *call) {
        ScriptRequest asked = { .key = call->key, .model = "", .verb = call->verb, .body = "" };
        Rule *rule = script_match(call->sim->script, &asked);

        if (rule && (rule->action->content == CONTENT_STATUS || rule->action->ending != ENDING_NORMAL)) {
                script_take(call->sim->script, rule, &asked);
                perform(call, rule);
                return;
        }
        if (live_new(call->exchange, call->request, call->key, &call->exchange->live) < 0)
                refuse_body(call, "That is no handshake of a WebSocket.", NULL);
}

static void serve(Call *call) {
        Sim *s = call->sim;
        const char *error;
        ScriptRequest asked;
        Rule *rule;
        bool is_files, is_live;
        int path;

        call->verb = files_path(call->request, &call->model);
        is_live = live_path(call->request);
        if (is_live)
                call->verb = "bidiGenerateContent";
        else if (!call->verb) {
                call->verb = store_path(call->request, &call->model);
                call->is_stored = call->verb;
        }
        is_files = call->verb && !is_live;
        path = call->verb ? 0 : read_path(call);
        error = read_credentials(call);
        if (path == 0)
                read_form(call);
        if (s->log)
                (void) sim_log_add(
                        s->log, s->total, call->request,
                        &(SimLogFacts){ .model = call->model, .verb = call->verb, .key = call->key },
                        &call->exchange->entry);

        if (path != 0 || error) {
                refuse(call, path != 0 ? "html_404" : error);
                return;
        }
        if (is_live) {
                serve_live(call);
                return;
        }
        if (is_files) {
                serve_files(call);
                return;
        }
        if (!read_body(call) || !may_see(call))
                return;

        asked = (ScriptRequest){
                .key = call->key,
                .model = call->model,
                .verb = call->verb,
                .body = call->request->body,
                .n_body = call->request->n_body,
                .json = call->json,
                .hop = call->hop,
        };
        rule = script_match(s->script, &asked);
        if (!rule && !streq(call->verb, "list") &&
            (!model_list_knows(s->models, call->model) ||
             (generates(call) && model_list_embeds(s->models, call->model)) ||
             (embeds(call) && !model_list_embeds(s->models, call->model)))) {
                refuse(call, streq(call->verb, "get") ? "model_not_found" : "not_found");
                return;
        }
        if (call->hop > 0 &&
            (!rule || (rule->action->content == CONTENT_TEXT && rule->action->hops <= call->hop))) {
                refuse(call, "invalid_argument");
                return;
        }
        if (!rule && script_refuses_unmatched(s->script) && (generates(call) || embeds(call))) {
                refuse_body(call, "No rule of the script fits this request.", NULL);
                return;
        }
        script_take(s->script, rule, &asked);
        perform(call, rule);
}

void api_serve(Exchange *e) {
        Call call = { .exchange = e, .sim = e->sim, .request = e->request, .prompt = PROMPT_INIT };

        serve(&call);
        free(call.model);
        free(call.key);
        json_object_put(call.json);
}
