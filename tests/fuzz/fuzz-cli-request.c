/* SPDX-License-Identifier: MIT */

/* A request on its way through the CLI and back: the runner gets one line of JSON within its ceiling; the
 * listener removes the guards of a CLI's texts. And the same bytes as a request of the CLI: a JSON object
 * goes upstream. */

#include <errno.h>
#include <string.h>

#include "base/guard.h"
#include "base/job-protocol.h"
#include "base/json/write.h"
#include "base/text.h"
#include "dialect/cli/request.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

#define OUT_MAX (64U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static struct json_object *parse_object(const char *s, size_t n) {
        struct json_object *o = NULL;

        check(json_parse(s, n, &o) == 0);
        check(json_object_is_type(o, json_type_object));
        return o;
}

static void write_turn(JWriter *w, const char *role, struct json_object *text) {
        _cleanup_buf_ Buf guarded = BUF_INIT(OUT_MAX);
        const char *s;
        size_t n;

        s = json_string(text, &n);
        check(s && guard_append(&guarded, s, n) == 0);
        jwrite_string(w, "role", role);
        jwrite_array(w, "parts");
        jwrite_object(w, NULL);
        jwrite_string_n(w, "text", buf_data(&guarded), guarded.n);
        jwrite_end(w);
        jwrite_end(w);
}

/* As the CLI does. */
static void write_request(struct json_object *job, Buf *out) {
        struct json_object *history = json_get(job, "history");
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        jwrite_array(&w, "contents");
        for (size_t i = 0; i < json_array_length(history); i++) {
                struct json_object *turn = json_object_array_get_idx(history, i);

                jwrite_object(&w, NULL);
                write_turn(&w, json_get_string(turn, "role"), json_get(turn, "text"));
                jwrite_end(&w);
        }
        jwrite_object(&w, NULL);
        write_turn(&w, "user", json_get(job, "prompt"));
        jwrite_end(&w);
        jwrite_end(&w);
        if (json_get(job, "system")) {
                jwrite_object(&w, "systemInstruction");
                write_turn(&w, "user", json_get(job, "system"));
                jwrite_end(&w);
        }
        jwrite_end(&w);
        check(out->error == 0);
}

static void check_text(struct json_object *content, struct json_object *text) {
        struct json_object *part = json_object_array_get_idx(json_get(content, "parts"), 0);

        check(json_object_equal(json_get(part, "text"), text));
}

static void check_way_back(const CliRequest *q) {
        _cleanup_json_ struct json_object *line = parse_object(buf_data(&q->job), q->job.n), *up = NULL;
        struct json_object *job = json_get_typed(line, "job", json_type_object), *contents, *history;
        _cleanup_buf_ Buf sent = BUF_INIT(OUT_MAX), upstream = BUF_INIT(OUT_MAX);
        ApiError e;
        size_t n;

        write_request(job, &sent);
        check(cli_request_restore(buf_data(&sent), sent.n, NULL, &upstream, &e) == 0);
        up = parse_object(buf_data(&upstream), upstream.n);
        contents = json_get(up, "contents");
        history = json_get(job, "history");
        n = json_array_length(history);
        check(q->dialogue == (n > 0));
        check(json_array_length(contents) == n + 1);
        for (size_t i = 0; i < n; i++)
                check_text(json_object_array_get_idx(contents, i),
                           json_get(json_object_array_get_idx(history, i), "text"));
        check_text(json_object_array_get_idx(contents, n), json_get(job, "prompt"));
        if (json_get(job, "system"))
                check_text(json_get(up, "systemInstruction"), json_get(job, "system"));

        buf_clear(&upstream);
        check(cli_request_restore(buf_data(&sent), sent.n, q->asked, &upstream, &e) == 0);
        json_putp(&up);
        up = parse_object(buf_data(&upstream), upstream.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(cli_request_done) CliRequest q = CLI_REQUEST_NULL;
        _cleanup_buf_ Buf upstream = BUF_INIT(OUT_MAX);
        const char *s = (const char *) data;
        ApiError e;
        int r;

        r = cli_request_split(s, size, &q, &e);
        check(r == 0 || r == DIALECT_E_REFUSED);
        if (r == 0) {
                check(q.job.n < JOB_LINE_MAX && !memchr(buf_data(&q.job), '\n', q.job.n));
                check(text_is_utf8(buf_data(&q.job), q.job.n));
                check_way_back(&q);
        } else
                check((e.status == 400 || e.status == 413) && e.message[0]);

        r = cli_request_restore(s, size, "{\"generationConfig\":{\"temperature\":0.5},\"a\":[1]}",
                                &upstream, &e);
        check(r == 0 || (r == DIALECT_E_REFUSED && upstream.n == 0));
        if (r == 0) {
                _cleanup_json_ struct json_object *o = parse_object(buf_data(&upstream), upstream.n);

                check(json_get(json_get(o, "generationConfig"), "temperature"));
        }
        return 0;
}
