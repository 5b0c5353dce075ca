/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "config-setting.h"

#include "base/limits-rules.h"
#include "base/text.h"

/* MODEL_RULES: valid values, and the messages for the others. CHAT_IMAGES. */

#define ALLOWED "{\"MODEL\": {\"takes\": {…}}}, or the absolute path of such a file\n"

static const ModelRules *find(const Config *c, const char *model) {
        return model_rules_find(&c->route.rules, model);
}

static void test_taken(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        const ModelRules *r;
        char said[SAID_MAX];

        assert_int_equal(make_setting("MODEL_RULES",
                                      "{\"gemini-2.5-flash\":{\"thinking_highest\":100,"
                                      "\"thinking_zero\":false,"
                                      "\"takes\":{\"penalties\":true,\"cache\":false},"
                                      "\"price\":{\"output\":2.5,\"input\":0}},"
                                      "\"gemini-2.5-*\":{\"thinking\":\"level\"},"
                                      "\"*-local\":{\"thinking\":\"never\",\"source\":\"mine\"},"
                                      "\"gemini-4-argon\":{\"thinking_highest\":\"MEDIUM\","
                                      "\"thinking_lowest\":\"MINIMAL\"}}",
                                      &c, said),
                         0);
        assert_string_equal(said, "");

        /* Only what the row names differs from the built-in one. */
        r = find(c, "gemini-2.5-flash");
        assert_string_equal(r->pattern, "gemini-2.5-flash");
        assert_string_equal(r->source, "MODEL_RULES");
        assert_int_equal(r->thinking, THINKING_BUDGET);
        assert_int_equal(r->budget_lowest, 0);
        assert_int_equal(r->budget_highest, 100);
        assert_false(r->budget_may_be_zero);
        assert_int_equal(r->can, (model_rules_find(NULL, "gemini-2.5-flash")->can | MODEL_CAN_PENALTIES) &
                                         ~(ModelCan) MODEL_CAN_CACHE);
        assert_int_equal(r->priced, 1U << PRICE_INPUT | 1U << PRICE_OUTPUT);
        assert_true(r->price[PRICE_OUTPUT] == 2.5 && r->price[PRICE_INPUT] == 0);

        /* It goes before a built-in row that fits better. */
        r = find(c, "gemini-2.5-pro");
        assert_string_equal(r->pattern, "gemini-2.5-*");
        assert_int_equal(r->thinking, THINKING_LEVEL);
        assert_int_equal(r->level_lowest, THINKING_LOW);
        assert_int_equal(r->level_highest, THINKING_HIGH);
        assert_int_equal(r->priced, 0);

        r = find(c, "a-local");
        assert_int_equal(r->thinking, THINKING_NEVER);
        assert_string_equal(r->source, "mine");

        r = find(c, "gemini-4-argon");
        assert_int_equal(r->level_lowest, THINKING_MINIMAL);
        assert_int_equal(r->level_highest, THINKING_MEDIUM);
        assert_int_equal(r->level_default, THINKING_MEDIUM);

        assert_true(model_rules_is_built_in(find(c, "gemini-3.8-flash")));
}

static void test_refused(void **state) {
        static const struct {
                const char *value, *said;
        } rows[] = {
                { "[]", "MODEL_RULES: []: must be " ALLOWED },
                { "models.json",
                  "MODEL_RULES: models.json: must be " ALLOWED },
                { "{\"m\":{},}",
                  "MODEL_RULES: {\"m\":{},}: must be valid JSON: a name in quotes is expected, at "
                  "character 9\n" },
                { "{\"a/b\":{}}", "MODEL_RULES: a/b: must be a model's name, in which * is any text\n" },
                { "{\"\":{}}", "MODEL_RULES: : must be a model's name, in which * is any text\n" },
                { "{\"models/m\":{}}",
                  "MODEL_RULES: models/m: must be a model's name, in which * is any text\n" },
                { "{\"cli/m\":{}}", "MODEL_RULES: cli/m: must be a model's name, in which * is any text\n" },
                { "{\"m\":1}",
                  "MODEL_RULES: m: must be {\"thinking\": …, \"takes\": {…}, \"price\": {…}}\n" },
                { "{\"m\":{\"x\":1}}",
                  "MODEL_RULES: m: x: must be thinking, thinking_lowest, thinking_highest, "
                  "thinking_default, thinking_zero, takes, price or source\n" },
                { "{\"m\":{\"thinking\":\"often\"}}",
                  "MODEL_RULES: m: thinking: must be never, budget or level\n" },
                { "{\"m\":{\"thinking\":null}}",
                  "MODEL_RULES: m: thinking: must be never, budget or level\n" },
                { "{\"m\":{\"thinking\":\"never\",\"thinking_lowest\":1}}",
                  "MODEL_RULES: m: thinking: must be budget or level, because bounds are given\n" },
                { "{\"m\":{\"thinking\":\"level\",\"thinking_lowest\":\"low\"}}",
                  "MODEL_RULES: m: thinking_lowest: must be MINIMAL, LOW, MEDIUM, HIGH or XHIGH\n" },
                { "{\"m\":{\"thinking\":\"level\",\"thinking_lowest\":\"XHIGH\"}}",
                  "MODEL_RULES: m: thinking_lowest: must be at most thinking_highest\n" },
                { "{\"m\":{\"thinking\":\"level\",\"thinking_default\":\"MINIMAL\"}}",
                  "MODEL_RULES: m: thinking_default: must be from thinking_lowest to thinking_highest\n" },
                { "{\"m\":{\"thinking\":\"level\",\"thinking_zero\":true}}",
                  "MODEL_RULES: m: thinking_zero: must be left out, because it is for budgets\n" },
                { "{\"m\":{\"thinking\":\"budget\",\"thinking_lowest\":-1,\"thinking_highest\":\"HIGH\"}}",
                  "MODEL_RULES: m: thinking_lowest: must be a number of tokens from 0 to 1048576\n"
                  "MODEL_RULES: m: thinking_highest: must be a number of tokens from 0 to 1048576\n" },
                { "{\"m\":{\"thinking\":\"budget\",\"thinking_lowest\":9,\"thinking_highest\":8}}",
                  "MODEL_RULES: m: thinking_lowest: must be at most thinking_highest\n" },
                { "{\"m\":{\"thinking\":\"budget\",\"thinking_default\":1,\"thinking_zero\":0}}",
                  "MODEL_RULES: m: thinking_default: must be left out, because it is for levels\n"
                  "MODEL_RULES: m: thinking_zero: must be true or false\n" },
                { "{\"m\":{\"takes\":[]}}", "MODEL_RULES: m: takes: must be {\"sampling\": false}\n" },
                { "{\"m\":{\"takes\":{\"tea\":true,\"tools\":1}}}",
                  "MODEL_RULES: m: takes.tea: must be a name that gemgatectl explain shows under Takes or "
                  "Not\n"
                  "MODEL_RULES: m: takes.tools: must be true or false\n" },
                { "{\"m\":{\"price\":1}}",
                  "MODEL_RULES: m: price: must be {\"input\": 0.3, \"output\": 2.5}\n" },
                { "{\"m\":{\"price\":{\"input\":-1,\"output\":\"2\",\"tea\":1}}}",
                  "MODEL_RULES: m: price.input: must be dollars for a million tokens, a number from 0\n"
                  "MODEL_RULES: m: price.output: must be dollars for a million tokens, a number from 0\n"
                  "MODEL_RULES: m: price.tea: must be input, cached or output\n" },
                { "{\"m\":{\"source\":\"\"}}",
                  "MODEL_RULES: m: source: must be a text of at most 256 bytes\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Config *c = NULL;
                char said[SAID_MAX];

                assert_int_equal(make_setting("MODEL_RULES", rows[i].value, &c, said), -EINVAL);
                assert_string_equal(said, rows[i].said);
        }
}

static void test_too_many(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(1U << 20);
        Config *c = NULL;
        char said[SAID_MAX];

        for (size_t i = 0; i <= MODEL_RULES_MAX; i++)
                (void) buf_printf(&b, "%s\"m%zu\":{}", i > 0 ? "," : "{", i);
        (void) buf_puts(&b, "}");
        assert_int_equal(make_setting("MODEL_RULES", buf_cstr(&b), &c, said), -EINVAL);
        assert_string_equal(said, "MODEL_RULES: m256: must be at most 256 models\n");
}

/* The example of the manual. */
static void test_manual(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        static char text[65536];
        char said[SAID_MAX], *begin, *end;
        const ModelRules *r;
        FILE *f;

        f = fopen(TEST_DATA "/../docs/MODELS.md", "re");
        assert_non_null(f);
        text[fread(text, 1, sizeof(text) - 1, f)] = 0;
        (void) fclose(f);
        begin = strstr(text, "```json\n");
        assert_non_null(begin);
        begin += strlen("```json\n");
        end = strstr(begin, "```");
        assert_non_null(end);
        *end = 0;
        assert_int_equal(make_setting("MODEL_RULES", begin, &c, said), 0);
        assert_string_equal(said, "");
        r = find(c, "gemini-5-xenon");
        assert_int_equal(r->level_highest, THINKING_XHIGH);
        assert_true(model_can(r, MODEL_CAN_SAMPLE | MODEL_CAN_CACHE));
        assert_int_equal(find(c, "gemini-2.5-flash")->priced, 7);

        /* The manual has each name. */
        *end = '`';
        for (unsigned i = 0; i < MODEL_CAN_BITS; i++) {
                char row[64];

                (void) snprintf(row, sizeof(row), "`%s`", model_can_to_string(i));
                assert_non_null(strstr(text, row));
        }
}

static void test_images(void **state) {
        static const struct {
                const char *value;
                ChatImages images;
        } rows[] = {
                { "", CHAT_IMAGES_MEMBER },
                { "images", CHAT_IMAGES_MEMBER },
                { "Markdown", CHAT_IMAGES_MARKDOWN },
                { "both", CHAT_IMAGES_BOTH },
        };
        Config *none = NULL;
        char said[SAID_MAX];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;

                assert_int_equal(make_setting("CHAT_IMAGES", rows[i].value, &c, said), 0);
                assert_int_equal(c->route.chat_images, rows[i].images);
        }
        assert_int_equal(make_setting("CHAT_IMAGES", "text", &none, said), -EINVAL);
        assert_string_equal(said, "CHAT_IMAGES: text: must be images, markdown or both\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_taken),    cmocka_unit_test(test_refused),
                cmocka_unit_test(test_too_many), cmocka_unit_test(test_manual),
                cmocka_unit_test(test_images),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
