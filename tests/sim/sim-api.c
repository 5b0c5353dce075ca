/* SPDX-License-Identifier: MIT */
/*
 * A request passes, in Google's own order: the path, the credentials, the body (strictly, unless the simulator is
 * lax); then the script, and last the question whether the model exists, which a rule that names the model answers
 * with yes. What is refused before the script takes nothing from a rule's `times`.
 *
 * Each connection has one Exchange, made with its first request and used again by the next.
 */
#include <errno.h>
#include <stdio.h>

#include <json-c/json.h>

#include "base/jwrite.h"
#include "base/text.h"
#include "sim-api.h"
#include "sim-log.h"
#include "sim-model.h"
#include "sim-play.h"
#include "sim-schema.h"
#include "sim-script.h"

#define PAGE_SIZE_DEFAULT 50U
#define PAGE_SIZE_MAX 1000U
#define HTML_TYPE "text/html; charset=UTF-8"
#define JSON_TYPE "application/json; charset=UTF-8"

typedef struct Exchange {
        Play play;
        SimLogEntry *entry;
        bool counted; /* not one of /sim/… */
} Exchange;

/* One request to the Gemini API, while it is decided what to answer. */
typedef struct Call {
        Sim *sim;
        Conn *conn;
        Exchange *exchange;
        const Request *request;
        char *model; /* decoded, "" where there is none */
        const char *verb;
        char *key; /* "" where there is none */
        AnswerForm form;
        json_object *json;
        Prompt prompt;
        const char *refusal; /* for the log: why the script was not asked */
} Call;

struct Sim {
        Loop *loop;
        const HttpServer *server;
        Script *script;
        char *script_text;
        ModelList *models;
        SimLog *log; /* NULL: none is kept */
        bool lax;
        json_tokener *tokener;
        uint64_t total;
        uint64_t in_progress;
        uint64_t hung_up;
        uint64_t statuses[600];
};

/* --- giving answers --- */

static Exchange *exchange_of(Conn *c) {
        Exchange **e = (Exchange **) conn_data(c);

        if (!*e)
                *e = calloc(1, sizeof(**e));
        return *e;
}

static void send_answer(Sim *s, Conn *c, const Request *q, Action *action, Answer *answer) {
        Exchange *e = exchange_of(c);

        if (e->entry)
                e->entry->status = answer->status;
        if (e->counted && answer->status < ELEMENTSOF(s->statuses))
                s->statuses[answer->status]++;
        play_start(&e->play, s->loop, c, q->http10, action_ref(action), answer);
}

/* An answer that is not by the script. body: its content is taken. */
static void send_body(Sim *s, Conn *c, const Request *q, unsigned status, const char *type, Buf *body) {
        Answer *a;

        if (body->error < 0 || answer_new(status, ANSWER_PLAIN, type, &a) < 0) {
                conn_reset(c);
                return;
        }
        a->bytes = *body;
        *body = BUF_INIT(body->max);
        answer_close_piece(a);
        send_answer(s, c, q, script_default(s->script), a);
}

static void send_text(Sim *s, Conn *c, const Request *q, unsigned status, const char *type, const char *text) {
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20);

        (void) buf_puts(&body, text);
        send_body(s, c, q, status, type, &body);
}

/* --- the control routes --- */

static void control_status(Sim *s, Conn *c, const Request *q) {
        const HttpCounts *n = http_server_counts(s->server);
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20);
        JWriter w = JWRITER_INIT(&body);

        jwrite_object(&w, NULL);
        jwrite_uint(&w, "connections", n->connections - 1); /* without this one */
        jwrite_uint(&w, "accepted", n->accepted);
        jwrite_uint(&w, "in_progress", s->in_progress);
        jwrite_uint(&w, "total", s->total);
        jwrite_uint(&w, "hung_up", s->hung_up);
        jwrite_uint(&w, "malformed", n->malformed);
        jwrite_object(&w, "statuses");
        for (unsigned i = 0; i < ELEMENTSOF(s->statuses); i++)
                if (s->statuses[i] > 0) {
                        char name[16];

                        (void) snprintf(name, sizeof(name), "%u", i);
                        jwrite_uint(&w, name, s->statuses[i]);
                }
        jwrite_end(&w);
        jwrite_end(&w);
        (void) buf_putc(&body, '\n');
        send_body(s, c, q, 200, JSON_TYPE, &body);
}

static void control_log(Sim *s, Conn *c, const Request *q) {
        _cleanup_buf_ Buf body = BUF_INIT(SIM_LOG_BYTES_MAX * 2);

        if (s->log)
                sim_log_write(s->log, &body);
        send_body(s, c, q, 200, "application/x-ndjson", &body);
}

static void control_log_clear(Sim *s, Conn *c, const Request *q) {
        if (s->log)
                sim_log_clear(s->log);
        send_text(s, c, q, 200, JSON_TYPE, "{}\n");
}

static int load_script(Sim *s, const char *text, bool append, char **ret_error) {
        if (!append) {
                script_clear(s->script);
                model_list_reset(s->models);
        }
        return text ? script_append(s->script, text, ret_error) : 0;
}

static void control_script(Sim *s, Conn *c, const Request *q) {
        _cleanup_free_ char *error = NULL, *text = strndup(q->body, q->n_body), *append = NULL;

        (void) request_param(q, "append", &append);
        if (!text || load_script(s, text, append && !streq(append, "0"), &error) < 0) {
                _cleanup_buf_ Buf body = BUF_INIT(1U << 20);

                (void) buf_printf(&body, "%s\n", error ?: "no memory");
                send_body(s, c, q, 400, "text/plain; charset=UTF-8", &body);
                return;
        }
        send_text(s, c, q, 200, JSON_TYPE, "{}\n");
}

static void control_reset(Sim *s, Conn *c, const Request *q) {
        _cleanup_free_ char *error = NULL;

        (void) load_script(s, s->script_text, false, &error);
        if (s->log)
                sim_log_clear(s->log);
        s->total = s->hung_up = 0;
        memset(s->statuses, 0, sizeof(s->statuses));
        send_text(s, c, q, 200, JSON_TYPE, "{}\n");
}

static const struct {
        const char *method;
        const char *path;
        void (*handle)(Sim *s, Conn *c, const Request *q);
} controls[] = {
        { "GET", "/sim/status", control_status },         { "GET", "/sim/log", control_log },
        { "DELETE", "/sim/log", control_log_clear },      { "POST", "/sim/log/clear", control_log_clear },
        { "POST", "/sim/script", control_script },        { "POST", "/sim/reset", control_reset },
};

static void control(Sim *s, Conn *c, const Request *q) {
        for (size_t i = 0; i < ELEMENTSOF(controls); i++)
                if (streq(controls[i].path, q->path) && streq(controls[i].method, q->method)) {
                        controls[i].handle(s, c, q);
                        return;
                }
        send_text(s, c, q, 404, JSON_TYPE, "{\"error\":\"no such control route\"}\n");
}

/* --- the Gemini API --- */

static const struct {
        const char *verb;
        const char *message; /* of its request */
} verbs[] = {
        { "generateContent", "GenerateContentRequest" },
        { "streamGenerateContent", "GenerateContentRequest" },
        { "countTokens", "CountTokensRequest" },
};

static void call_done(Call *call) {
        free(call->model);
        free(call->key);
        json_object_put(call->json);
}

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

static int read_form(Call *call) {
        _cleanup_free_ char *alt = NULL;

        call->form = ANSWER_PLAIN;
        if (!streq(call->verb, "streamGenerateContent"))
                return 0;
        (void) request_param(call->request, "alt", &alt);
        call->form = streq_ptr(alt, "sse") ? ANSWER_SSE : ANSWER_ARRAY;
        return 0;
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

        call->refusal = name;
        if (call->exchange->entry)
                call->exchange->entry->answered = strdup(name);
        error_write(e, &facts, &body);
        send_body(call->sim, call->conn, call->request, error_status(e, &facts), error_content_type(e), &body);
}

static void refuse_body(Call *call, const char *message, const char *details) {
        _cleanup_buf_ Buf body = BUF_INIT(4U << 20);

        if (call->exchange->entry)
                call->exchange->entry->answered = strdup("bad request");
        error_write_plain(400, message, details, call->form == ANSWER_ARRAY, &body);
        send_body(call->sim, call->conn, call->request, 400, JSON_TYPE, &body);
}

static const char *message_of(const char *verb) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i].verb, verb))
                        return verbs[i].message;
        return NULL;
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

        json_tokener_reset(t);
        if (q->n_body > 0)
                call->json = json_tokener_parse_ex(t, q->body, (int) q->n_body);
        if (q->n_body > 0 && json_tokener_get_error(t) == json_tokener_continue) /* a bare number, or cut off */
                call->json = json_tokener_parse_ex(t, "\n", -1);
        if (!call->json || !json_object_is_type(call->json, json_type_object)) {
                if (q->n_body == 0)
                        refuse(call, "contents");
                else
                        refuse_body(call, "Invalid JSON payload received. Unexpected token.", NULL);
                return false;
        }

        r = schema_check(message, call->json, &faults);
        if (r != 0) {
                refuse_body(call, strempty(buf_cstr(&faults.message)),
                            faults.details.n > 0 ? buf_cstr(&faults.details) : NULL);
                return false;
        }
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

static void perform(Call *call, Rule *rule) {
        Sim *s = call->sim;
        Action *action = rule ? rule->action : script_default(s->script);
        Exchange *e = call->exchange;
        Answer *a;

        if (e->entry) {
                e->entry->answered = strdup(action->label);
                e->entry->line = rule ? rule->line : 0;
        }

        if (action->content == CONTENT_DEFAULT && call->form == ANSWER_PLAIN && !streq(call->verb, "generateContent")) {
                _cleanup_buf_ Buf body = BUF_INIT(16U << 20);

                write_answer(call, &body);
                if (answer_new(200, ANSWER_PLAIN, JSON_TYPE, &a) < 0) {
                        conn_reset(call->conn);
                        return;
                }
                buf_done(&a->bytes);
                a->bytes = body;
                body = BUF_INIT(0);
                answer_close_piece(a);
        } else if (compose(call, action, &a) < 0) {
                refuse(call, "internal");
                return;
        }

        if (action->ending == ENDING_ERROR) {
                ErrorFacts facts = { .key = call->key, .model = call->model, .verb = call->verb,
                                     .message = action->message, .retry = action->retry, .quota = action->quota,
                                     .no_code = action->no_code };
                const SimError *error = action->stream_error ?:
                                                error_for_status(action->code > 0 ? (unsigned) action->code : 503);

                e->play.stream_error = BUF_INIT(1U << 20);
                error_write(error ?: error_find("overloaded"), &facts, &e->play.stream_error);
        }
        send_answer(s, call->conn, call->request, action, a);
}

static void serve(Call *call) {
        Sim *s = call->sim;
        const char *error;
        ScriptRequest asked;
        Rule *rule;
        int path;

        call->prompt = PROMPT_INIT;
        path = read_path(call);
        error = read_credentials(call);
        if (path == 0)
                (void) read_form(call);
        if (s->log)
                (void) sim_log_add(s->log, s->total, call->request,
                                   &(SimLogFacts){ .model = call->model, .verb = call->verb, .key = call->key },
                                   &call->exchange->entry);

        if (path != 0) {
                refuse(call, "html_404");
                return;
        }
        if (error) {
                refuse(call, error);
                return;
        }
        if (!read_body(call))
                return;

        asked = (ScriptRequest){ .key = call->key, .model = call->model, .verb = call->verb,
                                 .body = call->request->body, .n_body = call->request->n_body };
        rule = script_match(s->script, &asked);
        if (!streq(call->verb, "list") && !(rule && rule->model) && !model_list_knows(s->models, call->model)) {
                refuse(call, streq(call->verb, "get") ? "model_not_found" : "not_found");
                return;
        }
        script_take(s->script, rule, &asked);
        perform(call, rule);
}

/* --- the handler --- */

static void on_request(void *userdata, Conn *c, const Request *q) {
        Sim *s = userdata;
        Exchange *e = exchange_of(c);
        Call call = { .sim = s, .conn = c, .exchange = e, .request = q };

        if (!e) {
                conn_reset(c);
                return;
        }
        e->counted = !startswith(q->path, "/sim/");
        if (!e->counted) {
                control(s, c, q);
                return;
        }

        s->total++;
        s->in_progress++;
        serve(&call);
        call_done(&call);
}

static void on_more(void *userdata, Conn *c) {
        play_more(&exchange_of(c)->play);
}

static void on_ended(void *userdata, Conn *c, bool hung_up) {
        Sim *s = userdata;
        Exchange *e = exchange_of(c);

        if (!e)
                return;
        if (e->counted) {
                s->in_progress--;
                s->hung_up += hung_up;
        }
        if (e->entry) {
                e->entry->done = true;
                e->entry->hung_up = hung_up;
                e->entry->events = e->play.answer && e->play.answer->form != ANSWER_PLAIN ? e->play.next : 0;
                e->entry->bytes = conn_sent(c);
                sim_log_done(s->log, e->entry);
                e->entry = sim_log_entry_unref(e->entry);
        }
        play_done(&e->play);
}

static void on_closed(void *userdata, Conn *c) {
        free(*conn_data(c));
        *conn_data(c) = NULL;
}

const HttpHandler sim_handler = {
        .request = on_request,
        .more = on_more,
        .ended = on_ended,
        .closed = on_closed,
};

int sim_new(Loop *l, const SimOptions *options, Sim **ret, char **ret_error) {
        _cleanup_(sim_freep) Sim *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->loop = l;
        s->lax = options->lax;
        s->tokener = json_tokener_new_ex((int) JSON_DEPTH_MAX);
        if (!s->tokener)
                return -ENOMEM;
        r = model_list_new(&s->models);
        if (r < 0)
                return r;
        r = script_new(s->models, &s->script);
        if (r < 0)
                return r;
        if (!options->no_log && !options->lax) {
                r = sim_log_new(options->log, &s->log);
                if (r < 0)
                        return r;
        }
        if (options->script) {
                s->script_text = strdup(options->script);
                if (!s->script_text)
                        return -ENOMEM;
                r = script_append(s->script, options->script, ret_error);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

Sim *sim_free(Sim *s) {
        if (!s)
                return NULL;
        script_free(s->script);
        model_list_free(s->models);
        sim_log_free(s->log);
        json_tokener_free(s->tokener);
        free(s->script_text);
        free(s);
        return NULL;
}

void sim_set_server(Sim *s, const HttpServer *server) {
        s->server = server;
}
