/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "config-setting.h"

/* MODEL_ALIASES: valid values, and the messages for the others. */

#define ALIASES_ALLOWED                                                                                     \
        "must be {\"ALIAS\": \"MODEL\"} or {\"ALIAS\": {\"model\": \"MODEL\", \"list\": [\"NAME\", …]}}\n"
#define ANY "with * for any characters\n"

static int make(const char *value, Config **ret, char said[static SAID_MAX]) {
        return make_setting("MODEL_ALIASES", value, ret, said);
}

static void test_refused(void **state) {
        static const struct {
                const char *value, *said;
        } rows[] = {
                { "gpt=x", "MODEL_ALIASES: gpt=x: " ALIASES_ALLOWED },
                { "[]", "MODEL_ALIASES: []: " ALIASES_ALLOWED },
                { "{\"a/b\":\"x\"}",
                  "MODEL_ALIASES: a/b: must have the form of a model's name, " ANY },
                { "{\"cli/b\":\"x\"}",
                  "MODEL_ALIASES: cli/b: must have the form of a model's name, " ANY },
                { "{\"a\":\"x?y\",\"b\":1,\"c\":null,\"d\":\"x\\u0000\"}",
                  "MODEL_ALIASES: a: must be an alias of a model's name\n"
                  "MODEL_ALIASES: b: must be an alias of a model's name\n"
                  "MODEL_ALIASES: c: must be an alias of a model's name\n"
                  "MODEL_ALIASES: d: must be an alias of a model's name\n" },
                { "{\"a\":\"a\"}",
                  "MODEL_ALIASES: a: must be an alias of a model, not of the alias a\n" },
                { "{\"a\":\"b\",\"b\":\"a\"}",
                  "MODEL_ALIASES: a: must be an alias of a model, not of the alias b\n"
                  "MODEL_ALIASES: b: must be an alias of a model, not of the alias a\n" },
                { "{\"a\":\"b\",\"b\":\"c\"}",
                  "MODEL_ALIASES: a: must be an alias of a model, not of the alias b\n" },
                { "{\"a*\":\"b\",\"b\":\"c\"}",
                  "MODEL_ALIASES: a*: must be an alias of a model, not of the alias b\n" },
                { "{\"a*\":\"x*\",\"cli/*\":\"x\",\"a b*\":\"x\"}",
                  "MODEL_ALIASES: a*: must be an alias of a model's name\n"
                  "MODEL_ALIASES: cli/*: must have the form of a model's name, " ANY
                  "MODEL_ALIASES: a b*: must have the form of a model's name, " ANY },
                { "{\"a\":\"x\",\"models/a\":\"y\",\"b*\":\"x\",\"models/b*\":\"y\"}",
                  "MODEL_ALIASES: a: must be given once\nMODEL_ALIASES: b*: must be given once\n" },
                { "{\"a*\":{},\"b\":{\"list\":[\"c\"]},\"d\":{\"model\":[]}}",
                  "MODEL_ALIASES: a*: must be an alias of a model's name\n"
                  "MODEL_ALIASES: b: must be an alias of a model's name\n"
                  "MODEL_ALIASES: d: must be an alias of a model's name\n" },
                { "{\"a*\":{\"model\":\"x\",\"lists\":[\"c\"]}}",
                  "MODEL_ALIASES: a*: must have no members but `model` and `list`\n" },
                { "{\"a*\":{\"model\":\"x\",\"list\":\"ab\"},"
                  "\"b*\":{\"model\":\"x\",\"list\":[1,\"b*\",\"\"]}}",
                  "MODEL_ALIASES: a*: `list` must be an array of names without *\n"
                  "MODEL_ALIASES: b*: `list` must be an array of names without *\n"
                  "MODEL_ALIASES: b*: `list` must be an array of names without *\n"
                  "MODEL_ALIASES: b*: `list` must be an array of names without *\n" },
                { "{\"a*\":{\"model\":\"x\",\"list\":[\"ab\",\"x\"]},\"ab\":\"y\"}",
                  "MODEL_ALIASES: ab: must be given once\n"
                  "MODEL_ALIASES: ab: must be an alias of a model, not of the alias x\n"
                  "MODEL_ALIASES: x: must be an alias of a model, not of the alias x\n"
                  "MODEL_ALIASES: a*: must be an alias of a model, not of the alias x\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char said[SAID_MAX];
                Config *c = NULL;

                assert_int_equal(make(rows[i].value, &c, said), -EINVAL);
                assert_string_equal(said, rows[i].said);
        }
}

static void test_aliases(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        char said[SAID_MAX];

        assert_int_equal(make("{\"gpt-4o\": \"models/gemini-2.5-pro\", \"models/fast\": \"x\", "
                              "\"local\": \"cli/y\"}",
                              &c, said),
                         0);
        assert_string_equal(config_alias(c, "gpt-4o"), "gemini-2.5-pro");
        assert_string_equal(config_alias(c, "fast"), "x");
        assert_string_equal(config_alias(c, "local"), "cli/y");
        assert_string_equal(config_alias(c, "GPT-4o"), "GPT-4o");
        assert_string_equal(config_alias(c, "gemini-2.5-pro"), "gemini-2.5-pro");
}

/* Patterns, and names that only GET /v1/models needs. */
static void test_alias_patterns(void **state) {
        static const struct {
                const char *name, *model;
        } rows[] = {
                { "claude-3-haiku-1", "lite" }, { "claude-opus", "pro" }, { "claude-haiku", "listed" },
                { "claude-", "pro" },           { "claude", "claude" },   { "my-own", "listed" },
                { "xclaude-opus", "xclaude-opus" },
        };
        _cleanup_(config_unrefp) Config *c = NULL;
        char said[SAID_MAX];

        assert_int_equal(make("{\"models/claude-*\": \"pro\", \"claude-*haiku*\": \"models/lite\", "
                              "\"x*y*\": {\"model\": \"listed\", "
                              "\"list\": [\"models/my-own\", \"claude-haiku\"]}, "
                              "\"q\": {\"model\": \"listed\", \"list\": [\"q\"]}, "
                              "\"r\": {\"model\": \"z\", \"list\": null}}",
                              &c, said),
                         0);
        assert_string_equal(said, "");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_string_equal(config_alias(c, rows[i].name), rows[i].model);
        assert_int_equal(c->aliases.n_names, 4);
        assert_string_equal(c->aliases.names[0].name, "my-own");
        assert_string_equal(c->aliases.names[1].name, "claude-haiku");
        assert_string_equal(c->aliases.names[2].name, "q");
        assert_string_equal(c->aliases.names[3].name, "r");
        assert_int_equal(c->aliases.n_patterns, 3);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_aliases),
                cmocka_unit_test(test_alias_patterns),
        };

        return cmocka_run_group_tests_name("config-aliases", tests, NULL, NULL);
}
