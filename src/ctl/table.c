/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "ctl/table.h"
#include "ctl/words.h"

#define GAP     2U
#define CUT_MIN 12U /* a narrower column is useless, so the line may wrap instead */

void table_done(Table *t) {
        for (size_t i = 0; i < t->n; i++)
                free(t->cells[i].text);
        free(t->cells);
        t->cells = NULL;
        t->n = t->size = 0;
}

/* U+0080 to U+009F are control characters, too: some terminals take U+009B for the beginning of an
 * escape. */
static size_t control(const char *s) {
        unsigned char a = (unsigned char) s[0];

        if (a < 0x20 || a == 0x7f)
                return 1;
        return a == 0xC2 && (unsigned char) s[1] >= 0x80 && (unsigned char) s[1] <= 0x9f ? 2 : 0;
}

char *table_clean(const char *text) {
        char *copy = malloc(strlen(text) + 1), *to = copy;
        bool whole = text_is_utf8(text, strlen(text));

        if (!copy)
                return NULL;
        while (*text) {
                size_t k = control(text);

                if (k == 0 && !whole && (unsigned char) *text >= 0x80)
                        k = 1;
                if (k == 0) {
                        *to++ = *text++;
                        continue;
                }
                *to++ = strchr(TEXT_WHITESPACE, *text) ? ' ' : '?';
                text += k;
        }
        *to = '\0';
        return copy;
}

void table_add(Table *t, Style style, const char *text) {
        char *copy;

        if (t->error < 0)
                return;
        if (t->n == t->size) {
                size_t size = MAX(t->size * 2, 64U);
                Cell *cells = reallocarray(t->cells, size, sizeof(Cell));

                if (!cells) {
                        t->error = -ENOMEM;
                        return;
                }
                t->cells = cells;
                t->size = size;
        }
        copy = table_clean(strnull(text) ? "-" : text);
        if (!copy) {
                t->error = -ENOMEM;
                return;
        }
        t->cells[t->n++] = (Cell){ .text = copy, .style = strnull(text) ? STYLE_FAINT : style };
}

void table_addf(Table *t, Style style, const char *fmt, ...) {
        _cleanup_free_ char *s = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&s, fmt, ap);
        va_end(ap);
        if (n < 0) {
                s = NULL;
                t->error = t->error ?: -ENOMEM;
                return;
        }
        table_add(t, style, s);
}

/* How many bytes of s fit into `width` columns. */
static size_t prefix(const char *s, size_t width) {
        size_t n = strlen(s);

        while (n > 0) {
                _cleanup_free_ char *head = strndup(s, n);

                if (!head || words_width(head) <= width)
                        break;
                n = text_utf8_prefix(s, n - 1);
        }
        return n;
}

static void pad(Buf *out, size_t n) {
        while (n-- > 0)
                (void) buf_putc(out, ' ');
}

static void print_cell(const Screen *s, Style style, const char *text, size_t width, bool right, bool last,
                       Buf *out) {
        size_t w = words_width(text), n = strlen(text);
        const char *dots = "";

        if (w > width) {
                dots = s->unicode ? "…" : "...";
                n = prefix(text, width - words_width(dots));
                w = width;
        }
        if (right)
                pad(out, width - w);
        (void) buf_puts(out, screen_on(s, style));
        (void) buf_append(out, text, n);
        (void) buf_puts(out, dots);
        (void) buf_puts(out, screen_off(s, style));
        if (!right && !last)
                pad(out, width - w);
        if (!last)
                pad(out, GAP);
}

static void fit(const Table *t, const Screen *s, size_t *width) {
        size_t total = GAP * (t->n_columns - 1);

        for (size_t i = 0; i < t->n_columns; i++)
                total += width[i];
        if (total <= s->columns)
                return;
        for (size_t i = 0; i < t->n_columns; i++)
                if (t->columns[i].cut) {
                        size_t over = total - s->columns;

                        width[i] = width[i] > over + CUT_MIN ? width[i] - over : MIN(width[i], CUT_MIN);
                        return;
                }
}

int table_print(const Table *t, const Screen *s, bool full, Buf *out) {
        _cleanup_free_ size_t *width = calloc(t->n_columns, sizeof(size_t));

        if (t->error < 0 || !width)
                return t->error ?: -ENOMEM;
        for (size_t i = 0; i < t->n_columns; i++)
                width[i] = words_width(t->columns[i].head);
        for (size_t i = 0; i < t->n; i++)
                width[i % t->n_columns] = MAX(width[i % t->n_columns], words_width(t->cells[i].text));
        if (s->terminal && !full)
                fit(t, s, width);

        for (size_t i = 0; i < t->n_columns; i++)
                print_cell(s, STYLE_HEAD, t->columns[i].head, width[i], t->columns[i].right,
                           i + 1 == t->n_columns, out);
        (void) buf_putc(out, '\n');
        for (size_t i = 0; i < t->n; i++) {
                size_t at = i % t->n_columns;
                bool last = at + 1 == t->n_columns;

                print_cell(s, t->cells[i].style, t->cells[i].text, width[at], t->columns[at].right, last,
                           out);
                if (last)
                        (void) buf_putc(out, '\n');
        }
        return out->error;
}
