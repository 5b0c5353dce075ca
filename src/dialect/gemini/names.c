/* SPDX-License-Identifier: MIT */

/*
 * One pass over the request that reads only strings and brackets, so a body with a video costs little more
 * than a memchr() over it. Two members matter, in both spellings that Google accepts: `fileUri` of a
 * `fileData`, and `cachedContent` of the request itself (or of the request inside a countTokens). The same
 * names in arguments and results of functions are the client's data.
 */

#include <string.h>

#include "base/json/cursor.h"
#include "base/limits.h"
#include "base/text.h"
#include "dialect/gemini/names.h"

#define URI_MAX 4096U /* a longer value is never such a name */

#define VERSION_CHARS "abcdefghijklmnopqrstuvwxyz0123456789"

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
        { "response", PLACE_DATA },
};

/* The members whose values name something. */
static const struct {
        NamesPlace place;
        const char *name;
        const char *kind; /* the beginning of the value */
} members[] = {
        { PLACE_FILE, "fileUri", BINDING_FILES },
        { PLACE_FILE, "file_uri", BINDING_FILES },
        { PLACE_REQUEST, "cachedContent", BINDING_CACHES },
        { PLACE_REQUEST, "cached_content", BINDING_CACHES },
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

/* The path of a URL without its host; other text as it is. */
static char *path_of(char *uri) {
        static const char *const schemes[] = { "https://", "http://" };

        for (size_t i = 0; i < ELEMENTSOF(schemes); i++)
                if (strncasecmp(uri, schemes[i], strlen(schemes[i])) == 0)
                        return strchr(uri + strlen(schemes[i]), '/');
        return uri;
}

/* "https://HOST/v1beta/files/x" or "files/x"; any host: Google evaluates only the end. Whatever else a
 * server may accept for the same name counts as well: escapes, another version, repeated slashes, an
 * argument or a method behind it. Otherwise such a spelling would give access to another client's file. */
static char *file_of(char *uri) {
        bool has_host;
        char *s;

        uri = text_strip(uri);
        (void) text_percent_decode(uri);
        s = path_of(uri);
        if (!s)
                return NULL;
        has_host = s != uri;
        if (has_host) {
                s += strspn(s, "/");
                if (startswith(s, "upload/"))
                        s += strlen("upload/");
        }
        s += strspn(s, "/");
        if (is_version(s, strcspn(s, "/"))) {
                s += strcspn(s, "/");
                s += strspn(s, "/");
        } else if (has_host)
                return NULL;
        s[strcspn(s, "?#:")] = 0;
        return s;
}

/* False ends the walk. */
static bool look_at(const NamesWalk *w, NamesPlace place, JsonView name, JsonView value) {
        char text[URI_MAX], *found;

        for (size_t i = 0; name.p && i < ELEMENTSOF(members); i++) {
                if (members[i].place != place || !json_view_equals(name, members[i].name))
                        continue;
                json_view_copy(value, text, sizeof(text));
                if (!json_view_equals(value, text) && !strpbrk(text, "?#")) /* too long, or it holds a NUL */
                        return true;
                found = place == PLACE_FILE ? file_of(text) : text_strip(text);
                if (!found || !startswith(found, members[i].kind) ||
                    !binding_name_is_valid(found, strlen(found)))
                        return true;
                return w->found(found, w->userdata);
        }
        return true;
}

/* Walks the object or array at the cursor. False ends the walk. */
static bool walk(NamesWalk *w, JsonCursor *outer, NamesPlace place) {
        JsonCursor c = json_descend(outer);
        bool go_on = true;
        JsonView name;

        while (go_on && json_step(&c, &name)) {
                if (!json_is_at(&c, '{') && !json_is_at(&c, '['))
                        go_on = look_at(w, place, name, json_take(&c));
                else if (w->depth == JSON_DEPTH_MAX)
                        return false;
                else {
                        w->depth++;
                        go_on = walk(w, &c, place_of(place, name));
                        w->depth--;
                }
        }
        if (go_on)
                json_leave(outer, &c);
        return go_on;
}

void gemini_names_each(const char *json, size_t n, GeminiNameFn f, void *userdata) {
        JsonCursor document = json_cursor(json, n);
        NamesWalk w = { .found = f, .userdata = userdata, .depth = 1 };

        if (json_step(&document, NULL) && json_is_at(&document, '{'))
                (void) walk(&w, &document, PLACE_REQUEST);
}
