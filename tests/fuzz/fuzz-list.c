/* SPDX-License-Identifier: MIT */

/* A file of keys or tokens. Each message must be one line of text with the file's name; what is accepted is
 * what the pool and the server rely on. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"

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

static void check_name(const char *name) {
        check(!name || (*name && strlen(name) <= 64 && text_is_utf8(name, strlen(name))));
}

static void check_config(const Config *c) {
        for (size_t i = 0; i < c->n_keys; i++) {
                check(secret_length(c->keys[i].secret) > 0);
                check_name(c->keys[i].name);
                check_name(c->keys[i].project);
        }
        for (size_t i = 0; i < c->tokens.n; i++) {
                check(secret_length(c->tokens.tokens[i].secret) > 0);
                check_name(c->tokens.tokens[i].name);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const names[] = { "API_KEYS", "ALLOWED_TOKENS", "ALLOWED_IPS", "LISTEN" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                _cleanup_(config_unrefp) Config *c = NULL;
                Said said = {};
                int r;

                check(config_text_new(&t) == 0);
                check(config_text_set_from(t, CONFIG_SOURCE_DIRECTORY, names[i], (const char *) data, size,
                                           "the-file", 0) == 0);
                r = config_new(t, say, &said, &c);
                check(r == 0 || r == -EINVAL);
                check((r < 0) == (said.n_errors > 0) && (r < 0) == !c);
                if (c)
                        check_config(c);
        }
        return 0;
}
