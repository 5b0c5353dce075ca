/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/resource.h"
#include "dialect/json.h"

#define ID_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
#define YEAR_MAX 9999

usec_t gemini_time_read(const char *s) {
        struct tm tm = {};
        const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
        time_t t;

        if (!rest || tm.tm_year + 1900 > YEAR_MAX)
                return 0;
        if (*rest == '.')
                rest += 1 + strspn(rest + 1, TEXT_DIGITS);
        if (!streq(rest, "Z"))
                return 0;
        t = timegm(&tm);
        return t > 0 ? (usec_t) t * USEC_PER_SEC : 0;
}

int gemini_resource_check(const char *json, size_t n, const Secret *key, Verdict *ret_verdict) {
        JsonView root = json_view(json, n), file, name, any;
        const JsonMember members[] = { JSON_MEMBER("file", &file), JSON_MEMBER("name", &name) };
        JsonCursor c = json_enter(root);

        if (!json_fault(json, n) && json_view_is(root, '{')) {
                json_view_members(root, members, ELEMENTSOF(members));
                if (json_view_is(file, '{') || json_view_is(name, '"') || !json_next(&c, NULL, &any))
                        return 0;
        }
        gemini_error_classify(200, json, n, key, ret_verdict);
        return DIALECT_E_VERDICT;
}

/* A string of at most `size` - 1 bytes, which may not hold a NUL. */
static bool read_string(JsonView v, char *ret, size_t size) {
        if (!json_view_is(v, '"'))
                return false;
        json_view_copy(v, ret, size);
        return json_view_equals(v, ret);
}

bool gemini_resource_read(const char *json, size_t n, GeminiResource *ret) {
        JsonView root = json_view(json, n), file, name = {}, expiration = {}, expire = {};
        const JsonMember members[] = {
                JSON_MEMBER("name", &name),
                JSON_MEMBER("expirationTime", &expiration),
                JSON_MEMBER("expireTime", &expire),
        };
        GeminiResource g = {};
        char time[64];

        if (n == 0 || json_fault(json, n))
                return false;
        file = json_view_get(root, "file");
        json_view_members(json_view_is(file, '{') ? file : root, members, ELEMENTSOF(members));
        if (!read_string(name, g.name, sizeof(g.name)) || !binding_name_is_valid(g.name, strlen(g.name)) ||
            startswith(g.name, BINDING_UPLOADS))
                return false;
        if (read_string(expiration, time, sizeof(time)) || read_string(expire, time, sizeof(time)))
                g.expires = gemini_time_read(time);
        *ret = g;
        return true;
}

bool gemini_upload_id(const char *url, size_t n, char ret[static BINDING_UPSTREAM_MAX + 1]) {
        static const char argument[] = "upload_id=";
        const char *p = memchr(url, '?', n), *end = url + n;

        while (p && ++p < end) {
                const char *next = memchr(p, '&', (size_t) (end - p));
                size_t k = (size_t) ((next ?: end) - p), m = sizeof(argument) - 1;

                if (k > m && memcmp(p, argument, m) == 0) {
                        k -= m;
                        if (k > BINDING_UPSTREAM_MAX || !text_in_charset(p + m, k, ID_CHARS))
                                return false;
                        memcpy(ret, p + m, k);
                        ret[k] = 0;
                        return true;
                }
                p = next;
        }
        return false;
}
