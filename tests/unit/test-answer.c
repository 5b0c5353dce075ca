/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "dialect/answer.h"

static bool is_stop(const char *finish) {
        return streq(finish, "STOP");
}

/* What a dialect does with an event: any part is content. */
static void note(Answer *a, const char *json) {
        GeminiCandidate c;
        GeminiEvent e;
        Verdict v;

        assert_int_equal(gemini_event_parse(json, strlen(json), &e, &v), 0);
        answer_note_event(a, &e, NULL);
        while (gemini_event_next(&e, &c)) {
                AnswerCandidate *mine = answer_note_candidate(a, &c);
                JsonView part;

                if (mine && json_next(&c.parts, NULL, &part))
                        answer_note_content(a, mine);
        }
}

#define PARTS      "\"content\":{\"parts\":[{}]}"
#define CANDIDATES(c) "{\"candidates\":[" c "]}"

static void test_judge(void **state) {
        static const struct {
                const char *first, *second; /* events; NULL: none */
                unsigned settled;
                const char *stream, *whole; /* the verdict's message; NULL: it is an answer */
        } rows[] = {
                { CANDIDATES("{" PARTS ",\"finishReason\":\"STOP\"}"), NULL, 1, NULL, NULL },
                { CANDIDATES("{" PARTS "}"), CANDIDATES("{\"finishReason\":\"STOP\"}"), 1, NULL, NULL },
                { CANDIDATES("{\"finishReason\":\"STOP\"}"), NULL, 1, NULL, NULL },
                { CANDIDATES("{" PARTS ",\"finishReason\":\"OTHER\"}"), NULL, 1, NULL, NULL },
                { CANDIDATES("{\"finishReason\":\"OTHER\"}"), NULL, 1,
                  "an answer without content, OTHER, so", "an answer without content, OTHER, so" },

                /* cut, or whole without a reason */
                { CANDIDATES("{" PARTS "}"), NULL, 0, "the stream ended without a finishReason", NULL },
                { CANDIDATES("{}"), NULL, 0, "the stream ended without a finishReason",
                  "an answer without content, so" },
                { "{}", NULL, 0, "the stream ended without a finishReason",
                  "an answer without content, so" },

                /* a stream whose tokens were counted is whole, too */
                { CANDIDATES("{" PARTS "}"), "{\"usageMetadata\":{}}", 0, NULL, NULL },
                { "{\"usageMetadata\":{}}", CANDIDATES("{" PARTS "}"), 0, NULL, NULL },
                { CANDIDATES("{}"), "{\"usageMetadata\":{}}", 0, "an answer without content, so",
                  "an answer without content, so" },
                { CANDIDATES("{" PARTS ",\"finishReason\":\"STOP\"},{\"index\":1," PARTS "}"),
                  "{\"usageMetadata\":{}}", 0, "the stream ended without a finishReason", NULL },
                { CANDIDATES("{" PARTS "}"), "{\"usageMetadata\":null}", 0,
                  "the stream ended without a finishReason", NULL },

                /* several: one is enough for an answer, all must be finished */
                { CANDIDATES("{" PARTS ",\"finishReason\":\"STOP\"},{\"index\":1}"), NULL, 0,
                  "the stream ended without a finishReason", NULL },
                { CANDIDATES("{\"finishReason\":\"SAFETY\"},{\"index\":7,\"finishReason\":\"STOP\"}"), NULL,
                  2, NULL, NULL },
                { CANDIDATES("{\"index\":8," PARTS ",\"finishReason\":\"STOP\"}"), NULL, 0,
                  "the stream ended without a finishReason", "an answer without content, so" },

                /* content after a finishReason, of the same candidate */
                { CANDIDATES("{" PARTS ",\"finishReason\":\"STOP\"}"), CANDIDATES("{" PARTS "}"), 0, NULL,
                  NULL },
                { CANDIDATES("{" PARTS ",\"finishReason\":\"STOP\"}"),
                  CANDIDATES("{" PARTS ",\"finishReason\":\"STOP\"}"), 0, NULL, NULL },
                { CANDIDATES("{" PARTS ",\"finishReason\":\"STOP\"}"),
                  CANDIDATES("{\"finishReason\":\"STOP\"}"), 1, NULL, NULL },
                { CANDIDATES("{" PARTS ",\"finishReason\":\"STOP\"}"),
                  CANDIDATES("{\"index\":1," PARTS ",\"finishReason\":\"STOP\"}"), 2, NULL, NULL },

                /* blocked, also after content */
                { "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", NULL, 8, NULL, NULL },
                { "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", "{}", 8, NULL, NULL },
                { "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}",
                  CANDIDATES("{\"finishReason\":\"OTHER\"}"), 8, "an answer without content, OTHER, so",
                  "an answer without content, OTHER, so" },
                { CANDIDATES("{" PARTS "}"), "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", 8, NULL,
                  NULL },
                { CANDIDATES("{}"), "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", 8, NULL, NULL },
                { "{\"promptFeedback\":{}}", NULL, 0, "the stream ended without a finishReason",
                  "an answer without content, so" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (unsigned streams = 0; streams < 2; streams++) {
                        const char *want = streams ? rows[i].stream : rows[i].whole;
                        Answer a = {};
                        Verdict v = {};
                        bool good;

                        note(&a, rows[i].first);
                        if (rows[i].second)
                                note(&a, rows[i].second);
                        assert_int_equal(answer_settled(&a), rows[i].settled);
                        good = answer_judge(&a, streams, is_stop, "so", &v);
                        assert_int_equal(good, !want);
                        if (want)
                                assert_string_equal(v.message, want);
                        answer_reset(&a);
                        assert_false(answer_has_candidate(&a));
                        assert_int_equal(answer_settled(&a), 0);
                }
}

/* Without a rule of the dialect any reason is an answer. */
static void test_any_reason(void **state) {
        Answer a = {};
        Verdict v;

        note(&a, CANDIDATES("{\"finishReason\":\"OTHER\"}"));
        assert_true(answer_judge(&a, true, NULL, "", &v));
}

/* A reason about the account is the project's fault, in every dialect; not after content. */
/* A key in a blockReason is covered, also if the reason is longer than what is kept of it. */
static void test_key_in_a_block_reason(void **state) {
        static const char text[] = "AIzaSy0000000000000000000000000000000bb";
        static const char json[] = "{\"promptFeedback\": {\"blockReason\": "
                                   "\"NO_ROOM_FOR_THIS_PROMPT_AIzaSy0000000000000000000000000000000bb\"}}";
        Secret *key;
        GeminiEvent e;
        Answer a = {};
        Verdict v;

        assert_int_equal(secret_new(text, strlen(text), &key), 0);
        assert_int_equal(gemini_event_parse(json, strlen(json), &e, &v), 0);
        answer_note_event(&a, &e, key);
        assert_true(a.is_blocked);
        assert_null(strstr(a.block, "AIza"));
        assert_null(strstr(e.block_reason, "AIza"));
        secret_unref(key);
}

static void test_account(void **state) {
        static const struct {
                const char *json;
                bool good;
        } rows[] = {
                { CANDIDATES("{\"finishReason\":\"PUP_LIMITED_DISABLED\"}"), false },
                { CANDIDATES("{\"content\":{},\"finishReason\":\"ACCOUNT_SUSPENDED\"}"), false },
                { CANDIDATES("{\"finishReason\":\"PUP_NEW\"},{\"index\":1,\"finishReason\":\"PUP_NEW\"}"),
                  false },
                { "{\"promptFeedback\":{\"blockReason\":\"PUP_LIMITED_DISABLED\"}}", false },
                { CANDIDATES("{" PARTS ",\"finishReason\":\"PUP_LIMITED_DISABLED\"}"), true },
                { CANDIDATES("{\"finishReason\":\"PROHIBITED_CONTENT\"}"), true },
                { CANDIDATES("{\"finishReason\":\"OTHER\"}"), true },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Answer a = {};
                Verdict v = {};

                note(&a, rows[i].json);
                assert_int_equal(answer_judge(&a, true, NULL, "", &v), rows[i].good);
                if (rows[i].good)
                        continue;
                assert_int_equal(v.class, VERDICT_PROJECT_DEAD);
                assert_int_equal(v.status, 200);
                assert_non_null(strstr(v.message, "limited or disabled"));
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_judge),
                cmocka_unit_test(test_any_reason),
                cmocka_unit_test(test_key_in_a_block_reason),
                cmocka_unit_test(test_account),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
