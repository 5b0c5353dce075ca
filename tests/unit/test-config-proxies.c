/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "config/internal.h"

/* Which proxy is used, the line about it, and the messages about wrong ones. */

typedef struct Said {
        char text[4096];
} Said;

static void say(LogLevel level, const char *line, void *userdata) {
        Said *s = userdata;
        size_t n = strlen(s->text);

        (void) snprintf(s->text + n, sizeof(s->text) - n, "%s%s\n",
                        level == LOG_LEVEL_WARNING ? "warning: " : "", line);
}

#define SETTINGS_MAX 5

typedef struct Row {
        const char *settings[SETTINGS_MAX]; /* NAME=VALUE, as in the env file */
        const char *proxy;                  /* NULL: none */
        const char *said;
} Row;

static int make(const Row *row, Config **ret, Said *said) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        char text[4096] = "API_KEYS=the-key-of-this-test\n";

        *said = (Said){};
        assert_int_equal(config_text_new(&t), 0);
        for (size_t i = 0; i < SETTINGS_MAX && row->settings[i]; i++)
                (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", row->settings[i]);
        assert_int_equal(config_text_read_env(t, text, strlen(text), "env", false, say, said), 0);
        return config_new(t, say, said, ret);
}

#define THROUGH(proxy, from) "Gemini is reached through the proxy " proxy " (" from ")"

static void test_choice(void **state) {
        static const Row rows[] = {
                { {}, NULL, "" },
                { { "UPSTREAM_PROXY=http://me:hunter2@h:1" }, "http://h:1",
                  THROUGH("http://h:1", "UPSTREAM_PROXY") "\n" },
                { { "UPSTREAM_PROXY=h:1", "HTTPS_PROXY=g:1", "NO_PROXY=*" }, "http://h:1",
                  THROUGH("http://h:1", "UPSTREAM_PROXY") "\n" },
                { { "UPSTREAM_PROXY=none", "HTTPS_PROXY=g:1" }, NULL,
                  "Gemini is reached directly: UPSTREAM_PROXY is none\n" },
                { { "HTTPS_PROXY=g:1", "ALL_PROXY=socks://gnome:1/" }, "http://g:1",
                  THROUGH("http://g:1", "HTTPS_PROXY") "\n" },
                { { "https_proxy=g:1" }, "http://g:1", THROUGH("http://g:1", "HTTPS_PROXY") "\n" },
                { { "ALL_PROXY=socks5://g " }, "socks5://g:1080",
                  THROUGH("socks5://g:1080", "ALL_PROXY") "\n" },
                { { "all_proxy=g:1080", "no_proxy=example.com" }, "http://g:1080",
                  THROUGH("http://g:1080", "ALL_PROXY") "\n" },
                { { "ALL_PROXY=g:1", "NO_PROXY=.googleapis.com" }, NULL,
                  "Gemini is reached directly: NO_PROXY covers generativelanguage.googleapis.com\n" },
                { { "ALL_PROXY=g:1", "NO_PROXY=10.0.0.0/8", "GEMINI_BASE_URL=https://10.0.0.1:443" }, NULL,
                  "Gemini is reached directly: NO_PROXY covers 10.0.0.1\n" },
                { { "UPSTREAM_PROXY=h:1", "GEMINI_BASE_URL=https://[::1]:443" }, NULL,
                  "Gemini is reached directly: [::1] is this machine, and no proxy leads there\n" },
                { { "UPSTREAM_PROXY=h:1", "GEMINI_BASE_URL=http://localhost:8081",
                    "PROJECT_PROXIES={\"p\":\"h:1\"}" },
                  NULL,
                  "Gemini is reached directly: localhost is this machine, and no proxy leads there\n" },
                { { "HTTP_PROXY=http://h:1", "http_proxy=http://h:1" }, NULL,
                  "warning: env:2: HTTP_PROXY is not used: the proxy to Gemini is UPSTREAM_PROXY or "
                  "HTTPS_PROXY\n"
                  "warning: env:3: http_proxy is not used: the proxy to Gemini is UPSTREAM_PROXY or "
                  "HTTPS_PROXY\n" },
                { { "PROJECT_PROXIES={\"p\":\"h:1\",\"q\":\"none\"}" }, NULL,
                  "Gemini is reached directly, without a proxy; 2 projects or keys have other settings\n" },
                { { "UPSTREAM_PROXY=h:1", "API_KEYS=[{\"key\":\"another-key\",\"proxy\":\"none\"}]" },
                  "http://h:1",
                  THROUGH("http://h:1", "UPSTREAM_PROXY") "; 1 project or key has another setting\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                Said said;

                assert_int_equal(make(rows + i, &c, &said), 0);
                assert_string_equal(said.text, rows[i].said);
                if (rows[i].proxy)
                        assert_string_equal(proxy_shown(c->proxy), rows[i].proxy);
                else
                        assert_null(c->proxy);
        }
}

#define FORM \
        "must be none or http://HOST:PORT, or https:// or socks5://, if needed with USER:PASSWORD and @ " \
        "before it"

static void test_faults(void **state) {
        static const Row rows[] = {
                { { "UPSTREAM_PROXY=http://me:hunter2@" }, NULL, "UPSTREAM_PROXY: http://…: "
                  FORM " (env:2)\n" },
                { { "UPSTREAM_PROXY=hunter2@" }, NULL, "UPSTREAM_PROXY: " FORM " (env:2)\n" },
                { { "UPSTREAM_PROXY=socks4://h" }, NULL, "UPSTREAM_PROXY: socks4://…: " FORM " (env:2)\n" },
                { { "UPSTREAM_PROXY='h:1\ng:1'" }, NULL, "UPSTREAM_PROXY: must be one proxy (env:2)\n" },
                { { "ALL_PROXY=socks://h:1/" }, NULL, "ALL_PROXY: socks://…: " FORM " (env:2)\n" },
                { { "HTTPS_PROXY=http://h:1 x" }, NULL, "HTTPS_PROXY: http://…: " FORM " (env:2)\n" },
                { { "PROJECT_PROXIES={\"p\":\"http://me:hunter2@\"}" }, NULL,
                  "PROJECT_PROXIES: p: " FORM " (env:2)\n" },
                { { "PROJECT_PROXIES={\"p\":1}" }, NULL,
                  "PROJECT_PROXIES: p: must be {\"PROJECT\": \"PROXY\"}, each proxy as in "
                  "UPSTREAM_PROXY (env:2)\n" },
                { { "PROJECT_PROXIES=[\"http://me:hunter2@h\"]" }, NULL,
                  "PROJECT_PROXIES: must be {\"PROJECT\": \"PROXY\"}, each proxy as in UPSTREAM_PROXY "
                  "(env:2)\n" },
                { { "PROJECT_PROXIES={\"http://me:hunter2@h\":\"p q\"}" }, NULL,
                  "PROJECT_PROXIES: http://**********@h: " FORM " (env:2)\n" },
                { { "API_KEYS=[{\"key\":\"some-key\",\"proxy\":7}]" }, NULL,
                  "API_KEYS: entry 1 (****): proxy: " FORM " (env:2)\n" },
                { { "API_KEYS=[{\"key\":\"some-key\",\"project\":\"p\",\"proxy\":\"h:1\"},"
                    "{\"key\":\"more-key\",\"project\":\"p\",\"proxy\":\"none\"}]" },
                  NULL, "API_KEYS: p: must have one proxy, not both none and http://h:1 (env:2)\n" },
                { { "API_KEYS=[{\"key\":\"some-key\",\"project\":\"p\",\"proxy\":\"a:hunter2@h:1\"}]",
                    "PROJECT_PROXIES={\"p\":\"h:1\"}" },
                  NULL,
                  "PROJECT_PROXIES: p: must have one proxy, not both http://h:1 and http://h:1 with another "
                  "user or password (env:3)\n" },
                { { "API_KEYS=[{\"key\":\"some-long-key\",\"proxy\":\"h:1\"},"
                    "{\"key\":\"some-long-key\",\"proxy\":\"h:2\"}]" },
                  NULL, "API_KEYS: some****-key: must have one project and one proxy (env:2)\n" },
                { { "PROJECT_PROXIES={\"p\":\"h:1\",\"p\":\"h:2\"}" }, NULL,
                  "PROJECT_PROXIES: must be valid JSON: a name is there twice (env:2)\n" },
                { { "API_KEYS=[{\"key\":\"some-long-key\",\"proxy\":\"h:1\",\"pro\\u0078y\":\"h:2\"}]" },
                  NULL,
                  "API_KEYS: must be a JSON array ([\"…\", \"…\"]) or entries separated by commas: a name "
                  "is there twice (env:2)\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Config *c;
                Said said;

                assert_int_equal(make(rows + i, &c, &said), -EINVAL);
                assert_string_equal(said.text, rows[i].said);
        }
}

/* A project has the proxy of its keys, and of PROJECT_PROXIES; the same one twice is no fault. */
static void test_projects(void **state) {
        static const Row row = {
                { "API_KEYS=[{\"key\":\"key-1\",\"project\":\"b\",\"proxy\":\"h:1\"},"
                  "{\"key\":\"key-2\",\"project\":\"b\"},"
                  "{\"key\":\"key-3\",\"project\":\"c\",\"proxy\":\"http://h:1\"},"
                  "{\"key\":\"key-4\",\"proxy\":\"socks5://h:1\"}]",
                  "PROJECT_PROXIES={\"c\":\"h:1/\",\"a\":\"none\"}" },
                NULL, NULL,
        };
        _cleanup_(config_unrefp) Config *c = NULL;
        const char *const projects[] = { "a", "b", "c" }, *const proxies[] = { "none", "http://h:1",
                                                                               "http://h:1" };
        Said said;

        assert_int_equal(make(&row, &c, &said), 0);
        assert_int_equal(c->n_project_proxies, 3);
        for (size_t i = 0; i < 3; i++) {
                assert_string_equal(c->project_proxies[i].project, projects[i]);
                assert_string_equal(proxy_shown(c->project_proxies[i].proxy), proxies[i]);
        }
        assert_ptr_equal(c->project_proxies[1].proxy, c->project_proxies[2].proxy);
        for (size_t i = 0; i < 3; i++)
                assert_null(c->keys[i].proxy);
        assert_string_equal(proxy_shown(c->keys[3].proxy), "socks5://h:1");
}

static void test_too_many(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        _cleanup_buf_ Buf b = BUF_INIT(1U << 20);
        Config *c;
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        for (unsigned i = 0; i <= PROXIES_MAX; i++)
                (void) buf_printf(&b, "%c\"p%u\":\"h:%u\"", i == 0 ? '{' : ',', i, i + 1);
        (void) buf_putc(&b, '}');
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "a-key", 5), 0);
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENV_FILE, "PROJECT_PROXIES", buf_cstr(&b), b.n),
                         0);
        assert_int_equal(config_new(t, say, &said, &c), -EINVAL);
        assert_string_equal(said.text, "PROJECT_PROXIES: p1024: must be at most 1024 different proxies\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_choice),
                cmocka_unit_test(test_faults),
                cmocka_unit_test(test_projects),
                cmocka_unit_test(test_too_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
