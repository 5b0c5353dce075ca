/* SPDX-License-Identifier: MIT */
#pragma once

/* Parts that the answers of many verbs have. */

#include "ctl/ctl.h"
#include "ctl/table.h"

/* `   State: usable`, the names right-aligned. */
void show_fact(Ctl *c, const char *name, Style style, const char *fmt, ...) _printf_(4, 5);

void show_sentence(Ctl *c, Style style, const char *fmt, ...) _printf_(3, 4);

/* A heading with a dot before it on a terminal. */
void show_head(Ctl *c, Style dot, const char *fmt, ...) _printf_(3, 4);

int show_table(Ctl *c, const Table *t); /* an exit status */

static inline const char *show_null(const char *s) {
        return s && *s ? s : NULL;
}
