/* SPDX-License-Identifier: MIT */

/*
 * One pass over the request that reads only strings and brackets, so a body with a video costs little more
 * than a memchr() over it. Two members matter, in both spellings that Google accepts: `fileUri` of a
 * `fileData`, and `cachedContent` of the request itself (or of the request inside a countTokens). The same
 * names in arguments and results of functions are the client's data.
 *
 * Google, or a server before it, may accept more spellings of a name than the one in its documentation:
 * escapes, repeated slashes, dots, blanks, an argument. Each of them would give access to another client's
 * file, and no list of them is ever complete. So there are two rules:
 *
 *   - Every value is split into runs of the characters that an id consists of, whatever is between them, and
 *     again after each decoding of its %-escapes. Where a run is `files` or `cachedContents`, it and the
 *     next one are a name, which the caller looks up. A run that is no id of anything is not known to it.
 *   - What names no other host must be written exactly as documented. Else the request is refused, so that
 *     there is nothing to be interpreted. What names another host is fetched from there: it is not a name.
 */

#include <string.h>

#include "base/json/cursor.h"
#include "base/limits.h"
#include "base/text.h"
#include "dialect/gemini/names.h"

#define URI_MAX       8192U /* a longer value is refused; servers refuse longer URLs as well */
#define AUTHORITY_MAX 512U
#define DECODINGS_MAX 8U

#define VERSION_CHARS "abcdefghijklmnopqrstuvwxyz0123456789"
#define SCHEME_CHARS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-"
#define ID_CHARS      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

#define GOOGLE_URL "https://generativelanguage.googleapis.com/"

typedef enum NamesPlace {
        PLACE_OTHER,
        PLACE_REQUEST,
        PLACE_FILE, /* a fileData */
        PLACE_DATA, /* the client's data, and all below it */
} NamesPlace;

typedef struct NamesWalk {
        GeminiNameFn found;
        void *userdata;
        unsigned depth;
        const char *fault; /* of a value; NULL: none so far */
} NamesWalk;

/* The place that a member leads to. */
static const struct {
        const char *name;
        NamesPlace place;
} places[] = {
        { "fileData", PLACE_FILE },
        { "file_data", PLACE_FILE },
        { "generateContentRequest", PLACE_REQUEST },
        { "generate_content_request", PLACE_REQUEST },
        { "args", PLACE_DATA },
        { "parametersJsonSchema", PLACE_DATA },
        { "parameters_json_schema", PLACE_DATA },
        { "responseJsonSchema", PLACE_DATA },
        { "response_json_schema", PLACE_DATA },
        { "response", PLACE_DATA },
};

#define FILE_FORM                                                                                           \
        "fileUri must be files/ID, " GOOGLE_URL "v1beta/files/ID, or a URL of another host, "               \
        "in at most 8192 bytes."
#define CACHE_FORM "cachedContent must be cachedContents/ID."

/* The members whose values name something. */
static const struct {
        NamesPlace place;
        const char *name;
        const char *form; /* what its value must be */
} members[] = {
        { PLACE_FILE, "fileUri", FILE_FORM },
        { PLACE_FILE, "file_uri", FILE_FORM },
        { PLACE_REQUEST, "cachedContent", CACHE_FORM },
        { PLACE_REQUEST, "cached_content", CACHE_FORM },
};

/* An element of an array has no name, so it leads to none of these places. */
static NamesPlace place_of(NamesPlace parent, JsonView name) {
        if (parent == PLACE_DATA)
                return PLACE_DATA;
        for (size_t i = 0; name.p && i < ELEMENTSOF(places); i++)
                if (json_view_equals(name, places[i].name))
                        return places[i].place;
        return PLACE_OTHER;
}

static bool is_version(const char *s, size_t n) {
        return n > 1 && s[0] == 'v' && strspn(s, VERSION_CHARS) >= n;
}

/* The name, if the value is written as documented; else NULL. */
static const char *name_as_documented(NamesPlace place, const char *s) {
        const char *rest = place == PLACE_FILE ? startswith(s, GOOGLE_URL) : NULL;

        if (rest) {
                if (!is_version(rest, strcspn(rest, "/")))
                        return NULL;
                s = rest + strcspn(rest, "/");
                s += *s == '/';
        }
        if (!startswith(s, place == PLACE_FILE ? BINDING_FILES : BINDING_CACHES))
                return NULL;
        return binding_name_is_valid(s, strlen(s)) ? s : NULL;
}

/* Decodes %XX in place; anything else after a % stays. False if there was none. */
static bool decode(char *s) {
        bool any = false;
        char *out = s;

        for (; *s; s++) {
                int hi = *s == '%' ? text_unhex(s[1]) : -1, lo = hi >= 0 ? text_unhex(s[2]) : -1;

                if (lo >= 0 && (hi > 0 || lo > 0)) {
                        *out++ = (char) (hi << 4 | lo);
                        s += 2;
                        any = true;
                } else
                        *out++ = *s;
        }
        *out = 0;
        return any;
}

/* False if it still has escapes. */
static bool decode_all(char *s) {
        unsigned n = 0;

        while (decode(s))
                if (++n == DECODINGS_MAX)
                        return false;
        return true;
}

static const char *kind_of(const char *s, size_t n) {
        static const char *const kinds[] = { BINDING_FILES, BINDING_CACHES };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (n == strlen(kinds[i]) - 1 && strncasecmp(s, kinds[i], n) == 0)
                        return kinds[i];
        return NULL;
}

/* Calls back for each two runs that may be a name. False ends the walk. */
static bool each_pair(const NamesWalk *w, const char *s) {
        char name[BINDING_NAME_MAX + 1];
        const char *kind = NULL;
        size_t n;

        for (; *s; s += n + !n) {
                n = strspn(s, ID_CHARS);
                if (n == 0)
                        continue;
                if (kind && n <= BINDING_ID_MAX) {
                        size_t k = strlen(kind);

                        memcpy(name, kind, k);
                        memcpy(name + k, s, n);
                        name[k + n] = 0;
                        if (!w->found(name, w->userdata))
                                return false;
                }
                kind = kind_of(s, n);
        }
        return true;
}

/* The host and what is with it, decoded. False if the value is no URL with a host that can be read without
 * doubt: parsers drop blanks and control characters, and map characters beyond ASCII to others. */
static bool read_authority(const char *uri, char ret[static AUTHORITY_MAX + 1]) {
        const char *scheme_end = strstr(uri, "://"), *s;
        size_t n;

        if (!scheme_end || !text_in_charset(uri, (size_t) (scheme_end - uri), SCHEME_CHARS))
                return false;
        s = scheme_end + strlen("://");
        n = strcspn(s, "/?#");
        if (n == 0 || n > AUTHORITY_MAX)
                return false;
        memcpy(ret, s, n);
        ret[n] = 0;
        if (!decode_all(ret))
                return false;
        for (s = ret; *s; s++) {
                unsigned char c = (unsigned char) *s;

                if (c <= 0x20 || c >= 0x7F || c == '\\')
                        return false;
        }
        return true;
}

/* It names a host that is not Google's. */
static bool is_elsewhere(const char *uri) {
        char authority[AUTHORITY_MAX + 1];

        return read_authority(uri, authority) &&
               !(strcasestr(authority, "generativelanguage") && strcasestr(authority, "googleapis"));
}

/* False ends the walk. */
static bool look_at_value(NamesWalk *w, NamesPlace place, const char *form, JsonView value) {
        char text[URI_MAX + 1];
        const char *name;
        bool is_fine;

        json_view_copy(value, text, sizeof(text));
        is_fine = json_view_equals(value, text); /* else it is too long, or it holds a NUL */
        name = is_fine ? name_as_documented(place, text) : NULL;
        if (name)
                return w->found(name, w->userdata);
        is_fine = is_fine && (!text[0] || (place == PLACE_FILE && is_elsewhere(text)));
        for (unsigned n = 0;; n++) {
                if (!each_pair(w, text))
                        return false;
                if (!decode(text))
                        break;
                if (n == DECODINGS_MAX) {
                        is_fine = false;
                        break;
                }
        }
        if (!is_fine)
                w->fault = form;
        return true;
}

static bool look_at(NamesWalk *w, NamesPlace place, JsonView name, JsonView value) {
        if (!json_view_is(value, '"'))
                return true;
        for (size_t i = 0; name.p && i < ELEMENTSOF(members); i++)
                if (members[i].place == place && json_view_equals(name, members[i].name))
                        return look_at_value(w, place, members[i].form, value);
        return true;
}

/* Walks the object or array at the cursor. False ends the walk. */
static bool walk(NamesWalk *w, JsonCursor *outer, NamesPlace place) {
        JsonCursor c = json_descend(outer);
        bool go_on = true;
        JsonView name;

        while (go_on && json_step(&c, &name)) {
                NamesPlace next = place_of(place, name);

                if (!json_is_at(&c, '{') && !json_is_at(&c, '['))
                        go_on = look_at(w, place, name, json_take(&c));
                else if (next == PLACE_DATA) /* it names nothing, however deep it is */
                        (void) json_take(&c);
                else if (w->depth == JSON_DEPTH_MAX)
                        return false;
                else {
                        w->depth++;
                        go_on = walk(w, &c, next);
                        w->depth--;
                }
        }
        if (go_on)
                json_leave(outer, &c);
        return go_on;
}

/* Most requests have none of the members. Their names hold `eU`, `dC` or `_`, or an escape. */
static bool may_have_members(const char *json, size_t n) {
        static const struct {
                char c, before; /* before: 0: any */
        } signs[] = { { '\\', 0 }, { '_', 0 }, { 'U', 'e' }, { 'C', 'd' } };
        const char *end = json + n, *p;

        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                for (p = json; (p = memchr(p, signs[i].c, (size_t) (end - p))); p++)
                        if (!signs[i].before || (p > json && p[-1] == signs[i].before))
                                return true;
        return false;
}

const char *gemini_names_each(const char *json, size_t n, GeminiNameFn f, void *userdata) {
        JsonCursor document = json_cursor(json, n);
        NamesWalk w = { .found = f, .userdata = userdata, .depth = 1 };

        if (!may_have_members(json, n))
                return NULL;
        if (json_step(&document, NULL) && json_is_at(&document, '{'))
                (void) walk(&w, &document, PLACE_REQUEST);
        return w.fault;
}
