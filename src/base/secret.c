/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

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

        /* Reads the whole secret whatever the client presented, so that the time reveals neither content nor
         * prefix. */
        for (size_t i = 0; i < s->n; i++)
                diff |= (unsigned char) (s->bytes[i] ^ (n > 0 ? other[i % n] : 0));
        return diff == 0;
}

bool secret_starts_with(const Secret *s, const char *prefix) {
        return startswith(s->bytes, prefix);
}

int secret_compare(const Secret *a, const Secret *b) {
        return strcmp(a->bytes, b->bytes);
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

static bool is_key_char(char c) {
        return isalnum((unsigned char) c) || c == '_' || c == '-' || c == '.' || c == '*';
}

static void cover(char *s, size_t n) {
        memset(s, '*', n);
}

void secret_scrub(char *text, const Secret *known) {
        static const struct {
                const char *prefix;
                size_t keep;  /* how much of the prefix is not covered */
                size_t least; /* fewer characters than this after the prefix are prose, not a key */
        } forms[] = {
                { "AIza", 4, 16 },
                { "AQ.", 3, 16 },
                { "api_key:", 8, 8 },
                { "key=", 4, 8 },
        };

        if (known)
                for (char *p = text; (p = strstr(p, known->bytes));)
                        cover(p, known->n);

        for (size_t i = 0; i < ELEMENTSOF(forms); i++)
                for (char *p = text; (p = strstr(p, forms[i].prefix));) {
                        size_t n = 0;

                        p += forms[i].keep;
                        while (is_key_char(p[n]))
                                n++;
                        if (n >= forms[i].least)
                                cover(p, n);
                        p += n;
                }
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

/* What is before an @, back to where a name can begin. */
static void cover_users(char *text) {
        for (char *at = text; (at = strchr(at, '@')); at++)
                for (char *p = at; p > text && !strchr(" /'\"", p[-1]); p--)
                        p[-1] = '*';
}

void secret_scrub_suspects(char *text) {
        secret_scrub(text, NULL);
        cover_users(text);
        for (char *p = text; *p;) {
                size_t n = 0;

                while (is_run_char(p[n]))
                        n++;
                if (run_looks_random(p, n))
                        cover(p + 4, n - 4);
                p += MAX(n, (size_t) 1);
        }
}
