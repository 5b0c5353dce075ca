/* SPDX-License-Identifier: MIT */

/*
 * From texts to a Config. A ConfigText holds the text of each setting from each source; the last source that
 * sets it wins as a whole (lists are not merged, so all API_KEYS are in one place). Every setting is checked
 * before the result is given, so that one run reports all faults.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "config/internal.h"
#include "core/model.h"

#define GOOGLE_DOMAIN ".googleapis.com"

/* A file of garbage in the place of keys must not fill the log. */
#define LINES_MAX 100U /* of faults, and of warnings: each one costs a look at all secrets */

/* How much of a wrong value is shown. */
#define SHOWN_MAX 80U

#define LINE_LENGTH_MAX 1024U

#define KNOWN_LENGTH_LEAST 12U

typedef struct ConfigValue {
        char *text; /* NULL: this source does not set it */
        size_t n;
        char *file;    /* that has it, or NULL */
        unsigned line; /* of the file, where the value begins; 0: the file is the value */
} ConfigValue;

struct ConfigText {
        ConfigValue (*values)[_CONFIG_SOURCE_MAX]; /* one row for each setting */
};

const char *config_setting_name(size_t i, bool *ret_secret) {
        if (i >= config_n_settings)
                return NULL;
        *ret_secret = config_settings[i].secret;
        return config_settings[i].name;
}

const char *config_setting_lower(size_t i) {
        return config_settings[i].lower;
}

const Setting *config_setting(const char *name) {
        for (size_t i = 0; i < config_n_settings; i++)
                if (streq(config_settings[i].name, name) || streq_ptr(config_settings[i].lower, name))
                        return config_settings + i;
        return NULL;
}

/* --- texts --- */

int config_text_new(ConfigText **ret) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;

        t = calloc(1, sizeof(ConfigText));
        if (!t)
                return -ENOMEM;
        t->values = calloc(config_n_settings, sizeof(*t->values));
        if (!t->values)
                return -ENOMEM;
        *ret = TAKE_PTR(t);
        return 0;
}

static void value_done(ConfigValue *v) {
        if (v->text)
                explicit_bzero(v->text, v->n);
        free(v->text);
        free(v->file);
        *v = (ConfigValue){};
}

void config_text_forget(ConfigText *t, ConfigSource source) {
        for (size_t i = 0; i < config_n_settings; i++)
                value_done(&t->values[i][source]);
}

ConfigText *config_text_free(ConfigText *t) {
        if (!t)
                return NULL;
        for (int i = 0; t->values && i < _CONFIG_SOURCE_MAX; i++)
                config_text_forget(t, (ConfigSource) i);
        free(t->values);
        free(t);
        return NULL;
}

int config_text_set_from(ConfigText *t, ConfigSource source, const char *name, const char *value, size_t n,
                         const char *file, unsigned line) {
        const Setting *s = config_setting(name);
        _cleanup_free_ char *text = NULL, *copy = NULL;
        ConfigValue *v;

        if (!s)
                return -ENOENT;
        text = malloc(n + 1);
        copy = file ? strdup(file) : NULL;
        if (!text || (file && !copy))
                return -ENOMEM;
        memcpy(text, value, n);
        text[n] = 0;

        v = &t->values[s - config_settings][source];
        value_done(v);
        *v = (ConfigValue){ TAKE_PTR(text), n, TAKE_PTR(copy), line };
        return 0;
}

int config_text_set(ConfigText *t, ConfigSource source, const char *name, const char *value, size_t n) {
        return config_text_set_from(t, source, name, value, n, NULL, 0);
}

const char *config_text_get_raw(const ConfigText *t, ConfigSource source, const char *name, size_t *ret_n) {
        const Setting *s = config_setting(name);
        const ConfigValue *v = s ? &t->values[s - config_settings][source] : NULL;

        *ret_n = v ? v->n : 0;
        return v ? v->text : NULL;
}

/* --- messages --- */

/* Of copies in a row, which a list may have thousands of, the first one is enough. */
static void cover_secret(char *text, const Secret *s, const Secret *before) {
        if (!s || secret_length(s) < KNOWN_LENGTH_LEAST || (before && secret_compare(s, before) == 0))
                return;
        secret_scrub_one(text, s);
}

/* Covers what may be a secret, and the configuration's own, however they look. Very short ones would cover
 * parts of ordinary texts. */
static void cover_secrets(const ConfigCheck *k, char *text) {
        const Config *c = k->config;

        for (size_t i = 0; i < c->n_keys; i++)
                cover_secret(text, c->keys[i].secret, i > 0 ? c->keys[i - 1].secret : NULL);
        for (size_t i = 0; i < c->tokens.n; i++)
                cover_secret(text, c->tokens.tokens[i].secret, NULL);
        secret_scrub_suspects(text);
}

/* Shows a wrong value, which may hold anything, short and printable. A secret is covered as a whole before
 * the value is cut, since a part of it may not look like one. */
static void put_shown(const ConfigCheck *k, Buf *b, const char *shown) {
        _cleanup_free_ char *copy = strndup(shown, SHOWN_MAX + SECRET_LENGTH_MAX);
        size_t n;

        if (!copy)
                return;
        cover_secrets(k, copy);
        n = text_utf8_prefix(copy, SHOWN_MAX);
        for (size_t i = 0; i < n; i++)
                (void) buf_putc(b, (unsigned char) copy[i] < 0x20 || copy[i] == 0x7f ? '?' : copy[i]);
        if (copy[n])
                (void) buf_puts(b, "…");
}

/* The file that the value is from, and the line, if it is known; `line` is that in the value, or 0. */
static void put_origin(const ConfigValue *v, unsigned line, Buf *b) {
        if (!v || !v->file)
                return;
        line = v->line > 0 && line > 0 ? v->line + line - 1 : MAX(v->line, line);
        (void) buf_printf(b, line > 0 ? " (%.255s:%u)" : " (%.255s)", v->file, line);
}

static void _printf_(5, 0) say_line(ConfigCheck *k, LogLevel level, const Setting *s, const char *shown,
                                    const char *fmt, va_list ap) {
        _cleanup_buf_ Buf b = BUF_INIT(LINE_LENGTH_MAX);
        char text[LINE_LENGTH_MAX / 2];

        (void) buf_printf(&b, "%s: ", s->name);
        if (shown) {
                put_shown(k, &b, shown);
                (void) buf_puts(&b, ": ");
        }
        if (fmt) {
                (void) vsnprintf(text, sizeof(text), fmt, ap);
                cover_secrets(k, text); /* it may quote a part of the value */
                (void) buf_puts(&b, text);
        } else {
                (void) buf_puts(&b, "must be ");
                config_allowed(s, &b);
        }
        if (!k->path || shown != k->path) /* which is shown already */
                put_origin(k->values[s - config_settings], k->line, &b);
        k->say(level, buf_cstr(&b) ?: s->name, k->userdata);
}

void config_fault(ConfigCheck *k, const Setting *s, const char *shown, const char *fmt, ...) {
        va_list ap;

        if (++k->n_faults > LINES_MAX)
                return;
        va_start(ap, fmt);
        say_line(k, LOG_LEVEL_ERROR, s, shown, fmt, ap);
        va_end(ap);
}

void config_warn(ConfigCheck *k, const Setting *s, const char *shown, const char *fmt, ...) {
        va_list ap;

        if (++k->n_warnings > LINES_MAX)
                return;
        va_start(ap, fmt);
        say_line(k, LOG_LEVEL_WARNING, s, shown, fmt, ap);
        va_end(ap);
}

void config_note(ConfigCheck *k, const Setting *s, const char *shown, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        say_line(k, LOG_LEVEL_INFO, s, shown, fmt, ap);
        va_end(ap);
}

/* --- the whole --- */

/* The value of the last source that has one, up to `source`; or NULL. */
static const ConfigValue *last_value(const ConfigText *t, const Setting *s, ConfigSource source,
                                     ConfigSource *ret_source) {
        const ConfigValue *values = t->values[s - config_settings];

        for (; source > CONFIG_SOURCE_DEFAULT; source--)
                if (values[source].text) {
                        *ret_source = source;
                        return values + source;
                }
        return NULL;
}

int config_text_path(const ConfigText *t, size_t i, char **ret) {
        const Setting *s = config_settings + i;
        const ConfigValue *v;
        ConfigSource source;
        const char *text;

        *ret = NULL;
        v = s->may_be_file ? last_value(t, s, CONFIG_SOURCE_NAMED - 1, &source) : NULL;
        if (!v || strlen(v->text) != v->n)
                return 0;
        text = v->text + strspn(v->text, TEXT_WHITESPACE);
        if (*text != '/')
                return 0;
        *ret = strdup(text);
        if (!*ret)
                return -ENOMEM;
        (void) text_strip(*ret); /* the end; the beginning is stripped already */
        return 0;
}

void config_text_put_origin(const ConfigText *t, const char *name, Buf *out) {
        const Setting *s = config_setting(name);
        ConfigSource source;

        if (s)
                put_origin(last_value(t, s, _CONFIG_SOURCE_MAX - 1, &source), 0, out);
}

/* A key may look like a good value of its setting, such as a model's name; and such values are logged. */
static int refuse_key(ConfigCheck *k, const Setting *s, const char *text) {
        _cleanup_free_ char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        secret_scrub(copy, NULL);
        if (!streq(copy, text))
                config_fault(k, s, k->path ?: copy, "must not hold an API key");
        return 0;
}

static int check_setting(ConfigCheck *k, const ConfigText *t, size_t i) {
        const Setting *s = config_settings + i;
        ConfigSource source = CONFIG_SOURCE_DEFAULT;
        _cleanup_free_ char *path = NULL;
        size_t before = k->n_faults;
        const ConfigValue *v;
        const char *text;
        int r;

        v = k->values[i] = last_value(t, s, _CONFIG_SOURCE_MAX - 1, &source);
        k->lines = source >= CONFIG_SOURCE_DIRECTORY;

        if (v && strlen(v->text) != v->n) {
                config_fault(k, s, NULL, "must be text without NUL bytes");
                return 0;
        }
        if (!v || !v->text[strspn(v->text, TEXT_WHITESPACE)])
                v = k->values[i] = NULL;
        text = v ? v->text : s->initial;
        k->is_default = !v;
        if (!s->reloadable) {
                if (k->running)
                        k->values[i] = NULL;
                text = k->config->fixed[i] = strdup(k->running ? k->running->fixed[i] : text);
                if (!text)
                        return -ENOMEM;
        }
        k->config->hashes[i] = hash_stable(text, strlen(text));
        r = source == CONFIG_SOURCE_NAMED ? config_text_path(t, i, &path) : 0;
        if (r < 0)
                return r;
        k->path = path;
        r = *text ? s->type->parse(k, s, text) : 0;
        if (r >= 0 && v && !s->secret && k->n_faults == before)
                r = refuse_key(k, s, text);
        k->path = NULL;
        k->line = 0;
        return r;
}

static bool is_good(const ConfigCheck *k, const char *name) {
        return !k->faulty[config_setting(name) - config_settings];
}

/* Other servers than Google's may refuse a member that they do not know. So by default they get none. */
static bool is_google(const char *url) {
        const char *host = startswith(url, "https://"), *end;

        if (!host)
                return false;
        end = host + strcspn(host, ":/");
        return end - host >= (ptrdiff_t) strlen(GOOGLE_DOMAIN) &&
               strncasecmp(end - strlen(GOOGLE_DOMAIN), GOOGLE_DOMAIN, strlen(GOOGLE_DOMAIN)) == 0;
}

/* Rules between two settings. A setting that is wrong already is not compared. */
static int check_together(ConfigCheck *k) {
        const Config *c = k->config;
        int r;
        char span[DURATION_STRING_MAX];

        if (is_good(k, "API_KEYS") && c->n_keys == 0)
                config_warn(k, config_setting("API_KEYS"), NULL,
                            "no key is set, so no request can be answered");
        if (is_good(k, "LISTEN") && config_listens_beyond_loopback(c))
                config_check_exposed(k);
        r = config_check_tokens(k);
        if (r < 0)
                return r;
        if (is_good(k, "FALLBACK_MODELS") && is_good(k, "MODEL_ALIASES"))
                config_check_fallbacks(k);
        if (is_good(k, "QUEUE_WAIT") && is_good(k, "STREAM_OPEN_AFTER") &&
            c->route.queue_wait > QUEUE_WAIT_SILENT_MAX && c->route.stream_open_after == 0) {
                duration_format(c->route.queue_wait, span);
                config_fault(k, config_setting("QUEUE_WAIT"), span,
                             "must be at most 1min, because STREAM_OPEN_AFTER is off");
        }
        if (is_good(k, "QUEUE_WAIT") && is_good(k, "REQUEST_DEADLINE") &&
            c->route.queue_wait > MAX(c->request_deadline, QUEUE_WAIT_SILENT_MAX)) {
                duration_format(c->route.queue_wait, span);
                config_warn(k, config_setting("QUEUE_WAIT"), span,
                            "no request waits so long: REQUEST_DEADLINE ends it before");
        }
        if (is_good(k, "MAX_INFLIGHT_BYTES") && is_good(k, "MAX_BODY") &&
            c->max_inflight_bytes < c->max_body)
                config_fault(k, config_setting("MAX_INFLIGHT_BYTES"), NULL, "must be at least MAX_BODY");
        return config_check_proxies(k);
}

static int check_each(ConfigCheck *k, const ConfigText *t) {
        int r;

        for (size_t i = 0; i < config_n_settings; i++) {
                size_t before = k->n_faults;

                r = check_setting(k, t, i);
                if (r < 0)
                        return r;
                k->faulty[i] = k->n_faults > before;
        }
        return check_together(k);
}

static int check_all(const ConfigText *t, const Config *running, ConfigSay say, void *userdata,
                     Config **ret) {
        _cleanup_(config_unrefp) Config *c = NULL;
        _cleanup_free_ bool *faulty = calloc(config_n_settings, sizeof(bool));
        _cleanup_free_ const ConfigValue **values = calloc(config_n_settings, sizeof(*values));
        ConfigCheck k = { .running = running, .say = say, .userdata = userdata, .faulty = faulty,
                          .values = values };
        char more[64];
        int r;

        c = calloc(1, sizeof(Config));
        if (!c || !faulty || !values)
                return -ENOMEM;
        c->n_ref = 1;
        c->fixed = calloc(config_n_settings, sizeof(char *));
        c->hashes = calloc(config_n_settings, sizeof(uint64_t));
        if (!c->fixed || !c->hashes)
                return -ENOMEM;
        k.config = c;
        r = check_each(&k, t);
        config_proxies_done(k.proxy_set);
        if (r < 0)
                return r;
        if (c->gemini_base_url && is_google(c->gemini_base_url))
                c->route.store_is_told = true;
        if (k.n_warnings > LINES_MAX) {
                (void) snprintf(more, sizeof(more), "and %zu more warnings", k.n_warnings - LINES_MAX);
                say(LOG_LEVEL_WARNING, more, userdata);
        }
        if (k.n_faults > LINES_MAX) {
                (void) snprintf(more, sizeof(more), "and %zu more faults", k.n_faults - LINES_MAX);
                say(LOG_LEVEL_ERROR, more, userdata);
        }
        if (k.n_faults > 0)
                return -EINVAL;
        *ret = TAKE_PTR(c);
        return 0;
}

int config_new(const ConfigText *t, ConfigSay say, void *userdata, Config **ret) {
        return check_all(t, NULL, say, userdata, ret);
}

/* The warnings were reported before. */
static void say_errors(LogLevel level, const char *line, void *userdata) {
        const ConfigCheck *k = userdata;

        if (level == LOG_LEVEL_ERROR)
                k->say(level, line, k->userdata);
}

int config_keep_fixed(const ConfigText *t, const Config *running, ConfigSay say, void *userdata, Buf *differ,
                      Config **c) {
        ConfigCheck errors = { .say = say, .userdata = userdata };
        Config *kept;
        bool same = true;
        int r;

        for (size_t i = 0; i < config_n_settings; i++) {
                if (streq_ptr((*c)->fixed[i], running->fixed[i]))
                        continue;
                (void) buf_printf(differ, "%s%s", differ->n > 0 ? ", " : "", config_settings[i].name);
                same = false;
        }
        if (same)
                return 0;
        r = check_all(t, running, say_errors, &errors, &kept);
        if (r < 0)
                return r;
        config_unref(*c);
        *c = kept;
        return 0;
}

void config_name_changes(const Config *a, const Config *b, Buf *ret) {
        for (size_t i = 0; i < config_n_settings; i++)
                if (a->hashes[i] != b->hashes[i] && !streq(config_settings[i].name, "API_KEYS"))
                        (void) buf_printf(ret, "%s%s", ret->n > 0 ? ", " : "", config_settings[i].name);
}

Config *config_ref(Config *c) {
        c->n_ref++;
        return c;
}

bool config_drop_keys(Config *c, size_t n) {
        for (; n > 0 && c->n_keys > 0; n--) {
                KeyConfig *k = c->keys + --c->n_keys;

                secret_unref(k->secret);
                free(k->name);
                free(k->project);
                proxy_unref(k->proxy);
        }
        if (c->n_keys == 0)
                free(TAKE_PTR(c->keys));
        return c->n_keys > 0;
}

Config *config_unref(Config *c) {
        if (!c || --c->n_ref > 0)
                return NULL;
        for (size_t i = 0; c->fixed && i < config_n_settings; i++)
                free(c->fixed[i]);
        free(c->fixed);
        free(c->hashes);
        (void) config_drop_keys(c, SIZE_MAX);
        token_set_done(&c->tokens);
        cidr_set_done(&c->allowed_ips);
        cidr_set_done(&c->trusted_proxies);
        origin_set_done(&c->cors_origins);
        for (size_t i = 0; c->listen && c->listen[i]; i++)
                free(c->listen[i]);
        free(c->listen);
        alias_set_done(&c->aliases);
        fallback_set_done(&c->route.fallbacks);
        for (size_t i = 0; i < c->n_limits; i++) {
                free(c->limits[i].model);
                free(c->limits[i].project);
        }
        free(c->limits);
        config_rules_done(&c->route.rules);
        free(c->control_socket);
        free(c->log_dir);
        free(c->gemini_base_url);
        free(c->upstream_ca_file);
        proxy_unref(c->proxy);
        config_project_proxies_free(c);
        free(c->default_model);
        free(c->cli_path);
        free(c->cli_runner);
        free(c->state_url);
        free(c->quota_reset_timezone);
        free(c);
        return NULL;
}

const char *config_alias(const Config *c, const char *model) {
        return alias_set_find(&c->aliases, model) ?: model;
}
