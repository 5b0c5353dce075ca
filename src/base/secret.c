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
