/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "base/text.h"
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

bool gemini_resource_read(const char *json, size_t n, GeminiResource *ret) {
        _cleanup_json_ struct json_object *root = NULL;
        struct json_object *o;
        const char *name, *expires;
        size_t k = 0;

        if (n == 0 || json_parse(json, n, &root, NULL) < 0)
                return false;
        o = json_get_typed(root, "file", json_type_object) ?: root;
        name = json_string(json_get(o, "name"), &k);
        if (!name || strlen(name) != k || !binding_name_is_valid(name, k) ||
            startswith(name, BINDING_UPLOADS))
                return false;
        expires = json_get_string(o, "expirationTime") ?: json_get_string(o, "expireTime");
        memcpy(ret->name, name, k + 1);
        ret->expires = expires ? gemini_time_read(expires) : 0;
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
