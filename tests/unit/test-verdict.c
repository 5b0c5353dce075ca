/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "core/judgement.h"
#include "core/verdict.h"

/* What each class means for the client, the pool, and a probe of each layer (key, project, bucket, rate,
 * health: + passes, ! fails, ? fails if it is a probe, . shows nothing, ~ shows nothing and pauses). */
static void test_rules(void **state) {
        static const struct {
                VerdictClass class;
                const char *name;
                VerdictFault fault;
                const char *flags; /* another key, backoff, quota */
                const char *layers;
        } rows[] = {
                { VERDICT_OK, "ok", FAULT_NOBODY, "---", "+++++" },
                { VERDICT_KEY_DEAD, "key_dead", FAULT_KEY, "a--", "!...." },
                { VERDICT_PROJECT_DEAD, "project_dead", FAULT_PROJECT, "a--", ".!..." },
                { VERDICT_BILLING, "billing", FAULT_PROJECT, "a--", "+!..." },
                { VERDICT_LIMIT_ZERO, "limit_zero", FAULT_PROJECT_MODEL, "a-q", "++!.." },
                { VERDICT_DAY, "day", FAULT_PROJECT_MODEL, "a-q", "++!.." },
                { VERDICT_MINUTE, "minute", FAULT_PROJECT_MODEL, "a-q", "++!.." },
                { VERDICT_RATE_UNKNOWN, "rate_unknown", FAULT_KEY_MODEL, "a-q", "+.?!." },
                { VERDICT_TOO_LARGE, "too_large", FAULT_REQUEST, "a--", "++..." },
                { VERDICT_MODEL_FOR_PROJECT, "model_for_project", FAULT_PROJECT_MODEL, "a--", "++!.." },
                { VERDICT_KEY_REFUSED, "key_refused", FAULT_KEY_MODEL, "a--", "?...!" },
                { VERDICT_GEO, "geo", FAULT_NOBODY, "---", "....." },
                { VERDICT_RESOURCE, "resource", FAULT_REQUEST, "---", "+...." },
                { VERDICT_SIGNATURE, "signature", FAULT_REQUEST, "---", "+...." },
                { VERDICT_REQUEST, "request", FAULT_REQUEST, "---", "+...." },
                { VERDICT_OVERLOAD, "overload", FAULT_MODEL, "-b-", "~~~~~" },
                { VERDICT_UNREACHABLE, "unreachable", FAULT_NETWORK, "-b-", "~~~~~" },
                { VERDICT_FOREIGN, "foreign", FAULT_NETWORK, "-b-", "~~~~~" },
                { VERDICT_CUT, "cut", FAULT_MODEL, "-b-", "~~~~~" },
                { VERDICT_TIMEOUT, "timeout", FAULT_MODEL, "a--", "~~~~~" },
                { VERDICT_CLI, "cli", FAULT_MODEL, "---", "....." },
                { VERDICT_CLIENT_GONE, "client_gone", FAULT_NOBODY, "---", "....." },
                { VERDICT_INTERNAL, "internal", FAULT_NOBODY, "---", "....." },
        };
        static const char letters[] = {
                [JUDGEMENT_VOID] = '.',  [JUDGEMENT_PASS] = '+',  [JUDGEMENT_FAIL] = '!',
                [JUDGEMENT_AGAIN] = '?', [JUDGEMENT_PAUSE] = '~',
        };

        assert_int_equal(ELEMENTSOF(rows), _VERDICT_CLASS_MAX);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const VerdictRule *r = verdict_rule(rows[i].class);
                char flags[] = "---", layers[_LAYER_MAX + 1] = "";

                assert_int_equal(rows[i].class, i);
                assert_string_equal(r->name, rows[i].name);
                assert_int_equal(r->fault, rows[i].fault);
                if (r->another_key)
                        flags[0] = 'a';
                if (r->backoff)
                        flags[1] = 'b';
                if (r->is_quota)
                        flags[2] = 'q';
                assert_string_equal(flags, rows[i].flags);
                for (Layer l = 0; l < _LAYER_MAX; l++)
                        layers[l] = letters[judgement_of(rows[i].class, l)];
                assert_string_equal(layers, rows[i].layers);
        }
}

static void test_health_wait(void **state) {
        static const unsigned seconds[] = { 30, 60, 120, 240, 480, 960, 1800, 1800, 1800 };

        for (unsigned i = 0; i < ELEMENTSOF(seconds); i++)
                assert_int_equal(judgement_wait(i), seconds[i] * USEC_PER_SEC);
        assert_int_equal(judgement_wait(UINT32_MAX), 1800 * USEC_PER_SEC);
}

static void test_init(void **state) {
        char text[UPSTREAM_MESSAGE_MAX + 100];
        Verdict v;

        memset(&v, 0xAA, sizeof(v));
        verdict_init(&v, VERDICT_DAY, 429, "spent");
        assert_int_equal(v.class, VERDICT_DAY);
        assert_int_equal(v.status, 429);
        assert_int_equal(v.retry_after, 0);
        assert_true(v.quota_value == VERDICT_NO_VALUE);
        assert_string_equal(v.reason, "");
        assert_string_equal(v.message, "spent");

        verdict_init(&v, VERDICT_INTERNAL, 0, NULL);
        assert_string_equal(v.message, "");

        /* The last byte that fits would be the first half of a character. */
        memset(text, 'a', sizeof(text));
        memcpy(text + sizeof(v.message) - 2, "\xC3\xA9", 2);
        text[sizeof(text) - 1] = 0;
        verdict_init(&v, VERDICT_REQUEST, 400, text);
        assert_int_equal(strlen(v.message), sizeof(v.message) - 2);
        assert_true(text_is_utf8(v.message, strlen(v.message)));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rules),
                cmocka_unit_test(test_health_wait),
                cmocka_unit_test(test_init),
        };

        return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
