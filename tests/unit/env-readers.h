/* SPDX-License-Identifier: MIT */
#pragma once

/* Models of the two others that read env files, written from what their sources do, to hold ours against.
 * They were held against systemd 252 and compose-go 2.4.0 themselves, over a quarter of a million texts of
 * the kind that test_every_short_text() makes, and agreed on each. */

#include <stddef.h>

typedef struct EnvPairs {
        struct {
                char name[64];
                char value[256];
        } pairs[16];
        size_t n;
} EnvPairs;

/* EnvironmentFile=, as src/basic/env-file.c and env-util.c of systemd 249 to 257 have it. */
int systemd_read(const char *text, EnvPairs *ret);

/* env_file:, as the dotenv package of compose-go 2 has it; where it would put a variable's value the model
 * puts INTERPOLATED. */
int compose_read(const char *text, EnvPairs *ret);

#define INTERPOLATED "<a variable>"

/* The last value of that name, or NULL. */
const char *env_pairs_get(const EnvPairs *p, const char *name);
