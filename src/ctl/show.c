/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "ctl/show.h"
#include "ctl/words.h"

#define NAME_WIDTH 10U

static void show_clean(Ctl *c, Style style, size_t indent, const char *fmt, va_list ap) _printf_(4, 0);
static void show_clean(Ctl *c, Style style, size_t indent, const char *fmt, va_list ap) {
        _cleanup_free_ char *s = NULL, *clean = NULL;

        if (vasprintf(&s, fmt, ap) < 0)
                s = NULL;
        else
                clean = table_clean(s);
        if (!clean) {
                c->out.error = c->out.error ?: -ENOMEM;
                return;
        }
        table_wrap(&c->screen, style, clean, indent, &c->out);
}

void show_fact(Ctl *c, const char *name, Style style, const char *fmt, ...) {
        va_list ap;

        (void) buf_printf(&c->out, "%*s: ", (int) NAME_WIDTH, name);
        va_start(ap, fmt);
        show_clean(c, style, NAME_WIDTH + 2, fmt, ap);
        va_end(ap);
}

void show_sentence(Ctl *c, Style style, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        show_clean(c, style, 0, fmt, ap);
        va_end(ap);
}

void show_head(Ctl *c, Style dot, const char *fmt, ...) {
        va_list ap;

        if (c->screen.terminal)
                (void) buf_printf(&c->out, "%s%s%s ", screen_on(&c->screen, dot),
                                  c->screen.unicode ? "●" : "*", screen_off(&c->screen, dot));
        va_start(ap, fmt);
        show_clean(c, STYLE_STRONG, 0, fmt, ap);
        va_end(ap);
}

int show_table(Ctl *c, const Table *t) {
        int r;

        r = table_print(t, &c->screen, &c->out);
        return r < 0 ? ctl_oom(c) : CTL_OK;
}
