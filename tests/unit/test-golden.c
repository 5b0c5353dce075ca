/* SPDX-License-Identifier: MIT */

/*
 * The dialects, by example. A case is a few files of one NAME in tests/golden/DIALECT/:
 *
 *     NAME.request.json   the client's request  → NAME.gemini.json      Gemini's request, compared as JSON
 *     NAME.events.sse     Gemini's stream       → NAME.stream.expected  what the client gets, byte for byte
 *     NAME.answer.json    Gemini's answer       → NAME.answer.expected  likewise
 *
 * If the dialect then has another request, Gemini's answer to it is in NAME.events-2.sse or
 * NAME.answer-2.json, and so on. An answer belongs to NAME.request.json if there is one, else to a plain
 * request. If upstream's bytes are not an answer, the expectation ends with a line `! CLASS STATUS MESSAGE`,
 * behind the bytes for a client whose stream has begun.
 *
 * To add a case, write the left side, run this program with GOLDEN_UPDATE=1 in the environment, and read
 * what it wrote.
 */

#include "test-data.h"

#include <dirent.h>

#include "base/text.h"
#include "core/sse.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

#define FILE_MAX (16U << 20)

static const struct {
        const char *directory;
        const Dialect *dialect;
        const char *request; /* for answers without a request file */
} dialects[] = {
        { "openai-chat", &dialect_openai_chat,
          "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true,\"stream_options\":{"
          "\"include_usage\":true}}" },
        { "openai-responses", &dialect_openai_responses, "{\"input\":\"hi\",\"stream\":true}" },
        { "anthropic-messages", &dialect_anthropic_messages,
          "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true,\"max_tokens\":99}" },
        { "anthropic-count-tokens", &dialect_anthropic_count_tokens,
          "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}" },
        { "openai-completions", &dialect_openai_completions,
          "{\"prompt\":\"hi\",\"echo\":true,\"stream\":true,\"stream_options\":{"
          "\"include_usage\":true}}" },
};

static const DialectContext context = {
        .default_model = "gemini-3.8-flash",
        .request_id = "req-1",
        .created = 1790000000,
};

static void path_of(char ret[static 512], const char *directory, const char *name, const char *suffix) {
        (void) snprintf(ret, 512, "golden/%s/%s%s", directory, name, suffix);
}

static void update(const char *path, const Buf *b) {
        char full[4096];
        FILE *f;

        (void) snprintf(full, sizeof(full), "%s/%s", TEST_DATA, path);
        f = fopen(full, "we");
        assert_non_null(f);
        assert_int_equal(fwrite(buf_data(b), 1, b->n, f), b->n);
        assert_int_equal(fclose(f), 0);
}

/* The expected file, which GOLDEN_UPDATE first makes of what was got. */
static void read_expected(const char *path, const Buf *got, Buf *ret) {
        if (getenv("GOLDEN_UPDATE"))
                update(path, got);
        if (!test_read(path, ret))
                fail_msg("%s is missing: run with GOLDEN_UPDATE=1, then read it", path);
}

static Translation *translate(const Dialect *d, const char *json, size_t n) {
        Translation *t = NULL;
        ApiError e = {};

        if (d->request(&context, json, n, &t, &e) != 0)
                fail_msg("refused: %s", e.message);
        return t;
}

static void run_request(const Dialect *d, const char *directory, const char *name) {
        _cleanup_buf_ Buf request = BUF_INIT(FILE_MAX), got = BUF_INIT(FILE_MAX),
                          expected = BUF_INIT(FILE_MAX);
        _cleanup_json_ struct json_object *a = NULL, *b = NULL;
        _cleanup_(translation_freep) Translation *t = NULL;
        char path[512];

        path_of(path, directory, name, ".request.json");
        assert_true(test_read(path, &request));
        t = translate(d, buf_data(&request), request.n);

        assert_int_equal(json_parse(buf_data(&t->gemini), t->gemini.n, &a), 0);
        (void) buf_puts(&got, json_object_to_json_string_ext(a, JSON_C_TO_STRING_PRETTY |
                                                                        JSON_C_TO_STRING_NOSLASHESCAPE));
        (void) buf_putc(&got, '\n');

        path_of(path, directory, name, ".gemini.json");
        read_expected(path, &got, &expected);
        assert_int_equal(json_parse(buf_data(&expected), expected.n, &b), 0);
        if (!json_object_equal(a, b))
                assert_string_equal(buf_cstr(&got), buf_cstr(&expected));
}

typedef struct Run {
        Translation *t;
        Buf out;
        Verdict verdict;
} Run;

static int on_event(const char *data, size_t n, void *userdata) {
        Run *run = userdata;

        int r = translation_event(run->t, data, n, &run->out, &run->verdict);

        return r == 0 || r == DIALECT_E_LATE ? 0 : -EBADMSG;
}

/* What the exchange would do. */
static int drive(Run *run, const Buf *upstream) {
        const Dialect *d = run->t->dialect;
        int r;

        if (translation_streams(run->t)) {
                Sse sse;

                sse_init(&sse, FILE_MAX, FILE_MAX);
                r = sse_feed(&sse, buf_data(upstream), upstream->n, on_event, run);
                if (r == 0)
                        r = sse_end(&sse, on_event, run);
                sse_done(&sse);
        } else
                r = on_event(buf_data(upstream), upstream->n, run);
        if (r == 0)
                r = d->finish(run->t, &run->out, &run->verdict);
        if (r == DIALECT_E_MORE) {
                d->reset(run->t);
                return r;
        }
        if (r == DIALECT_E_EMPTY || r == DIALECT_E_BLAMED) /* the answer, if no key gives a better one */
                r = 0;
        if (r != 0) {
                ApiError e;

                assert_true(r == -EBADMSG || r == DIALECT_E_VERDICT);
                api_error_from_verdict(&e, &run->verdict, run->t->model);
                if (run->out.n > 0)
                        d->stream_error(run->t, &e, &run->out);
                (void) buf_printf(&run->out, "! %s %d %s\n", verdict_rule(run->verdict.class)->name,
                                  run->verdict.status, run->verdict.message);
        }
        assert_int_equal(run->out.error, 0);
        return r;
}

/* Gemini's answer to the first request, or to another one that the dialect has after it. */
static void read_hop(const char *directory, const char *name, bool stream, unsigned hop, Buf *ret) {
        char number[16] = "", suffix[64], path[512];

        if (hop > 1)
                (void) snprintf(number, sizeof(number), "-%u", hop);
        (void) snprintf(suffix, sizeof(suffix), stream ? ".events%s.sse" : ".answer%s.json", number);
        path_of(path, directory, name, suffix);
        buf_clear(ret);
        if (!test_read(path, ret))
                fail_msg("%s is missing", path);
}

static void compare(Run *run, const char *directory, const char *name, bool stream) {
        _cleanup_buf_ Buf expected = BUF_INIT(FILE_MAX);
        char path[512];

        path_of(path, directory, name, stream ? ".stream.expected" : ".answer.expected");
        read_expected(path, &run->out, &expected);
        assert_string_equal(buf_cstr(&run->out), buf_cstr(&expected));
}

static void run_answer(const Dialect *d, const char *directory, const char *name, bool stream,
                       const char *plain) {
        _cleanup_buf_ Buf request = BUF_INIT(FILE_MAX), upstream = BUF_INIT(FILE_MAX);
        _cleanup_(translation_freep) Translation *t = NULL;
        Run run = { .out = BUF_INIT(FILE_MAX) };
        size_t begin = 0;
        char path[512];

        path_of(path, directory, name, ".request.json");
        if (!test_read(path, &request))
                (void) buf_puts(&request, plain);
        run.t = t = translate(d, buf_data(&request), request.n);
        t->method = stream ? GEMINI_STREAM : GEMINI_GENERATE;
        (void) snprintf(t->served, sizeof(t->served), "%s", t->model);

        read_hop(directory, name, stream, 1, &upstream);
        for (unsigned hop = 2; drive(&run, &upstream) == DIALECT_E_MORE; hop++) {
                begin = run.out.n;
                read_hop(directory, name, stream, hop, &upstream);
        }
        compare(&run, directory, name, stream);

        /* The last answer once more after a reset, as when another key is tried: nothing of it may be
         * left. */
        d->reset(t);
        run.out.n = begin;
        assert_int_not_equal(drive(&run, &upstream), DIALECT_E_MORE);
        compare(&run, directory, name, stream);
        buf_done(&run.out);
}

static bool cut_suffix(char *name, const char *suffix) {
        size_t n = strlen(name), k = strlen(suffix);

        if (n <= k || !streq(name + n - k, suffix))
                return false;
        name[n - k] = 0;
        return true;
}

static void test_golden(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(dialects); i++) {
                const Dialect *d = dialects[i].dialect;
                struct dirent **entries;
                unsigned cases = 0;
                char full[4096];
                int n;

                (void) snprintf(full, sizeof(full), "%s/golden/%s", TEST_DATA, dialects[i].directory);
                n = scandir(full, &entries, NULL, alphasort);
                assert_true(n > 0);
                for (int k = 0; k < n; k++) {
                        char *name = entries[k]->d_name;

                        print_message("%s/%s\n", dialects[i].directory, name);
                        cases++;
                        if (cut_suffix(name, ".request.json"))
                                run_request(d, dialects[i].directory, name);
                        else if (cut_suffix(name, ".events.sse"))
                                run_answer(d, dialects[i].directory, name, true, dialects[i].request);
                        else if (cut_suffix(name, ".answer.json"))
                                run_answer(d, dialects[i].directory, name, false, dialects[i].request);
                        else
                                cases--;
                        free(entries[k]);
                }
                free(entries);
                assert_true(cases > 0);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_golden),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
