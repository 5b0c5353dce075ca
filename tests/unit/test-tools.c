/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "dialect/tools.h"

#define SCHEMA  "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}"
#define CALLING(s) "\"toolConfig\":{\"functionCallingConfig\":{" s "}}"
#define F "{\"name\":\"f\",\"parametersJsonSchema\":" SCHEMA "}"
#define G "{\"name\":\"g\"}"
#define SEARCH "{\"googleSearch\":{\"x\":1}}"
#define ONLY_G "\"tools\":[{\"functionDeclarations\":[" G "]}]"
#define FUNCTIONS "\"tools\":[{\"functionDeclarations\":[" F "," G "]}]"

/* One letter a declaration: f, g: functions, F: f with strict, c: a custom tool, s: googleSearch,
 * u: urlContext. */
static const struct {
        const char *model, *decls;
        ToolMode mode;
        const char *names; /* that the choice allows, a letter each */
        bool beside_json;
        const char *json;
        ToolLoss loss;
} rows[] = {
        { "gemini-3.8-flash", "", TOOL_AUTO, "", false, "" },
        { "gemini-3.8-flash", "", TOOL_NONE, "", false, "" },
        { "gemini-3.8-flash", "", TOOL_REQUIRED, "", false, "", TOOL_LOST_REQUIRED },
        { "gemini-3.8-flash", "fg", TOOL_AUTO, "", false, FUNCTIONS },
        { "gemini-3.8-flash", "fg", TOOL_NONE, "", false, FUNCTIONS "," CALLING("\"mode\":\"NONE\"") },
        { "gemini-3.8-flash", "fg", TOOL_NONE, "f", false, FUNCTIONS "," CALLING("\"mode\":\"NONE\"") },
        { "gemini-3.8-flash", "fg", TOOL_REQUIRED, "", false, FUNCTIONS "," CALLING("\"mode\":\"ANY\"") },
        { "gemini-3.8-flash", "fg", TOOL_REQUIRED, "g", false,
          FUNCTIONS "," CALLING("\"mode\":\"ANY\",\"allowedFunctionNames\":[\"g\"]") },
        { "gemini-3.8-flash", "fg", TOOL_AUTO, "gf", false,
          FUNCTIONS "," CALLING("\"mode\":\"VALIDATED\",\"allowedFunctionNames\":[\"g\",\"f\"]") },
        { "gemini-3.8-flash", "Fg", TOOL_AUTO, "", false,
          FUNCTIONS "," CALLING("\"mode\":\"VALIDATED\"") },
        { "gemini-3.8-flash", "Fg", TOOL_REQUIRED, "", false, FUNCTIONS "," CALLING("\"mode\":\"ANY\"") },
        { "gemini-3.8-flash", "fgf", TOOL_AUTO, "", false, FUNCTIONS, TOOL_LOST_DOUBLE },

        /* Google's tools */
        { "gemini-3.8-flash", "us", TOOL_AUTO, "", false,
          "\"tools\":[{\"urlContext\":{}}," SEARCH "]" },
        { "gemini-3.8-flash", "ss", TOOL_AUTO, "", false, "\"tools\":[" SEARCH "]" },
        { "gemini-3.8-flash", "us", TOOL_NONE, "", false, "" },
        { "gemini-3.8-flash", "us", TOOL_REQUIRED, "", false,
          "\"tools\":[{\"urlContext\":{}}," SEARCH "]", TOOL_LOST_REQUIRED },
        { "gemini-3.8-flash", "sfg", TOOL_AUTO, "", false,
          "\"tools\":[{\"functionDeclarations\":[" F "," G "]}," SEARCH "],\"toolConfig\":{"
          "\"functionCallingConfig\":{\"mode\":\"VALIDATED\"},\"includeServerSideToolInvocations\":true}" },
        { "gemini-3.8-flash", "sfg", TOOL_REQUIRED, "g", false,
          "\"tools\":[{\"functionDeclarations\":[" F "," G "]}," SEARCH "],\"toolConfig\":{"
          "\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"g\"]},"
          "\"includeServerSideToolInvocations\":true}" },
        { "gemini-3.8-flash", "sfg", TOOL_NONE, "", false, FUNCTIONS "," CALLING("\"mode\":\"NONE\"") },

        /* beside JSON there is only AUTO */
        { "gemini-3.8-flash", "Fg", TOOL_AUTO, "", true, FUNCTIONS },
        { "gemini-3.8-flash", "sfg", TOOL_AUTO, "", true, FUNCTIONS, TOOL_LOST_GOOGLE },
        { "gemini-3.8-flash", "us", TOOL_AUTO, "", true,
          "\"tools\":[{\"urlContext\":{}}," SEARCH "]" },
        { "gemini-3.8-flash", "fg", TOOL_AUTO, "g", true, ONLY_G },

        /* before Gemini 3 */
        { "gemini-2.5-flash", "sfg", TOOL_AUTO, "", false, FUNCTIONS, TOOL_LOST_GOOGLE },
        { "gemini-2.5-flash", "us", TOOL_AUTO, "", false,
          "\"tools\":[{\"urlContext\":{}}," SEARCH "]" },
        { "gemini-2.5-flash", "Fg", TOOL_AUTO, "", false, FUNCTIONS },
        { "gemini-2.5-flash", "fg", TOOL_AUTO, "g", false, ONLY_G },
        { "gemini-2.5-flash", "fg", TOOL_REQUIRED, "g", false,
          FUNCTIONS "," CALLING("\"mode\":\"ANY\",\"allowedFunctionNames\":[\"g\"]") },

        /* a custom tool */
        { "gemini-3.8-flash", "c", TOOL_AUTO, "", false,
          "\"tools\":[{\"functionDeclarations\":[{\"name\":\"c_d\",\"description\":\"Patches.\\n\\n"
          "The input must follow this lark grammar:\\nstart: \\\"a\\\"\",\"parametersJsonSchema\":{"
          "\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\",\"description\":"
          "\"The whole input of the tool, as plain text\"}},\"required\":[\"input\"]}}]}]" },
};

static JsonView view(const char *json) {
        return json_view(json, strlen(json));
}

static ToolName *map(ToolNames *names, char letter) {
        static const char *const of[128] = { ['f'] = "f", ['F'] = "f", ['g'] = "g", ['c'] = "c_d" };
        const char *name = of[(unsigned) letter] ?: "absent";
        ToolName *e;

        assert_int_equal(tool_names_map(names, name, strlen(name), &e), 0);
        return e;
}

static ToolDecl declare(ToolNames *names, char letter) {
        switch (letter) {
        case 's':
                return (ToolDecl){
                        .kind = TOOL_GOOGLE,
                        .google = "googleSearch",
                        .config = view("{\"x\":1}"),
                };
        case 'u':
                return (ToolDecl){ .kind = TOOL_GOOGLE, .google = "urlContext" };
        case 'c':
                return (ToolDecl){
                        .kind = TOOL_CUSTOM,
                        .name = map(names, letter),
                        .description = view("\"Patches.\""),
                        .grammar = view("\"start: \\\"a\\\"\""),
                        .syntax = "lark",
                };
        case 'g':
                return (ToolDecl){ .name = map(names, letter), .description = view("\"\"") };
        default:
                return (ToolDecl){
                        .name = map(names, letter),
                        .schema = view(SCHEMA),
                        .strict = letter == 'F',
                };
        }
}

static void test_table(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(tool_names_done) ToolNames names = {};
                _cleanup_buf_ Buf b = BUF_INIT(65536), expected = BUF_INIT(65536);
                ToolChoice choice = { .mode = rows[i].mode, .beside_json = rows[i].beside_json };
                JWriter w = JWRITER_INIT(&b);
                ToolName *chosen[8];
                ToolDecl decls[8];
                size_t n = 0;

                for (const char *p = rows[i].decls; *p; p++)
                        decls[n++] = declare(&names, *p);
                for (const char *p = rows[i].names; *p; p++)
                        chosen[choice.n_names++] = map(&names, *p);
                choice.names = chosen;
                jwrite_object(&w, NULL);
                assert_int_equal(tools_write(decls, n, &choice, model_rules_find(NULL, rows[i].model), &w),
                                 rows[i].loss);
                jwrite_end(&w);
                (void) buf_printf(&expected, "{%s}", rows[i].json);
                assert_string_equal(buf_cstr(&b), buf_cstr(&expected));
                assert_null(json_check(buf_data(&b), b.n));
                assert_null(tools_find_undeclared(decls, n, &choice));
        }
}

static void test_undeclared(void **state) {
        _cleanup_(tool_names_done) ToolNames names = {};
        _cleanup_buf_ Buf b = BUF_INIT(65536);
        ToolDecl decls[] = { declare(&names, 's'), declare(&names, 'f') };
        ToolName *chosen[] = { map(&names, 'f'), map(&names, 'x') };
        ToolChoice choice = { .mode = TOOL_REQUIRED, .names = chosen, .n_names = 2 };
        JWriter w = JWRITER_INIT(&b);

        assert_ptr_equal(tools_find_undeclared(decls, ELEMENTSOF(decls), &choice), chosen[1]);

        /* The dialect refuses it; if it does not, the request is right nevertheless. */
        jwrite_object(&w, NULL);
        (void) tools_write(decls, 2, &choice, model_rules_find(NULL, "gemini-2.5-flash"), &w);
        jwrite_end(&w);
        assert_non_null(strstr(buf_cstr(&b), "\"allowedFunctionNames\":[\"f\"]"));
        assert_true(names.names[0]->flags & TOOL_NAME_DECLARED);
        assert_false(names.names[1]->flags & TOOL_NAME_DECLARED);
}

static void test_rest(void **state) {
        _cleanup_(tool_names_done) ToolNames names = {};
        _cleanup_buf_ Buf b = BUF_INIT(65536);
        ToolDecl decls[] = { declare(&names, 'f') };
        ToolChoice choice = { .retrieval = view("{\"languageCode\":\"de\"}") };
        ModelRules without = *model_rules_find(NULL, "gemini-3.8-flash");
        JWriter w = JWRITER_INIT(&b);

        jwrite_object(&w, NULL);
        assert_int_equal(tools_write(NULL, 0, &choice, &without, &w), 0);
        jwrite_end(&w);
        assert_string_equal(buf_cstr(&b),
                            "{\"toolConfig\":{\"retrievalConfig\":{\"languageCode\":\"de\"}}}");

        buf_clear(&b);
        w = JWRITER_INIT(&b);
        without.can &= ~MODEL_CAN_TOOLS;
        choice = (ToolChoice){ .mode = TOOL_REQUIRED };
        assert_int_equal(tools_write(decls, 1, &choice, &without, &w),
                         TOOL_LOST_FUNCTIONS | TOOL_LOST_REQUIRED);
        assert_int_equal(b.n, 0);

        assert_string_equal(tools_google_name(view("\"google_search\"")), "googleSearch");
        assert_string_equal(tools_google_name(view("\"codeExecution\"")), "codeExecution");
        assert_null(tools_google_name(view("\"functionDeclarations\"")));
        assert_null(tools_google_name(view("3")));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_undeclared),
                cmocka_unit_test(test_rest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
