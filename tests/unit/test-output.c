/* SPDX-License-Identifier: MIT */

/*
 * The CLI's stdout: a table of streams and of the lines that the daemon gets for each. Every stream is fed
 * whole, byte by byte, and cut in two at every position; the result must be the same.
 */
#include "test.h"

#include "base/job-protocol.h"
#include "base/text.h"
#include "runner/output.h"
#include "runner/report.h"

#define INIT "{\"type\":\"init\",\"timestamp\":\"T\",\"session_id\":\"s\",\"model\":\"m\"}\n"
#define USER "{\"type\":\"message\",\"timestamp\":\"T\",\"role\":\"user\",\"content\":\"\\nping\"}\n"
#define SAY(t)                                                                                              \
        "{\"type\":\"message\",\"timestamp\":\"T\",\"role\":\"assistant\",\"content\":\"" t                 \
        "\",\"delta\":true}\n"
#define GOOD                                                                                                \
        "{\"type\":\"result\",\"timestamp\":\"T\",\"status\":\"success\",\"stats\":{\"total_tokens\":7}}\n"
#define BAD(m)                                                                                              \
        "{\"type\":\"result\",\"status\":\"error\",\"error\":{\"type\":\"unknown\",\"message\":\"" m "\"}}" \
                                                                                                     "\n"
#define OOPS(m) "{\"type\":\"error\",\"severity\":\"error\",\"message\":\"" m "\"}\n"

#define TEXT(t) "{\"event\":\"text\",\"text\":\"" t "\"}\n"

typedef struct Row {
        const char *stream;
        const char *told;
        CliStatus status;
        const char *message;
        uint64_t messages, skipped;
} Row;

static const Row rows[] = {
        { "", "", CLI_STATUS_NONE, "", 0, 0 },
        { INIT USER SAY("PO") SAY("NG") GOOD, TEXT("PO") TEXT("NG"), CLI_STATUS_SUCCESS, "", 2, 0 },
        { INIT USER GOOD, "", CLI_STATUS_SUCCESS, "", 0, 0 },
        /* an empty one is a message, but not passed on */
        { SAY("") GOOD, "", CLI_STATUS_SUCCESS, "", 1, 0 },
        { SAY("\\n\\\"\\u0000\\ud83d\\ude00") GOOD, TEXT("\\n\\\"\\u0000\xF0\x9F\x98\x80"),
          CLI_STATUS_SUCCESS, "", 1, 0 },
        /* errors: the result's words, or else the error event's */
        { INIT BAD("[API Error: no]"), "", CLI_STATUS_ERROR, "[API Error: no]", 0, 0 },
        { OOPS("invalid stream") BAD("no text"), "", CLI_STATUS_ERROR, "no text", 0, 0 },
        { OOPS("invalid stream") "{\"type\":\"result\",\"status\":\"error\"}\n", "", CLI_STATUS_ERROR,
          "invalid stream", 0, 0 },
        { OOPS("died"), "", CLI_STATUS_NONE, "died", 0, 0 },
        { OOPS("a warning") SAY("x") GOOD, TEXT("x"), CLI_STATUS_SUCCESS, "", 1, 0 },
        { SAY("par") BAD("terminated"), TEXT("par"), CLI_STATUS_ERROR, "terminated", 1, 0 },
        { BAD("no") OOPS("later"), "", CLI_STATUS_ERROR, "no", 0, 0 },
        { "{\"type\":\"result\",\"status\":\"new\"}\n", "", CLI_STATUS_ERROR, "", 0, 0 },
        /* tools: nothing to the daemon */
        { "{\"type\":\"tool_use\",\"tool_name\":\"glob\",\"tool_id\":\"1\",\"parameters\":{}}\n"
          "{\"type\":\"tool_result\",\"tool_id\":\"1\",\"status\":\"error\"}\n",
          "", CLI_STATUS_NONE, "", 0, 0 },
        { "{\"type\":\"news\",\"content\":\"x\"}\n", "", CLI_STATUS_NONE, "", 0, 0 },
        /* no newline at the end */
        { "{\"type\":\"result\",\"status\":\"success\"}", "", CLI_STATUS_SUCCESS, "", 0, 0 },
        { SAY("a") "{\"type\":\"mess", TEXT("a"), CLI_STATUS_NONE, "", 1, 1 },
        /* lines that are not events */
        { "\n\n", "", CLI_STATUS_NONE, "", 0, 0 },
        { "hello\n" SAY("a") "[]\n7\n{}\n{\"type\":7}\n" SAY("b"), TEXT("a") TEXT("b"), CLI_STATUS_NONE, "",
          2, 5 },
        { "{\"type\":\"message\",\"content\":\"x\"}\n", "", CLI_STATUS_NONE, "", 0, 1 },
        { "{\"type\":\"message\",\"role\":\"assistant\"}\n", "", CLI_STATUS_NONE, "", 0, 1 },
        { "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}\n", "", CLI_STATUS_NONE, "", 0, 1 },
        { "{\"type\":\"result\"}\n", "", CLI_STATUS_NONE, "", 0, 1 },
        { "{\"type\":\"result\",\"status\":\"success\"} {}\n", "", CLI_STATUS_NONE, "", 0, 1 },
        { "\xFF\n" SAY("\xC3"), "", CLI_STATUS_NONE, "", 0, 2 },
        /* a text that looks like another event, or like the user's message */
        { SAY("{\\\"type\\\":\\\"result\\\",\\\"status\\\":\\\"success\\\"}"),
          TEXT("{\\\"type\\\":\\\"result\\\",\\\"status\\\":\\\"success\\\"}"), CLI_STATUS_NONE, "", 1, 0 },
        { SAY(",\\\"role\\\":\\\"user\\\","), TEXT(",\\\"role\\\":\\\"user\\\","), CLI_STATUS_NONE, "", 1,
          0 },
};

/* In pieces of `step` bytes behind the first `first`. */
static void check(const Row *row, size_t first, size_t step) {
        _cleanup_(output_done) CliOutput o;
        _cleanup_buf_ Buf told = BUF_INIT(1 << 20);
        const char *p = row->stream;
        size_t left = strlen(p), k = first;

        output_init(&o);
        while (left > 0) {
                k = MIN(k, left);
                assert_int_equal(output_feed(&o, p, k, &told), 0);
                p += k;
                left -= k;
                k = step;
        }
        assert_int_equal(output_end(&o, &told), 0);
        assert_string_equal(buf_cstr(&told), row->told);
        assert_int_equal(o.status, row->status);
        assert_string_equal(o.message, row->message);
        assert_int_equal(o.messages, row->messages);
        assert_int_equal(o.skipped, row->skipped);
}

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t n = strlen(rows[i].stream);

                check(rows + i, n, n);
                check(rows + i, 1, 1);
                for (size_t at = 1; at < n; at++)
                        check(rows + i, at, n);
        }
}

typedef struct Feeding {
        CliOutput output;
        Buf told;
} Feeding;

static void feeding_done(Feeding *f) {
        output_done(&f->output);
        buf_done(&f->told);
}

static void feed(Feeding *f, const char *s, size_t n) {
        assert_int_equal(output_feed(&f->output, s, n, &f->told), 0);
}

static void feed_long(Feeding *f, const char *before, char c, size_t n, const char *after) {
        _cleanup_free_ char *fill = malloc(n);

        assert_non_null(fill);
        memset(fill, c, n);
        feed(f, before, strlen(before));
        for (size_t at = 0; at < n; at += 1 << 16)
                feed(f, fill + at, MIN(n - at, (size_t) 1 << 16));
        feed(f, after, strlen(after));
}

/* The echo of a long prompt is no fault and takes no memory; any other line of that length is skipped. */
static void test_long_lines(void **state) {
        static const struct {
                const char *before;
                uint64_t skipped;
        } table[] = {
                { "{\"type\":\"message\",\"timestamp\":\"T\",\"role\":\"user\",\"content\":\"", 0 },
                { "{\"type\":\"message\",\"timestamp\":\"T\",\"role\":\"assistant\",\"content\":\"", 1 },
                { "{\"type\":\"tool_result\",\"output\":\"", 1 },
                { "", 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(feeding_done) Feeding f = { .told = BUF_INIT(1 << 20) };

                output_init(&f.output);
                feed_long(&f, table[i].before, 'x', CLI_LINE_MAX + 1, "\"}\n");
                feed(&f, SAY("a"), strlen(SAY("a")));
                assert_string_equal(buf_cstr(&f.told), TEXT("a"));
                assert_int_equal(f.output.skipped, table[i].skipped);
                assert_int_equal(f.output.messages, 1);
        }
}

/* A long piece is passed on as several lines, none above the ceiling, and no character is cut in two. */
static void test_pieces(void **state) {
        static const char before[] = "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"xx";
        _cleanup_(feeding_done) Feeding f = { .told = BUF_INIT(64 << 20) };
        _cleanup_buf_ Buf line = BUF_INIT(8 << 20);
        size_t n = 0, n_lines = 0;
        char *rest, *one;

        output_init(&f.output);
        (void) buf_puts(&line, before);
        for (size_t i = 0; i < JOB_TEXT_MAX; i++)
                (void) buf_puts(&line, "\xE2\x82\xAC\\u0001");
        (void) buf_puts(&line, "\"}\n");
        feed(&f, buf_data(&line), line.n);
        assert_int_equal(f.output.messages, 1);

        rest = buf_cstr(&f.told);
        while ((one = strsep(&rest, "\n")) && *one) {
                const char *text = startswith(one, "{\"event\":\"text\",\"text\":\"");

                assert_non_null(text);
                assert_true(strlen(one) + 1 <= JOB_EVENT_MAX);
                assert_null(strstr(one, "\xEF\xBF\xBD"));
                for (const char *euro = text; (euro = strstr(euro, "\xE2\x82\xAC")); euro++)
                        n++;
                n_lines++;
        }
        assert_int_equal(n, JOB_TEXT_MAX);
        assert_int_equal(n_lines, 5); /* 4 * JOB_TEXT_MAX + 2 bytes */
}

/* The result's text is bounded, whatever the CLI writes. */
static void test_result(void **state) {
        _cleanup_free_ char *long_text = malloc(1 << 20);
        _cleanup_buf_ Buf b = BUF_INIT(4 << 20);
        char *const argv[] = { (char *) "node", (char *) "-o", NULL };

        assert_non_null(long_text);
        memset(long_text, 1, 1 << 20);
        long_text[(1 << 20) - 1] = '\0';
        assert_int_equal(report_result(&b,
                                       &(const Result){
                                               .status = JOB_STATUS_ERROR,
                                               .message = long_text,
                                               .exit_code = 144,
                                               .stderr_tail = long_text,
                                               .n_stderr_tail = JOB_STDERR_MAX,
                                               .argv = argv,
                                       }),
                         0);
        assert_true(b.n <= JOB_EVENT_MAX);

        buf_clear(&b);
        assert_int_equal(report_result(&b, &(const Result){ .status = JOB_STATUS_NONE,
                                                            .exit_code = -1,
                                                            .signal = 9,
                                                            .argv = argv }),
                         0);
        assert_string_equal(buf_cstr(&b),
                            "{\"event\":\"result\",\"status\":\"none\",\"message\":\"\",\"messages\":0,"
                            "\"exit_code\":null,\"signal\":9,\"skipped\":0,\"stderr\":\"\","
                            "\"argv\":[\"node\",\"-o\"]}\n");
}

static void test_ready(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(1024);

        assert_int_equal(report_ready(&b, JOB_ISOLATION_UNIT, "0.61.0"), 0);
        assert_int_equal(report_ready(&b, JOB_ISOLATION_PROCESS, NULL), 0);
        assert_string_equal(buf_cstr(&b),
                            "{\"event\":\"ready\",\"isolation\":\"unit\",\"version\":\"0.61.0\"}\n"
                            "{\"event\":\"ready\",\"isolation\":\"process\",\"version\":null}\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),   cmocka_unit_test(test_long_lines),
                cmocka_unit_test(test_pieces), cmocka_unit_test(test_result),
                cmocka_unit_test(test_ready),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
