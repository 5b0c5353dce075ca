/* SPDX-License-Identifier: MIT */

/*
 * Only quotes, braces, brackets and colons are looked at, so a body that holds a film costs little more than
 * a memchr() over it. What counts are two members, in both spellings that Google takes, with or without
 * escapes: `fileUri` of a `fileData`, and `cachedContent` of the request itself (or of the one inside of a
 * countTokens). The same words in arguments and results of functions are data of the client's.
 */

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "dialect/gemini-names.h"

#define WORD_MAX 512U /* of a member's name or value that is looked into */

typedef enum NamesPlace {
        PLACE_OTHER,
        PLACE_REQUEST,
        PLACE_FILE, /* a fileData */
        PLACE_DATA, /* the client's own, and all below it */
} NamesPlace;

typedef struct Word {
        const char *s;
        size_t n;
} Word;

static const struct {
        const char *name;
        NamesPlace place;
} members[] = {
        { "fileData", PLACE_FILE },
        { "file_data", PLACE_FILE },
        { "generateContentRequest", PLACE_REQUEST },
        { "generate_content_request", PLACE_REQUEST },
        { "args", PLACE_DATA },
        { "response", PLACE_DATA },
};

/* One character behind a backslash; -1 for what no name has. */
static int unescape(const char **s, const char *end) {
        int v = 0;

        switch (*(*s)++) {
        case '"':
                return '"';
        case '\\':
                return '\\';
        case '/':
                return '/';
        case 'u':
                if (end - *s < 4)
                        return -1;
                for (unsigned i = 0; i < 4; i++) {
                        int h = text_unhex(*(*s)++);

                        if (h < 0)
                                return -1;
                        v = v << 4 | h;
                }
                return v > 0 && v < 0x80 ? v : -1;
        default:
                return -1;
        }
}

/* Without its escapes; false for what is none of the words that are looked for. */
static bool read_word(const Word *w, char ret[static WORD_MAX]) {
        const char *s = w->s, *end = s + w->n;
        size_t n = 0;

        while (s < end) {
                int c = *s++;

                if (n + 1 >= WORD_MAX || c == 0)
                        return false;
                if (c == '\\') {
                        if (s == end)
                                return false;
                        c = unescape(&s, end);
                        if (c < 0)
                                return false;
                }
                ret[n++] = (char) c;
        }
        ret[n] = 0;
        return true;
}

static NamesPlace place_of(NamesPlace parent, bool is_top, const Word *member) {
        char name[WORD_MAX];

        if (is_top)
                return PLACE_REQUEST;
        if (parent == PLACE_DATA)
                return PLACE_DATA;
        if (member->s && read_word(member, name))
                for (size_t i = 0; i < ELEMENTSOF(members); i++)
                        if (streq(name, members[i].name))
                                return members[i].place;
        return PLACE_OTHER;
}

/* "https://HOST/v1beta/files/x" or "files/x"; whatever the host is called here, Google looks at the end. */
static const char *file_of(const char *uri) {
        static const char *const versions[] = { "/v1beta/", "/v1/", "/v1alpha/" };
        const char *host = startswith(uri, "https://") ?: startswith(uri, "http://"), *path;

        if (!host)
                return uri;
        path = strchr(host, '/');
        for (size_t i = 0; path && i < ELEMENTSOF(versions); i++)
                if (startswith(path, versions[i]))
                        return startswith(path, versions[i]);
        return NULL;
}

static bool hear(NamesPlace place, const Word *member, const Word *value, GeminiNameFn f, void *userdata) {
        char name[WORD_MAX], text[WORD_MAX];
        const char *found = NULL, *kind = NULL;

        if ((place != PLACE_FILE && place != PLACE_REQUEST) || !member->s || !read_word(member, name))
                return true;
        if (place == PLACE_FILE && (streq(name, "fileUri") || streq(name, "file_uri")))
                kind = BINDING_FILES;
        else if (place == PLACE_REQUEST && (streq(name, "cachedContent") || streq(name, "cached_content")))
                kind = BINDING_CACHES;
        if (!kind || !read_word(value, text))
                return true;
        found = streq(kind, BINDING_FILES) ? file_of(text) : text;
        if (!found || !startswith(found, kind) || !binding_name_is_valid(found, strlen(found)))
                return true;
        return f(found, userdata);
}

/* The string that begins behind the quote; p is put behind its end. */
static Word take_string(const char **p, const char *end) {
        const char *s = *p, *q = s;

        while ((q = memchr(q, '"', (size_t) (end - q)))) {
                size_t slashes = 0;

                while (q - slashes > s && q[-1 - (ptrdiff_t) slashes] == '\\')
                        slashes++;
                if (slashes % 2 == 0)
                        break;
                q++;
        }
        *p = q ? q + 1 : end;
        return (Word){ s, (size_t) ((q ?: end) - s) };
}

static bool is_member(const char *p, const char *end) {
        while (p < end && strchr(TEXT_WHITESPACE, *p) && *p)
                p++;
        return p < end && *p == ':';
}

void gemini_names_each(const char *json, size_t n, GeminiNameFn f, void *userdata) {
        NamesPlace places[JSON_DEPTH_MAX + 1] = { PLACE_OTHER };
        const char *p = json, *end = json + n;
        Word member = {};
        size_t depth = 0;

        while (p < end)
                switch (*p++) {
                case '{':
                case '[':
                        if (depth == JSON_DEPTH_MAX)
                                return;
                        places[depth + 1] = place_of(places[depth], depth == 0, &member);
                        depth++;
                        member = (Word){};
                        break;
                case '}':
                case ']':
                        depth -= depth > 0;
                        member = (Word){};
                        break;
                case ',':
                        member = (Word){};
                        break;
                case '"': {
                        Word w = take_string(&p, end);

                        if (is_member(p, end))
                                member = w;
                        else if (!hear(places[depth], &member, &w, f, userdata))
                                return;
                        break;
                }
                default:
                        break;
                }
}
