/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/origin.h"

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define LARGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The length of HOST or [IPv6]; 0: it is neither. */
static size_t host_length(const char *s) {
        size_t n;

        if (*s != '[')
                return strspn(s, SMALL TEXT_DIGITS "-._");
        n = 1 + strspn(s + 1, "abcdef" TEXT_DIGITS ":.");
        return n > 1 && s[n] == ']' ? n + 1 : 0;
}

/* Brings an origin into the form of browsers, in place. False if it is not one. */
static bool canonicalize(char *s) {
        static const struct {
                const char *scheme;
                uint64_t port;
        } usual[] = { { "http://", 80 }, { "https://", 443 } };
        uint64_t port;
        char *end;
        size_t n;

        text_lower(s, strlen(s));
        n = strspn(s, SMALL TEXT_DIGITS "+-.");
        if (n == 0 || !strchr(SMALL, s[0]) || !startswith(s + n, "://"))
                return false;
        n += strlen("://");
        end = s + n + host_length(s + n);
        if (end == s + n || !*end)
                return end > s + n;
        if (*end != ':' || !text_in_charset(end + 1, strlen(end + 1), TEXT_DIGITS) || end[1] == '0' ||
            text_parse_u64(end + 1, &port) < 0 || port > UINT16_MAX)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(usual); i++)
                if (startswith(s, usual[i].scheme) && usual[i].port == port)
                        *end = 0;
        return true;
}

int origin_set_add(OriginSet *s, const char *text) {
        _cleanup_free_ char *origin = NULL;
        char **origins;

        if (streq(text, "*")) {
                s->any = true;
                return 0;
        }
        if (strlen(text) > CORS_ORIGIN_MAX)
                return -EINVAL;
        origin = strdup(text);
        if (!origin)
                return -ENOMEM;
        if (!canonicalize(origin))
                return -EINVAL;
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->origins[i], origin))
                        return 0;
        if (s->n >= CORS_ORIGINS_MAX)
                return -E2BIG;
        origins = reallocarray(s->origins, s->n + 1, sizeof(char *));
        if (!origins)
                return -ENOMEM;
        s->origins = origins;
        origins[s->n++] = TAKE_PTR(origin);
        return 0;
}

void origin_set_done(OriginSet *s) {
        for (size_t i = 0; i < s->n; i++)
                free(s->origins[i]);
        free(s->origins);
        *s = (OriginSet){};
}

const char *origin_set_match(const OriginSet *s, const char *origin) {
        if (s->any)
                return "*";
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->origins[i], origin))
                        return s->origins[i];
        return NULL;
}

bool header_names_are_valid(const char *s) {
        static const char token[] = SMALL LARGE TEXT_DIGITS "!#$%&'*+-.^_`|~";

        if (strlen(s) > CORS_HEADER_NAMES_MAX)
                return false;
        for (;;) {
                size_t n;

                s += strspn(s, " \t");
                n = strspn(s, token);
                if (n == 0)
                        return false;
                s += n;
                s += strspn(s, " \t");
                if (!*s)
                        return true;
                if (*s++ != ',')
                        return false;
        }
}
