/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "engine/job.h"

static JobBook *new_book(void) {
        JobBook *b;

        assert_int_equal(job_book_new(&b), 0);
        return b;
}

static Job *new_job(JobBook *b) {
        Job *j = NULL;

        assert_int_equal(job_new(b, &j), 0);
        return j;
}

static Job *find(JobBook *b, const char *token) {
        return job_find(b, token, strlen(token));
}

static void test_token(void **state) {
        _cleanup_(job_book_freep) JobBook *b = new_book();
        Job *jobs[64];

        for (size_t i = 0; i < ELEMENTSOF(jobs); i++) {
                const char *token;

                jobs[i] = new_job(b);
                token = secret_reveal(jobs[i]->token);
                assert_int_equal(strlen(token), 64);
                assert_int_equal(strspn(token, "0123456789abcdef"), 64);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(token, secret_reveal(jobs[k]->token));
        }
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                job_unref(jobs[i]);
}

/* It opens nothing before the job is armed, and each its own. */
static void test_find(void **state) {
        _cleanup_(job_book_freep) JobBook *b = new_book();
        _cleanup_(job_unrefp) Job *one = new_job(b), *two = new_job(b);
        char token[65], other[66];

        (void) snprintf(token, sizeof(token), "%s", secret_reveal(one->token));
        assert_null(find(b, token));
        assert_int_equal(job_arm(one, "m", "id", "{\"a\":1}"), 0);
        assert_ptr_equal(find(b, token), one);
        assert_null(find(b, secret_reveal(two->token)));
        assert_int_equal(job_arm(two, "m", "id", NULL), 0);
        assert_ptr_equal(find(b, secret_reveal(two->token)), two);
        assert_ptr_equal(find(b, token), one);
        assert_string_equal(one->asked, "{\"a\":1}");
        assert_null(two->asked);

        assert_null(find(b, ""));
        assert_null(job_find(b, token, 63));
        (void) snprintf(other, sizeof(other), "%sx", token);
        assert_null(find(b, other));
        other[64] = 0;
        other[0] = other[0] == 'a' ? 'b' : 'a';
        assert_null(find(b, other));
}

/* An inner request may hold it for longer than its token lives. */
static void test_revoke(void **state) {
        _cleanup_(job_book_freep) JobBook *b = new_book();
        Job *j = new_job(b), *held;
        char token[65];

        assert_int_equal(job_arm(j, "m", "id", NULL), 0);
        (void) snprintf(token, sizeof(token), "%s", secret_reveal(j->token));
        held = job_ref(find(b, token));
        job_revoke(j);
        assert_null(find(b, token));
        job_revoke(j); /* twice does no harm */
        job_unref(j);
        assert_string_equal(held->model, "m");
        job_tried(held, "mask", "name");
        assert_null(find(b, token));
        assert_null(job_unref(held));
        assert_null(job_unref(NULL));
}

static void test_admit(void **state) {
        _cleanup_(job_book_freep) JobBook *b = new_book();
        _cleanup_(job_unrefp) Job *j = new_job(b);

        for (unsigned i = 0; i < JOB_CALLS_MAX; i++)
                assert_true(job_admit(j));
        assert_false(j->has_error);
        assert_false(job_admit(j));
        assert_false(job_admit(j));
        assert_int_equal(j->calls, JOB_CALLS_MAX);
        assert_true(j->has_error); /* and nothing else that comes is an answer */
        assert_int_equal(j->error.status, 502);
}

/* Each event by itself, and what is known after it. */
static void test_heard(void **state) {
        static const struct {
                const char *json;
                bool text, call;
                const char *finish, *block, *id, *version;
        } table[] = {
                { "", false, false, "", "", "", "" },
                { "no json", false, false, "", "", "", "" },
                { "[]", false, false, "", "", "", "" },
                { "{\"error\":{\"code\":429}}", false, false, "", "", "", "" },
                { "{\"candidates\":7}", false, false, "", "", "", "" },
                { "{\"candidates\":[7,null]}", false, false, "", "", "", "" },
                { "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}", true, false, "", "", "",
                  "" },
                { "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"},7]}}]}", false, false, "", "",
                  "", "" },
                { "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\",\"thought\":true}]}}]}", false,
                  false, "", "", "", "" },
                { "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{}}]}}]}", false, true, "",
                  "", "", "" },
                { "{\"candidates\":[{\"finishReason\":\"SAFETY\"}],\"responseId\":\"r\",\"modelVersion\":"
                  "\"v\"}",
                  false, false, "SAFETY", "", "r", "v" },
                { "{\"promptFeedback\":{\"blockReason\":\"OTHER\"}}", false, false, "", "OTHER", "", "" },
                { "{\"candidates\":[{\"finishReason\":\"A_WORD_THAT_IS_LONGER_THAN_ANY_THAT_GEMINI_EVER_HAD_"
                  "AND_THEN_"
                  "SOME_MORE_OF_IT_UNTIL_IT_IS_BEYOND_EVERY_CEILING_THAT_THERE_MAY_BE_FOR_IT\"}]}",
                  false, false, "", "", "", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(job_book_freep) JobBook *b = new_book();
                _cleanup_(job_unrefp) Job *j = new_job(b);

                job_received(j, table[i].json, strlen(table[i].json));
                assert_int_equal(j->has_text, table[i].text);
                assert_int_equal(j->has_call, table[i].call);
                assert_string_equal(j->finish_reason, table[i].finish);
                assert_string_equal(j->block_reason, table[i].block);
                assert_string_equal(j->response_id, table[i].id);
                assert_string_equal(j->model_version, table[i].version);
                assert_false(j->complete);
        }
}

static void test_several_calls(void **state) {
        _cleanup_(job_book_freep) JobBook *b = new_book();
        _cleanup_(job_unrefp) Job *j = new_job(b);
        const Usage usage = { .prompt = 1, .cached = 2, .completion = 3, .thoughts = 4, .total = 5 };

        job_tried(j, "one", "1");
        job_answered(j, &usage);
        job_tried(j, "two", "2");
        job_answered(j, &usage);
        assert_true(j->complete);
        assert_int_equal(j->attempts, 2);
        assert_string_equal(j->key_mask, "two");
        assert_string_equal(j->key_name, "2");
        assert_int_equal(j->usage.prompt, 2);
        assert_int_equal(j->usage.cached, 4);
        assert_int_equal(j->usage.completion, 6);
        assert_int_equal(j->usage.thoughts, 8);
        assert_int_equal(j->usage.total, 10);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_token),  cmocka_unit_test(test_find),
                cmocka_unit_test(test_revoke), cmocka_unit_test(test_admit),
                cmocka_unit_test(test_heard),  cmocka_unit_test(test_several_calls),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
