/* SPDX-License-Identifier: MIT */

/*
 * A table is as wide as its cells. If that is wider than the screen, nothing that explains is lost: a
 * column of text (`wrap`, the last one) becomes several lines, within its column if there is room for it,
 * else below its row. Of a name (`cut`) the end is left out. Where even that does not fit, each cell has its
 * own line:
 *
 *     KEY   STATE    LAST ERROR         KEY   STATE             KEY: home
 *     home  cooling  day quota: You     home  cooling         STATE: cooling
 *                    exceeded your …        day quota: …
 */

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "ctl/table.h"
#include "ctl/words.h"

#define GAP          2U
#define CUT_MIN      8U  /* a narrower name is useless */
#define WRAP_MIN     30U /* a narrower column of text makes many lines, so it is below the row instead */
#define WRAP_LEAST   12U /* a screen that is narrower has longer lines */
#define BELOW_INDENT 4U

void table_done(Table *t) {
        for (size_t i = 0; i < t->n; i++)
                free(t->cells[i].text);
        free(t->cells);
        t->cells = NULL;
        t->n = t->size = 0;
}

/* The length of a character that would move the cursor, or 0. U+0080 to U+009F are control characters, too:
 * some terminals take U+009B for the beginning of an escape. U+2028 to U+202E and U+2066 to U+2069 separate
 * lines, or change the direction of writing. */
static size_t control(const char *s) {
        const unsigned char *u = (const unsigned char *) s;

        if (u[0] < 0x20 || u[0] == 0x7f)
                return 1;
        if (u[0] == 0xC2)
                return u[1] >= 0x80 && u[1] <= 0x9f ? 2 : 0;
        if (u[0] != 0xE2)
                return 0;
        if (u[1] == 0x80)
                return u[2] >= 0xA8 && u[2] <= 0xAE ? 3 : 0;
        return u[1] == 0x81 && u[2] >= 0xA6 && u[2] <= 0xA9 ? 3 : 0;
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
        t->cells[t->n++] = (Cell){
                .text = copy,
                .style = strnull(text) ? STYLE_FAINT : style,
                .none = strnull(text),
        };
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

static void pad(Buf *out, size_t n) {
        while (n-- > 0)
                (void) buf_putc(out, ' ');
}

static void print_styled(const Screen *s, Style style, const char *text, size_t n, const char *end,
                         Buf *out) {
        (void) buf_puts(out, screen_on(s, style));
        (void) buf_append(out, text, n);
        (void) buf_puts(out, end);
        (void) buf_puts(out, screen_off(s, style));
}

void table_wrap(const Screen *s, Style style, const char *text, size_t indent, Buf *out) {
        size_t width = s->columns == UINT_MAX ? SIZE_MAX : s->columns - MIN(indent, s->columns);

        for (const char *rest = text;; text = rest) {
                size_t n = words_line(text, MAX(width, WRAP_LEAST), &rest);

                print_styled(s, style, text, n, "", out);
                (void) buf_putc(out, '\n');
                if (!*rest)
                        break;
                pad(out, indent);
        }
}

/* --- rows: a line for each, or several if the last cell is wrapped --- */

static void print_cell(const Screen *s, Style style, const char *text, size_t width, bool right, bool last,
                       Buf *out) {
        size_t w = words_width(text), n = strlen(text);
        const char *dots = "";

        if (w > width) {
                dots = s->unicode ? "…" : "...";
                n = words_prefix(text, width - words_width(dots));
                w = width;
        }
        if (right)
                pad(out, width - w);
        print_styled(s, style, text, n, dots, out);
        if (!right && !last)
                pad(out, width - w);
        if (!last)
                pad(out, GAP);
}

typedef enum Layout {
        LAYOUT_ROWS,  /* the last cell within its column */
        LAYOUT_BELOW, /* the last cell below its row */
        LAYOUT_FACTS, /* a line for each cell: nothing else fits */
} Layout;

static bool is_wrapped(const Table *t, size_t i) {
        return t->columns[i].wrap && i + 1 == t->n_columns;
}

/* Shortens the one column that may be, and chooses the layout. */
static Layout fit(const Table *t, const Screen *s, size_t *width) {
        size_t total = GAP * (t->n_columns - 1), last = t->n_columns - 1, over;

        for (size_t i = 0; i < t->n_columns; i++)
                total += width[i];
        if (total <= s->columns)
                return LAYOUT_ROWS;
        over = total - s->columns;
        if (is_wrapped(t, last)) {
                if (width[last] >= over + WRAP_MIN) {
                        width[last] -= over;
                        return LAYOUT_ROWS;
                }
                return over <= width[last] + GAP ? LAYOUT_BELOW : LAYOUT_FACTS;
        }
        for (size_t i = 0; i < t->n_columns; i++)
                if (t->columns[i].cut && width[i] >= over + CUT_MIN) {
                        width[i] -= over;
                        return LAYOUT_ROWS;
                }
        return LAYOUT_FACTS;
}

static size_t indent_of(const Table *t, const size_t *width) {
        size_t n = 0;

        for (size_t i = 0; i + 1 < t->n_columns; i++)
                n += width[i] + GAP;
        return n;
}

/* The heads, of a column below its row only if there is room. */
static void print_heads(const Table *t, const Screen *s, Layout layout, const size_t *width, Buf *out) {
        size_t n = t->n_columns;

        if (layout == LAYOUT_BELOW &&
            indent_of(t, width) + words_width(t->columns[n - 1].head) > s->columns)
                n--;
        for (size_t i = 0; i < n; i++)
                print_cell(s, STYLE_HEAD, t->columns[i].head, MAX(width[i], words_width(t->columns[i].head)),
                           t->columns[i].right, i + 1 == n, out);
        (void) buf_putc(out, '\n');
}

static void print_row(const Table *t, const Screen *s, Layout layout, const size_t *width,
                      const Cell *cells, Buf *out) {
        size_t last = t->n_columns - 1;
        bool below = layout == LAYOUT_BELOW;

        for (size_t i = 0; i <= last - below; i++)
                if (is_wrapped(t, i))
                        return table_wrap(s, cells[i].style, cells[i].text, indent_of(t, width), out);
                else
                        print_cell(s, cells[i].style, cells[i].text, width[i], t->columns[i].right,
                                   i == last - below, out);
        (void) buf_putc(out, '\n');
        if (!below || cells[last].none)
                return;
        pad(out, BELOW_INDENT);
        table_wrap(s, cells[last].style, cells[last].text, BELOW_INDENT, out);
}

static void print_rows(const Table *t, const Screen *s, Layout layout, const size_t *width, Buf *out) {
        print_heads(t, s, layout, width, out);
        for (size_t i = 0; i < t->n; i += t->n_columns)
                print_row(t, s, layout, width, t->cells + i, out);
}

/* --- facts --- */

static void print_facts(const Table *t, const Screen *s, Buf *out) {
        size_t width = 0;

        for (size_t i = 0; i < t->n_columns; i++)
                width = MAX(width, words_width(t->columns[i].head));
        for (size_t i = 0; i < t->n; i++) {
                const Column *c = t->columns + i % t->n_columns;
                const char *head = *c->head ? c->head : "#";

                if (i > 0 && c == t->columns)
                        (void) buf_putc(out, '\n');
                if (t->cells[i].none)
                        continue;
                pad(out, width - words_width(head));
                (void) buf_printf(out, "%s: ", head);
                table_wrap(s, t->cells[i].style, t->cells[i].text, width + 2, out);
        }
}

int table_print(const Table *t, const Screen *s, Buf *out) {
        _cleanup_free_ size_t *width = calloc(t->n_columns, sizeof(size_t));
        Layout layout;

        if (t->error < 0 || !width)
                return t->error ?: -ENOMEM;
        for (size_t i = 0; i < t->n_columns; i++)
                width[i] = words_width(t->columns[i].head);
        for (size_t i = 0; i < t->n; i++)
                width[i % t->n_columns] = MAX(width[i % t->n_columns], words_width(t->cells[i].text));
        layout = fit(t, s, width);
        if (layout == LAYOUT_FACTS)
                print_facts(t, s, out);
        else
                print_rows(t, s, layout, width, out);
        return out->error;
}
