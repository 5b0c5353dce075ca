/* SPDX-License-Identifier: MIT */

/*
 * Two programs that find the end of a request at different bytes are what request smuggling needs: a proxy
 * passes on what is the body of one request for it, and a second request for the server. So everything is a
 * fault that another program could read in another way, although libmicrohttpd takes most of it:
 *
 *   - A line, of a head, a chunk's size or a trailer, that ends with LF alone; a CR that is not part of a
 *     line's end; a NUL byte.
 *   - A first line that is not METHOD, one space, target, one space, version. Any other control character or
 *     blank in it is a separator for some programs.
 *   - A header or trailer that continues on the next line (obsolete line folding), or whose name is not a
 *     token, such as one with a blank before its colon.
 *   - A chunk's size with anything but 1 to 16 hexadecimal digits, control characters in its extension, and
 *     data that CR LF does not follow.
 *
 * A query has a hundred arguments at most: libmicrohttpd answers more than it has memory for by a page of
 * HTML (from 1.0 on), or asks for another run for ever (before). So it does not get such a first line.
 *
 * Empty lines before a head are passed over, as RFC 9112 (2.2) wants it. Extensions and trailers have
 * ceilings, because they are read and thrown away. Whether the lengths in a head agree is checked in
 * http-head.c.
 */

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "io/http-framing.h"

static const char bare_lf[] = "a line ends with LF alone";
static const char bare_cr[] = "a CR that is not at the end of a line";

/* Returns where reading stops. */
static const char *fail(HttpFraming *f, const char *fault, const char *at) {
        f->fault = fault;
        return at;
}

/* --- tokens --- */

/* RFC 9110, 5.6.2 */
static const bool token_bytes[256] = {
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
        ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true, ['*'] = true,
        ['+'] = true, ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true,
        ['~'] = true,
};

size_t http_token_length(const char *s, size_t n) {
        size_t i = 0;

        while (i < n && token_bytes[(unsigned char) s[i]])
                i++;
        return i;
}

bool http_is_token(const char *s, size_t n) {
        return n > 0 && http_token_length(s, n) == n;
}

/* Neither blanks nor control characters. */
static const bool visible_bytes[256] = { ['!' ... '~'] = true, [0x80 ... 0xFF] = true };

bool http_is_visible(const char *s) {
        while (visible_bytes[(unsigned char) *s])
                s++;
        return !*s;
}

/* --- lines: of a head, and of the trailers --- */

/* Nearly all: those that check_first_line() has not to look at. */
static const bool plain_bytes[256] = {
        ['!' ... '%'] = true, ['\'' ... '>'] = true, ['@' ... '~'] = true, [0x80 ... 0xFF] = true,
};

static const char *check_first_line(HttpFraming *f, const char *begin, const char *end) {
        for (const char *p = begin; p < end; p++) {
                unsigned char c = (unsigned char) *p;

                if (plain_bytes[c])
                        continue;
                if (c < ' ' || c == 0x7f)
                        return c == 0 ? "a NUL byte" : "a control character in the first line";
                if (c == ' ' && f->n_column == 0 && p == begin)
                        return "a blank before the method";
                f->n_blanks += c == ' ';
                f->in_query = f->in_query || c == '?';
                if (c == '&' && f->in_query && ++f->n_ampersands >= HTTP_ARGUMENTS_MAX) {
                        f->is_large = true;
                        return "a query has too many arguments";
                }
        }
        return NULL;
}

static const char *check_header(HttpFraming *f, const char *p, const char *end) {
        const char *begin = p;

        if (f->n_column == 0 && (*p == ' ' || *p == '\t'))
                return "a header that continues on the next line";
        if (!f->has_name) {
                while (p < end && token_bytes[(unsigned char) *p])
                        p++;
                if (p < end && (*p != ':' || f->n_column + (size_t) (p - begin) == 0))
                        return *p == 0 ? "a NUL byte" : "the name of a header is not a token";
                f->has_name = p < end;
        }
        return f->may_have_nul && memchr(p, 0, (size_t) (end - p)) ? "a NUL byte" : NULL;
}

static void begin_head(HttpFraming *f) {
        f->state = HTTP_FRAMING_HEAD;
        f->n_head = 0;
        f->n_blanks = f->n_ampersands = 0;
        f->has_line = f->in_query = false;
}

/* Returns a fault, or NULL. */
static const char *end_line(HttpFraming *f) {
        bool empty = f->n_column == 0, has_name = f->has_name;

        f->n_column = 0;
        f->has_name = f->cr = false;
        if (f->has_line) {
                if (!empty)
                        return has_name ? NULL : "a header without a colon";
                if (f->state == HTTP_FRAMING_HEAD)
                        f->state = HTTP_FRAMING_HEAD_END;
                else
                        begin_head(f);
        } else if (empty)
                f->n_head = 0; /* before the head */
        else {
                if (f->n_blanks != 2)
                        return "the first line is not a method, a target and a version, with one blank "
                               "between them";
                f->has_line = true;
        }
        return NULL;
}

/* Reads to the end of a line, or all. */
static const char *read_line(HttpFraming *f, const char *p, const char *end) {
        const char *lf = memchr(p, '\n', (size_t) (end - p)), *stop = lf ?: end;
        const char *cr = memchr(p, '\r', (size_t) (stop - p)), *text_end = cr ?: stop, *fault;

        if (f->cr && stop > p)
                return fail(f, bare_cr, p);
        if (text_end > p) {
                fault = f->has_line ? check_header(f, p, text_end) : check_first_line(f, p, text_end);
                if (fault)
                        return fail(f, fault, p);
                f->n_column += (size_t) (text_end - p);
        }
        if (cr && cr + 1 < stop)
                return fail(f, bare_cr, p);
        f->cr = f->cr || cr;
        if (!lf)
                return end;
        if (!f->cr)
                return fail(f, bare_lf, p);
        fault = end_line(f);
        return fault ? fail(f, fault, p) : lf + 1;
}

static const char *read_head(HttpFraming *f, const char *p, const char *end) {
        const char *next = read_line(f, p, end);

        if (f->has_line || f->n_column > 0 || f->cr)
                f->n_head += (size_t) (next - p);
        return next;
}

static const char *read_trailers(HttpFraming *f, const char *p, const char *end) {
        const char *next;

        end = p + MIN((size_t) (end - p), HTTP_TRAILERS_MAX - f->n_trailers);
        if (p == end)
                return fail(f, "the trailers are too long", p);
        next = read_line(f, p, end);
        f->n_trailers += (unsigned) (next - p);
        return next;
}

/* --- chunks --- */

static void begin_chunk(HttpFraming *f) {
        f->state = HTTP_FRAMING_SIZE;
        f->left = 0;
        f->n_digits = 0;
}

static const char *read_size(HttpFraming *f, const char *p, const char *end _unused_) {
        int digit = text_unhex(*p);

        if (digit >= 0) {
                if (++f->n_digits > 16)
                        return fail(f, "the size of a chunk has more than 16 digits", p);
                f->left = f->left << 4 | (unsigned) digit;
        } else if (*p == '\n')
                return fail(f, bare_lf, p);
        else if (f->n_digits == 0 || (*p != ';' && *p != '\r'))
                return fail(f, "the size of a chunk is not a hexadecimal number", p);
        else if (*p == ';' && f->no_extensions)
                return fail(f, "a chunk must not have an extension", p);
        else
                f->state = *p == ';' ? HTTP_FRAMING_EXTENSION : HTTP_FRAMING_SIZE_LF;
        return p + 1;
}

static const char *read_extension(HttpFraming *f, const char *p, const char *end _unused_) {
        unsigned char c = (unsigned char) *p;

        if (c == '\r')
                f->state = HTTP_FRAMING_SIZE_LF;
        else if (c == '\n')
                return fail(f, bare_lf, p);
        else if ((c < ' ' && c != '\t') || c == 0x7f)
                return fail(f, "a control character in the extension of a chunk", p);
        else if (++f->n_extensions > HTTP_CHUNK_EXTENSIONS_MAX)
                return fail(f, "the extensions of the chunks are too long", p);
        return p + 1;
}

static const char *read_size_lf(HttpFraming *f, const char *p, const char *end _unused_) {
        if (*p != '\n')
                return fail(f, bare_cr, p);
        if (f->left > 0)
                f->state = HTTP_FRAMING_DATA;
        else {
                f->state = HTTP_FRAMING_TRAILERS;
                f->n_trailers = 0;
        }
        return p + 1;
}

static const char *read_data(HttpFraming *f, const char *p, const char *end) {
        size_t n = MIN((size_t) (end - p), f->left);

        f->left -= n;
        if (f->left == 0)
                f->state = HTTP_FRAMING_DATA_CR;
        return p + n;
}

static const char *read_data_cr(HttpFraming *f, const char *p, const char *end _unused_) {
        if (*p != '\r')
                return fail(f, "a chunk is longer than its size", p);
        f->state = HTTP_FRAMING_DATA_LF;
        return p + 1;
}

static const char *read_data_lf(HttpFraming *f, const char *p, const char *end _unused_) {
        if (*p != '\n')
                return fail(f, bare_cr, p);
        begin_chunk(f);
        return p + 1;
}

static const char *read_length(HttpFraming *f, const char *p, const char *end) {
        size_t n = MIN((size_t) (end - p), f->left);

        f->left -= n;
        if (f->left == 0)
                begin_head(f);
        return p + n;
}

/* --- all --- */

void http_framing_init(HttpFraming *f) {
        *f = (HttpFraming){};
}

size_t http_framing_feed(HttpFraming *f, const char *p, size_t n) {
        /* Each reads at least one byte, or finds a fault. */
        static const char *(*const read[_HTTP_FRAMING_MAX])(HttpFraming *, const char *, const char *) = {
                [HTTP_FRAMING_HEAD] = read_head,
                [HTTP_FRAMING_LENGTH] = read_length,
                [HTTP_FRAMING_SIZE] = read_size,
                [HTTP_FRAMING_EXTENSION] = read_extension,
                [HTTP_FRAMING_SIZE_LF] = read_size_lf,
                [HTTP_FRAMING_DATA] = read_data,
                [HTTP_FRAMING_DATA_CR] = read_data_cr,
                [HTTP_FRAMING_DATA_LF] = read_data_lf,
                [HTTP_FRAMING_TRAILERS] = read_trailers,
        };
        const char *at = p, *end = p + n;

        /* One look for all lines of a head, instead of one for each. */
        f->may_have_nul = f->state != HTTP_FRAMING_HEAD || memchr(p, 0, n);
        while (at < end && !f->fault && f->state != HTTP_FRAMING_HEAD_END)
                at = read[f->state](f, at, end);
        return (size_t) (at - p);
}

void http_framing_body(HttpFraming *f, bool chunked, uint64_t length) {
        assert(f->state == HTTP_FRAMING_HEAD_END);

        if (chunked) {
                f->n_extensions = 0;
                begin_chunk(f);
        } else if (length > 0) {
                f->state = HTTP_FRAMING_LENGTH;
                f->left = length;
        } else
                begin_head(f);
}

bool http_framing_in_body(const HttpFraming *f) {
        return f->state != HTTP_FRAMING_HEAD && f->state != HTTP_FRAMING_HEAD_END;
}

bool http_framing_has_no_method(const HttpFraming *f) {
        return f->fault && f->state == HTTP_FRAMING_HEAD && !f->has_line &&
               (f->n_blanks == 0 || f->whole_line || f->is_large);
}
