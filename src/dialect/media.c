/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "dialect/media.h"

#define HEAD_MAX  512U /* bytes before the comma of a data: URL; usually some 20 */
#define MAGIC_MAX 24U  /* first bytes of the data that show its type */

static const char must_be_base64[] = "must be base64";

/* --- letters of base64: STANDARD, and what else is understood --- */

typedef enum Letter {
        LETTER_BAD,
        LETTER_STANDARD,
        LETTER_URL_SAFE,
        LETTER_PADDING,
        LETTER_BLANK,
} Letter;

static const uint8_t letters[256] = {
        ['A' ... 'Z'] = LETTER_STANDARD, ['a' ... 'z'] = LETTER_STANDARD, ['0' ... '9'] = LETTER_STANDARD,
        ['+'] = LETTER_STANDARD,         ['/'] = LETTER_STANDARD,         ['-'] = LETTER_URL_SAFE,
        ['_'] = LETTER_URL_SAFE,         ['='] = LETTER_PADDING,          [' '] = LETTER_BLANK,
        ['\t'] = LETTER_BLANK,           ['\r'] = LETTER_BLANK,           ['\n'] = LETTER_BLANK,
};

/* How many bytes at p are standard letters; eight at a time, since a picture has millions. */
static size_t standard_length(const char *p, const char *end) {
        const char *s = p;

        for (; end - s >= 8; s += 8) {
                unsigned good = 1;

                for (unsigned i = 0; i < 8; i++)
                        good &= letters[(unsigned char) s[i]] == LETTER_STANDARD;
                if (!good)
                        break;
        }
        while (s < end && letters[(unsigned char) *s] == LETTER_STANDARD)
                s++;
        return (size_t) (s - p);
}

/* --- reading bytes: of a string with JSON's escapes, and with percent-encoding --- */

typedef struct Bytes {
        const char *p, *end;
        unsigned char escape[4]; /* the character of an escape, */
        unsigned n_escape, at;   /* and how much of it has been read */
} Bytes;

/* -1 at the end. */
static int next_byte(Bytes *b) {
        JsonText t = { .p = b->p, .end = b->end };
        const char *piece;
        size_t n;

        if (b->at < b->n_escape)
                return b->escape[b->at++];
        if (b->p == b->end)
                return -1;
        if (*b->p != '\\')
                return (unsigned char) *b->p++;
        (void) json_text_next(&t, &piece, &n);
        memcpy(b->escape, piece, n);
        b->p = t.p;
        b->n_escape = (unsigned) n;
        b->at = 1;
        return b->escape[0];
}

/* -1 at the end. A `%` that is no escape stays. */
static int next_decoded(Bytes *b) {
        Bytes behind;
        int c = next_byte(b), high, low;

        if (c != '%')
                return c;
        behind = *b;
        high = next_byte(&behind);
        low = next_byte(&behind);
        high = high < 0 ? -1 : text_unhex((char) high);
        low = low < 0 ? -1 : text_unhex((char) low);
        if (high < 0 || low < 0)
                return c;
        *b = behind;
        return high << 4 | low;
}

static Bytes bytes_of(const Media *m) {
        return (Bytes){ .p = m->data, .end = m->end };
}

/* Standard letters that come next, without any escape. */
static size_t next_standard(const Bytes *b) {
        return b->at < b->n_escape ? 0 : standard_length(b->p, b->end);
}

/* The next letter of base64 in the standard alphabet; 0: the end, or padding; -1: anything else. */
static int next_letter(Bytes *b) {
        for (;;) {
                int c = next_decoded(b);

                if (c < 0)
                        return 0;
                switch ((Letter) letters[c]) {
                case LETTER_STANDARD:
                        return c;
                case LETTER_URL_SAFE:
                        return c == '-' ? '+' : '/';
                case LETTER_PADDING:
                        return 0;
                case LETTER_BLANK:
                        break;
                case LETTER_BAD:
                        return -1;
                }
        }
}

/* --- what the data is --- */

static const char *read_loose(Media *m) {
        Bytes b = bytes_of(m);
        size_t n = 0, k;
        int c;

        do {
                k = next_standard(&b);
                b.p += k;
                n += k;
                c = next_letter(&b);
                n += c > 0;
        } while (c > 0);
        if (c < 0 || n % 4 == 1)
                return must_be_base64;
        while ((c = next_decoded(&b)) >= 0) /* behind the padding */
                if (letters[c] != LETTER_PADDING && letters[c] != LETTER_BLANK)
                        return must_be_base64;
        m->form = MEDIA_LOOSE;
        m->n_decoded = n / 4 * 3 + (n % 4 > 0 ? n % 4 - 1 : 0);
        return m->n_decoded > 0 ? NULL : "must not be empty";
}

static const char *read_base64(Media *m) {
        size_t n = (size_t) (m->end - m->data), k = standard_length(m->data, m->end), padding = n - k;

        if (n == 0 || n % 4 != 0 || padding > 2 || memcmp(m->data + k, "==", padding) != 0)
                return read_loose(m);
        m->form = MEDIA_BASE64;
        m->n_decoded = n / 4 * 3 - padding;
        return NULL;
}

static size_t first_bytes(const Media *m, uint8_t ret[static MAGIC_MAX]) {
        Bytes b = bytes_of(m);
        size_t n = 0;

        if (m->form == MEDIA_PERCENT) {
                for (int c; n < MAGIC_MAX && (c = next_decoded(&b)) >= 0;)
                        ret[n++] = (uint8_t) c;
                return n;
        }
        while (n + 3 <= MAGIC_MAX) {
                unsigned bits = 0, k = 0;

                for (int c; k < 4 && (c = next_letter(&b)) > 0; k++)
                        bits |= (unsigned) base64_value(c) << (18 - 6 * k);
                for (unsigned i = 0; i + 1 < k; i++)
                        ret[n++] = (uint8_t) (bits >> (16 - 8 * i));
                if (k < 4)
                        break;
        }
        return n;
}

static bool is_generic(const char *type) {
        return !*type || streq(type, "application/octet-stream") || streq(type, "binary/octet-stream");
}

static void choose_type(Media *m, const char *fallback) {
        uint8_t first[MAGIC_MAX];
        const char *type;

        if (!is_generic(m->type))
                return;
        type = media_type_of_bytes(first, first_bytes(m, first)) ?: fallback;
        if (type)
                text_copy(m->type, sizeof(m->type), type);
}

/* --- data: URLs --- */

/* The n bytes at s as a type, if they can be one: lower case, and by its usual name. */
static void set_type(Media *m, const char *s, size_t n) {
        static const struct {
                const char *alias, *type;
        } rows[] = {
                { "image/jpg", "image/jpeg" },       { "image/pjpeg", "image/jpeg" },
                { "audio/x-wav", "audio/wav" },      { "audio/wave", "audio/wav" },
                { "audio/vnd.wave", "audio/wav" },   { "audio/x-mp3", "audio/mp3" },
                { "audio/x-flac", "audio/flac" },    { "audio/x-m4a", "audio/m4a" },
                { "application/x-pdf", "application/pdf" },
        };
        size_t k = 0;

        while (n > 0 && strchr(TEXT_WHITESPACE, *s))
                s++, n--;
        while (n > 0 && strchr(TEXT_WHITESPACE, s[n - 1]))
                n--;
        if (n > MEDIA_TYPE_MAX || !memchr(s, '/', n))
                return;
        for (; k < n; k++) {
                unsigned char c = (unsigned char) s[k];

                if (c <= ' ' || c >= 0x7F || strchr("\"\\,<>", c))
                        break;
                m->type[k] = (char) (c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        }
        m->type[k < n ? 0 : n] = 0;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(m->type, rows[i].alias))
                        text_copy(m->type, sizeof(m->type), rows[i].type);
}

/* `head`: TYPE;NAME=VALUE;base64, each part of which may be absent. */
static void read_head(Media *m, char *head) {
        char *rest = head, *part;

        m->form = MEDIA_PERCENT;
        for (bool first = true; (part = strsep(&rest, ";")); first = false)
                if (first)
                        set_type(m, part, strlen(part));
                else if (strcaseeq(text_strip(part), "base64"))
                        m->form = MEDIA_BASE64;
}

/* Whether the string begins so, in any case of letters. The bytes behind it are then next. */
static bool begins_with(Bytes *b, const char *scheme) {
        Bytes t = *b;

        for (; *scheme; scheme++) {
                int c = next_byte(&t);

                if (c != *scheme && !(c >= 'A' && c <= 'Z' && (c | 0x20) == *scheme))
                        return false;
        }
        *b = t;
        return true;
}

static const char *read_data_url(Bytes *b, Media *m, const char *fallback) {
        char head[HEAD_MAX];
        const char *fault = NULL;
        size_t n = 0;
        int c;

        while ((c = next_byte(b)) >= 0 && c != ',') {
                if (n == sizeof(head) - 1)
                        return "must be a data: URL with a short type";
                head[n++] = (char) c;
        }
        if (c < 0)
                return "must be a data: URL with a comma before the data";
        head[n] = 0;
        read_head(m, head);

        m->data = b->p;
        m->end = b->end;
        if (m->form == MEDIA_BASE64)
                fault = read_base64(m);
        else {
                m->n_decoded = (size_t) (m->end - m->data);
                fault = m->n_decoded > 0 ? NULL : "must not be empty";
        }
        if (!fault)
                choose_type(m, fallback ?: "text/plain"); /* RFC 2397 */
        return fault;
}

/* --- strings --- */

/* The string's bytes, from the first one that is no blank. */
static const char *begin(JsonView string, Bytes *ret) {
        Bytes next;
        int c;

        if (!json_view_is(string, '"'))
                return "must be a string";
        *ret = next = (Bytes){ .p = string.p + 1, .end = json_view_string_end(string) };
        while ((c = next_byte(&next)) >= 0 && letters[c] == LETTER_BLANK)
                *ret = next;
        return c < 0 ? "must not be empty" : NULL;
}

const char *media_read_data(JsonView string, const char *type, Media *ret) {
        const char *fault;
        Media m = {};
        Bytes b;

        fault = begin(string, &b);
        if (fault)
                return fault;
        if (begins_with(&b, "data:"))
                fault = read_data_url(&b, &m, type);
        else {
                m.data = string.p + 1;
                m.end = json_view_string_end(string);
                fault = read_base64(&m);
                if (!fault && type)
                        set_type(&m, type, strlen(type));
                if (!fault)
                        choose_type(&m, NULL);
        }
        if (!fault)
                *ret = m;
        return fault;
}

const char *media_read(JsonView string, const char *fallback, Media *ret) {
        static const char must_be_url[] = "must be a data: or https: URL";
        Media m = { .form = MEDIA_URI, .uri = string };
        const char *fault, *type;
        Bytes b;

        fault = begin(string, &b);
        if (fault)
                return fault;
        if (begins_with(&b, "https://") || begins_with(&b, "gs://")) {
                type = media_type_of_name(string) ?: fallback;
                if (type)
                        text_copy(m.type, sizeof(m.type), type);
                *ret = m;
                return NULL;
        }
        if (begins_with(&b, "data:"))
                return media_read_data(string, fallback, ret);
        /* Base64 alone, if its first bytes are those of a known type: other texts can look like base64. */
        fault = media_read_data(string, NULL, &m);
        if (fault || !*m.type)
                return must_be_url;
        *ret = m;
        return NULL;
}

/* --- writing --- */

typedef struct Copier {
        Buf *out;
        size_t n;
        char chunk[4096];
} Copier;

static void flush(Copier *c) {
        (void) buf_append(c->out, c->chunk, c->n);
        c->n = 0;
}

static void put(Copier *c, char letter) {
        if (c->n == sizeof(c->chunk))
                flush(c);
        c->chunk[c->n++] = letter;
}

static void put_all(Copier *c, const char *s, size_t n) {
        if (n <= sizeof(c->chunk) - c->n) {
                memcpy(c->chunk + c->n, s, n);
                c->n += n;
                return;
        }
        flush(c);
        (void) buf_append(c->out, s, n);
}

static void write_loose(const Media *m, Buf *out) {
        Bytes b = bytes_of(m);
        Copier copier;
        size_t n = 0, k;
        int c;

        copier.out = out;
        copier.n = 0;
        do {
                k = next_standard(&b);
                put_all(&copier, b.p, k);
                b.p += k;
                n += k;
                c = next_letter(&b);
                if (c > 0) {
                        put(&copier, (char) c);
                        n++;
                }
        } while (c > 0);
        for (; n % 4 != 0; n++)
                put(&copier, '=');
        flush(&copier);
}

static void write_percent(const Media *m, Buf *out) {
        uint8_t piece[3 * 256];
        Bytes b = bytes_of(m);
        size_t n = 0;

        for (int c; (c = next_decoded(&b)) >= 0;) {
                piece[n++] = (uint8_t) c;
                if (n == sizeof(piece)) {
                        (void) base64_append(out, piece, n);
                        n = 0;
                }
        }
        (void) base64_append(out, piece, n);
}

void media_write_data(const Media *m, JWriter *w, const char *key) {
        assert(m->form != MEDIA_URI);
        jwrite_raw_n(w, key, "\"", 1);
        if (m->form == MEDIA_BASE64)
                (void) buf_append(w->buf, m->data, (size_t) (m->end - m->data));
        else if (m->form == MEDIA_LOOSE)
                write_loose(m, w->buf);
        else
                write_percent(m, w->buf);
        (void) buf_putc(w->buf, '"');
}
