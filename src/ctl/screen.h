/* SPDX-License-Identifier: MIT */
#pragma once

/* The output: a person's terminal, or a file or pipe, which gets neither colour nor ornament. */

#include "base/buf.h"

typedef struct Screen {
        bool terminal; /* standard output is a terminal */
        bool colour;   /* a terminal, and NO_COLOR and TERM allow colour */
        bool unicode;  /* a terminal, and the locale is UTF-8 */
        unsigned columns; /* $COLUMNS, else the terminal's; UINT_MAX: of a file or a pipe */
        unsigned rows;
} Screen;

typedef enum Style {
        STYLE_PLAIN,
        STYLE_GOOD,
        STYLE_WARN,
        STYLE_BAD,
        STYLE_FAINT,
        STYLE_STRONG,
        STYLE_HEAD,
        _STYLE_MAX,
} Style;

void screen_init(Screen *s);

/* The escape sequences that switch a style on and off; empty without colour. */
const char *screen_on(const Screen *s, Style style);
const char *screen_off(const Screen *s, Style style);

/* Writes everything to standard output; with `page`, what is longer than the screen goes through a pager.
 * -errno; a reader that closed the pipe is no error. */
int screen_show(const Screen *s, const Buf *b, bool page);
