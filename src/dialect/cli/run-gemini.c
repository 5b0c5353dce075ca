/* SPDX-License-Identifier: MIT */

/*
 * POST /run-gemini: sends one prompt to the Gemini CLI, as `gemini -p PROMPT` would, and returns the CLI's
 * result. Each failure has its own status: a 200 is always an answer.
 *
 *     {"command", "model"?, "system"?, "stream"?, "timeout"?}
 *       → {command_executed, stdout, stderr, exit_code, execution_time, success, finish_reason, usage,
 * model, api_key_used}
 *
 * As a stream: `data: {"stdout": "…"}` for each piece, then the same object as above, with all of stdout.
 */

#include <errno.h>
#include <stdio.h>

#include "base/json/write.h"
#include "base/text.h"
#include "core/model.h"
#include "dialect/dialect.h"
#include "dialect/error-shape.h"
#include "dialect/gemini/event.h"
#include "dialect/json.h"
#include "dialect/part.h"
#include "dialect/request-model.h"
#include "dialect/store-member.h"

typedef struct RunGemini {
        Translation t;
        Buf text;
        struct json_object *cli;  /* the engine's report on the job; NULL before the last event */
        struct json_object *root; /* the object that contains it */
} RunGemini;

static RunGemini *run_free(RunGemini *g) {
        if (!g)
                return NULL;
        buf_done(&g->t.gemini);
        buf_done(&g->text);
        json_putp(&g->root);
        free(g);
        return NULL;
}
DEFINE_CLEANUP(RunGemini *, run_free);

/* --- the request --- */

static int check_members(struct json_object *root, ApiError *ret_error) {
        static const struct {
                const char *name;
                enum json_type type, or ;
                const char *what;
        } members[] = {
                { "command", json_type_string, json_type_string, "a string: the prompt" },
                { "model", json_type_string, json_type_string, "the name of a model" },
                { "system", json_type_string, json_type_string, "a string: the system prompt" },
                { "stream", json_type_boolean, json_type_boolean, "true or false" },
                { "timeout", json_type_int, json_type_double, "a number of seconds" },
        };

        json_object_object_foreach(root, name, value) {
                for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                        if (!value || !streq(members[i].name, name))
                                continue;
                        if (!json_object_is_type(value, members[i].type) &&
                            !json_object_is_type(value, members[i].or))
                                return dialect_refuse(ret_error, members[i].name, "%s must be %s.",
                                                      members[i].name, members[i].what);
                }
        }
        return 0;
}

static int read_timeout(struct json_object *o, Translation *t, ApiError *ret_error) {
        double seconds = json_object_get_double(o);

        if (!o)
                return 0;
        if (!(seconds > 0 && seconds <= 86400))
                return dialect_refuse(ret_error, "timeout",
                                      "timeout must be more than 0 and at most 86400 seconds.");
        t->timeout = MAX((usec_t) (seconds * (double) USEC_PER_SEC), (usec_t) 1);
        return 0;
}

static void write_part(JWriter *w, const char *text, size_t n) {
        jwrite_array(w, "parts");
        jwrite_object(w, NULL);
        jwrite_string_n(w, "text", text, n);
        jwrite_end(w);
        jwrite_end(w);
}

static int write_request(const DialectContext *c, struct json_object *root, Buf *out, ApiError *ret_error) {
        const char *command, *system;
        size_t n_command = 0, n_system = 0;
        JWriter w = JWRITER_INIT(out);

        command = json_string(json_get(root, "command"), &n_command);
        system = json_string(json_get(root, "system"), &n_system);
        if (!command || n_command == 0 || strspn(command, TEXT_WHITESPACE) == n_command)
                return dialect_refuse(ret_error, "command", "command must be a prompt that is not empty.");
        if (n_command > CLI_PROMPT_MAX)
                return dialect_refuse(ret_error, "command",
                                      "command is larger than the Gemini CLI is given (%u "
                                      "bytes).", CLI_PROMPT_MAX);
        if (n_system > CLI_SYSTEM_MAX)
                return dialect_refuse(ret_error, "system",
                                      "system is larger than the Gemini CLI is given (%u "
                                      "bytes).", CLI_SYSTEM_MAX);

        jwrite_object(&w, NULL);
        if (system && n_system > 0) {
                jwrite_object(&w, "systemInstruction");
                write_part(&w, system, n_system);
                jwrite_end(&w);
        }
        jwrite_array(&w, "contents");
        jwrite_object(&w, NULL);
        jwrite_string(&w, "role", "user");
        write_part(&w, command, n_command);
        jwrite_end(&w);
        jwrite_end(&w);
        store_member_write(c, (JsonView){}, &w);
        jwrite_end(&w);
        return out->error;
}

static int run_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                       ApiError *ret_error) {
        _cleanup_json_ struct json_object *root = NULL;
        _cleanup_(run_freep) RunGemini *g = NULL;
        int r;

        r = json_parse_body(body, n, &root, ret_error);
        if (r != 0)
                return r;
        g = calloc(1, sizeof(RunGemini));
        if (!g)
                return -ENOMEM;
        g->t.dialect = &dialect_run_gemini;
        g->t.gemini = BUF_INIT(6 * n + 1024); /* a control character is written as six bytes */
        g->text = BUF_INIT(UPSTREAM_ANSWER_MAX);
        r = check_members(root, ret_error);
        if (r != 0)
                return r;
        if (request_model(c, json_get(root, "model"), &g->t) < 0)
                return dialect_refuse(ret_error, "model", "model must be the name of a model.");
        g->t.cli = true; /* with or without the prefix */
        r = read_timeout(json_get(root, "timeout"), &g->t, ret_error);
        if (r != 0)
                return r;
        r = write_request(c, root, &g->t.gemini, ret_error);
        if (r != 0)
                return r;
        g->t.method = json_object_get_boolean(json_get(root, "stream")) ? GEMINI_STREAM : GEMINI_GENERATE;
        *ret = &TAKE_PTR(g)->t;
        return 0;
}

/* --- the answer --- */

static int run_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict) {
        RunGemini *g = CONTAINER_OF(t, RunGemini, t);
        GeminiEvent e;
        GeminiPart part;
        size_t before = g->text.n;
        GeminiCandidate c;
        int r;

        r = gemini_event_parse(json, n, &e, ret_verdict);
        if (r != 0)
                return r;
        gemini_event_count(&e, &t->counts, &t->usage);
        if (gemini_event_next(&e, &c))
                while (gemini_part_next(&c.parts, &part))
                        (void) gemini_part_append(&part, &g->text);
        if (!json_view_is_null(json_view_get(e.root, "gemgateCli"))) {
                json_putp(&g->root);
                g->root = NULL;
                r = json_parse(json, n, &g->root);
                if (r < 0)
                        return r;
                g->cli = json_get_typed(g->root, "gemgateCli", json_type_object);
                t->settled = 1;
        }
        if (translation_streams(t) && g->text.n > before) {
                JWriter w = JWRITER_INIT(out);

                (void) buf_puts(out, "data: ");
                jwrite_object(&w, NULL);
                jwrite_string_n(&w, "stdout", buf_data(&g->text) + before, g->text.n - before);
                jwrite_end(&w);
                (void) buf_puts(out, "\n\n");
        }
        return g->text.error < 0 ? g->text.error : out->error;
}

static void write_usage(JWriter *w, const Usage *u) {
        jwrite_object(w, "usage");
        jwrite_uint(w, "prompt_tokens", u->prompt);
        jwrite_uint(w, "completion_tokens", u->completion);
        jwrite_uint(w, "total_tokens", u->total);
        jwrite_end(w);
}

static void write_answer(RunGemini *g, Buf *out) {
        int64_t exit_code = json_object_get_int64(json_get(g->cli, "exitCode"));
        int64_t usec = json_object_get_int64(json_get(g->cli, "durationUsec"));
        double seconds = (double) usec / (double) USEC_PER_SEC; /* never beyond what JSON can hold */
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        jwrite_string(&w, "command_executed", json_get_string(g->cli, "command"));
        jwrite_string_n(&w, "stdout", g->text.n > 0 ? buf_data(&g->text) : "", g->text.n);
        jwrite_string(&w, "stderr", json_get_string(g->cli, "stderr"));
        if (exit_code < 0)
                jwrite_null(&w, "exit_code");
        else
                jwrite_int(&w, "exit_code", exit_code);
        jwrite_fixed(&w, "execution_time", seconds, 3);
        jwrite_bool(&w, "success", json_object_get_boolean(json_get(g->cli, "success")));
        jwrite_string(&w, "finish_reason", g->t.finish_reason);
        write_usage(&w, &g->t.usage);
        jwrite_string(&w, "model", g->t.served);
        jwrite_string(&w, "api_key_used", json_get_string(g->cli, "key"));
        jwrite_end(&w);
}

static int run_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        RunGemini *g = CONTAINER_OF(t, RunGemini, t);

        if (!g->cli) {
                verdict_init(ret_verdict, VERDICT_CUT, 0, "the Gemini CLI's answer has no end");
                return DIALECT_E_VERDICT;
        }
        t->finish_reason = json_get_string(g->cli, "finishReason");
        if (translation_streams(t))
                (void) buf_puts(out, "data: ");
        write_answer(g, out);
        if (translation_streams(t))
                (void) buf_puts(out, "\n\n");
        return out->error;
}

static void run_stream_error(Translation *t _unused_, const ApiError *e, Buf *out) {
        (void) buf_puts(out, "data: ");
        error_shape_openai.write(e, NULL, out);
        (void) buf_puts(out, "\n\n");
}

static void run_reset(Translation *t) {
        RunGemini *g = CONTAINER_OF(t, RunGemini, t);

        t->counts = (GeminiCounts){};
        t->usage = (Usage){};
        t->finish_reason = NULL;
        t->settled = 0;
        buf_clear(&g->text);
        json_putp(&g->root);
        g->root = g->cli = NULL;
}

static Translation *run_translation_free(Translation *t) {
        (void) run_free(CONTAINER_OF(t, RunGemini, t));
        return NULL;
}

const Dialect dialect_run_gemini = {
        .name = "run-gemini",
        .ping = ": ping\n\n",
        .is_cli = true,
        .request = run_request,
        .event = run_event,
        .finish = run_finish,
        .stream_error = run_stream_error,
        .reset = run_reset,
        .free = run_translation_free,
};
