/* SPDX-License-Identifier: MIT */

/* A look at the beginning of JSON that was checked before, without a tree: only quotes, braces and brackets
 * are looked at. What is no JSON gives a place that means nothing, but lies within. */

#include <string.h>

#include "base/limits.h"
#include "dialect/gemini-opening.h"

static const char *skip_space(const char *p, const char *end) {
        while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
                p++;
        return p;
}

/* Behind the closing quote; p is behind the opening one. */
static const char *skip_string(const char *p, const char *end) {
        for (; p < end && *p != '"'; p++)
                if (*p == '\\' && ++p == end)
                        break;
        return p < end ? p + 1 : end;
}

/* At the comma or bracket behind the value. */
static const char *skip_value(const char *p, const char *end) {
        size_t depth = 0;

        while (p < end)
                switch (*p) {
                case '"':
                        p = skip_string(p + 1, end);
                        break;
                case '{':
                case '[':
                        depth++;
                        p++;
                        break;
                case '}':
                case ']':
                        if (depth == 0)
                                return p;
                        depth--;
                        p++;
                        break;
                case ',':
                        if (depth == 0)
                                return p;
                        p++;
                        break;
                default:
                        p++;
                }
        return end;
}

bool gemini_opening_find(const char *json, size_t n, const char **ret, size_t *ret_n) {
        static const char contents[] = "contents\"";
        const char *end = json + MIN(n, (size_t) OPENING_SEARCH_MAX), *p = skip_space(json, end), *name;

        if (p >= end || *p++ != '{')
                return false;
        for (;;) {
                p = skip_space(p, end);
                if (p >= end || *p++ != '"')
                        return false;
                name = p;
                p = skip_space(skip_string(p, end), end);
                if (p >= end || *p++ != ':')
                        return false;
                p = skip_space(p, end);
                if ((size_t) (end - name) >= sizeof(contents) - 1 &&
                    memcmp(name, contents, sizeof(contents) - 1) == 0)
                        break;
                p = skip_value(p, end);
                if (p >= end || *p++ != ',')
                        return false;
        }
        if (p >= end || *p++ != '[')
                return false;
        p = skip_space(p, end);
        *ret = p;
        *ret_n = MIN((size_t) (skip_value(p, end) - p), (size_t) OPENING_DIGEST_MAX);
        return *ret_n > 0;
}
