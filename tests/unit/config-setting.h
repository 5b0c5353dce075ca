/* SPDX-License-Identifier: MIT */
#pragma once

/* A configuration with one setting, besides a key, and what is reported about it. */

#include <stdio.h>

#include "test.h"

#include "config/config.h"

#define SAID_MAX 4096

static void say(LogLevel level, const char *line, void *userdata) {
        char *said = userdata;
        size_t n = strlen(said);

        (void) snprintf(said + n, SAID_MAX - n, "%s\n", line);
}

static _unused_ int make_setting(const char *name, const char *value, Config **ret,
                                 char said[static SAID_MAX]) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;

        said[0] = 0;
        assert_int_equal(config_text_new(&t), 0);
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k-of-this-test", 14), 0);
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENVIRONMENT, name, value, strlen(value)), 0);
        return config_new(t, say, said, ret);
}
