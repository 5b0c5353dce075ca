/* SPDX-License-Identifier: MIT */
#pragma once

/* Where the answer is shown: a person's terminal, or a file or pipe, which gets neither colour nor ornament.
 */

#include "base/buf.h"

typedef struct Screen {
        bool terminal; /* standard output is one */
        bool colour;   /* and wants it: NO_COLOR, TERM */
        bool unicode;  /* and its locale is UTF-8 */
        unsigned columns, rows;
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

/* What switches a style on and off; empty where there is no colour. */
const char *screen_on(const Screen *s, Style style);
const char *screen_off(const Screen *s, Style style);

/* Writes it all to standard output; what is longer than the screen goes through a pager, if `page`. -errno;
 * a reader that has gone is no fault. */
int screen_show(const Screen *s, const Buf *b, bool page);
