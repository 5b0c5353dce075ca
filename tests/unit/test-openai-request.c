/* SPDX-License-Identifier: MIT */

/* What a chat request with tools, media and Google's extension is refused for, and what depends on more
 * than one request: signatures that were kept, and how long a request may take. */

#include "test.h"

#include <time.h>

#include "base/text.h"
#include "core/vault.h"
#include "dialect/json.h"
#include "dialect/openai/chat.h"
#include "dialect/signature.h"

static const DialectContext context = {
        .default_model = "gemini-3.8-flash",
        .request_id = "req-1",
        .created = 1790000000,
};

#define HI          "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define MESSAGES(m) "{\"messages\":[" m "]}"
#define PART(p)     MESSAGES("{\"role\":\"user\",\"content\":[" p "]}")
#define FIELD(f)    "{" HI "," f "}"
#define TOOL(t)     FIELD("\"tools\":[" t "]")
#define CALLS(c)    MESSAGES("{\"role\":\"assistant\",\"tool_calls\":" c "}")
#define F           "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}"

static void test_refused(void **state) {
        static const struct {
                const char *body, *param, *says;
        } rows[] = {
                /* content */
                { PART("{\"type\":\"image_url\"}"), "messages[0].content[0].image_url", "a string" },
                { PART("{\"type\":\"image_url\",\"image_url\":{}}"), "messages[0].content[0].image_url.url",
                  "a string" },
                { PART("{\"type\":\"image_url\",\"image_url\":{\"url\":5}}"),
                  "messages[0].content[0].image_url.url", "a string" },
                { PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://a/b.png\"}}"),
                  "messages[0].content[0].image_url.url", "must be" },
                { PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,a*b\"}}"),
                  "messages[0].content[0].image_url.url", "must be" },
                { PART("{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\",\"image_url\":\"ftp:/"
                  "/x\"}"),
                  "messages[0].content[1].image_url", "must be" },
                { PART("{\"type\":\"input_audio\"}"), "messages[0].content[0].input_audio", "an object" },
                { PART("{\"type\":\"input_audio\",\"input_audio\":{\"format\":\"wav\"}}"),
                  "messages[0].content[0].input_audio.data", "a string" },
                { PART("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QQ==\",\"format\":\"doc\"}}"),
                  "messages[0].content[0].input_audio.format", "wav, mp3" },
                { PART("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"!\",\"format\":\"wav\"}}"),
                  "messages[0].content[0].input_audio.data", "must be" },
                { PART("{\"type\":\"file\"}"), "messages[0].content[0].file", "an object" },
                { PART("{\"type\":\"file\",\"file\":{}}"), "messages[0].content[0].file",
                  "file_data or file_id" },
                { PART("{\"type\":\"file\",\"file\":{\"file_data\":5}}"),
                  "messages[0].content[0].file.file_data", "a string" },
                { PART("{\"type\":\"file\",\"file\":{\"file_id\":\"files/../x\"}}"),
                  "messages[0].content[0].file.file_id", "uploaded through gemgate" },
                { PART("{\"type\":\"file\",\"file\":{\"file_id\":\"\"}}"),
                  "messages[0].content[0].file.file_id", "uploaded through gemgate" },
                { PART("{\"type\":\"file\",\"file\":{\"file_id\":\"files/a\\u0000b\"}}"),
                  "messages[0].content[0].file.file_id", "uploaded through gemgate" },
                { PART("{\"type\":\"file\",\"file\":{\"file_id\":\"http://x/y\"}}"),
                  "messages[0].content[0].file.file_id", "uploaded through gemgate" },

                /* calls and results */
                { CALLS("5"), "messages[0].tool_calls", "an array" },
                { CALLS("[5]"), "messages[0].tool_calls[0]", "an object" },
                { CALLS("[{\"id\":\"x\"}]"), "messages[0].tool_calls[0].function", "an object" },
                { CALLS("[{\"id\":5,\"function\":{\"name\":\"f\"}}]"), "messages[0].tool_calls[0].id",
                  "a string" },
                { CALLS("[{\"function\":{\"name\":null}}]"), "messages[0].tool_calls[0].function.name",
                  "a string" },
                { CALLS("[{\"custom\":{\"input\":\"a\"}}]"), "messages[0].tool_calls[0].custom.name",
                  "a string" },
                { MESSAGES("{\"role\":\"assistant\",\"function_call\":5}"), "messages[0].function_call",
                  "an object" },
                { MESSAGES("{\"role\":\"assistant\",\"function_call\":{}}"), "messages[0].function_call."
                  "name",
                  "a string" },
                { MESSAGES("{\"role\":\"tool\",\"tool_call_id\":5}"), "messages[0].tool_call_id", "a str"
                  "ing" },
                { MESSAGES("{\"role\":\"tool\",\"content\":5}"), "messages[0].content", "string or an ar"
                  "ray" },

                /* tools */
                { TOOL("5"), "tools[0]", "an object" },
                { TOOL("{}"), "tools[0].type", "function or custom" },
                { TOOL("{\"type\":\"mcp\"}"), "tools[0].type", "function or custom" },
                { TOOL("{\"type\":\"function\",\"function\":5}"), "tools[0].function", "an object" },
                { TOOL("{\"type\":\"function\"}"), "tools[0].name", "a string" },
                { TOOL("{\"type\":\"function\",\"function\":{}}"), "tools[0].function.name", "a string" },
                { TOOL(F ",{\"type\":\"function\",\"function\":{\"name\":\"\"}}"), "tools[1].function.name",
                  "empty" },
                { TOOL("{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":5}}"),
                  "tools[0].function.description", "a string" },
                { TOOL("{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":5}}"),
                  "tools[0].function.parameters", "JSON Schema" },
                { TOOL("{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":"
                       "\"string\"}}}"),
                  "tools[0].function.parameters", "an object" },
                { TOOL("{\"type\":\"function\",\"function\":{\"name\":\"f\",\"strict\":1}}"),
                  "tools[0].function.strict", "a boolean" },
                { TOOL("{\"type\":\"custom\",\"custom\":{}}"), "tools[0].custom.name", "a string" },
                { FIELD("\"functions\":[5]"), "functions[0]", "an object" },
                { FIELD("\"functions\":[{}]"), "functions[0].name", "a string" },
                { FIELD("\"model\":\"gemma-3-27b-it\",\"tools\":[" F "]"), "tools", "takes no functions" },

                /* the choice */
                { FIELD("\"tool_choice\":\"some\""), "tool_choice", "none, auto, required" },
                { FIELD("\"tool_choice\":5"), "tool_choice", "a string or an object" },
                { FIELD("\"tools\":[" F "],\"tool_choice\":{\"type\":\"x\"}"), "tool_choice.type", "func"
                  "tion" },
                { FIELD("\"tools\":[" F "],\"tool_choice\":{\"type\":\"function\"}"),
                  "tool_choice.function.name", "a string" },
                { FIELD("\"tools\":[" F "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":"
                        "\"g\"}}"),
                  "tool_choice", "must name a function of tools" },
                { FIELD("\"tools\":[" F "],\"tool_choice\":{\"type\":\"allowed_tools\"}"),
                  "tool_choice.allowed_tools.mode", "auto or required" },
                { FIELD("\"tools\":[" F "],\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{"
                        "\"mode\":\"auto\"}}"),
                  "tool_choice.allowed_tools.tools", "an array" },
                { FIELD("\"functions\":[{\"name\":\"f\"}],\"function_call\":{\"name\":\"g\"}"),
                  "function_call", "must name a function" },
                { FIELD("\"function_call\":\"some\""), "function_call", "none, auto" },
                { FIELD("\"function_call\":{}"), "function_call.name", "a string" },
                { FIELD("\"parallel_tool_calls\":\"no\""), "parallel_tool_calls", "a boolean" },

                /* other fields */
                { FIELD("\"response_format\":{}"), "response_format.type", "json_object" },
                { FIELD("\"response_format\":{\"type\":\"grammar\"}"), "response_format.type", "json_obj"
                  "ect" },
                { FIELD("\"response_format\":{\"type\":\"json_schema\"}"), "response_format.json_schema",
                  "an object" },
                { FIELD("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":5}}"),
                  "response_format.json_schema.schema", "JSON Schema" },
                { FIELD("\"reasoning_effort\":\"much\""), "reasoning_effort", "one of none" },
                { FIELD("\"reasoning_effort\":5"), "reasoning_effort", "a string" },
                { FIELD("\"top_logprobs\":21"), "top_logprobs", "between 0 and 20" },
                { FIELD("\"top_logprobs\":-1"), "top_logprobs", "between 0 and 20" },
                { FIELD("\"modalities\":[5]"), "modalities", "text, image or audio" },
                { FIELD("\"modalities\":[\"audio\"]"), "modalities", "no answer of this kind" },
                { FIELD("\"audio\":{\"voice\":5}"), "audio.voice", "a string" },
                { FIELD("\"audio\":{\"format\":\"midi\"}"), "audio.format", "wav" },
                { FIELD("\"web_search_options\":true"), "web_search_options", "an object" },
                { FIELD("\"prediction\":\"x\""), "prediction", "an object" },
                { FIELD("\"verbosity\":1"), "verbosity", "a string" },
                { FIELD("\"logit_bias\":[]"), "logit_bias", "an object" },
                { FIELD("\"moderation\":\"x\""), "moderation", "an object" },
                { FIELD("\"prompt_cache_options\":1"), "prompt_cache_options", "an object" },
                { FIELD("\"store\":\"no\""), "store", "a boolean" },

                /* Google's */
                { FIELD("\"google\":5"), "google", "an object" },
                { FIELD("\"extra_body\":{\"google\":5}"), "extra_body.google", "an object" },
                { FIELD("\"google\":{\"thinking_config\":5}"), "google.thinking_config", "an object" },
                { FIELD("\"google\":{\"thinking_config\":{\"thinking_budget\":\"1\"}}"),
                  "google.thinking_config.thinking_budget", "an integer" },
                { FIELD("\"google\":{\"thinking_config\":{\"thinking_budget\":-2}}"),
                  "google.thinking_config.thinking_budget", "-1 or" },
                { FIELD("\"google\":{\"thinking_config\":{\"thinkingLevel\":\"huge\"}}"),
                  "google.thinking_config.thinking_level", "MINIMAL" },
                { FIELD("\"google\":{\"thinking_config\":{\"include_thoughts\":1}}"),
                  "google.thinking_config.include_thoughts", "a boolean" },
                { FIELD("\"google\":{\"safetySettings\":{}}"), "google.safety_settings", "an array" },
                { FIELD("\"google\":{\"tools\":[{\"magic\":{}}]}"), "google.tools[0]", "a tool of Google"
                  "'s" },
                { FIELD("\"model\":\"gemini-4-argon\",\"google\":{\"cached_content\":\"cachedContents/x\"}"),
                  "google.cached_content", "takes no cached content" },
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

/* What the request leaves for the answer. */
static void test_left_for_the_answer(void **state) {
        static const struct {
                const char *fields;
                bool json_function, one_call, old, logprobs, audio, media;
                const char *loss;
        } rows[] = {
                { "\"n\":1", false, false, false, false, false, false, NULL },
                { "\"model\":\"gemini-2.5-flash\",\"tools\":[" F "],\"response_format\":{\"type\":"
                  "\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"object\",\"properties\":{\"a\":{"
                  "\"type\":\"string\"}}}}}",
                  true, false, false, false, false, false, NULL },
                { "\"parallel_tool_calls\":false", false, true, false, false, false, false, NULL },
                { "\"functions\":[{\"name\":\"f\"}]", false, false, true, false, false, false, NULL },
                { "\"functions\":[{\"name\":\"f\"}],\"tools\":[" F "]"
                  "", false, false, false, false, false, false,
                  "functions whose name another one has" },
                { "\"logprobs\":true", false, false, false, true, false, false, NULL },
                { "\"model\":\"gemini-3.8-flash-tts\"", false, false, false, false, true, false, NULL },
                { "\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]", false, false, false, false, false, false,
                  "stop strings beyond the first five" },
                { "\"tool_choice\":\"required\"", false, false, false, false, false, false,
                  "tool_choice: there are no functions" },
                { "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
                  "\"url\":\"https://example.org/a.png\"}}]}]",
                  false, false, false, false, false, true, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t = NULL;
                _cleanup_buf_ Buf body = BUF_INIT(4096);
                const OpenaiChat *chat;

                (void) buf_printf(&body, "{" HI ",%s}", rows[i].fields);
                print_message("%s\n", rows[i].fields);
                t = translate(&context, buf_data(&body), body.n);
                chat = CONTAINER_OF(t, OpenaiChat, t);
                assert_int_equal(chat->json_function != NULL, rows[i].json_function);
                assert_int_equal(chat->is_one_call, rows[i].one_call);
                assert_int_equal(chat->has_functions, rows[i].old);
                assert_int_equal(chat->has_logprobs, rows[i].logprobs);
                assert_int_equal(chat->has_audio, rows[i].audio);
                assert_int_equal(t->opaque, rows[i].media);
                assert_string_equal(strempty(t->loss), strempty(rows[i].loss));
        }
}

/* --- signatures that were kept --- */

#define KEPT "a2VwdA=="

static JsonView view(const char *s) {
        return json_view(s, strlen(s));
}

static void keep(Vault *v, const char *model, const char *name, const char *id, const char *args) {
        ToolNames names = {};
        ToolName *n;

        assert_int_equal(tool_names_map(&names, name, strlen(name), &n), 0);
        vault_put(v, id, strlen(id), signature_digest(model, n, view(args)), KEPT, strlen(KEPT),
                  clock_realtime());
        tool_names_done(&names);
}

static void test_vault(void **state) {
        static const char sentinel[] = SIGNATURE_SENTINEL;
        static const struct {
                const char *call, *signature;
        } rows[] = {
                { "{\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": 1, \\\"b\\\":"
                  " [true]}\"}}",
                  KEPT },
                /* other spaces, order, spelling */
                { "{\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"b\\\":[true],\\\"\\"
                  "\\u0061\\\":1.0}"
                  "\"}}",
                  KEPT },
                { "{\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":{\"b\":[true],\"a\":1}}}"
                  "", KEPT },
                /* another call */
                { "{\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":2,\\\"b\\\":[t"
                  "rue]}\"}}",
                  sentinel },
                { "{\"id\":\"c1\",\"function\":{\"name\":\"g\",\"arguments\":\"{\\\"a\\\":1,\\\"b\\\":[t"
                  "rue]}\"}}",
                  sentinel },
                { "{\"id\":\"c2\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1,\\\"b\\\":[t"
                  "rue]}\"}}",
                  sentinel },
                { "{\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1,\\\"b\\\":[true]}\"}}"
                  "", sentinel },
                /* the client's goes first, whatever the vault has */
                { "{\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1,\\\"b\\\":[t"
                  "rue]}\"},"
                  "\"extra_content\":{\"google\":{\"thought_signature\":\"bWluZQ==\"}}}",
                  "bWluZQ==" },
                /* a custom tool's text */
                { "{\"id\":\"c3\",\"type\":\"custom\",\"custom\":{\"name\":\"run\",\"input\":\"x = 1\"}}"
                  "", KEPT },
        };
        _cleanup_(vault_freep) Vault *v = NULL;
        DialectContext c = context;

        assert_int_equal(vault_new(&(VaultLimits){ 100, 10000, USEC_PER_DAY }, &v), 0);
        keep(v, "gemini-3.8-flash", "f", "c1", "{\"a\":1,\"b\":[true]}");
        keep(v, "gemini-3.8-flash", "run", "c3", "{\"input\":\"x = 1\"}");
        c.vault = v;
        for (unsigned other_model = 0; other_model < 2; other_model++)
                for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                        _cleanup_(translation_freep) Translation *t = NULL;
                        _cleanup_buf_ Buf body = BUF_INIT(4096);
                        const char *wants = rows[i].signature;
                        char member[128];

                        if (other_model && streq(wants, KEPT))
                                wants = sentinel;
                        (void) buf_printf(&body,
                                          "{\"model\":\"gemini-3.%u-flash\",\"messages\":[{\"role\":\"us"
                                          "er\","
                                          "\"content\":\"a\"},{\"role\":\"assistant\",\"tool_calls\":[%s"
                                          "]}]}",
                                          other_model ? 6U : 8U, rows[i].call);
                        t = translate(&c, buf_data(&body), body.n);
                        (void) snprintf(member, sizeof(member), "\"thoughtSignature\":\"%s\"", wants);
                        if (!strstr(buf_cstr(&t->gemini), member))
                                assert_string_equal(buf_cstr(&t->gemini), member);
                }
}

/* --- what a stranger can make large --- */

static double seconds(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* None takes time by the square of its size: ten times what these take on a slow machine. */
static void test_time(void **state) {
        static const struct {
                const char *head, *repeated, *tail;
                unsigned n;
        } rows[] = {
                /* calls of one id, and as many results of it */
                { "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"x\",\"function\":{\""
                  "name\":\"f\"}}",
                  ",{\"id\":\"x\",\"function\":{\"name\":\"f\"}}", "]}]}", 60000 },
                { "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"x\",\"function\":{\""
                  "name\":\"f\"}}]}",
                  ",{\"role\":\"tool\",\"tool_call_id\":\"x\",\"content\":\"a\"}", "]}", 16000 },
                { "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}",
                  ",{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"x\",\"function\":{\"name\":\"f\"}}"
                  "]},{\"role\":"
                  "\"tool\",\"content\":\"a\"}",
                  "]}", 8000 },
                /* thoughts of one message */
                { "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"conten"
                  "t\":[{\"type\":"
                  "\"thinking\",\"thinking\":\"a\"}",
                  ",{\"type\":\"thinking\",\"thinking\":\"a\"}", "]}]}", 60000 },
                { "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stop\":[\"\"", ",\"\"", "]}"
                  "", 500000 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf body = BUF_INIT(16U << 20);
                _cleanup_(translation_freep) Translation *t = NULL;
                double begin;

                (void) buf_puts(&body, rows[i].head);
                for (unsigned k = 0; k < rows[i].n; k++)
                        (void) buf_puts(&body, rows[i].repeated);
                (void) buf_puts(&body, rows[i].tail);
                begin = seconds();
                t = translate(&context, buf_data(&body), body.n);
                assert_true(seconds() - begin < 2);
                assert_null(json_fault(buf_data(&t->gemini), t->gemini.n));
        }
}

static void test_too_many_parts(void **state) {
        for (unsigned more = 0; more < 2; more++) {
                _cleanup_buf_ Buf body = BUF_INIT(16U << 20);
                _cleanup_(translation_freep) Translation *t = NULL;
                ApiError e = {};
                int r;

                (void) buf_puts(&body, "{\"messages\":[{\"role\":\"user\",\"content\":[");
                for (unsigned i = 0; i < TURN_STEPS_MAX + more; i++)
                        (void) buf_puts(&body, i == 0 ? "{\"type\":\"text\",\"text\":\"a\"}"
                                                      : ",{\"type\":\"text\",\"text\":\"a\"}");
                (void) buf_puts(&body, "]}]}");
                r = dialect_openai_chat.request(&context, buf_data(&body), body.n, &t, &e);
                assert_int_equal(r, more > 0 ? DIALECT_E_REFUSED : 0);
                if (more > 0)
                        assert_string_equal(e.param, "messages");
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),        cmocka_unit_test(test_left_for_the_answer),
                cmocka_unit_test(test_vault),          cmocka_unit_test(test_time),
                cmocka_unit_test(test_too_many_parts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
