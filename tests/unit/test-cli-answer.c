/* SPDX-License-Identifier: MIT */

/* What a job came to: every row of the judgement, and what the answer's JSON holds. */
#include "test.h"

#include "base/job-protocol.h"
#include "dialect/dialect.h"
#include "dialect/gemini/event.h"
#include "dialect/json.h"
#include "engine/cli-answer.h"

#define OK    JOB_STATUS_SUCCESS
#define ERROR JOB_STATUS_ERROR
#define NONE  JOB_STATUS_NONE

typedef struct Row {
        const char *what;
        /* what the listener saw */
        unsigned calls;
        bool complete, text, call;
        int error; /* a status, or 0 */
        /* the runner's output; NULL: it hung up */
        const char *status;
        uint64_t messages;
        int64_t signal;
        const char *message, *stderr_tail;
        /* 0: an answer; else the status, and a part of the message */
        int refusal;
        const char *says;
} Row;

static const Row rows[] = {
        { "as it should be", 1, true, true, false, 0, OK, 1, 0, "", "", 0, NULL },
        { "whatever the exit code", 1, true, true, false, 0, OK, 3, 0, "", "noise", 0, NULL },
        { "a text and a call", 1, true, true, true, 0, OK, 1, 0, "", "", 0, NULL },
        { "no text, and the CLI calls that an error", 1, true, false, false, 0, ERROR, 0, 0, "empty", "", 0,
          NULL },
        { "no text, and the CLI does not mind", 1, true, false, false, 0, OK, 0, 0, "", "", 0, NULL },

        { "upstream failed", 1, false, false, false, 429, ERROR, 0, 0, "[API Error: x]", "", 429,
          "upstream" },
        { "upstream failed, the CLI reports nothing", 1, false, false, false, 503, OK, 0, 0, "", "", 503,
          "upstream" },
        { "upstream failed, the runner is gone", 1, false, false, false, 404, NULL, 0, 0, "", "", 404,
          "upstream" },
        { "upstream failed after a text", 1, false, true, false, 502, OK, 1, 0, "", "", 502, "upstream" },
        { "one of several failed", 2, true, true, false, 500, OK, 1, 0, "", "", 500, "upstream" },

        { "hung up", 0, false, false, false, 0, NULL, 0, 0, "", "", 502, "went away" },
        { "hung up behind the answer", 1, true, true, false, 0, NULL, 0, 0, "", "", 502, "went away" },

        { "a call alone", 1, true, false, true, 0, ERROR, 0, 0, "turn limit", "", 502, "tool call" },
        { "a call, and then a signal", 1, true, false, true, 0, NONE, 0, 9, "", "", 502, "tool call" },

        { "nothing was asked", 0, false, false, false, 0, OK, 0, 0, "", "", 400, "sent nothing" },
        { "nothing was asked, and it failed", 0, false, false, false, 0, ERROR, 0, 0, "no auth", "", 502,
          "no auth" },
        { "it could not be started", 0, false, false, false, 0, ERROR, 0, 0, "cannot start node", "", 502,
          "cannot start node" },

        { "a text that it lost", 1, true, true, false, 0, ERROR, 0, 0, "lost it", "", 502, "lost it" },
        { "a text that it does not report", 1, true, true, false, 0, OK, 0, 0, "", "", 502, "exit code" },
        { "a signal", 1, true, false, false, 0, ERROR, 0, 15, "", "", 502, "signal 15" },
        { "no message", 1, true, false, false, 0, NONE, 0, 0, "", "the end of stderr", 502,
          "the end of stderr" },
        { "half a text", 1, false, true, false, 0, ERROR, 1, 0, "terminated", "", 502, "terminated" },
        { "half a text that it is content with", 1, false, true, false, 0, OK, 1, 0, "", "", 502,
          "exit code" },
        { "an unknown status", 1, true, true, false, 0, "fine", 1, 0, "", "", 502, "exit code" },
        { "many lines", 1, false, false, false, 0, ERROR, 0, 0, "a\r\nb\x1b[31m", "", 502, ": a b [31m" },
};

static Job *new_job(JobBook *book, const Row *row) {
        Job *j = NULL;

        assert_int_equal(job_new(book, &j), 0);
        assert_int_equal(job_arm(j, "gemini-3.8-flash", "req-1", NULL), 0);
        j->calls = row->calls;
        j->complete = row->complete;
        j->has_text = row->text;
        j->has_call = row->call;
        if (row->error) {
                ApiError e;

                api_error_set(&e, row->error, NULL, "upstream's message");
                job_failed(j, &e, NULL);
        }
        return j;
}

static void test_judge(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Row *row = &rows[i];
                _cleanup_(job_book_freep) JobBook *book = NULL;
                _cleanup_(job_unrefp) Job *j = NULL;
                CliResult result = {
                        .status = row->status,
                        .message = row->message,
                        .messages = row->messages,
                        .signal = row->signal,
                        .stderr_tail = row->stderr_tail,
                };
                ApiError e = {};
                int r;

                assert_int_equal(job_book_new(&book), 0);
                j = new_job(book, row);
                r = cli_answer_judge(j, row->status ? &result : NULL, &e);
                if ((r != 0) != (row->refusal != 0) || e.status != row->refusal ||
                    (row->says && !strstr(e.message, row->says)))
                        fail_msg("%s: %d, %d: %s", row->what, r, e.status, e.message);
        }
}

/* The refusal of a call keeps everything that its client gets. */
static void test_refusal_is_whole(void **state) {
        _cleanup_(job_book_freep) JobBook *book = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        static const Row row = { .calls = 1 };
        ApiError e, got;

        assert_int_equal(job_book_new(&book), 0);
        j = new_job(book, &row);
        api_error_set(&e, 429, "model", "slowly");
        e.retry_after = 7 * USEC_PER_SEC;
        e.daily = e.hopeless = true;
        job_failed(j, &e, NULL);
        assert_int_equal(cli_answer_judge(j, NULL, &got), DIALECT_E_REFUSED);
        assert_int_equal(got.status, 429);
        assert_int_equal(got.retry_after, 7 * USEC_PER_SEC);
        assert_true(got.daily && got.hopeless);
        assert_string_equal(got.param, "model");
        assert_string_equal(got.message, "slowly");
}

/* The CLI may quote its API key. */
static void test_token_is_covered(void **state) {
        _cleanup_(job_book_freep) JobBook *book = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        _cleanup_buf_ Buf out = BUF_INIT(1 << 20);
        static const Row row = { .calls = 1 };
        char said[JOB_TOKEN_MAX + 64];
        CliResult result = { .status = ERROR, .message = said, .stderr_tail = said };
        ApiError e;

        assert_int_equal(job_book_new(&book), 0);
        j = new_job(book, &row);
        (void) snprintf(said, sizeof(said), "with key %s.", secret_reveal(j->token));
        assert_int_equal(cli_answer_judge(j, &result, &e), DIALECT_E_REFUSED);
        assert_non_null(strstr(e.message, "with key **"));
        assert_null(strstr(e.message, secret_reveal(j->token)));

        assert_int_equal(cli_answer_write(j, &result, "", 0, 0, 0, &out), 0);
        assert_non_null(strstr(buf_cstr(&out), "with key **"));
        assert_null(strstr(buf_cstr(&out), secret_reveal(j->token)));
}

/* A long message is cut between characters. */
static void test_long_message(void **state) {
        _cleanup_(job_book_freep) JobBook *book = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        _cleanup_free_ char *said = malloc(40001);
        static const Row row = { .calls = 1 };
        CliResult result = { .status = ERROR, .message = said, .stderr_tail = "" };
        ApiError e;

        assert_non_null(said);
        for (size_t i = 0; i < 40000; i += 2)
                memcpy(said + i, "\xC3\xA9", 2);
        said[40000] = 0;
        assert_int_equal(job_book_new(&book), 0);
        j = new_job(book, &row);
        assert_int_equal(cli_answer_judge(j, &result, &e), DIALECT_E_REFUSED);
        assert_true(strlen(e.message) <= UPSTREAM_MESSAGE_MAX + 64);
        assert_int_equal((unsigned char) e.message[strlen(e.message) - 1], 0xA9);
}

static void hear(Job *j, const char *json) {
        job_received(j, json, strlen(json));
}

/* The dialects read what Gemini sent. */
static void test_write(void **state) {
        _cleanup_(job_book_freep) JobBook *book = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        _cleanup_buf_ Buf out = BUF_INIT(1 << 20);
        _cleanup_json_ struct json_object *argv = NULL, *root = NULL;
        GeminiCounts counts = {};
        Usage usage = {};
        GeminiEvent e;
        static const Row row = { .calls = 1 };
        CliResult result = { .status = OK, .messages = 1, .exit_code = 7, .stderr_tail = "warned" };
        struct json_object *cli;
        GeminiCandidate c;
        Verdict v;

        assert_int_equal(job_book_new(&book), 0);
        j = new_job(book, &row);
        hear(j, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},\"finishReason\":\"MAX_"
                "TOKENS\"}],"
                "\"responseId\":\"r\",\"modelVersion\":\"m-001\"}");
        job_answered(j, &(Usage){ .prompt = 5, .cached = 1, .completion = 9, .thoughts = 4, .total = 14 });
        job_tried(j, "AIza****0001", "home");
        argv = json_object_new_array();
        (void) json_object_array_add(argv, json_object_new_string("gemini"));
        (void) json_object_array_add(argv, json_object_new_string("-o"));
        result.argv = argv;

        assert_int_equal(cli_answer_write(j, &result, "Hi", 2, 3, 1500000, &out), 0);
        assert_int_equal(gemini_event_parse(buf_data(&out), out.n, &e, &v), 0);
        assert_string_equal(e.response_id, "r");
        assert_string_equal(e.model_version, "m-001");
        gemini_event_count(&e, &counts, &usage);
        assert_int_equal(usage.prompt, 5);
        assert_int_equal(usage.completion, 9);
        assert_int_equal(usage.thoughts, 4);
        assert_int_equal(usage.cached, 1);
        assert_int_equal(usage.total, 14);
        assert_true(gemini_event_next(&e, &c));
        assert_string_equal(c.finish_reason, "MAX_TOKENS");
        assert_false(gemini_event_next(&e, &c));
        assert_int_equal(json_parse(buf_data(&out), out.n, &root), 0);
        cli = json_get(root, "gemgateCli");
        assert_string_equal(json_get_string(cli, "command"), "gemini -o < (a prompt of 3 bytes)");
        assert_int_equal(json_object_get_int(json_get(cli, "exitCode")), 7);
        assert_string_equal(json_get_string(cli, "stderr"), "warned");
        assert_true(json_object_get_boolean(json_get(cli, "success")));
        assert_string_equal(json_get_string(cli, "finishReason"), "MAX_TOKENS");
        assert_string_equal(json_get_string(cli, "key"), "AIza****0001");
        assert_int_equal(json_object_get_int64(json_get(cli, "durationUsec")), 1500000);
}

static void test_write_blocked(void **state) {
        _cleanup_(job_book_freep) JobBook *book = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        _cleanup_buf_ Buf out = BUF_INIT(1 << 20), tiny = BUF_INIT(16);
        GeminiEvent e;
        static const Row row = { .calls = 1 };
        CliResult result = { .status = ERROR, .exit_code = -1, .stderr_tail = "" };
        Verdict v;

        assert_int_equal(job_book_new(&book), 0);
        j = new_job(book, &row);
        hear(j, "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}");
        job_answered(j, &(Usage){ .prompt = 5, .total = 5 });
        assert_int_equal(cli_answer_judge(j, &result, &(ApiError){}), 0);
        assert_int_equal(cli_answer_write(j, &result, "", 0, 3, 1, &out), 0);
        assert_int_equal(gemini_event_parse(buf_data(&out), out.n, &e, &v), 0);
        assert_string_equal(e.block_reason, "SAFETY");
        assert_false(gemini_event_next(&e, &(GeminiCandidate){}));
        assert_string_equal(e.model_version, "gemini-3.8-flash");

        assert_int_equal(cli_answer_write(j, &result, "", 0, 3, 1, &tiny), -E2BIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_judge),
                cmocka_unit_test(test_refusal_is_whole),
                cmocka_unit_test(test_token_is_covered),
                cmocka_unit_test(test_long_message),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_write_blocked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
