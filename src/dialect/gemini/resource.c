/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "base/json/cursor.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/model.h"
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

int gemini_resource_check(const char *json, size_t n, bool must_name, const Secret *key,
                          Verdict *ret_verdict) {
        JsonView root = json_view(json, n), file, name, id, error, any;
        const JsonMember members[] = { JSON_MEMBER("file", &file), JSON_MEMBER("name", &name),
                                       JSON_MEMBER("id", &id), JSON_MEMBER("error", &error) };
        JsonCursor c = json_enter(root);

        if (!json_fault(json, n) && json_view_is(root, '{')) {
                json_view_members(root, members, ELEMENTSOF(members));
                if (json_view_is(file, '{') || json_view_is(name, '"') || json_view_is(id, '"') ||
                    !json_next(&c, NULL, &any) || (!must_name && json_view_is_null(error)))
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

/* "tunedModels/x/operations/y" is about the model. */
static bool read_name(const char *s, const char *kind, char ret[static BINDING_NAME_MAX + 1]) {
        const char *id = startswith(s, kind);
        size_t n = id ? strlen(kind) + strcspn(id, "/") : 0;

        if (!id || n > BINDING_NAME_MAX || (s[n] && !startswith(s + n, "/operations/")))
                return false;
        memcpy(ret, s, n);
        ret[n] = 0;
        return binding_name_is_valid(ret, n);
}

/* "models/m/operations/x", "dynamic/d/operations/x" */
static bool read_operation(const char *s, GeminiResource *ret) {
        const char *rest = startswith(s, "models/") ?: startswith(s, "dynamic/"), *id;
        ModelName model;

        if (!rest || strlen(s) >= sizeof(ret->google) || !(id = strchr(rest, '/')) ||
            model_name_parse(rest, (size_t) (id - rest), &model) < 0)
                return false;
        memcpy(ret->google, s, strlen(s) + 1);
        return read_name(id + 1, BINDING_OPERATIONS, ret->name);
}

/* A bare id. */
static bool read_id(const char *s, const char *kind, char ret[static BINDING_NAME_MAX + 1]) {
        return startswith(s, kind) ? read_name(s, kind, ret) : binding_name_make(kind, s, strlen(s), ret);
}

bool gemini_resource_read(const char *json, size_t n, const char *kind, GeminiResource *ret) {
        JsonView root = json_view(json, n), file, name = {}, id = {}, expiration = {}, expire = {};
        const JsonMember members[] = {
                JSON_MEMBER("name", &name),
                JSON_MEMBER("id", &id),
                JSON_MEMBER("expirationTime", &expiration),
                JSON_MEMBER("expireTime", &expire),
        };
        char text[GEMINI_OPERATION_MAX + 1], time[64];
        GeminiResource g = {};

        if (n == 0 || json_fault(json, n))
                return false;
        file = json_view_get(root, "file");
        json_view_members(json_view_is(file, '{') ? file : root, members, ELEMENTSOF(members));
        /* Where there is an id, the name is what a client calls it. */
        if (read_string(id, text, sizeof(text))) {
                if (!read_id(text, kind, g.name))
                        return false;
        } else if (!read_string(name, text, sizeof(text)) ||
                   !(streq(kind, BINDING_OPERATIONS) ? read_operation(text, &g)
                                                     : read_name(text, kind, g.name)))
                return false;
        if (read_string(expiration, time, sizeof(time)) || read_string(expire, time, sizeof(time)))
                g.expires = gemini_time_read(time);
        *ret = g;
        return true;
}

bool gemini_resource_name(const char *s, GeminiResource *ret) {
        const char *kind = binding_kind(s, strlen(s));

        *ret = (GeminiResource){};
        return kind ? read_name(s, kind, ret->name) : read_operation(s, ret);
}

typedef struct FileWalk {
        const char *member;
        void (*found)(const char *name, void *userdata);
        void *userdata;
} FileWalk;

/* "files/x", or Google's URL of it, with a verb or without. */
static void look_at_file(const FileWalk *w, JsonView value) {
        static const char google[] = "https://generativelanguage.googleapis.com/";
        char text[512], name[BINDING_NAME_MAX + 1];
        const char *s = text, *rest;
        size_t n;

        if (!read_string(value, text, sizeof(text)))
                return;
        rest = startswith(text, google);
        if (rest) {
                rest = strchr(rest, '/');
                if (!rest)
                        return;
                s = rest + 1;
        }
        n = strcspn(s, ":");
        if (!startswith(s, BINDING_FILES) || n > BINDING_NAME_MAX)
                return;
        memcpy(name, s, n);
        name[n] = 0;
        if (binding_name_is_valid(name, n))
                w->found(name, w->userdata);
}

static void walk_files(const FileWalk *w, const JsonCursor *outer, JsonCursor *ret, unsigned depth) {
        JsonCursor c = json_descend(outer);
        JsonView name;

        while (json_step(&c, &name)) {
                if ((json_is_at(&c, '{') || json_is_at(&c, '[')) && depth < JSON_DEPTH_MAX) {
                        JsonCursor inner;

                        walk_files(w, &c, &inner, depth + 1);
                        json_leave(&c, &inner);
                        continue;
                }
                if (name.p && json_view_equals(name, w->member) && json_is_at(&c, '"'))
                        look_at_file(w, json_take(&c));
                else
                        (void) json_take(&c);
        }
        *ret = c;
}

void gemini_resource_files(const char *json, size_t n, const char *member,
                           void (*found)(const char *name, void *userdata), void *userdata) {
        const FileWalk w = { member, found, userdata };
        JsonCursor document = json_cursor(json, n), end;

        if (json_step(&document, NULL) && json_is_at(&document, '{'))
                walk_files(&w, &document, &end, 1);
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
