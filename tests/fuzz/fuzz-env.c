/* SPDX-License-Identifier: MIT */

/* An env file, read into a configuration: every parser of config. Each message must be one line of text,
 * and the configuration must have what the engine and the server rely on. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/zone.h"
#include "config/config.h"
#include "core/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

typedef struct Said {
        size_t n_errors;
} Said;

static void say(LogLevel level, const char *line, void *userdata) {
        Said *said = userdata;

        check(*line && !strpbrk(line, "\r\n\x1b"));
        if (level == LOG_LEVEL_ERROR)
                said->n_errors++;
}

static void check_model(const char *s) {
        ModelName name;

        check(model_name_parse(s, strlen(s), &name) == 0);
}

/* An alias leads to its model, and its model to none. */
static void check_alias(const Config *c, const Alias *a, const char *name) {
        check_model(a->model);
        check(!name || streq(config_alias(c, name), a->model));
        check(streq(config_alias(c, a->model), a->model));
}

static void check_config(const Config *c) {
        for (size_t i = 0; i < c->n_keys; i++)
                check(secret_length(c->keys[i].secret) > 0);
        check(c->aliases.n_names <= ALIASES_MAX && c->aliases.n_patterns <= ALIAS_PATTERNS_MAX);
        for (size_t i = 0; i < c->aliases.n_names; i++) {
                check_model(c->aliases.names[i].name);
                check_alias(c, &c->aliases.names[i], c->aliases.names[i].name);
        }
        for (size_t i = 0; i < c->aliases.n_patterns; i++) {
                const Alias *a = &c->aliases.patterns[i];
                char name[MODEL_NAME_MAX + 1];

                check(strchr(a->name, '*') && strlen(a->name) <= MODEL_NAME_MAX);
                for (size_t n = 0; n <= strlen(a->name); n++)
                        name[n] = a->name[n] == '*' ? '-' : a->name[n];
                check(alias_fits(a->name, name));
                check_model(config_alias(c, name));
                check_alias(c, a, NULL);
        }
        check_model(c->default_model);
        check(c->listen && c->listen[0]);
        check(c->tokens.n_client > 0 || !config_listens_beyond_loopback(c));
        for (size_t i = 0; i < c->tokens.n; i++)
                check(secret_length(c->tokens.tokens[i].secret) >= 16 || !config_listens_beyond_loopback(c));
        check(zone_name_is_valid(c->quota_reset_timezone));
        check(c->gemini_base_url[strlen(c->gemini_base_url) - 1] != '/' && !strchr(c->gemini_base_url, '@'));
        check(c->connect_timeout > 0 && c->request_deadline > 0 && c->max_body > 0 &&
              c->max_connections > 0);
        check(c->max_inflight_bytes >= c->max_body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};
        int r;

        check(config_text_new(&t) == 0);
        r = config_text_read_env(t, (const char *) data, size, "x.env", true, say, &said);
        check(r == 0 || r == -EBADMSG);
        check((r < 0) == (said.n_errors > 0));

        said.n_errors = 0;
        r = config_new(t, say, &said, &c);
        check(r == 0 || r == -EINVAL);
        check((r < 0) == (said.n_errors > 0) && (r < 0) == !c);
        if (c)
                check_config(c);
        return 0;
}
