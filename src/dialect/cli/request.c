/* SPDX-License-Identifier: MIT */

/*
 * The CLI takes text in three places: its system prompt file, a session file for the previous dialogue, and
 * standard input for the user's current message. It cannot take the rest of a request (temperature, limits,
 * safety, schema …), and sends its own values instead. So the rest is kept beside the job, and is restored
 * in the CLI's request on its way upstream.
 */

#include <errno.h>

#include "base/guard.h"
#include "base/job-protocol.h"
#include "base/json/write.h"
#include "base/text.h"
#include "dialect/cli/request.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

/* --- the input of the CLI --- */

/* Appends the texts of a content's parts, a line each. False if a part is not text. */
static bool read_text(struct json_object *content, Buf *ret) {
        struct json_object *parts = json_get_typed(content, "parts", json_type_array);
        size_t n = json_array_length(parts);

        for (size_t i = 0; i < n; i++) {
                struct json_object *part = json_object_array_get_idx(parts, i);
                const char *s;
                size_t k;

                s = json_string(json_get(part, "text"), &k);
                if (!s)
                        return false;
                if (i > 0)
                        (void) buf_putc(ret, '\n');
                (void) buf_append(ret, s, k);
        }
        return true;
}

static bool is_model(struct json_object *content) {
        return streq(strempty(json_get_string(content, "role")), "model");
}

/* Writes the content's text as a member and takes its size from what is left of `room`. */
static int write_text(JWriter *w, const char *key, struct json_object *content, size_t *room,
                      const char *what, ApiError *ret_error) {
        _cleanup_buf_ Buf text = BUF_INIT(*room);

        if (!read_text(content, &text))
                return dialect_refuse(ret_error, NULL,
                                      "The Gemini CLI takes text only: images, files and tools go without "
                                      "`cli/`.");
        if (text.error == -E2BIG)
                return dialect_refuse(ret_error, NULL,
                                      "The %s is larger than the Gemini CLI is given here.", what);
        if (text.error < 0)
                return text.error;
        jwrite_string_n(w, key, text.n > 0 ? buf_data(&text) : "", text.n);
        *room -= text.n;
        return 0;
}

static int write_history(JWriter *w, struct json_object *contents, size_t n, ApiError *ret_error) {
        size_t room = CLI_HISTORY_MAX;
        int r;

        if (n > CLI_TURNS_MAX)
                return dialect_refuse(ret_error, NULL, "The Gemini CLI is given no more than %u turns here.",
                                      CLI_TURNS_MAX);
        jwrite_array(w, "history");
        for (size_t i = 0; i < n; i++) {
                struct json_object *content = json_object_array_get_idx(contents, i);

                jwrite_object(w, NULL);
                jwrite_string(w, "role", is_model(content) ? "model" : "user");
                r = write_text(w, "text", content, &room, "conversation", ret_error);
                if (r != 0)
                        return r;
                jwrite_end(w);
        }
        jwrite_end(w);
        return 0;
}

static int write_job(struct json_object *root, CliRequest *q, ApiError *ret_error) {
        struct json_object *contents = json_get_typed(root, "contents", json_type_array);
        struct json_object *system = json_get_typed(root, "systemInstruction", json_type_object);
        size_t n = json_array_length(contents), room = CLI_PROMPT_MAX, room_system = CLI_SYSTEM_MAX;
        JWriter w = JWRITER_INIT(&q->job);
        int r;

        if (n == 0 || is_model(json_object_array_get_idx(contents, n - 1)))
                return dialect_refuse(ret_error, NULL,
                                      "The Gemini CLI answers a user: the last message must be one of "
                                      "theirs.");
        jwrite_object(&w, NULL);
        jwrite_object(&w, "job");
        r = write_text(&w, "prompt", json_object_array_get_idx(contents, n - 1), &room, "prompt", ret_error);
        if (r != 0)
                return r;
        q->n_prompt = CLI_PROMPT_MAX - room;
        if (q->n_prompt == 0)
                return dialect_refuse(ret_error, NULL, "The Gemini CLI needs a prompt that is not empty.");
        if (system) {
                r = write_text(&w, "system", system, &room_system, "system prompt", ret_error);
                if (r != 0)
                        return r;
        }
        q->dialogue = n > 1;
        if (q->dialogue) {
                r = write_history(&w, contents, n - 1, ret_error);
                if (r != 0)
                        return r;
        }
        jwrite_end(&w);
        jwrite_end(&w);
        return q->job.error;
}

/* Removes from `root` what the CLI gets as input; the rest is kept beside the job. */
static int keep_asked(struct json_object *root, CliRequest *q, ApiError *ret_error) {
        struct json_object *config = json_get_typed(root, "generationConfig", json_type_object);
        const char *s;

        if (json_array_length(json_get(root, "tools")) > 0)
                return dialect_refuse(ret_error, "tools", "The Gemini CLI has no tools here.");
        if (json_object_get_int64(json_get(config, "candidateCount")) > 1)
                return dialect_refuse(ret_error, "n", "The Gemini CLI gives one answer: n must be 1.");
        json_object_object_del(root, "contents");
        json_object_object_del(root, "systemInstruction");
        json_object_object_del(root, "tools");
        if (json_object_object_length(root) == 0)
                return 0;
        s = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN);
        q->asked = s ? strdup(s) : NULL;
        return q->asked ? 0 : -ENOMEM;
}

int cli_request_split(const char *body, size_t n, CliRequest *ret, ApiError *ret_error) {
        _cleanup_(cli_request_done) CliRequest q = { .job = BUF_INIT_SECRET(JOB_LINE_MAX) };
        _cleanup_json_ struct json_object *root = NULL;
        int r;

        r = json_parse_body(body, n, &root, ret_error);
        if (r != 0)
                return r;
        r = write_job(root, &q, ret_error);
        if (r != 0)
                return r;
        r = keep_asked(root, &q, ret_error);
        if (r != 0)
                return r;
        *ret = q;
        q = CLI_REQUEST_NULL;
        return 0;
}

void cli_request_done(CliRequest *r) {
        buf_done(&r->job);
        free(r->asked);
        *r = CLI_REQUEST_NULL;
}

/* --- the request for upstream --- */

/* 1 if one of its texts came from the client, 0 if none did. */
static int restore_parts(struct json_object *content) {
        struct json_object *parts = json_get_typed(content, "parts", json_type_array);
        size_t n = json_array_length(parts);
        int r, found = 0;

        for (size_t i = 0; i < n; i++) {
                struct json_object *part = json_object_array_get_idx(parts, i),
                                   *text = json_get(part, "text");
                _cleanup_buf_ Buf plain = BUF_INIT(SIZE_MAX / 2); /* never longer than its input */
                const char *s;
                size_t k;

                s = json_string(text, &k);
                if (!s)
                        continue;
                r = guard_remove(&plain, s, k);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                if (!json_object_set_string_len(text, plain.n > 0 ? buf_data(&plain) : "", (int) plain.n))
                        return -ENOMEM;
                found = 1;
        }
        return found;
}

/* Without tools the CLI sends `{"functionDeclarations": []}`, which Gemini refuses. */
static void drop_empty_tools(struct json_object *root) {
        struct json_object *tools = json_get_typed(root, "tools", json_type_array);
        size_t n = json_array_length(tools);

        for (size_t i = n; i-- > 0;) {
                struct json_object *tool = json_object_array_get_idx(tools, i);
                struct json_object *list = json_get_typed(tool, "functionDeclarations", json_type_array);

                if (!list || json_array_length(list) > 0)
                        continue;
                json_object_object_del(tool, "functionDeclarations");
                if (json_object_object_length(tool) == 0)
                        (void) json_object_array_del_idx(tools, i, 1);
        }
        if (tools && json_array_length(tools) == 0) {
                json_object_object_del(root, "tools");
                json_object_object_del(root, "toolConfig");
        }
}

/* The settings are the client's, or none. Those of the CLI (temperature, thinking …) are for the model that
 * it was started with, and another model may refuse them. */
static int put_asked(struct json_object *root, struct json_object *asked) {
        json_object_object_del(root, "generationConfig");
        if (!asked)
                return 0;
        json_object_object_foreach(asked, name, value) {
                if (json_object_object_add(root, name, json_object_get(value)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int cli_request_restore(const char *body, size_t n, const char *asked, Buf *ret, ApiError *ret_error) {
        _cleanup_json_ struct json_object *root = NULL, *wanted = NULL;
        struct json_object *contents;
        size_t length;
        const char *s;
        int r;

        r = json_parse_body(body, n, &root, ret_error);
        if (r != 0)
                return r;
        contents = json_get_typed(root, "contents", json_type_array);
        for (size_t i = 0; i < json_array_length(contents); i++) {
                r = restore_parts(json_object_array_get_idx(contents, i));
                if (r < 0)
                        return r;
        }
        r = restore_parts(json_get_typed(root, "systemInstruction", json_type_object));
        if (r < 0)
                return r;
        if (r == 0) /* a system text of the CLI: the client sent none */
                json_object_object_del(root, "systemInstruction");
        drop_empty_tools(root);
        if (asked) {
                r = json_parse(asked, strlen(asked), &wanted);
                if (r < 0)
                        return r;
        }
        r = put_asked(root, wanted);
        if (r < 0)
                return r;
        s = json_object_to_json_string_length(root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
                                              &length);
        return s ? buf_append(ret, s, length) : -ENOMEM;
}
