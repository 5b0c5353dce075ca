/* SPDX-License-Identifier: MIT */

/*
 * POST /v1beta/interactions, and what is like it: POST /v1beta/decisions, and the events of an interaction
 * that there is already (GET /v1beta/interactions/{id}?stream=true).
 *
 * As in the native methods nothing is translated, with one exception: the model is in the body, so an alias,
 * or a model of FALLBACK_MODELS, takes its place there. The events of a stream are passed on at once, each
 * with the line `event:` that Google's SDKs do not need and other readers do. Another key is tried until the
 * first event.
 *
 * An interaction stays at Google unless the request has `"store": false`, and belongs to the project of its
 * key: its name is noted as soon as an answer has it. One that runs in the background, or by an agent, is
 * not begun a second time if it is not known whether it has begun.
 */

#include <errno.h>

#include "base/json/write.h"
#include "base/text.h"
#include "core/model.h"
#include "dialect/error-shape.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/native.h"
#include "dialect/json.h"
#include "pool/binding.h"

#define TYPE_MAX     48U
#define TYPE_CHARS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."
#define VALUE_CHARS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~%-"
#define REVISION_MAX 32U

typedef struct Interaction {
        Translation t;
        bool is_stored;  /* it stays at Google */
        bool has_begun;  /* streaming: an event was passed on */
        bool has_name;   /* it was noted */
        char header[sizeof("Api-Revision: ") + REVISION_MAX];
        char made[BINDING_NAME_MAX + 1], names[BINDING_NAME_MAX + 1];
        char finish[FINISH_REASON_MAX + 1]; /* its status */
        Buf path;
        Buf answer; /* in one piece */
} Interaction;

static Interaction *interaction_free(Interaction *i) {
        if (!i)
                return NULL;
        buf_done(&i->t.gemini);
        buf_done(&i->path);
        buf_done(&i->answer);
        free(i);
        return NULL;
}
DEFINE_CLEANUP(Interaction *, interaction_free);

/* --- the request --- */

#define refuse(e, param, ...) dialect_refuse(e, param, __VA_ARGS__)

static Interaction *interaction_new(const Dialect *d, const DialectContext *c, size_t n) {
        const char *revision = dialect_header(c, "Api-Revision");
        Interaction *i = calloc(1, sizeof(Interaction));

        if (!i)
                return NULL;
        i->t.dialect = d;
        i->t.opaque = true;
        i->t.gemini = BUF_INIT(n + MODEL_NAME_MAX);
        i->path = BUF_INIT(1024);
        i->answer = BUF_INIT(UPSTREAM_ANSWER_MAX);
        if (!strnull(revision) && strlen(revision) <= REVISION_MAX &&
            text_in_charset(revision, strlen(revision), VALUE_CHARS)) {
                (void) text_append(i->header, sizeof(i->header),
                                   text_append(i->header, sizeof(i->header), 0, "Api-Revision: "), revision);
                i->t.native.header = i->header;
        }
        return i;
}

static int set_path(Interaction *i, const char *path) {
        (void) buf_printf(&i->path, "/v1beta/%s", path);
        i->t.native.path = buf_cstr(&i->path);
        return i->t.native.path ? 0 : -ENOMEM;
}

/* The body, with that model in place of the one that is there: `given` is where that is, with its quotes. */
static int put_body(Interaction *i, const char *body, size_t n, JsonView given, const char *model) {
        bool has_prefix = given.end - given.p > 8 && memcmp(given.p, "\"models/", 8) == 0;
        Buf *out = &i->t.gemini;

        (void) buf_append(out, body, (size_t) (given.p - body));
        (void) buf_printf(out, "\"%s%s\"", has_prefix ? "models/" : "", model);
        return buf_append(out, given.end, (size_t) (body + n - given.end));
}

static int read_model(Interaction *i, const DialectContext *c, const char *body, size_t n, JsonView model,
                      ApiError *ret_error) {
        char text[MODEL_NAME_MAX + sizeof("models/")];
        const char *served;
        ModelName name;

        json_view_copy(model, text, sizeof(text));
        if (!json_view_equals(model, text) || model_name_parse(text, strlen(text), &name) < 0 || name.cli)
                return refuse(ret_error, "model", "model must be the name of a model: [A-Za-z0-9._-]{1,%u}.",
                              MODEL_NAME_MAX);
        text_copy(i->t.model, sizeof(i->t.model), name.name);
        served = dialect_model(c, name.name);
        return streq(served, name.name) ? buf_append(&i->t.gemini, body, n)
                                        : put_body(i, body, n, model, served);
}

/* An agent has a quota as a model has. */
static int read_agent(Interaction *i, const char *body, size_t n, JsonView agent, ApiError *ret_error) {
        char text[MODEL_NAME_MAX + sizeof(BINDING_AGENTS)];
        const char *bare;
        ModelName name;

        json_view_copy(agent, text, sizeof(text));
        bare = startswith(text, BINDING_AGENTS) ?: text;
        if (!json_view_equals(agent, text) || model_name_parse(bare, strlen(bare), &name) < 0 || name.cli)
                return refuse(ret_error, "agent", "agent must be the name of an agent.");
        text_copy(i->t.model, sizeof(i->t.model), name.name);
        i->t.native.is_fixed = i->t.native.once = true;
        return buf_append(&i->t.gemini, body, n);
}

static int request_of(const Dialect *d, const char *path, const DialectContext *c, const char *body,
                      size_t n, Translation **ret, ApiError *ret_error) {
        _cleanup_(interaction_freep) Interaction *i = interaction_new(d, c, n);
        JsonView root, model, agent, stream, store, background;
        const JsonMember members[] = {
                JSON_MEMBER("model", &model), JSON_MEMBER("agent", &agent),
                JSON_MEMBER("stream", &stream), JSON_MEMBER("store", &store),
                JSON_MEMBER("background", &background),
        };
        const char *why = json_fault(body, n);
        int r;

        if (!i)
                return -ENOMEM;
        if (why || json_first(body, n) != '{')
                return refuse(ret_error, NULL, "The request body is not a JSON object: %s.",
                              why ?: "not an object");
        root = json_view(body, n);
        json_view_members(root, members, ELEMENTSOF(members));
        i->t.method = json_view_is(stream, 't') ? GEMINI_INTERACT_STREAM : GEMINI_INTERACT;
        i->is_stored = d == &dialect_interactions && !json_view_is(store, 'f');
        i->t.native.once = json_view_is(background, 't');
        r = set_path(i, path);
        if (r < 0)
                return r;
        if (json_view_is(model, '"'))
                r = read_model(i, c, body, n, model, ret_error);
        else if (json_view_is(agent, '"'))
                r = read_agent(i, body, n, agent, ret_error);
        else
                return refuse(ret_error, "model", "The request must name a model, or an agent.");
        if (r != 0)
                return r;
        *ret = &TAKE_PTR(i)->t;
        return 0;
}

static int interaction_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                               ApiError *ret_error) {
        return request_of(&dialect_interactions, "interactions", c, body, n, ret, ret_error);
}

static int decision_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                            ApiError *ret_error) {
        return request_of(&dialect_decisions, "decisions", c, body, n, ret, ret_error);
}

/* The path is interactions/{id}. */
static int watch_request(const DialectContext *c, const char *body _unused_, size_t n _unused_,
                         Translation **ret, ApiError *ret_error) {
        static const char *const arguments[] = { "last_event_id", "include_input" };
        _cleanup_(interaction_freep) Interaction *i = interaction_new(&dialect_watch, c, 0);
        const char *name = strempty(c->path_rest);

        if (!i)
                return -ENOMEM;
        if (!startswith(name, BINDING_INTERACTIONS) || !binding_name_is_valid(name, strlen(name)))
                return refuse(ret_error, NULL, "The path does not name an interaction.");
        i->t.method = GEMINI_WATCH;
        i->t.native.verb = "GET";
        i->t.native.is_fixed = true;
        text_copy(i->names, sizeof(i->names), name);
        i->t.native.names = i->names;
        (void) buf_printf(&i->path, "/v1beta/%s?stream=true", name);
        for (size_t a = 0; a < ELEMENTSOF(arguments); a++) {
                const char *value = dialect_argument(c, arguments[a]);

                if (strnull(value))
                        continue;
                if (strlen(value) > 512 || !text_in_charset(value, strlen(value), VALUE_CHARS))
                        return refuse(ret_error, arguments[a], "%s is not one that Google gives.",
                                      arguments[a]);
                (void) buf_printf(&i->path, "&%s=%s", arguments[a], value);
        }
        i->t.native.path = buf_cstr(&i->path);
        if (!i->t.native.path)
                return -ENOMEM;
        *ret = &TAKE_PTR(i)->t;
        return 0;
}

/* --- the answer --- */

/* Google's names are not those of generateContent. */
static void read_usage(JsonView usage, Usage *ret) {
        JsonView input, output, cached, thoughts, tools, total;
        const JsonMember members[] = {
                JSON_MEMBER("total_input_tokens", &input),
                JSON_MEMBER("total_output_tokens", &output),
                JSON_MEMBER("total_cached_tokens", &cached),
                JSON_MEMBER("total_thought_tokens", &thoughts),
                JSON_MEMBER("total_tool_use_tokens", &tools),
                JSON_MEMBER("total_tokens", &total),
        };

        if (!json_view_is(usage, '{'))
                return;
        json_view_members(usage, members, ELEMENTSOF(members));
        *ret = (Usage){ .prompt = gemini_count(input) + gemini_count(tools),
                        .cached = gemini_count(cached),
                        .thoughts = gemini_count(thoughts),
                        .completion = gemini_count(output) + gemini_count(thoughts) };
        ret->total = gemini_count(total) ?: ret->prompt + ret->completion;
}

/* Its last word: nothing follows by itself. */
static bool status_is_final(const char *status) {
        return !streq(status, "in_progress") && !streq(status, "queued");
}

static void note_status(Interaction *i, JsonView status) {
        char text[FINISH_REASON_MAX + 1];

        json_view_copy(status, text, sizeof(text));
        if (!text[0] || !text_in_charset(text, strlen(text), TYPE_CHARS))
                return;
        memcpy(i->finish, text, strlen(text) + 1);
        i->t.finish_reason = i->finish;
        if (status_is_final(text))
                i->t.settled = 1;
}

static void note_name(Interaction *i, JsonView id) {
        char text[BINDING_ID_MAX + 2];

        json_view_copy(id, text, sizeof(text));
        if (!i->is_stored || i->has_name || !text[0])
                return;
        if (!binding_name_make(BINDING_INTERACTIONS, text, strlen(text), i->made))
                return;
        i->has_name = true;
        i->t.native.made = i->made;
}

/* An interaction, whole or in an event. */
static void note(Interaction *i, JsonView v) {
        JsonView id, status, usage;
        const JsonMember members[] = { JSON_MEMBER("id", &id), JSON_MEMBER("status", &status),
                                       JSON_MEMBER("usage", &usage) };

        json_view_members(v, members, ELEMENTSOF(members));
        note_name(i, id);
        note_status(i, status);
        read_usage(usage, &i->t.usage);
}

static int fail(const Interaction *i, const char *json, size_t n, Verdict *ret) {
        gemini_error_classify(200, json, n, i->t.key, ret);
        return DIALECT_E_VERDICT;
}

static int whole_event(Interaction *i, const char *json, size_t n, JsonView root, Verdict *ret_verdict) {
        static const char *const names[] = { "id", "status", "steps", "outputs", "answers", "usage" };
        bool is_known = false;

        for (size_t k = 0; k < ELEMENTSOF(names); k++)
                is_known = is_known || json_view_get(root, names[k]).p;
        if (!is_known)
                return fail(i, json, n, ret_verdict);
        note(i, root);
        i->t.settled = 1;
        return buf_append(&i->answer, json, n);
}

/* An event with several data lines is passed on with several. */
static void write_event(const char *type, const char *json, size_t n, Buf *out) {
        const char *lf;

        if (type[0])
                (void) buf_printf(out, "event: %s\n", type);
        (void) buf_puts(out, "data: ");
        while ((lf = memchr(json, '\n', n))) {
                (void) buf_append(out, json, (size_t) (lf - json));
                (void) buf_puts(out, "\ndata: ");
                n -= (size_t) (lf - json) + 1;
                json = lf + 1;
        }
        (void) buf_append(out, json, n);
        (void) buf_puts(out, "\n\n");
}

static int stream_event(Interaction *i, const char *json, size_t n, JsonView root, Buf *out,
                        Verdict *ret_verdict) {
        JsonView type, interaction, status, error, usage;
        const JsonMember members[] = {
                JSON_MEMBER("event_type", &type), JSON_MEMBER("interaction", &interaction),
                JSON_MEMBER("status", &status),   JSON_MEMBER("error", &error),
                JSON_MEMBER("usage", &usage),
        };
        char text[TYPE_MAX];

        json_view_members(root, members, ELEMENTSOF(members));
        if (!i->has_begun && json_view_is(error, '{'))
                return fail(i, json, n, ret_verdict);
        json_view_copy(type, text, sizeof(text));
        if (!json_view_equals(type, text) || !text_in_charset(text, strlen(text), TYPE_CHARS))
                text[0] = 0;
        if (!i->has_begun && !text[0])
                return fail(i, json, n, ret_verdict);
        if (json_view_is(interaction, '{'))
                note(i, interaction);
        if (json_view_is(status, '"'))
                note_status(i, status);
        read_usage(usage, &i->t.usage);
        i->has_begun = true;
        write_event(text, json, n, out);
        return out->error;
}

static int interaction_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict) {
        static const char done[] = "[DONE]";
        Interaction *i = CONTAINER_OF(t, Interaction, t);
        JsonView root;

        if (translation_streams(t) && i->has_begun && n == sizeof(done) - 1 && memcmp(json, done, n) == 0) {
                write_event("done", json, n, out);
                return out->error;
        }
        if (json_fault(json, n) || json_first(json, n) != '{')
                return fail(i, json, n, ret_verdict);
        root = json_view(json, n);
        return translation_streams(t) ? stream_event(i, json, n, root, out, ret_verdict)
                                      : whole_event(i, json, n, root, ret_verdict);
}

/* --- the end --- */

static int interaction_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        Interaction *i = CONTAINER_OF(t, Interaction, t);

        if (translation_streams(t)) {
                if (i->has_begun)
                        return out->error;
                verdict_init(ret_verdict, VERDICT_CUT, 0, "The stream ended without an event.");
                return DIALECT_E_VERDICT;
        }
        return i->answer.n > 0 ? buf_append(out, buf_data(&i->answer), i->answer.n) : i->answer.error;
}

static const char *code_of(int status) {
        static const struct {
                int status;
                const char *code;
        } rows[] = {
                { 400, "invalid_request" },   { 401, "authentication_error" },
                { 403, "permission_denied" }, { 404, "not_found" },
                { 429, "rate_limit_exceeded" }, { 502, "bad_gateway" },
                { 503, "service_unavailable" }, { 504, "gateway_timeout" },
        };

        for (size_t k = 0; k < ELEMENTSOF(rows); k++)
                if (rows[k].status == status)
                        return rows[k].code;
        return "internal_error";
}

static void interaction_stream_error(Translation *t _unused_, const ApiError *e, Buf *out) {
        _cleanup_buf_ Buf json = BUF_INIT(64U << 10);
        JWriter w = JWRITER_INIT(&json);

        jwrite_object(&w, NULL);
        jwrite_string(&w, "event_type", "error");
        jwrite_object(&w, "error");
        jwrite_string(&w, "code", code_of(error_shape_status(&error_shape_google, e)));
        jwrite_string(&w, "message", e->message);
        jwrite_end(&w);
        jwrite_end(&w);
        if (json.error >= 0)
                write_event("error", buf_data(&json), json.n, out);
}

static void interaction_reset(Translation *t) {
        Interaction *i = CONTAINER_OF(t, Interaction, t);

        t->usage = (Usage){};
        t->finish_reason = t->native.made = NULL;
        t->settled = 0;
        i->has_begun = i->has_name = false;
        i->finish[0] = 0;
        buf_clear(&i->answer);
}

static Translation *interaction_translation_free(Translation *t) {
        (void) interaction_free(CONTAINER_OF(t, Interaction, t));
        return NULL;
}

#define INTERACTION(called, reads)                                                                          \
        {                                                                                                   \
                .name = called,                                                                             \
                .blank = ":\n\n",                                                                           \
                .key_argument = true,                                                                       \
                .request = reads,                                                                           \
                .event = interaction_event,                                                                 \
                .finish = interaction_finish,                                                               \
                .stream_error = interaction_stream_error,                                                   \
                .reset = interaction_reset,                                                                 \
                .free = interaction_translation_free,                                                       \
        }

const Dialect dialect_interactions = INTERACTION("interactions", interaction_request);
const Dialect dialect_decisions = INTERACTION("decisions", decision_request);
const Dialect dialect_watch = INTERACTION("interactions", watch_request);
