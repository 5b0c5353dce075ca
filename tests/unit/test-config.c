/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "config/internal.h"

/* --- a conversation: the settings, and the messages --- */

typedef struct Said {
        char text[16384];
        size_t n_lines;
} Said;

static void say(LogLevel level, const char *line, void *userdata) {
        Said *s = userdata;
        size_t n = strlen(s->text);

        s->n_lines++;
        (void) snprintf(s->text + n, sizeof(s->text) - n, "%s%s\n",
                        level == LOG_LEVEL_WARNING ? "warning: " : "", line);
}

static void set(ConfigText *t, ConfigSource source, const char *name, const char *value) {
        assert_int_equal(config_text_set(t, source, name, value, strlen(value)), 0);
}

/* With a key, so that there is no warning about a missing one. */
static int make_from(ConfigSource source, const char *name, const char *value, Config **ret, Said *said) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;

        *said = (Said){};
        assert_int_equal(config_text_new(&t), 0);
        set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "the-key-of-this-test");
        if (name)
                set(t, source, name, value);
        return config_new(t, say, said, ret);
}

static int make(const char *name, const char *value, Config **ret, Said *said) {
        return make_from(CONFIG_SOURCE_ENVIRONMENT, name, value, ret, said);
}

/* --- values that pass --- */

static void test_defaults(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said;

        assert_int_equal(make(NULL, NULL, &c, &said), 0);
        assert_string_equal(said.text, "");
        assert_int_equal(c->n_keys, 1);
        assert_int_equal(c->tokens.n, 0);
        assert_int_equal(c->allowed_ips.n, 2);
        assert_string_equal(c->allowed_ips.rules[0].text, "127.0.0.1");
        assert_string_equal(c->allowed_ips.rules[1].text, "::1");
        assert_int_equal(c->trusted_proxies.n, 0);
        assert_string_equal(c->listen[0], "127.0.0.1:8080");
        assert_null(c->listen[1]);
        assert_string_equal(c->gemini_base_url, "https://generativelanguage.googleapis.com");
        assert_string_equal(c->default_model, "gemini-flash-latest");
        assert_int_equal(c->aliases.n_names, 0);
        assert_int_equal(c->n_limits, 0);
        assert_false(c->explain_header);
        assert_int_equal(c->quota_warn_at, 80);
        assert_int_equal(c->log_level, LOG_LEVEL_INFO);
        assert_int_equal(c->log_format, CONFIG_LOG_AUTO);
        assert_false(c->log_bodies);
        assert_string_equal(c->state_url, "auto");
        assert_int_equal(c->stats_retention_days, 400);
        assert_string_equal(c->quota_reset_timezone, "America/Los_Angeles");
        assert_int_equal(c->connect_timeout, 10 * USEC_PER_SEC);
        assert_int_equal(c->first_byte_timeout, 10 * USEC_PER_MINUTE);
        assert_int_equal(c->stream_idle_timeout, 2 * USEC_PER_MINUTE);
        assert_int_equal(c->request_deadline, 20 * USEC_PER_MINUTE);
        assert_int_equal(c->drain_timeout, 30 * USEC_PER_SEC);
        assert_int_equal(c->max_body, 32 << 20);
        assert_int_equal(c->max_connections, 16384);
        assert_int_equal(c->max_inflight_bytes, 512 << 20);
}

static void test_numbers(void **state) {
        static const struct {
                const char *name, *value;
                size_t field;
                uint64_t expected;
        } rows[] = {
                { "CONNECT_TIMEOUT", "500ms", offsetof(Config, connect_timeout), 500 * USEC_PER_MSEC },
                { "CONNECT_TIMEOUT", "5", offsetof(Config, connect_timeout), 5 * USEC_PER_SEC },
                { "CONNECT_TIMEOUT", "10min", offsetof(Config, connect_timeout), 10 * USEC_PER_MINUTE },
                { "FIRST_BYTE_TIMEOUT", "1min 30s", offsetof(Config, first_byte_timeout),
                  90 * USEC_PER_SEC },
                { "STREAM_IDLE_TIMEOUT", "100ms", offsetof(Config, stream_idle_timeout),
                  100 * USEC_PER_MSEC },
                { "REQUEST_DEADLINE", "1d", offsetof(Config, request_deadline), USEC_PER_DAY },
                { "DRAIN_TIMEOUT", "0", offsetof(Config, drain_timeout), 0 },
                { "MAX_BODY", "1K", offsetof(Config, max_body), 1024 },
                { "MAX_BODY", "100MiB", offsetof(Config, max_body), 100 << 20 },
                { "MAX_CONNECTIONS", "1", offsetof(Config, max_connections), 1 },
                { "MAX_INFLIGHT_BYTES", "2G", offsetof(Config, max_inflight_bytes), 2ULL << 30 },
                { "CONNECT_TIMEOUT", "", offsetof(Config, connect_timeout), 10 * USEC_PER_SEC },
                { "CONNECT_TIMEOUT", " \n", offsetof(Config, connect_timeout), 10 * USEC_PER_SEC },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                uint64_t v;
                Said said;

                assert_int_equal(make(rows[i].name, rows[i].value, &c, &said), 0);
                memcpy(&v, (char *) c + rows[i].field, sizeof(v));
                assert_int_equal(v, rows[i].expected);
        }
}

static void test_words(void **state) {
        static const struct {
                const char *name, *value;
                size_t field;
                int expected;
        } rows[] = {
                { "LOG_LEVEL", "debug", offsetof(Config, log_level), LOG_LEVEL_DEBUG },
                { "LOG_LEVEL", "WARNING", offsetof(Config, log_level), LOG_LEVEL_WARNING },
                { "LOG_LEVEL", "warn", offsetof(Config, log_level), LOG_LEVEL_WARNING },
                { "LOG_LEVEL", "Error", offsetof(Config, log_level), LOG_LEVEL_ERROR },
                { "LOG_FORMAT", "auto", offsetof(Config, log_format), CONFIG_LOG_AUTO },
                { "LOG_FORMAT", "journal", offsetof(Config, log_format), CONFIG_LOG_JOURNAL },
                { "LOG_FORMAT", "JSON", offsetof(Config, log_format), CONFIG_LOG_JSON },
                { "LOG_FORMAT", "text", offsetof(Config, log_format), CONFIG_LOG_TEXT },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                Said said;
                int v;

                assert_int_equal(make(rows[i].name, rows[i].value, &c, &said), 0);
                memcpy(&v, (char *) c + rows[i].field, sizeof(v));
                assert_int_equal(v, rows[i].expected);
        }
}

static void test_strings(void **state) {
        static const struct {
                const char *name, *value;
                size_t field;
                const char *expected;
        } rows[] = {
                { "GEMINI_BASE_URL", "https://example.com/", offsetof(Config, gemini_base_url),
                  "https://example.com" },
                { "GEMINI_BASE_URL", "https://example.com:8443/gem/ini//", offsetof(Config, gemini_base_url),
                  "https://example.com:8443/gem/ini" },
                { "GEMINI_BASE_URL", "HTTPS://Example.com", offsetof(Config, gemini_base_url),
                  "https://example.com" },
                { "GEMINI_BASE_URL", "https://[2001:db8::1]:443", offsetof(Config, gemini_base_url),
                  "https://[2001:db8::1]:443" },
                { "GEMINI_BASE_URL", "http://127.0.0.1:9000", offsetof(Config, gemini_base_url),
                  "http://127.0.0.1:9000" },
                { "GEMINI_BASE_URL", "http://127.9.9.9", offsetof(Config, gemini_base_url),
                  "http://127.9.9.9" },
                { "GEMINI_BASE_URL", "http://[::1]:9000/", offsetof(Config, gemini_base_url),
                  "http://[::1]:9000" },
                { "GEMINI_BASE_URL", "http://localhost:9000", offsetof(Config, gemini_base_url),
                  "http://localhost:9000" },
                { "DEFAULT_MODEL", "gemini-2.5-pro", offsetof(Config, default_model), "gemini-2.5-pro" },
                { "DEFAULT_MODEL", "models/gemini-2.5-pro", offsetof(Config, default_model),
                  "gemini-2.5-pro" },
                { "QUOTA_RESET_TIMEZONE", "Europe/Berlin", offsetof(Config, quota_reset_timezone),
                  "Europe/Berlin" },
                { "STATE_URL", "memory:", offsetof(Config, state_url), "memory:" },
                { "STATE_URL", "auto", offsetof(Config, state_url), "auto" },
                { "STATE_URL", "sqlite:/var/x.db", offsetof(Config, state_url), "sqlite:/var/x.db" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                const char *v;
                Said said;

                assert_int_equal(make(rows[i].name, rows[i].value, &c, &said), 0);
                memcpy(&v, (char *) c + rows[i].field, sizeof(v));
                assert_string_equal(v, rows[i].expected);
        }
}

/* One list in all its forms. */
static void test_lists(void **state) {
        static const struct {
                const char *value;
                const char *addresses; /* joined by blanks */
                ConfigSource source;
        } rows[] = {
                { "[\"10.0.0.1\",\"10.0.0.2\"]", "10.0.0.1 10.0.0.2" },
                { " [ \"10.0.0.1\" ,\n \"10.0.0.2\" ] \n", "10.0.0.1 10.0.0.2" },
                { "[]", "" },
                { "10.0.0.1", "10.0.0.1" },
                { "10.0.0.1,10.0.0.2", "10.0.0.1 10.0.0.2" },
                { " 10.0.0.1 , 10.0.0.2 , ", "10.0.0.1 10.0.0.2" },
                { "10.0.0.1\n10.0.0.2\n", "10.0.0.1 10.0.0.2" },
                { "10.0.0.1\r\n\r\n10.0.0.2\r\n", "10.0.0.1 10.0.0.2" },
                { "# ours\n10.0.0.1, 10.0.0.2\n  # theirs, too\n*", "10.0.0.1 10.0.0.2 *" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                char joined[256] = "";
                Said said;

                assert_int_equal(make("ALLOWED_IPS", rows[i].value, &c, &said), 0);
                for (size_t k = 0; k < c->allowed_ips.n; k++)
                        (void) snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s",
                                        k > 0 ? " " : "", c->allowed_ips.rules[k].text);
                assert_string_equal(joined, rows[i].addresses);
        }
}

/* A # at the beginning is part of a token in the environment, and a comment in the file of tokens. */
static void test_comments(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL, *d = NULL;
        Said said;

        assert_int_equal(make_from(CONFIG_SOURCE_ENVIRONMENT, "ALLOWED_TOKENS", "#token", &c, &said), 0);
        assert_int_equal(c->tokens.n, 1);
        assert_int_equal(make_from(CONFIG_SOURCE_DIRECTORY, "ALLOWED_TOKENS", "# none yet", &d, &said), 0);
        assert_int_equal(d->tokens.n, 0);
}

static void test_listen(void **state) {
        static const struct {
                const char *value;
                size_t n;
                bool beyond;
        } rows[] = {
                { "127.0.0.1:8080", 1, false },
                { "[::1]:8080", 1, false },
                { "[\"[::1]:8080\", \"127.0.0.1:0\"]", 2, false },
                { "unix:/run/gemgate/http", 1, false },
                { "127.0.0.1:8080,unix:/run/x,[::1]:1", 3, false },
                { "0.0.0.0:8080", 1, true },
                { "[::]:8080", 1, true },
                { "[fd00::1]:8080, 127.0.0.1:80", 2, true },
                { "127.0.0.1:80\n192.0.2.1:80", 2, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                _cleanup_(config_unrefp) Config *c = NULL;
                Said said = {};
                size_t n = 0;

                assert_int_equal(config_text_new(&t), 0);
                set(t, CONFIG_SOURCE_ENV_FILE, "LISTEN", rows[i].value);
                set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS", "a-token-of-sixteen");
                assert_int_equal(config_new(t, say, &said, &c), 0);
                while (c->listen[n])
                        n++;
                assert_int_equal(n, rows[i].n);
                assert_int_equal(config_listens_beyond_loopback(c), rows[i].beyond);
        }
}

/* --- wrong values, and the line that names each --- */

#define NO_TOKEN_FORM \
        "ALLOWED_TOKENS: none: must be at least one token, because LISTEN goes beyond loopback\n"
#define KEY_FORM "must be {key, name?, project?, proxy?, disabled?}\n"
#define LIST_FORM "must be a JSON array ([\"…\", \"…\"]) or entries separated by commas"
#define ORIGINS "SCHEME://HOST[:PORT] without a path, or *\n"
#define LISTEN_FORM \
        "must be ADDRESS:PORT, [IPv6]:PORT or unix:/PATH, without host names; several separated by commas\n"

static void test_faults(void **state) {
        static const struct {
                const char *name, *value, *said;
        } rows[] = {
                { "CONNECT_TIMEOUT", "0s", "CONNECT_TIMEOUT: 0s: must be a duration from 100ms to 10min\n" },
                { "CONNECT_TIMEOUT", "11min",
                  "CONNECT_TIMEOUT: 11min: must be a duration from 100ms to 10min\n" },
                { "CONNECT_TIMEOUT", "soon",
                  "CONNECT_TIMEOUT: soon: must be a duration from 100ms to 10min\n" },
                { "CONNECT_TIMEOUT", "-1s",
                  "CONNECT_TIMEOUT: -1s: must be a duration from 100ms to 10min\n" },
                { "DRAIN_TIMEOUT", "2h", "DRAIN_TIMEOUT: 2h: must be a duration from 0 to 1h\n" },
                { "REQUEST_DEADLINE", "99999999999999999999",
                  "REQUEST_DEADLINE: 99999999999999999999: must be a duration from 100ms to 1d\n" },
                { "MAX_BODY", "1", "MAX_BODY: 1: must be a size from 1K to 1G\n" },
                { "MAX_BODY", "32MM", "MAX_BODY: 32MM: must be a size from 1K to 1G\n" },
                { "MAX_INFLIGHT_BYTES", "1K", "MAX_INFLIGHT_BYTES: 1K: must be a size from 1M to 1024G\n" },
                { "MAX_INFLIGHT_BYTES", "1M", "MAX_INFLIGHT_BYTES: must be at least MAX_BODY\n" },
                { "MAX_CONNECTIONS", "0", "MAX_CONNECTIONS: 0: must be a number from 1 to 1048576\n" },
                { "MAX_CONNECTIONS", "many", "MAX_CONNECTIONS: many: must be a number from 1 to 1048576\n" },
                { "LOG_LEVEL", "LOUD", "LOG_LEVEL: LOUD: must be DEBUG, INFO, WARNING or ERROR\n" },
                { "LOG_FORMAT", "xml", "LOG_FORMAT: xml: must be auto, journal, json or text\n" },
                { "LOG_BODIES", "maybe", "LOG_BODIES: maybe: must be yes or no\n" },
                { "STATE_URL", "sqlite:x", "STATE_URL: sqlite:x: must be auto, memory: or sqlite:/PATH\n" },
                { "STATE_URL", "sqlite:", "STATE_URL: sqlite:: must be auto, memory: or sqlite:/PATH\n" },
                { "STATE_URL", "sqlite:/x/",
                  "STATE_URL: sqlite:/x/: must be auto, memory: or sqlite:/PATH\n" },
                { "STATS_RETENTION_DAYS", "0",
                  "STATS_RETENTION_DAYS: 0: must be a number from 1 to 4000\n" },
                { "STATS_RETENTION_DAYS", "4001",
                  "STATS_RETENTION_DAYS: 4001: must be a number from 1 to 4000\n" },
                { "QUOTA_RESET_TIMEZONE", "../../etc/passwd",
                  "QUOTA_RESET_TIMEZONE: ../../etc/passwd: must be a time zone's name, such as "
                  "America/Los_Angeles\n" },
                { "DEFAULT_MODEL", "../x", "DEFAULT_MODEL: ../x: must be a model's name\n" },
                /* what is shown is short and does not move the cursor */
                { "DEFAULT_MODEL", "x\x1b[2J\ny", "DEFAULT_MODEL: x?[2J?y: must be a model's name\n" },
                { "DEFAULT_MODEL",
                  "1234567890123456789012345678901234567890123456789012345678901234567890123456789\xC3\xA9zz"
                  "z",
                  "DEFAULT_MODEL: "
                  "1234567890123456789012345678901234567890123456789012345678901234567890123456789…: "
                  "must be a model's name\n" },

                { "ALLOWED_IPS", "10.0.0.0/33",
                  "ALLOWED_IPS: 10.0.0.0/33: must be addresses, CIDRs or *\n" },
                { "ALLOWED_IPS", "unix:", "ALLOWED_IPS: unix:: must be addresses, CIDRs or *\n" },
                { "ALLOWED_IPS", "[\"1.2.3.4\", 5]", "ALLOWED_IPS: entry 2: must be a string\n" },
                { "ALLOWED_IPS", "[\"1.2.3.4\\u0000x\"]",
                  "ALLOWED_IPS: 1.2.3.4: must be addresses, CIDRs or *\n" },
                { "ALLOWED_IPS", "[1.2.3.4]",
                  "ALLOWED_IPS: " LIST_FORM ": a comma or the end is expected, at character 5\n" },
                { "ALLOWED_IPS", "[\"1.2.3.4\"] x",
                  "ALLOWED_IPS: " LIST_FORM ": there is text after the end, at character 13\n" },
                { "ALLOWED_IPS", "[\"1.2.3.4\",\n '::1']",
                  "ALLOWED_IPS: " LIST_FORM ": a string is within double quotes, at character 2 of line "
                  "2\n" },
                { "ALLOWED_IPS", "{\"a\":1}", "ALLOWED_IPS: " LIST_FORM "\n" },
                { "TRUSTED_PROXIES", "*", "TRUSTED_PROXIES: *: must be addresses, CIDRs or unix:\n" },
                { "CORS_ORIGINS", "[\"https://a.example\", \"https://b.example/\", \"null\"]",
                  "CORS_ORIGINS: https://b.example/: must be " ORIGINS
                  "CORS_ORIGINS: null: must be " ORIGINS },
                { "CORS_ORIGINS", "app.example.org, https://user:secret@app.example.org",
                  "CORS_ORIGINS: app.example.org: must be " ORIGINS
                  "CORS_ORIGINS: ****: must be " ORIGINS },
                { "TRUSTED_PROXIES", "10.0.0.1, ALL, proxy.example",
                  "TRUSTED_PROXIES: ALL: must be addresses, CIDRs or unix:\n"
                  "TRUSTED_PROXIES: proxy.example: must be addresses, CIDRs or unix:\n" },

                { "LISTEN", "8080", "LISTEN: 8080: " LISTEN_FORM },
                { "LISTEN", ":8080", "LISTEN: :8080: " LISTEN_FORM },
                { "LISTEN", "::1:80", "LISTEN: ::1:80: " LISTEN_FORM },
                { "LISTEN", "[127.0.0.1]:80", "LISTEN: [127.0.0.1]:80: " LISTEN_FORM },
                { "LISTEN", "[::1]80", "LISTEN: [::1]80: " LISTEN_FORM },
                { "LISTEN", "127.0.0.1:65536", "LISTEN: 127.0.0.1:65536: " LISTEN_FORM },
                { "LISTEN", "localhost:80", "LISTEN: localhost:80: " LISTEN_FORM },
                { "LISTEN", "unix:run/x", "LISTEN: unix:run/x: " LISTEN_FORM },
                { "LISTEN", "[]", "LISTEN: []: " LISTEN_FORM },
                { "LISTEN", "0.0.0.0:80", NO_TOKEN_FORM },

                { "GEMINI_BASE_URL", "http://example.com",
                  "GEMINI_BASE_URL: http://example.com: must be https, because http shows the keys to the "
                  "network between\n" },
                { "GEMINI_BASE_URL", "http://127.0.0.1.example.com",
                  "GEMINI_BASE_URL: http://127.0.0.1.example.com: must be https, because http shows the "
                  "keys to the network between\n" },
                { "GEMINI_BASE_URL", "http://2130706433",
                  "GEMINI_BASE_URL: http://2130706433: must be https, because http shows the keys to the "
                  "network between\n" },
#define URL_ALLOWED \
        "must be https://HOST[:PORT][/PATH] without user, query or fragment; http only to loopback\n"
                { "GEMINI_BASE_URL", "ftp://example.com",
                  "GEMINI_BASE_URL: ftp://example.com: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "example.com", "GEMINI_BASE_URL: example.com: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://", "GEMINI_BASE_URL: https://: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https:///x", "GEMINI_BASE_URL: https:///x: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://x:0", "GEMINI_BASE_URL: https://x:0: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://x:99999", "GEMINI_BASE_URL: https://x:99999: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://x:", "GEMINI_BASE_URL: https://x:: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://[::1", "GEMINI_BASE_URL: https://[::1: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://[127.0.0.1]",
                  "GEMINI_BASE_URL: https://[127.0.0.1]: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://x y", "GEMINI_BASE_URL: https://x y: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://x\\y", "GEMINI_BASE_URL: https://x\\y: " URL_ALLOWED },
                /* a password or a key in it is not shown */
                { "GEMINI_BASE_URL", "https://me:secret@x", "GEMINI_BASE_URL: ****: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://x/?key=secret", "GEMINI_BASE_URL: ****: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "https://x/#secret", "GEMINI_BASE_URL: ****: " URL_ALLOWED },
                { "GEMINI_BASE_URL", "http://127.0.0.1@evil.example",
                  "GEMINI_BASE_URL: ****: " URL_ALLOWED },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Config *c = NULL;
                Said said;
                int r;

                r = make(rows[i].name, rows[i].value, &c, &said);
                if (r != -EINVAL || !streq(said.text, rows[i].said))
                        print_message("row %zu: %s=%s\n%s", i, rows[i].name, rows[i].value, said.text);
                assert_int_equal(r, -EINVAL);
                assert_string_equal(said.text, rows[i].said);
                assert_null(c);
        }
}

static void test_nul(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        Config *c = NULL;
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_DIRECTORY, "API_KEYS", "abc\0def", 7), 0);
        assert_int_equal(config_new(t, say, &said, &c), -EINVAL);
        assert_string_equal(said.text, "API_KEYS: must be text without NUL bytes\n");
}

/* --- keys and tokens --- */

#define SECRET "hidden-secret-value"

/* As JSON and as text; no message contains the bytes of a secret. */
static void test_secrets(void **state) {
        static const struct {
                const char *name, *value;
                int r;
                size_t n;         /* keys or tokens */
                const char *said; /* and then what the whole asks for */
        } rows[] = {
                { "API_KEYS", "[\"AIzaSy-0123456789\",\"AQ.Ab8\",\"x\"]", 0, 3, "" },
                { "API_KEYS", "a,b,c", 0, 3, "" },
                { "API_KEYS", "a\nb\n# c\n", 0, 2, "" },
                { "API_KEYS",
                  "[{\"key\":\"a\"},\"b\",{\"key\":\"c\",\"name\":\"n\",\"project\":\"p\",\"disabled\":true}"
                  "]",
                  0, 3, "" },
                { "API_KEYS", "[\"a,b\"]", 0, 1, "" },
                { "API_KEYS", "[{\"key\":\"a\",\"project\":\"p\"},{\"key\":\"b\",\"project\":\"p\"}]", 0, 2,
                  "" },
                { "API_KEYS", "[\"AIzaSy-0123456789\",\"b\",\"AIzaSy-0123456789\"]", 0, 2,
                  "warning: API_KEYS: AIza****6789: is given twice and counts once\n" },
                { "API_KEYS", "[]", 0, 0,
                  "warning: API_KEYS: no key is set, so no request can be answered\n" },
                { "API_KEYS", "[\"a b\",\"" SECRET "\xC3\xA9\",\"\"]", -EINVAL, 0,
                  "API_KEYS: entry 1: must be 1 to 512 printable ASCII characters without blanks\n"
                  "API_KEYS: entry 2: must be 1 to 512 printable ASCII characters without blanks\n"
                  "API_KEYS: entry 3: must be 1 to 512 printable ASCII characters without blanks\n" },
                { "API_KEYS", SECRET " x," SECRET "2", -EINVAL, 0,
                  "API_KEYS: entry 1: must be 1 to 512 printable ASCII characters without blanks\n" },
                { "API_KEYS", "[\"" SECRET "\"", -EINVAL, 0,
                  "API_KEYS: " LIST_FORM ": unexpected end of data, at character 23\n" },
                { "API_KEYS", "[" SECRET "]", -EINVAL, 0,
                  "API_KEYS: " LIST_FORM ": unexpected character, at character 2\n" },
                { "API_KEYS", "['" SECRET "']", -EINVAL, 0,
                  "API_KEYS: " LIST_FORM ": a string is within double quotes, at character 2\n" },
                { "API_KEYS", "[\"" SECRET "\",]", -EINVAL, 0,
                  "API_KEYS: " LIST_FORM ": unexpected character, at character 24\n" },
                { "API_KEYS", "\"" SECRET "\",\"b\"", -EINVAL, 0,
                  "API_KEYS: " LIST_FORM ": there is text after the end, at character 22\n" },
                { "API_KEYS", "[1,null,[\"a\"],true]", -EINVAL, 0,
                  "API_KEYS: entry 1: must be a string or an object\n"
                  "API_KEYS: entry 2: must be a string or an object\n"
                  "API_KEYS: entry 3: must be a string or an object\n"
                  "API_KEYS: entry 4: must be a string or an object\n" },
                { "API_KEYS", "[{\"name\":\"n\"},{\"key\":7}]", -EINVAL, 0,
                  "API_KEYS: entry 1: an object without key: " KEY_FORM
                  "API_KEYS: entry 2: an object without key: " KEY_FORM },
                { "API_KEYS", "[{\"key\":\"AIzaSy-0123456789\",\"tier\":1}]", -EINVAL, 0,
                  "API_KEYS: entry 1 (AIza****6789): unknown member tier: " KEY_FORM },
                { "API_KEYS", "[{\"key\":\"AIzaSy-0123456789\",\"" SECRET "\":1,\"a\\nb\":2,\"\":3}]",
                  -EINVAL, 0,
                  "API_KEYS: entry 1 (AIza****6789): unknown member: " KEY_FORM
                  "API_KEYS: entry 1 (AIza****6789): unknown member: " KEY_FORM
                  "API_KEYS: entry 1 (AIza****6789): unknown member: " KEY_FORM },
                { "API_KEYS", "[{\"key\":\"" SECRET "\",\"name\":\"\",\"project\":5,\"disabled\":\"no\"}]",
                  -EINVAL, 0,
                  "API_KEYS: entry 1 (hidd****alue): name: must be 1 to 64 characters\n"
                  "API_KEYS: entry 1 (hidd****alue): project: must be 1 to 64 characters\n"
                  "API_KEYS: entry 1 (hidd****alue): disabled: must be true or false\n" },
                { "API_KEYS", "[{\"key\":\"a\",\"name\":\"x\\ny\"}]", -EINVAL, 0,
                  "API_KEYS: entry 1 (****): name: must be 1 to 64 characters\n" },
                { "API_KEYS", "[{\"key\":\"a\",\"name\":\"n\"},{\"key\":\"b\",\"name\":\"n\"}]", -EINVAL, 0,
                  "API_KEYS: n: must be the name of only one key\n" },
                { "API_KEYS", "put-your-first-gemini-key-here", -EINVAL, 0,
                  "API_KEYS: entry 1: must be a key of yours, not the example of .env.example\n" },

                { "ALLOWED_TOKENS", "[\"token-of-a\",{\"token\":\"token-of-b\",\"name\":\"n\"}]", 0, 2,
                  "" },
                { "ALLOWED_TOKENS", "token-of-a,token-of-b", 0, 2, "" },
                { "ALLOWED_TOKENS", "seven77,eight888", 0, 2,
                  "warning: ALLOWED_TOKENS: entry 1 (sev…): is easy to guess: should have at least 8 "
                  "characters\n" },
                { "ALLOWED_TOKENS", "longer-token,longer-token", 0, 1,
                  "warning: ALLOWED_TOKENS: entry 2 (longer…): is given twice and counts once\n" },
                { "ALLOWED_TOKENS", "[{\"key\":\"" SECRET "\"}]", -EINVAL, 0,
                  "ALLOWED_TOKENS: entry 1: an object without token: must be {token, name?}\n" },
                { "ALLOWED_TOKENS", "[{\"token\":\"" SECRET "\",\"project\":\"p\"}]", -EINVAL, 0,
                  "ALLOWED_TOKENS: entry 1 (hidden-s…): unknown member project: must be {token, name?}\n" },
                { "ALLOWED_TOKENS",
                  "[{\"token\":\"token-of-a\",\"name\":\"n\"},{\"token\":\"token-of-b\",\"name\":\"n\"}]",
                  -EINVAL, 0, "ALLOWED_TOKENS: n: must be the name of only one token\n" },
                { "ALLOWED_TOKENS", "put-your-client-token-here", -EINVAL, 0,
                  "ALLOWED_TOKENS: entry 1: must be a token of yours, not the example of .env.example\n" },
                { "ADMIN_TOKENS", "[\"token-of-a\",\"put-your-admin-token-here\"]", -EINVAL, 0,
                  "ADMIN_TOKENS: entry 2: must be a token of yours, not the example of .env.example\n" },
                { "ADMIN_TOKENS", "[\"a b\"]", -EINVAL, 0,
                  "ADMIN_TOKENS: entry 1: must be 1 to 512 printable ASCII characters without blanks\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                Said said;
                int r;

                r = make(rows[i].name, rows[i].value, &c, &said);
                if (r != rows[i].r || !streq(said.text, rows[i].said))
                        print_message("row %zu: %s=%s\n%s", i, rows[i].name, rows[i].value, said.text);
                assert_int_equal(r, rows[i].r);
                assert_string_equal(said.text, rows[i].said);
                assert_null(strstr(said.text, SECRET));
                if (r >= 0)
                        assert_int_equal(streq(rows[i].name, "API_KEYS") ? c->n_keys : c->tokens.n,
                                         rows[i].n);
        }
}

static void test_key_members(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said;

        assert_int_equal(make("API_KEYS",
                              "[\"first\",{\"disabled\":true,\"project\":\"p\",\"name\":\"n\",\"key\":"
                              "\"second\"},\"first\",{\"key\":\"third\",\"disabled\":false}]",
                              &c, &said),
                         0);
        /* in the order they were written, without the second of two */
        assert_int_equal(c->n_keys, 3);
        assert_true(secret_equal(c->keys[0].secret, "first", 5));
        assert_null(c->keys[0].name);
        assert_null(c->keys[0].project);
        assert_false(c->keys[0].disabled);
        assert_true(secret_equal(c->keys[1].secret, "second", 6));
        assert_string_equal(c->keys[1].name, "n");
        assert_string_equal(c->keys[1].project, "p");
        assert_true(c->keys[1].disabled);
        assert_true(secret_equal(c->keys[2].secret, "third", 5));
        assert_false(c->keys[2].disabled);
}

static void test_token_lists(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k");
        set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS",
            "[\"client-1\",{\"token\":\"both-1-2\",\"name\":\"b\"}]");
        set(t, CONFIG_SOURCE_ENV_FILE, "ADMIN_TOKENS", "both-1-2,admin-12");
        assert_int_equal(config_new(t, say, &said, &c), 0);
        assert_string_equal(said.text, "");
        assert_int_equal(c->tokens.n, 3);
        assert_int_equal(c->tokens.n_client, 2);
        assert_int_equal(c->tokens.n_admin, 2);
        assert_int_equal(token_set_find(&c->tokens, "client-1", 8)->right, TOKEN_CLIENT);
        assert_int_equal(token_set_find(&c->tokens, "both-1-2", 8)->right, TOKEN_ADMIN);
        assert_string_equal(token_set_find(&c->tokens, "both-1-2", 8)->name, "b");
        assert_int_equal(token_set_find(&c->tokens, "admin-12", 8)->right, TOKEN_ADMIN);
}

/* An admin's token does not open a listener beyond loopback to clients: the contract asks for a client's. */
static void test_beyond_loopback(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k");
        set(t, CONFIG_SOURCE_ENV_FILE, "LISTEN", "0.0.0.0:8080");
        set(t, CONFIG_SOURCE_ENV_FILE, "ADMIN_TOKENS", "admin-12");
        assert_int_equal(config_new(t, say, &said, &c), -EINVAL);
        assert_string_equal(said.text,
                            NO_TOKEN_FORM "ADMIN_TOKENS: admi…: must have at least 16 characters, because "
                                          "LISTEN goes beyond loopback\n");
        set(t, CONFIG_SOURCE_ENV_FILE, "ADMIN_TOKENS", "admin-of-16-char");
        set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS", "client-of-15-ch");
        said = (Said){};
        assert_int_equal(config_new(t, say, &said, &c), -EINVAL);
        assert_string_equal(said.text, "ALLOWED_TOKENS: client-…: must have at least 16 characters, because "
                                       "LISTEN goes beyond loopback\n");
        set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS", "admin-of-16-char");
        assert_int_equal(config_new(t, say, &said, &c), 0);
}

/* --- ceilings --- */

/* PREFIX0,PREFIX1,… n times */
static char *many(const char *prefix, size_t n) {
        size_t size = n * (strlen(prefix) + 8) + 1, at = 0;
        char *s = malloc(size);

        assert_non_null(s);
        for (size_t i = 0; i < n; i++)
                at += (size_t) snprintf(s + at, size - at, "%s%zu,", prefix, i);
        return s;
}

static void test_ceilings(void **state) {
        static const struct {
                const char *name, *prefix;
                size_t most;
                const char *said;
        } rows[] = {
                { "API_KEYS", "key-number-", KEYS_MAX,
                  "API_KEYS: entry 100001 (key-****0000): must be at most 100000 keys\n" },
                { "ALLOWED_TOKENS", "token-number-", TOKENS_MAX,
                  "ALLOWED_TOKENS: entry 4097 (token-nu…): must be at most 4096 tokens\n" },
                { "ALLOWED_IPS", "fd00::", CIDR_RULES_MAX,
                  "ALLOWED_IPS: fd00::1024: must be at most 1024 rules\n" },
                { "LISTEN", "127.0.0.1:", LISTENERS_MAX,
                  "LISTEN: 127.0.0.1:64: must be at most 64 listeners\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *fits = many(rows[i].prefix, rows[i].most);
                _cleanup_free_ char *spills = many(rows[i].prefix, rows[i].most + 1);
                _cleanup_(config_unrefp) Config *c = NULL;
                Said said;

                assert_int_equal(make(rows[i].name, fits, &c, &said), 0);
                assert_string_equal(said.text, "");
                c = config_unref(c);
                assert_int_equal(make(rows[i].name, spills, &c, &said), -EINVAL);
                assert_string_equal(said.text, rows[i].said);
        }
}

static void test_many_faults(void **state) {
        _cleanup_free_ char *garbage = many("garbage ", 1000);
        Config *c = NULL;
        Said said;

        assert_int_equal(make("API_KEYS", garbage, &c, &said), -EINVAL);
        assert_int_equal(said.n_lines, 101);
        assert_non_null(strstr(said.text, "\nand 900 more faults\n"));
}

/* A file that is there twice: each line would be compared with all keys. */
static void test_many_warnings(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        _cleanup_buf_ Buf keys = BUF_INIT(1U << 20);
        Said said;

        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(buf_puts(&keys, "the-same-key-again\n"), 0);
        assert_int_equal(make("API_KEYS", buf_cstr(&keys), &c, &said), 0);
        assert_int_equal(said.n_lines, 101);
        assert_non_null(strstr(said.text, "\nwarning: and 899 more warnings\n"));
}

/* --- sources --- */

static void test_sources(void **state) {
        static const char *const names[] = { [CONFIG_SOURCE_ENV_FILE] = "one",
                                             [CONFIG_SOURCE_ENVIRONMENT] = "two",
                                             [CONFIG_SOURCE_DIRECTORY] = "three",
                                             [CONFIG_SOURCE_CREDENTIAL] = "four" };
        _cleanup_(config_text_freep) ConfigText *t = NULL;

        assert_int_equal(config_text_new(&t), 0);
        /* Set from the last to the first: it is not the order of reading that counts. */
        for (int i = CONFIG_SOURCE_CREDENTIAL; i >= CONFIG_SOURCE_ENV_FILE; i--)
                set(t, (ConfigSource) i, "API_KEYS", names[i]);
        for (int i = CONFIG_SOURCE_CREDENTIAL; i >= CONFIG_SOURCE_ENV_FILE; i--) {
                _cleanup_(config_unrefp) Config *c = NULL;
                Said said = {};

                assert_int_equal(config_new(t, say, &said, &c), 0);
                assert_int_equal(c->n_keys, 1);
                assert_true(secret_equal(c->keys[0].secret, names[i], strlen(names[i])));
                config_text_forget(t, (ConfigSource) i);
        }
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENV_FILE, "NO_SUCH", "x", 1), -ENOENT);
}

/* An empty value means the default, even where an earlier source has a value. */
static void test_empty_asks_for_default(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k");
        set(t, CONFIG_SOURCE_ENV_FILE, "LOG_LEVEL", "DEBUG");
        set(t, CONFIG_SOURCE_ENVIRONMENT, "LOG_LEVEL", "");
        assert_int_equal(config_new(t, say, &said, &c), 0);
        assert_int_equal(c->log_level, LOG_LEVEL_INFO);
}

static void test_all_faults_are_told(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        Config *c = NULL;
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        for (size_t i = 0; i < config_n_settings; i++)
                set(t, CONFIG_SOURCE_ENV_FILE, config_settings[i].name, "[\"no value of any setting\"]");
        assert_int_equal(config_new(t, say, &said, &c), -EINVAL);
        assert_int_equal(said.n_lines, config_n_settings - 2);
        for (size_t i = 0; i < config_n_settings; i++) {
                bool is_read = !streq(config_settings[i].name, "ALL_PROXY") && /* only without HTTPS_PROXY */
                               !streq(config_settings[i].name, "NO_PROXY");   /* any text is allowed */
                char begin[64];

                (void) snprintf(begin, sizeof(begin), "\n%s: ", config_settings[i].name);
                assert_true(is_read == (strstr(said.text, begin + (i == 0)) != NULL));
        }
}

/* Rules between settings are checked beside other faults, but not for a setting that is itself wrong. */
static void test_together(void **state) {
        static const struct {
                const char *listen, *tokens, *level, *said;
        } rows[] = {
                { "0.0.0.0:80", "", "LOUD",
                  "LOG_LEVEL: LOUD: must be DEBUG, INFO, WARNING or ERROR\n"
                  NO_TOKEN_FORM },
                { "0.0.0.0:80", "[7]", "INFO", "ALLOWED_TOKENS: entry 1: must be a string or an object\n" },
                { "0.0.0.0", "", "INFO", "LISTEN: 0.0.0.0: " LISTEN_FORM },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                Config *c = NULL;
                Said said = {};

                assert_int_equal(config_text_new(&t), 0);
                set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k");
                set(t, CONFIG_SOURCE_ENV_FILE, "LISTEN", rows[i].listen);
                set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS", rows[i].tokens);
                set(t, CONFIG_SOURCE_ENV_FILE, "LOG_LEVEL", rows[i].level);
                assert_int_equal(config_new(t, say, &said, &c), -EINVAL);
                assert_string_equal(said.text, rows[i].said);
        }
}

/* --- the table, for readers --- */

static void test_help(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(64 << 10);
        const char *text;

        config_help(&b);
        text = buf_cstr(&b);
        assert_non_null(text);
        for (size_t i = 0; i < config_n_settings; i++)
                assert_non_null(strstr(text, config_settings[i].name));
        assert_non_null(strstr(
                text, "\n  CONNECT_TIMEOUT       how long a connection to Gemini may take (default 10s)\n"
                      "                        a duration from 100ms to 10min\n"));
        for (const char *line = text, *lf; *line; line = lf + 1) {
                lf = strchr(line, '\n');
                assert_non_null(lf);
                assert_in_range(lf - line, 0, 120);
        }
}

/* docs/CONFIG.md is generated from the table. After a change of the table, run this test with
 * GEMGATE_WRITE_DOCS=1 to write it. */
static void test_markdown(void **state) {
        static const char path[] = TEST_DATA "/../docs/CONFIG.md";
        _cleanup_buf_ Buf b = BUF_INIT(64 << 10);
        _cleanup_free_ char *page = calloc(1, 64 << 10);
        FILE *f;

        config_markdown(&b);
        assert_non_null(buf_cstr(&b));
        if (getenv("GEMGATE_WRITE_DOCS")) {
                f = fopen(path, "we");
                assert_non_null(f);
                assert_int_equal(fwrite(buf_data(&b), 1, b.n, f), b.n);
                assert_int_equal(fclose(f), 0);
        }
        f = fopen(path, "re");
        assert_non_null(f);
        assert_non_null(page);
        (void) fread(page, 1, (64 << 10) - 1, f);
        (void) fclose(f);
        assert_string_equal(page, buf_cstr(&b));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults), cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_words), cmocka_unit_test(test_strings),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_comments), cmocka_unit_test(test_listen),
                cmocka_unit_test(test_faults), cmocka_unit_test(test_nul),
                cmocka_unit_test(test_secrets), cmocka_unit_test(test_key_members),
                cmocka_unit_test(test_token_lists), cmocka_unit_test(test_beyond_loopback),
                cmocka_unit_test(test_ceilings), cmocka_unit_test(test_many_faults),
                cmocka_unit_test(test_many_warnings), cmocka_unit_test(test_sources),
                cmocka_unit_test(test_empty_asks_for_default),
                cmocka_unit_test(test_all_faults_are_told), cmocka_unit_test(test_together),
                cmocka_unit_test(test_help),
                cmocka_unit_test(test_markdown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
