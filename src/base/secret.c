/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/secret.h"
#include "base/text.h"

struct Secret {
        unsigned n_ref;
        size_t n;
        char bytes[];
};

int secret_new(const char *s, size_t n, Secret **ret) {
        Secret *q;

        if (n == 0 || n > SECRET_LENGTH_MAX)
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                if (s[i] < 0x21 || s[i] > 0x7e)
                        return -EINVAL;

        q = malloc(sizeof(Secret) + n + 1);
        if (!q)
                return -ENOMEM;
        q->n_ref = 1;
        q->n = n;
        memcpy(q->bytes, s, n);
        q->bytes[n] = 0;
        *ret = q;
        return 0;
}

Secret *secret_ref(Secret *s) {
        s->n_ref++;
        return s;
}

Secret *secret_unref(Secret *s) {
        if (!s || --s->n_ref > 0)
                return NULL;
        explicit_bzero(s->bytes, s->n);
        free(s);
        return NULL;
}

bool secret_equal(const Secret *s, const char *other, size_t n) {
        unsigned char diff = s->n != n;
        size_t at = 0;

        /* Reads the whole secret whatever the client presented, so that the time reveals neither content nor
         * prefix. What was presented begins again at its end. */
        for (size_t i = 0; i < s->n; i++) {
                diff |= (unsigned char) (s->bytes[i] ^ (n > 0 ? other[at] : 0));
                at = at + 1 < n ? at + 1 : 0;
        }
        return diff == 0;
}

bool secret_starts_with(const Secret *s, const char *prefix) {
        return startswith(s->bytes, prefix);
}

int secret_compare(const Secret *a, const Secret *b) {
        return strcmp(a->bytes, b->bytes);
}

uint64_t secret_hash(const Secret *s) {
        return hash_stable(s->bytes, s->n);
}

void secret_mask_key(const Secret *s, char ret[static SECRET_MASK_MAX]) {
        /* Of fewer than twelve characters, eight are too many to show. */
        if (s->n < 12)
                memcpy(ret, "****", 5);
        else {
                memcpy(ret, s->bytes, 4);
                memcpy(ret + 4, "****", 4);
                memcpy(ret + 8, s->bytes + s->n - 4, 5);
        }
}

void secret_mask_token(const Secret *s, char ret[static SECRET_MASK_MAX]) {
        (void) snprintf(ret, SECRET_MASK_MAX, "%.*s…", (int) MIN((size_t) 8, s->n / 2), s->bytes);
}

const char *secret_reveal(const Secret *s) {
        return s->bytes;
}

size_t secret_length(const Secret *s) {
        return s->n;
}

/* --- finding keys in a foreign text --- */

/*
 * A text may spell a key otherwise than it was sent: as %-escapes, as entities of HTML, as escapes of JSON,
 * or broken by a line's end or by characters without a width. So a text is read as units: a character in any
 * of these spellings, or something that shows nothing. A key is compared with the units, and all bytes of
 * those that it consists of are covered. Between two characters of a key a bounded number of units is
 * skipped, so the time is linear.
 */

#define SKIP_MAX 64U /* units between two characters of a key */
#define NEST_MAX 8U  /* escapes of an escape */

typedef struct Unit {
        size_t n;   /* bytes */
        char c;     /* a printable ASCII character; 0: something else */
        bool blank; /* of the rest: white space, which separates words */
} Unit;

static Unit unit_of(uint32_t cp, size_t n) {
        if (cp >= 0xFF01 && cp <= 0xFF5E) /* the wide forms of ASCII */
                cp -= 0xFEE0;
        return (Unit){ .n = n,
                       .c = cp > 0x20 && cp < 0x7F ? (char) cp : 0,
                       .blank = cp <= 0x20 || cp == 0x85 || cp == 0xA0 || cp == 0x2028 || cp == 0x2029 };
}

/* The number at s, if `least` to `most` digits of this base are there. Returns its length. */
static size_t read_number(const char *s, unsigned base, size_t least, size_t most, uint32_t *ret) {
        uint32_t u = 0;
        size_t n = 0;
        int digit;

        while (n < most && (digit = text_unhex(s[n])) >= 0 && (unsigned) digit < base) {
                u = MIN(u * base + (uint32_t) digit, 0x110000U);
                n++;
        }
        *ret = u;
        return n >= least ? n : 0;
}

/* %41, %2541 … */
static bool read_percent(const char *s, Unit *ret) {
        size_t n = 1, k;
        uint32_t cp;

        for (unsigned i = 0; i < NEST_MAX && s[n] == '2' && s[n + 1] == '5'; i++)
                n += 2;
        k = read_number(s + n, 16, 2, 2, &cp);
        if (k == 0)
                return false;
        *ret = unit_of(cp, n + k); /* a byte beyond ASCII is a part of a character that is skipped */
        return true;
}

/* &#65; &#x41; &amp;#65; &lowbar; … */
static bool read_entity(const char *s, Unit *ret) {
        static const struct {
                const char *name;
                uint32_t cp;
        } names[] = {
                { "lowbar;", '_' }, { "UnderBar;", '_' }, { "hyphen;", '-' }, { "dash;", '-' },
                { "period;", '.' }, { "colon;", ':' },    { "equals;", '=' }, { "nbsp;", 0xA0 },
                { "shy;", 0xAD },   { "zwj;", 0x200D },   { "zwnj;", 0x200C }, { "NewLine;", 0x0A },
                { "Tab;", 0x09 },   { "ZeroWidthSpace;", 0x200B }, { "NoBreak;", 0x2060 },
        };
        size_t n = 1, k;
        uint32_t cp;
        bool hex;

        for (unsigned i = 0; i < NEST_MAX && startswith(s + n, "amp;"); i++)
                n += strlen("amp;");
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (startswith(s + n, names[i].name)) {
                        *ret = unit_of(names[i].cp, n + strlen(names[i].name));
                        return true;
                }
        if (s[n] != '#')
                return false;
        hex = s[n + 1] == 'x' || s[n + 1] == 'X';
        n += hex ? 2 : 1;
        k = read_number(s + n, hex ? 16 : 10, 1, 12, &cp);
        if (k == 0)
                return false;
        n += k;
        *ret = unit_of(cp, n + (s[n] == ';'));
        return true;
}

/* \u0041 \x41 \n \/ …, with any number of backslashes: a text may have been quoted several times. */
static bool read_backslash(const char *s, Unit *ret) {
        size_t n = strspn(s, "\\"), k = 0;
        uint32_t cp = 0;

        if (s[n] == 'u')
                k = read_number(s + n + 1, 16, 4, 4, &cp);
        else if (s[n] == 'x')
                k = read_number(s + n + 1, 16, 2, 2, &cp);
        if (k > 0)
                *ret = unit_of(cp, n + 1 + k);
        else if (s[n] && strchr("nrtbf", s[n]))
                *ret = unit_of(' ', n + 1);
        else
                *ret = unit_of(0, n);
        return true;
}

/* The unit at s, where the text has not ended. */
static Unit next_unit(const char *s) {
        Unit u = unit_of((unsigned char) *s, 1);
        uint32_t cp;
        size_t n;

        if ((*s == '%' && read_percent(s, &u)) || (*s == '&' && read_entity(s, &u)) ||
            (*s == '\\' && read_backslash(s, &u)))
                return u;
        if ((unsigned char) *s >= 0x80) {
                n = text_utf8_decode(s, s + strnlen(s, 4), &cp);
                return n > 0 ? unit_of(cp, n) : (Unit){ .n = 1 };
        }
        return u;
}

/* The next character, behind the units that are skipped; *ret_n has the bytes up to its end. False if there
 * is none near. `blanks`: white space is skipped, too. */
static bool next_character(const char *s, bool blanks, char *ret, size_t *ret_n) {
        const char *p = s;

        for (unsigned i = 0; i <= SKIP_MAX && *p; i++) {
                Unit u = next_unit(p);

                p += u.n;
                if (u.c) {
                        *ret = u.c;
                        *ret_n = (size_t) (p - s);
                        return true;
                }
                if (u.blank && !blanks)
                        return false;
        }
        return false;
}

/* How many bytes at s spell the n characters; 0: they do not. */
static size_t spelled(const char *s, const char *what, size_t n, bool blanks) {
        size_t length = 0, k;
        char c;

        for (size_t i = 0; i < n; i++, length += k)
                if (!next_character(s + length, i > 0 && blanks, &c, &k) || c != what[i])
                        return 0;
        return length;
}

static bool is_key_char(char c) {
        return isalnum((unsigned char) c) || c == '_' || c == '-' || c == '.' || c == '*';
}

static void cover(char *s, size_t n) {
        memset(s, '*', n);
}

/* The characters of a key at s, *ret_n of them: how many bytes they take. */
static size_t key_length(const char *s, size_t *ret_n) {
        size_t length = 0, n = 0, k;
        char c;

        while (next_character(s + length, false, &c, &k) && is_key_char(c)) {
                length += k;
                n++;
        }
        *ret_n = n;
        return length;
}

#define BROKEN_KEY 35U /* characters behind the prefix of a key: Google's have no fewer */

/* The same for a key that blanks break, as at the end of a line. To tell it from prose, it must have letters
 * of both cases and digits among the first BROKEN_KEY characters, and not begin with a blank. */
static size_t broken_key_length(const char *s) {
        bool lower = false, upper = false, digit = false;
        size_t length = 0, k;
        char c;

        for (size_t n = 0; n < BROKEN_KEY; n++) {
                if (!next_character(s + length, n > 0, &c, &k) || !is_key_char(c))
                        return 0;
                length += k;
                lower |= islower((unsigned char) c) != 0;
                upper |= isupper((unsigned char) c) != 0;
                digit |= isdigit((unsigned char) c) != 0;
        }
        if (!lower || !upper || !digit)
                return 0;
        return length + key_length(s + length, &k);
}

#define GOOGLE_KEY_MIN 16U /* characters behind the prefix; fewer are prose */

/* Covers the key at s, if there is one. Returns how many bytes are done: at least one. */
static size_t scrub_at(char *s, const Secret *known) {
        static const struct {
                const char *prefix;
                size_t n;
                size_t least; /* fewer characters than this after the prefix are prose, not a key */
        } forms[] = {
                { "AIza", 4, GOOGLE_KEY_MIN },
                { "AQ.", 3, GOOGLE_KEY_MIN },
                { "api_key:", 8, 8 },
                { "key=", 4, 8 },
        };
        Unit u = next_unit(s);
        size_t n, k, length;

        if (u.c == 0)
                return u.n;
        if (known && u.c == known->bytes[0] && (n = spelled(s, known->bytes, known->n, true)) > 0) {
                cover(s, n);
                return n;
        }
        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                if (u.c != forms[i].prefix[0] || (n = spelled(s, forms[i].prefix, forms[i].n, false)) == 0)
                        continue;
                length = key_length(s + n, &k);
                length = MAX(k < forms[i].least ? 0 : length, broken_key_length(s + n));
                if (length == 0)
                        continue;
                cover(s + n, length);
                return n + length;
        }
        return u.n;
}

/* The next byte at which scrub_at() may find something. It is fast, because nearly no byte is one. */
static char *next_suspect(char *s, const Secret *known) {
        static const bool first[256] = {
                /* of the forms, and of other spellings; and the text's end */
                ['A'] = true, ['a'] = true, ['k'] = true,  [0] = true,
                ['%'] = true, ['&'] = true, ['\\'] = true, [0x80 ... 0xFF] = true,
        };
        static const char before[256] = { ['I'] = 'A', ['Q'] = 'A', ['p'] = 'a', ['e'] = 'k' };
        const char begin = known ? known->bytes[0] : 0, next = begin ? known->bytes[1] : 0;

        for (;; s++) {
                while (!first[(unsigned char) *s] && *s != begin)
                        s++;
                /* Two letters or digits that are spelled as themselves, and are not the first two of a form
                 * or of the key, begin none. */
                if (!isalnum((unsigned char) s[0]) || !isalnum((unsigned char) s[1]) ||
                    before[(unsigned char) s[1]] == *s || (*s == begin && (s[1] == next || !next)))
                        return s;
        }
}

/* As it is: a key that people chose may itself hold what looks like an escape. */
static void cover_plain(char *text, const Secret *known) {
        for (char *p = text; (p = strstr(p, known->bytes));)
                cover(p, known->n);
}

void secret_scrub_one(char *text, const Secret *known) {
        Unit u;
        size_t n;

        cover_plain(text, known);
        for (char *p = text; *(p = next_suspect(p, known));) {
                u = next_unit(p);
                n = u.c == known->bytes[0] ? spelled(p, known->bytes, known->n, true) : 0;
                cover(p, n);
                p += MAX(n, u.n);
        }
}

void secret_scrub(char *text, const Secret *known) {
        if (known)
                cover_plain(text, known);
        for (char *p = text; *(p = next_suspect(p, known));)
                p += scrub_at(p, known);
}

bool secret_is_in_name(const char *s, size_t n, const Secret *known) {
        const char *end = s + n, *p;

        if (known && memmem(s, n, known->bytes, known->n))
                return true;
        for (; (p = memchr(s, 'A', (size_t) (end - s))); s = p + 1) {
                size_t left = (size_t) (end - p);

                if ((left >= 3 + GOOGLE_KEY_MIN && memcmp(p, "AQ.", 3) == 0) ||
                    (left >= 4 + GOOGLE_KEY_MIN && memcmp(p, "AIza", 4) == 0))
                        return true;
        }
        return false;
}

/* --- what may be a secret --- */

/* In a run, dashes separate groups. The group of a random text has letters and digits, or both cases, or is
 * longer than a word. */
#define MIXED_DIGITS_MIN 10U
#define MIXED_CASES_MIN  16U
#define WORD_MAX         24U

static bool is_run_char(char c) {
        return isalnum((unsigned char) c) || c == '_' || c == '-' || c == '+' || c == '=';
}

static bool group_looks_random(const char *s, size_t n) {
        bool lower = false, upper = false, digit = false;

        for (size_t i = 0; i < n; i++) {
                lower |= islower((unsigned char) s[i]) != 0;
                upper |= isupper((unsigned char) s[i]) != 0;
                digit |= isdigit((unsigned char) s[i]) != 0;
        }
        return (n >= MIXED_DIGITS_MIN && digit && (lower || upper)) ||
               (n >= MIXED_CASES_MIN && lower && upper) ||
               (n > WORD_MAX && (lower || upper));
}

static bool run_looks_random(const char *s, size_t n) {
        for (size_t start = 0, end; start < n; start = end + 1) {
                for (end = start; end < n && s[end] != '-'; end++)
                        ;
                if (group_looks_random(s + start, end - start))
                        return true;
        }
        return false;
}

/* A password may have a slash that is not escaped: so in a URL the user begins behind ://. */
static char *user_begin(char *text, char *at) {
        char *begin = at;

        while (begin > text && !strchr(" '\"/", begin[-1]))
                begin--;
        for (char *p = begin; p > text && !strchr(" '\"", p[-1]); p--)
                if (p - text >= 3 && memcmp(p - 3, "://", 3) == 0)
                        return p;
        return begin;
}

void secret_scrub_users(char *text) {
        for (char *at = text; (at = strchr(at, '@')); at++) {
                char *begin = user_begin(text, at);

                memset(begin, '*', (size_t) (at - begin));
        }
}

void secret_scrub_suspects(char *text) {
        secret_scrub(text, NULL);
        secret_scrub_users(text);
        for (char *p = text; *p;) {
                size_t n = 0;

                while (is_run_char(p[n]))
                        n++;
                if (run_looks_random(p, n))
                        cover(p + 4, n - 4);
                p += MAX(n, (size_t) 1);
        }
}
