/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "config-setting.h"

#include "base/text.h"

/* MODEL_LIMITS: valid values, and the messages for the others. */

#define ALLOWED "must be {\"MODEL\": {\"rpm\": N, \"tpm\": N, \"rpd\": N}}"

static int make(const char *value, Config **ret, char said[static SAID_MAX]) {
        return make_setting("MODEL_LIMITS", value, ret, said);
}

static void test_taken(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        char said[SAID_MAX];

        assert_int_equal(
                make("{\"models/m\":{\"rpm\":10,\"projects\":{\"p\":{\"rpm\":1000000000000,\"rpd\":null}}},"
                     "\"n\":{\"tpm\":250000,\"rpd\":1}}",
                     &c, said),
                0);
        assert_string_equal(said, "");
        assert_int_equal(c->n_limits, 3);
        assert_string_equal(c->limits[0].model, "m");
        assert_null(c->limits[0].project);
        assert_int_equal(c->limits[0].value[CEILING_RPM], 10);
        assert_int_equal(c->limits[0].value[CEILING_RPD], 0);
        assert_string_equal(c->limits[1].model, "m");
        assert_string_equal(c->limits[1].project, "p");
        assert_int_equal(c->limits[1].value[CEILING_RPM], 1000000000000);
        assert_int_equal(c->limits[1].value[CEILING_TPM], 0);
        assert_true(c->limits[1].value[CEILING_RPD] == CEILING_NONE);
        assert_string_equal(c->limits[2].model, "n");
        assert_int_equal(c->limits[2].value[CEILING_TPM], 250000);
        assert_int_equal(c->limits[2].value[CEILING_RPD], 1);
}

static void test_refused(void **state) {
        static const struct {
                const char *value, *said;
        } rows[] = {
                { "10", "MODEL_LIMITS: 10: " ALLOWED "\n" },
                { "[]", "MODEL_LIMITS: []: " ALLOWED "\n" },
                { "{\"m\":10,\"n\":{\"rpm\":0}}", "MODEL_LIMITS: m: " ALLOWED "\n"
                                                  "MODEL_LIMITS: n: rpm: must be a whole number from 1\n" },
                { "{\"m\":{\"rps\":1,\"tpm\":null,\"rpd\":1.5,\"rpm\":\"1\"}}",
                  "MODEL_LIMITS: rps: must be rpm, tpm, rpd or projects\n"
                  "MODEL_LIMITS: m: tpm: must be a whole number from 1\n"
                  "MODEL_LIMITS: m: rpd: must be a whole number from 1\n"
                  "MODEL_LIMITS: m: rpm: must be a whole number from 1\n" },
                { "{\"m\":{\"projects\":[]},\"cli/n\":{}}",
                  "MODEL_LIMITS: m: projects: must be {\"NAME\": {\"rpm\": N}}\n"
                  "MODEL_LIMITS: cli/n: must be a model's name\n" },
                { "{\"m\":{\"projects\":{\"p\":1,\"q\":{\"projects\":{}},\"r\":{\"rpd\":-1}}}}",
                  "MODEL_LIMITS: p: " ALLOWED "\n"
                  "MODEL_LIMITS: projects: must be rpm, tpm or rpd\n"
                  "MODEL_LIMITS: r: rpd: must be a whole number from 1, or null for no limit\n" },
                { "{\"m\":{\"rpm\":1000000000001}}",
                  "MODEL_LIMITS: m: rpm: must be a whole number from 1\n" },

        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                char said[SAID_MAX];

                assert_int_equal(make(rows[i].value, &c, said), -EINVAL);
                assert_string_equal(said, rows[i].said);
        }
}

static void test_percent(void **state) {
        static const struct {
                const char *value;
                int64_t percent; /* -1: refused */
        } rows[] = {
                { "80", 80 },     { "1%", 1 },
                { "100 %", 100 }, { "off", 0 },
                { "0", -1 },      { "101", -1 },
                { "8 0", -1 },    { "80 percent", -1 },
                { "%", -1 },      { "99999999999999999", -1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                char said[SAID_MAX];

                if (rows[i].percent < 0) {
                        assert_int_equal(make_setting("QUOTA_WARN_AT", rows[i].value, &c, said), -EINVAL);
                        continue;
                }
                assert_int_equal(make_setting("QUOTA_WARN_AT", rows[i].value, &c, said), 0);
                assert_int_equal(c->quota_warn_at, rows[i].percent);
        }
}

/* {"PREFIX0":VALUE,"PREFIX1":VALUE,…} n times */
static char *many_members(const char *prefix, const char *value, size_t n) {
        size_t size = n * (strlen(prefix) + strlen(value) + 12) + 3, at;
        char *s = malloc(size);

        assert_non_null(s);
        at = (size_t) snprintf(s, size, "{");
        for (size_t i = 0; i < n; i++)
                at += (size_t) snprintf(s + at, size - at, "%s\"%s%zu\":%s", i > 0 ? "," : "", prefix, i,
                                        value);
        (void) snprintf(s + at, size - at, "}");
        return s;
}

/* Of the three settings that are JSON objects. */
static void test_ceilings(void **state) {
        static const struct {
                const char *name, *prefix, *value;
                size_t most;
                const char *said;
        } rows[] = {
                { "MODEL_ALIASES", "p*", "\"x\"", ALIAS_PATTERNS_MAX,
                  "MODEL_ALIASES: p*256: must be at most 256 patterns\n" },
                { "MODEL_ALIASES", "m", "\"x\"", ALIASES_MAX,
                  "MODEL_ALIASES: m1024: must be at most 1024 aliases\n" },
                { "FALLBACK_MODELS", "m", "[\"x\"]", FALLBACKS_MAX,
                  "FALLBACK_MODELS: m256: must be at most 256 models\n" },
                { "MODEL_LIMITS", "m", "{}", MODEL_LIMITS_MAX,
                  "MODEL_LIMITS: m1024: must be at most 1024 rows\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *fits = many_members(rows[i].prefix, rows[i].value, rows[i].most);
                _cleanup_free_ char *spills = many_members(rows[i].prefix, rows[i].value, rows[i].most + 1);
                _cleanup_(config_unrefp) Config *c = NULL;
                char said[SAID_MAX];

                assert_int_equal(make_setting(rows[i].name, fits, &c, said), 0);
                assert_string_equal(said, "");
                c = config_unref(c);
                assert_int_equal(make_setting(rows[i].name, spills, &c, said), -EINVAL);
                assert_string_equal(said, rows[i].said);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_taken),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_percent),
                cmocka_unit_test(test_ceilings),
        };

        return cmocka_run_group_tests_name("config-limits", tests, NULL, NULL);
}
