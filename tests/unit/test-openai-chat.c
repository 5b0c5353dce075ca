/* SPDX-License-Identifier: MIT */

/* What the OpenAI chat dialect refuses, and what it owes beyond the bytes that test-golden compares. */

#include "test.h"

#include "base/limits-continue.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/error-shape.h"
#include "dialect/json.h"

static const DialectContext context = {
        .default_model = "gemini-3.8-flash",
        .request_id = "req-1",
        .created = 1790000000,
};

#define HI          "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define MESSAGES(m) "{\"messages\":[" m "]}"
#define FIELD(f)    "{" HI "," f "}"

static void test_refused(void **state) {
        static const struct {
                const char *body, *param, *says;
        } rows[] = {
                /* the body */
                { "", "", "not JSON" },
                { "hello", "", "not JSON" },
                { "{" HI, "", "not JSON" },
                { "{" HI "} x", "", "not JSON" },
                { "{" HI ",}", "", "not JSON" },
                { "{" HI ",\"x\":'y'}", "", "not JSON" },
                { "{\"user\":\"\xC3\x28\"," HI "}", "", "not JSON" },
                { "[]", "", "object" },
                { "\"hi\"", "", "object" },
                { "42", "", "object" },
                { "null", "", "object" },
                { "{}", "messages", "required" },

                /* model */
                { FIELD("\"model\":5"), "model", "string" },
                { FIELD("\"model\":\"\""), "model", "model" },
                { FIELD("\"model\":\"../x\""), "model", "model" },
                { FIELD("\"model\":\"a/b\""), "model", "model" },
                { FIELD("\"model\":\"a\\u0000b\""), "model", "model" },
                { FIELD("\"model\":[\"a\"]"), "model", "string" },

                /* messages */
                { "{\"messages\":{}}", "messages", "array" },
                { "{\"messages\":\"hi\"}", "messages", "array" },
                { "{\"messages\":null}", "messages", "required" },
                { "{\"messages\":[]}", "messages", "empty" },
                { MESSAGES("\"hi\""), "messages[0]", "object" },
                { MESSAGES("null"), "messages[0]", "object" },
                { MESSAGES("{\"content\":\"a\"}"), "messages[0].role", "one of" },
                { MESSAGES("{\"role\":\"robot\",\"content\":\"a\"}"), "messages[0].role", "one of" },
                { MESSAGES("{\"role\":\"User\",\"content\":\"a\"}"), "messages[0].role", "one of" },
                { MESSAGES("{\"role\":5,\"content\":\"a\"}"), "messages[0].role", "one of" },
                { MESSAGES("{\"role\":\"system\",\"content\":5}"), "messages[0].content",
                  "string or an array" },
                { MESSAGES("{\"role\":\"assistant\",\"content\":{}}"), "messages[0].content",
                  "string or an array" },
                { MESSAGES("{\"role\":\"assistant\",\"refusal\":1}"), "messages[0].refusal", "string" },
                { MESSAGES("{\"role\":\"user\",\"content\":[\"a\"]}"), "messages[0].content[0]", "object" },
                { MESSAGES("{\"role\":\"user\",\"content\":[{}]}"), "messages[0].content[0].type", "text" },
                { MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":\"odd\"}]}"),
                  "messages[0].content[0].type", "text" },
                { MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}"),
                  "messages[0].content[0].text", "string" },
                { MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":1}]}"),
                  "messages[0].content[0].text", "string" },
                { MESSAGES("{\"role\":\"user\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}]}"),
                  "messages[0].content[0].type", "assistant" },

                /* types */
                { FIELD("\"temperature\":\"0.5\""), "temperature", "must be a number" },
                { FIELD("\"temperature\":true"), "temperature", "must be a number" },
                { FIELD("\"top_p\":[]"), "top_p", "must be a number" },
                { FIELD("\"n\":\"1\""), "n", "must be an integer" },
                { FIELD("\"n\":1.5"), "n", "must be an integer" },
                { FIELD("\"max_tokens\":1.5"), "max_tokens", "must be an integer" },
                { FIELD("\"max_tokens\":false"), "max_tokens", "must be an integer" },
                { FIELD("\"max_completion_tokens\":{}"), "max_completion_tokens", "must be an integer" },
                { FIELD("\"seed\":0.5"), "seed", "must be an integer" },
                { FIELD("\"seed\":1e300"), "seed", "must be an integer" },
                { FIELD("\"frequency_penalty\":\"x\""), "frequency_penalty", "must be a number" },
                { FIELD("\"presence_penalty\":\"x\""), "presence_penalty", "must be a number" },
                { FIELD("\"stream\":\"true\""), "stream", "must be a boolean" },
                { FIELD("\"stream\":1"), "stream", "must be a boolean" },
                { FIELD("\"stream_options\":true"), "stream_options", "must be an object" },
                { FIELD("\"stream_options\":{\"include_usage\":1}"), "stream_options.include_usage",
                  "must be a boolean" },
                { FIELD("\"stop\":5"), "stop", "must be a string or an array" },
                { FIELD("\"stop\":{}"), "stop", "must be a string or an array" },
                { FIELD("\"stop\":[\"a\",5]"), "stop", "array of strings" },
                { FIELD("\"stop\":[null]"), "stop", "array of strings" },
                { FIELD("\"user\":5"), "user", "must be a string" },
                { FIELD("\"metadata\":[]"), "metadata", "must be an object" },
                { FIELD("\"tools\":{}"), "tools", "must be an array" },
                { FIELD("\"logprobs\":\"no\""), "logprobs", "must be a boolean" },
                { FIELD("\"service_tier\":5"), "service_tier", "must be a string" },

                /* ranges */
                { FIELD("\"temperature\":-0.1"), "temperature", "between 0 and 2" },
                { FIELD("\"temperature\":2.01"), "temperature", "between 0 and 2" },
                { FIELD("\"top_p\":1.1"), "top_p", "between 0 and 1" },
                { FIELD("\"temperature\":1e999"), "temperature", "between 0 and 2" },
                { FIELD("\"n\":0"), "n", "between 1 and 8" },
                { FIELD("\"n\":9"), "n", "between 1 and 8" },
                { FIELD("\"n\":-1"), "n", "between 1 and 8" },
                { FIELD("\"max_tokens\":-2"), "max_tokens", "between -1 and" },
                { FIELD("\"max_tokens\":2147483648"), "max_tokens", "between -1 and" },
                { FIELD("\"max_completion_tokens\":-5"), "max_completion_tokens", "between -1 and" },
                { FIELD("\"max_tokens\":99999999999999999999999"), "max_tokens", "between -1 and" },
                { FIELD("\"frequency_penalty\":-2.5"), "frequency_penalty", "between -2 and 2" },
                { FIELD("\"presence_penalty\":3"), "presence_penalty", "between -2 and 2" },
                { FIELD("\"model\":\"gemini-4-argon\",\"n\":2"), "n", "must be 1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Translation *t = NULL;
                ApiError e = {};

                print_message("%s\n", rows[i].body);
                assert_int_equal(
                        dialect_openai_chat.request(&context, rows[i].body, strlen(rows[i].body), &t, &e),
                        DIALECT_E_REFUSED);
                assert_null(t);
                assert_int_equal(e.status, 400);
                assert_string_equal(e.type, "invalid_request_error");
                assert_string_equal(e.param, rows[i].param);
                if (!strstr(e.message, rows[i].says))
                        assert_string_equal(e.message, rows[i].says);
        }
}

static Translation *translate(const DialectContext *c, const char *body, size_t n) {
        Translation *t = NULL;
        ApiError e = {};

        if (dialect_openai_chat.request(c, body, n, &t, &e) != 0)
                fail_msg("refused: %s", e.message);
        return t;
}

static void test_model(void **state) {
        static const struct {
                const char *model, *expected;
                bool cli;
        } rows[] = {
                { NULL, "gemini-3.8-flash", false },
                { "gemini-3.6-flash", "gemini-3.6-flash", false },
                { "models/gemini-3.6-flash", "gemini-3.6-flash", false },
                { "cli/gemini-3.6-flash", "gemini-3.6-flash", true },
                { "gpt-4o", "gpt-4o", false },
                { "google/gemini-3.6-flash", "gemini-3.6-flash", false },
                { "google/models/gemini-3.6-flash", "gemini-3.6-flash", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t = NULL;
                _cleanup_buf_ Buf body = BUF_INIT(4096);

                (void) buf_puts(&body, "{" HI);
                if (rows[i].model)
                        (void) buf_printf(&body, ",\"model\":\"%s\"", rows[i].model);
                (void) buf_puts(&body, "}");
                t = translate(&context, buf_data(&body), body.n);
                assert_string_equal(t->model, rows[i].expected);
                assert_int_equal(t->cli, rows[i].cli);
                assert_string_equal(t->served, "");
                assert_int_equal(t->method, GEMINI_GENERATE);
                assert_int_equal(t->settled, 0);
        }
}

static const char *resolve(const char *name, void *userdata) {
        return streq(name, "gpt-4o") ? userdata : name;
}

/* The rules that go by the model go by the one that is behind an alias. */
static void test_alias(void **state) {
        static const char body[] = FIELD("\"model\":\"gpt-4o\",\"frequency_penalty\":1");
        static const struct {
                const char *model;
                bool penalty;
        } rows[] = { { "gemini-2.5-flash", false }, { "gemini-2.0-flash", true } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t = NULL;
                DialectContext c = context;

                c.resolve_model = resolve;
                c.userdata = (void *) rows[i].model;
                t = translate(&c, body, strlen(body));
                assert_string_equal(t->model, "gpt-4o");
                assert_int_equal(strstr(buf_cstr(&t->gemini), "frequencyPenalty") != NULL, rows[i].penalty);
        }
}

static void test_too_many_messages(void **state) {
        for (unsigned more = 0; more < 2; more++) {
                _cleanup_buf_ Buf body = BUF_INIT(16U << 20);
                _cleanup_(translation_freep) Translation *t = NULL;
                ApiError e = {};
                int r;

                (void) buf_puts(&body, "{\"messages\":[");
                for (unsigned i = 0; i < MESSAGES_MAX + more; i++)
                        (void) buf_puts(&body, i == 0 ? "{\"role\":\"user\",\"content\":\"a\"}"
                                                      : ",{\"role\":\"user\",\"content\":\"a\"}");
                (void) buf_puts(&body, "]}");
                r = dialect_openai_chat.request(&context, buf_data(&body), body.n, &t, &e);
                assert_int_equal(r, more > 0 ? DIALECT_E_REFUSED : 0);
                if (more > 0)
                        assert_string_equal(e.param, "messages");
        }
}

static void test_too_deep(void **state) {
        for (unsigned depth = JSON_DEPTH_MAX - 1; depth < JSON_DEPTH_MAX + 3; depth++) {
                _cleanup_buf_ Buf body = BUF_INIT(4096);
                _cleanup_(translation_freep) Translation *t = NULL;
                ApiError e = {};
                int r;

                (void) buf_puts(&body, "{" HI ",\"x\":");
                for (unsigned i = 1; i < depth; i++)
                        (void) buf_putc(&body, '[');
                for (unsigned i = 1; i < depth; i++)
                        (void) buf_putc(&body, ']');
                (void) buf_putc(&body, '}');
                r = dialect_openai_chat.request(&context, buf_data(&body), body.n, &t, &e);
                assert_int_equal(r, depth > JSON_DEPTH_MAX ? DIALECT_E_REFUSED : 0);
        }
}

/* The request's buffer has a ceiling; no client may reach it, whatever grows in the translation. */
static void test_growth(void **state) {
        static const struct {
                const char *head, *repeated, *tail;
        } rows[] = {
                { "{\"messages\":[{\"role\":\"user\",\"content\":\"", "\\b", "\"}]}" },
                { "{\"messages\":[{\"role\":\"user\",\"content\":\"", "\\u0001", "\"}]}" },
                { "{\"messages\":[{\"role\":\"user\",\"content\":\"", "\xC2\x85", "\"}]}" },
                { "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}",
                  ",{\"role\":\"user\",\"content\":\"b\"}", "]}" },
                { "{\"model\":\"gemma-3\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}",
                  ",{\"role\":\"system\",\"content\":\"b\"}", "]}" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf body = BUF_INIT(16U << 20);
                _cleanup_(translation_freep) Translation *t = NULL;

                (void) buf_puts(&body, rows[i].head);
                for (unsigned k = 0; k < 10000; k++)
                        (void) buf_puts(&body, rows[i].repeated);
                (void) buf_puts(&body, rows[i].tail);
                t = translate(&context, buf_data(&body), body.n);
                assert_null(json_fault(buf_data(&t->gemini), t->gemini.n));
        }
}

#define EVENT(parts, finish) "{\"candidates\":[{\"content\":{\"parts\":[" parts "]}" finish "}]}"
#define STOP                 ",\"finishReason\":\"STOP\""

/* When the client's bytes begin, and when the answer is settled: the exchange depends on these. */
static void test_stream_facts(void **state) {
        static const struct {
                const char *event;
                bool bytes, settled;
        } rows[] = {
                { "{}", false, false },
                { "{\"promptFeedback\":{\"safetyRatings\":[]}}", false, false },
                { EVENT("{\"text\":\"hm\",\"thought\":true}", ""), false, false },
                { EVENT("{\"text\":\"\"}", ""), false, false },
                { EVENT("", STOP), false, true },
                { EVENT("{\"text\":\"a\"}", ""), true, false },
                { EVENT("{\"text\":\"a\"}", STOP), true, true },
                { "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", false, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                static const char body[] = FIELD("\"stream\":true");
                _cleanup_(translation_freep) Translation *t = translate(&context, body, strlen(body));
                _cleanup_buf_ Buf out = BUF_INIT(65536);
                Verdict v;
                int r;

                assert_int_equal(t->dialect->event(t, rows[i].event, strlen(rows[i].event), &out, &v), 0);
                assert_int_equal(out.n > 0, rows[i].bytes);
                assert_int_equal(t->settled > 0, rows[i].settled);
                assert_null(t->finish_reason);
                if (!rows[i].settled)
                        continue;
                r = t->dialect->finish(t, &out, &v);
                assert_true(r == 0 || r == DIALECT_E_EMPTY);
                assert_non_null(t->finish_reason);
        }
}

#define SHARE(index, parts, more)                                                                           \
        "{\"index\":" index ",\"content\":{\"parts\":[" parts "]}" more "}"
#define LIKELY(token)                                                                                       \
        ",\"logprobsResult\":{\"chosenCandidates\":[{\"token\":\"" token "\",\"logProbability\":-1}]}"

/* A stream has the log probabilities of each candidate in a chunk of that candidate, also those that come
 * without a text. */
static void test_stream_logprobs(void **state) {
        static const char body[] = FIELD("\"model\":\"gemini-2.5-flash\",\"stream\":true,\"n\":2,"
                                         "\"logprobs\":true");
        static const char *const events[] = {
                "{\"candidates\":[" SHARE("0", "", LIKELY("a")) ","
                SHARE("1", "{\"text\":\"b\"}", LIKELY("b")) "]}",
                "{\"candidates\":[" SHARE("0", "{\"text\":\"a\"}", "") "]}",
                "{\"candidates\":[" SHARE("0", "", LIKELY("end") STOP) "," SHARE("1", "", STOP) "]}",
        };
        static const struct {
                const char *delta, *token; /* of one chunk; NULL: it has no log probabilities */
        } rows[] = {
                { "\"index\":1,\"delta\":{\"content\":\"b\"}", "\"token\":\"b\"" },
                { "\"index\":0,\"delta\":{\"content\":\"a\"}", "\"token\":\"a\"" },
                { "\"index\":0,\"delta\":{}", "\"token\":\"end\"" },
                { "\"index\":1,\"delta\":{}", NULL },
        };
        _cleanup_(translation_freep) Translation *t = translate(&context, body, strlen(body));
        _cleanup_buf_ Buf out = BUF_INIT(65536);
        Verdict v;

        for (size_t i = 0; i < ELEMENTSOF(events); i++)
                assert_int_equal(t->dialect->event(t, events[i], strlen(events[i]), &out, &v), 0);
        assert_int_equal(t->dialect->finish(t, &out, &v), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *chunk = strstr(buf_cstr(&out), rows[i].delta), *end;

                assert_non_null(chunk);
                end = strstr(chunk, "\n\n");
                assert_non_null(end);
                assert_int_equal(!memmem(chunk, (size_t) (end - chunk), "\"token\"", 7), !rows[i].token);
                if (rows[i].token)
                        assert_non_null(memmem(chunk, (size_t) (end - chunk), rows[i].token,
                                               strlen(rows[i].token)));
        }
}

#define TWO(a, b) \
        "{\"candidates\":[{\"finishReason\":\"" a "\"},{\"index\":1,\"finishReason\":\"" b "\"}]}"

/* Which answers are empty, so that another key is tried. */
static void test_empty(void **state) {
        static const struct {
                const char *fields, *event;
                int r;
        } rows[] = {
                { "", EVENT("", STOP), DIALECT_E_EMPTY },
                { "", "{\"candidates\":[{\"finishReason\":\"STOP\"}]}", DIALECT_E_EMPTY },
                { "", EVENT("{\"text\":\"\"}", STOP), DIALECT_E_EMPTY },
                { "", EVENT("{\"text\":\"hm\",\"thought\":true}", STOP), DIALECT_E_EMPTY },
                { ",\"stop\":[]", EVENT("", STOP), DIALECT_E_EMPTY },
                { ",\"stop\":\"\"", EVENT("", STOP), DIALECT_E_EMPTY },
                { "", TWO("STOP", "OTHER"), DIALECT_E_EMPTY },
                { ",\"stop\":\"x\"", EVENT("", STOP), 0 },
                { "", EVENT("{\"text\":\" \"}", STOP), 0 },
                { "", EVENT("{\"functionCall\":{\"name\":\"f\"}}", STOP), 0 },
                { "", EVENT("{\"inlineData\":{\"data\":\"QQ==\"}}", STOP), 0 },
                { "", EVENT("", ",\"finishReason\":\"MAX_TOKENS\""), 0 },
                { "", EVENT("", ",\"finishReason\":\"SAFETY\""), 0 },
                { "", "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", 0 },
                { "", TWO("STOP", "SAFETY"), 0 },
                { "", EVENT("", ",\"finishReason\":\"OTHER\""), DIALECT_E_VERDICT },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (unsigned stream = 0; stream < 2; stream++) {
                        _cleanup_(translation_freep) Translation *t = NULL;
                        _cleanup_buf_ Buf body = BUF_INIT(4096), out = BUF_INIT(65536);
                        Verdict v;
                        int r;

                        (void) buf_printf(&body, "{" HI ",\"stream\":%s%s}", stream ? "true" : "false",
                                          rows[i].fields);
                        t = translate(&context, buf_data(&body), body.n);
                        r = t->dialect->event(t, rows[i].event, strlen(rows[i].event), &out, &v);
                        assert_int_equal(r, 0);
                        if (t->dialect->finish(t, &out, &v) != rows[i].r)
                                fail_msg("row %zu", i);
                        assert_int_equal(out.n > 0, rows[i].r != DIALECT_E_VERDICT);
                        if (rows[i].r != 0)
                                assert_int_equal(v.class, VERDICT_OVERLOAD);
                }
}

static void test_errors(void **state) {
        static const char body[] = FIELD("\"stream\":true");
        _cleanup_(translation_freep) Translation *t = translate(&context, body, strlen(body));
        _cleanup_buf_ Buf out = BUF_INIT(4096);
        ApiError e;

        api_error_set(&e, 400, "stop", "a \"quoted\"\nline");
        error_shape_openai.write(&e, "req-1", &out);
        assert_string_equal(buf_cstr(&out), "{\"error\":{\"message\":\"a \\\"quoted\\\"\\nline\",\"type\":"
                                            "\"invalid_request_error\",\"param\":\"stop\",\"code\":null}}");
        buf_clear(&out);
        api_error_set(&e, 401, NULL, "no");
        error_shape_plain.write(&e, "req-1", &out);
        assert_string_equal(buf_cstr(&out),
                            "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\","
                            "\"param\":null,\"code\":\"invalid_api_key\"}}");
        buf_clear(&out);
        api_error_set(&e, 502, NULL, "cut");
        t->dialect->stream_error(t, &e, &out);
        assert_string_equal(buf_cstr(&out),
                            "data: {\"error\":{\"message\":\"cut\",\"type\":\"server_error\","
                            "\"param\":null,\"code\":\"bad_gateway\"}}\n\n");
}

/* Each hop is the same request with the token of the hop before, and their number is limited. */
static void test_continuation(void **state) {
        static const char hop[] = "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"ab\"}]},"
                                  "\"finishReason\":\"CONTINUATION\",\"continuationToken\":\"T%02u=\"}]}";
        static const char body[] =
                "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
                "{\"role\":\"assistant\",\"tool_calls\":["
                "{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"},"
                "\"extra_content\":{\"google\":{\"thought_signature\":\"Zm9v\"}}}]},"
                "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"x\"}]}";
        _cleanup_(translation_freep) Translation *t = translate(&context, body, strlen(body));
        _cleanup_buf_ Buf out = BUF_INIT(65536), first = BUF_INIT(65536), expected = BUF_INIT(65536);
        unsigned n = 0;
        Verdict v;
        int r;

        (void) buf_append(&first, buf_data(&t->gemini), t->gemini.n - 1);
        for (;; n++) {
                char event[256], token[64];

                (void) snprintf(event, sizeof(event), hop, n);
                assert_int_equal(t->dialect->event(t, event, strlen(event), &out, &v), 0);
                r = t->dialect->finish(t, &out, &v);
                if (r != DIALECT_E_MORE)
                        break;
                t->dialect->reset(t);
                assert_int_equal(out.n, 0);
                (void) snprintf(token, sizeof(token), ",\"continuationToken\":\"T%02u=\"}", n);
                buf_clear(&expected);
                (void) buf_append(&expected, buf_data(&first), first.n);
                (void) buf_puts(&expected, token);
                assert_string_equal(buf_cstr(&t->gemini), buf_cstr(&expected));
                if (n == 3) { /* the sentinel changes the request, and the token stays at its end */
                        assert_true(t->dialect->drop_signatures(t));
                        buf_clear(&first);
                        (void) buf_append(&first, buf_data(&t->gemini), t->gemini.n - strlen(token));
                        assert_memory_equal(buf_data(&t->gemini) + first.n, token, strlen(token));
                }
        }
        assert_int_equal(r, 0);
        assert_int_equal(n, CONTINUATIONS_MAX);
        (void) buf_cstr(&out);
        assert_non_null(strstr(buf_data(&out), "\"content\":\"abababab"));
        assert_non_null(strstr(buf_data(&out), "\"finish_reason\":\"length\""));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),      cmocka_unit_test(test_model),
                cmocka_unit_test(test_alias),        cmocka_unit_test(test_too_many_messages),
                cmocka_unit_test(test_too_deep),     cmocka_unit_test(test_growth),
                cmocka_unit_test(test_stream_facts), cmocka_unit_test(test_errors),
                cmocka_unit_test(test_empty),        cmocka_unit_test(test_continuation),
                cmocka_unit_test(test_stream_logprobs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
