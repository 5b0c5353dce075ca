/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Model names. A name becomes part of an upstream path, so its grammar is checked first:
 * `[A-Za-z0-9._-]{1,128}`, with an optional `models/` before it and `cli/` before that. `.` and `..` are not
 * names.
 */

#include "base/limits.h"
#include "base/macros.h"

typedef struct ModelName {
        char name[MODEL_NAME_MAX + 1]; /* without any prefix */
        bool cli;
} ModelName;

/* -EINVAL for anything else; s need not be NUL-terminated, and a NUL inside is refused. */
int model_name_parse(const char *s, size_t n, ModelName *ret);
