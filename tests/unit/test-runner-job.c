/* SPDX-License-Identifier: MIT */

/* The daemon's lines: what is taken, what is refused and with which words, and what the CLI is given of it.
 */
#include "test.h"

#include "base/guard.h"
#include "base/job-protocol.h"
#include "base/json/write.h"
#include "base/text.h"
#include "runner/job.h"
#include "runner/json.h"

#define Z GUARD

#define S(text) text, sizeof(text) - 1

static void test_start(void **state) {
        static const struct {
                const char *line;
                const char *token; /* NULL: refused */
                bool dialogue;
        } table[] = {
                { "{\"start\":{\"token\":\"t\"}}", "t", false },
                { "{\"start\":{\"token\":\"t\",\"dialogue\":false}}", "t", false },
                { "{\"start\":{\"token\":\"t\",\"dialogue\":true}}", "t", true },
                { "{\"more\":1,\"start\":{\"more\":[],\"token\":\"~!\"}}", "~!", false },
                { "{\"start\":{\"token\":\"\"}}", NULL },
                { "{\"start\":{\"token\":\"a b\"}}", NULL },
                { "{\"start\":{\"token\":\"a\\nB=1\"}}", NULL },
                { "{\"start\":{\"token\":\"a\\u0000\"}}", NULL },
                { "{\"start\":{\"token\":\"\xC3\xA9\"}}", NULL },
                { "{\"start\":{\"token\":7}}", NULL },
                { "{\"start\":{}}", NULL },
                { "{\"start\":[]}", NULL },
                { "{\"start\":{\"token\":\"t\",\"dialogue\":1}}", NULL },
                { "{\"start\":{\"token\":\"t\",\"dialogue\":null}}", NULL },
                { "{\"job\":{\"prompt\":\"x\"}}", NULL },
                { "{\"start\":{\"token\":\"t\"}} x", NULL },
                { "[]", NULL },
                { "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                const char *why = NULL;
                JobStart s;
                int r;

                r = job_parse_start(table[i].line, strlen(table[i].line), &s, &why);
                if (!table[i].token) {
                        assert_int_equal(r, -EBADMSG);
                        assert_non_null(why);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_string_equal(s.token, table[i].token);
                assert_int_equal(s.dialogue, table[i].dialogue);
        }
}

static void test_token_length(void **state) {
        for (size_t n = JOB_TOKEN_MAX; n <= JOB_TOKEN_MAX + 1; n++) {
                _cleanup_buf_ Buf b = BUF_INIT(4096);
                const char *why;
                JobStart s;

                (void) buf_puts(&b, "{\"start\":{\"token\":\"");
                for (size_t i = 0; i < n; i++)
                        (void) buf_putc(&b, 'x');
                (void) buf_puts(&b, "\"}}");
                assert_int_equal(job_parse_start(buf_data(&b), b.n, &s, &why),
                                 n > JOB_TOKEN_MAX ? -EBADMSG : 0);
        }
}

static void assert_text(const Buf *b, const char *text, size_t n) {
        assert_int_equal(b->n, n);
        if (n > 0)
                assert_memory_equal(buf_data(b), text, n);
}

static void test_texts(void **state) {
        static const struct {
                const char *line;
                const char *prompt;
                size_t n_prompt;
                const char *system;
                size_t n_system;
        } table[] = {
                { "{\"job\":{\"prompt\":\"ping\"}}", S(Z "ping" Z), S(CLI_SYSTEM_NEUTRAL) },
                { "{\"job\":{\"prompt\":\"\"}}", S(Z Z), S(CLI_SYSTEM_NEUTRAL) },
                { "{\"job\":{\"prompt\":\"p\",\"system\":null,\"history\":null}}", S(Z "p" Z),
                  S(CLI_SYSTEM_NEUTRAL) },
                { "{\"job\":{\"prompt\":\"p\",\"system\":\"\",\"history\":[]}}", S(Z "p" Z), S(Z Z) },
                { "{\"job\":{\"prompt\":\"@a\",\"system\":\"${x}\"}}", S(Z "@" Z "a" Z),
                  S(Z "$" Z "{x}" Z) },
                { "{\"job\":{\"prompt\":\"a\\u0000b\\n\"}}", S(Z "a\0b\n" Z), S(CLI_SYSTEM_NEUTRAL) },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(job_done) RunnerJob j = {};
                const char *why;

                assert_int_equal(job_parse(table[i].line, strlen(table[i].line), false, &j, &why), 0);
                assert_text(&j.prompt, table[i].prompt, table[i].n_prompt);
                assert_text(&j.system, table[i].system, table[i].n_system);
                assert_int_equal(j.session.n, 0);
        }
}

static void test_refused(void **state) {
        static const struct {
                const char *line;
                bool dialogue;
                const char *why;
        } table[] = {
                { "", false, "the line must be a JSON object" },
                { "7", false, "the line must be a JSON object" },
                { "{\"job\":{\"prompt\":\"\xFF\"}}", false, "the line must be a JSON object" },
                { "{\"start\":{\"token\":\"t\"}}", false, "the second line must be a job" },
                { "{\"job\":7}", false, "the second line must be a job" },
                { "{\"job\":{}}", false, "job.prompt must be a string" },
                { "{\"job\":{\"prompt\":null}}", false, "job.prompt must be a string" },
                { "{\"job\":{\"prompt\":\"p\",\"system\":7}}", false, "job.system must be a string" },
                { "{\"job\":{\"prompt\":\"p\",\"history\":{}}}", true, "job.history must be an array" },
                { "{\"job\":{\"prompt\":\"p\",\"history\":[{\"role\":\"user\",\"text\":\"t\"}]}}", false,
                  "a history needs a dialogue" },
                { "{\"job\":{\"prompt\":\"p\",\"history\":[{\"role\":\"system\",\"text\":\"t\"}]}}", true,
                  "a turn of the history must have role (user or model) and text" },
                { "{\"job\":{\"prompt\":\"p\",\"history\":[{\"role\":\"user\"}]}}", true,
                  "a turn of the history must have role (user or model) and text" },
                { "{\"job\":{\"prompt\":\"p\",\"history\":[\"t\"]}}", true,
                  "a turn of the history must have role (user or model) and text" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                const char *why = "";
                RunnerJob j = {};

                assert_int_equal(
                        job_parse(table[i].line, strlen(table[i].line), table[i].dialogue, &j, &why),
                        -EBADMSG);
                assert_string_equal(why, table[i].why);
                assert_null(j.prompt.base);
        }
}

/* One text of each kind, at its ceiling and one byte above. */
static void test_ceilings(void **state) {
        static const struct {
                const char *before, *after;
                size_t max;
                const char *why;
        } table[] = {
                { "{\"job\":{\"prompt\":\"", "\"}}", CLI_PROMPT_MAX, "the prompt is too long" },
                { "{\"job\":{\"prompt\":\"\",\"system\":\"", "\"}}", CLI_SYSTEM_MAX,
                  "the system text is too long" },
                { "{\"job\":{\"prompt\":\"\",\"history\":[{\"role\":\"model\",\"text\":\"@\"},"
                  "{\"role\":\"user\",\"text\":\"",
                  "\"}]}}", CLI_HISTORY_MAX - 1, "the history is too long" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                for (size_t more = 0; more < 2; more++) {
                        _cleanup_buf_ Buf b = BUF_INIT(JOB_LINE_MAX);
                        _cleanup_(job_done) RunnerJob j = {};
                        const char *why = "";
                        size_t n = table[i].max + more;

                        (void) buf_puts(&b, table[i].before);
                        assert_int_equal(buf_reserve(&b, n), 0);
                        memset(b.base + b.off + b.n, '@', n);
                        b.n += n;
                        (void) buf_puts(&b, table[i].after);
                        assert_int_equal(job_parse(buf_data(&b), b.n, true, &j, &why), more ? -EBADMSG : 0);
                        assert_string_equal(why, more ? table[i].why : "");
                }
}

static void test_turns(void **state) {
        for (size_t n = CLI_TURNS_MAX; n <= CLI_TURNS_MAX + 1; n++) {
                _cleanup_buf_ Buf b = BUF_INIT(JOB_LINE_MAX);
                _cleanup_(job_done) RunnerJob j = {};
                const char *why;

                (void) buf_puts(&b, "{\"job\":{\"prompt\":\"\",\"history\":[");
                for (size_t i = 0; i < n; i++)
                        (void) buf_printf(&b, "%s{\"role\":\"user\",\"text\":\"\"}", i > 0 ? "," : "");
                (void) buf_puts(&b, "]}}");
                assert_int_equal(job_parse(buf_data(&b), b.n, true, &j, &why),
                                 n > CLI_TURNS_MAX ? -EBADMSG : 0);
        }
}

/* Whole, because it is the CLI's own form: guarded texts, and ids that are all different. */
static void test_session(void **state) {
        static const char line[] = "{\"job\":{\"prompt\":\"p\",\"history\":["
                                   "{\"role\":\"user\",\"text\":\"/dir add /etc\"},"
                                   "{\"role\":\"model\",\"text\":\"@x\"},"
                                   "{\"role\":\"model\",\"text\":\"\"}]}}";
#define TIME "2026-01-01T00:00:00.000Z"
        static const char wanted[] =
                "{\"sessionId\":\"00000000-0000-4000-8000-000000000001\",\"projectHash\":\"gemgate\","
                "\"startTime\":\"" TIME "\",\"lastUpdated\":\"" TIME "\",\"kind\":\"main\",\"messages\":["
                "{\"id\":\"1\",\"timestamp\":\"" TIME "\",\"type\":\"user\","
                "\"content\":[{\"text\":\"" Z "/dir add /etc" Z "\"}]},"
                "{\"id\":\"2\",\"timestamp\":\"" TIME "\",\"type\":\"gemini\",\"content\":\"" Z "@" Z "x" Z
                "\",\"model\":\"gemini\"},"
                "{\"id\":\"3\",\"timestamp\":\"" TIME "\",\"type\":\"gemini\",\"content\":\"" Z Z
                "\",\"model\":\"gemini\"}]}";
        _cleanup_(job_done) RunnerJob j = {};
        const char *why;

        assert_int_equal(job_parse(line, strlen(line), true, &j, &why), 0);
        assert_string_equal(buf_cstr(&j.session), wanted);
}

/* A job of the dialogue kind without a history still has a file for the CLI to read. */
static void test_empty_session(void **state) {
        static const char line[] = "{\"job\":{\"prompt\":\"p\"}}";
        _cleanup_(job_done) RunnerJob j = {};
        const char *why;

        assert_int_equal(job_parse(line, strlen(line), true, &j, &why), 0);
        assert_non_null(strstr(buf_cstr(&j.session), "\"messages\":[]"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_start),    cmocka_unit_test(test_token_length),
                cmocka_unit_test(test_texts),    cmocka_unit_test(test_refused),
                cmocka_unit_test(test_ceilings), cmocka_unit_test(test_turns),
                cmocka_unit_test(test_session),  cmocka_unit_test(test_empty_session),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
