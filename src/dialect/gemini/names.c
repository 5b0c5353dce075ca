/* SPDX-License-Identifier: MIT */

/*
 * One pass over the request that reads only strings and brackets, so a body with a video costs little more
 * than a memchr() over it. A table has the members that matter, in both spellings that Google accepts:
 * `fileUri` of a `fileData`, `cachedContent` of the request itself (or of the request inside a countTokens
 * or a batch), the stores of a fileSearch, and what interactions, batches and predictions name. The same
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
        PLACE_FILE,   /* a fileData */
        PLACE_CONFIG, /* of a batch: where its requests are */
        PLACE_STORES, /* an array of names */
        PLACE_INPUT,  /* of an interaction or a prediction, and all below it */
        PLACE_DATA,   /* the client's data, and all below it */
        PLACE_ANY,    /* each but the client's data */
} NamesPlace;

typedef struct NamesWalk {
        GeminiNameFn found;
        void *userdata;
        unsigned depth;
        const char *fault; /* of a value; NULL: none so far */
} NamesWalk;

/* The place that a member leads to. */
static const struct {
        NamesPlace from;
        const char *name;
        NamesPlace place;
} places[] = {
        { PLACE_ANY, "fileData", PLACE_FILE },
        { PLACE_ANY, "file_data", PLACE_FILE },
        { PLACE_ANY, "fileSearchStoreNames", PLACE_STORES },
        { PLACE_ANY, "file_search_store_names", PLACE_STORES },
        { PLACE_ANY, "generateContentRequest", PLACE_REQUEST },
        { PLACE_ANY, "generate_content_request", PLACE_REQUEST },
        { PLACE_OTHER, "request", PLACE_REQUEST },      /* of a batch */
        { PLACE_REQUEST, "interaction", PLACE_REQUEST }, /* of a trigger */
        { PLACE_OTHER, "inputConfig", PLACE_CONFIG },
        { PLACE_OTHER, "input_config", PLACE_CONFIG },
        { PLACE_REQUEST, "input", PLACE_INPUT },
        { PLACE_REQUEST, "instances", PLACE_INPUT },
        { PLACE_REQUEST, "parameters", PLACE_INPUT },
        { PLACE_ANY, "args", PLACE_DATA },
        { PLACE_ANY, "parametersJsonSchema", PLACE_DATA },
        { PLACE_ANY, "parameters_json_schema", PLACE_DATA },
        { PLACE_ANY, "responseJsonSchema", PLACE_DATA },
        { PLACE_ANY, "response_json_schema", PLACE_DATA },
        { PLACE_ANY, "response", PLACE_DATA },
        { PLACE_INPUT, "arguments", PLACE_DATA },
};

#define FILE_FORM                                                                                           \
        "fileUri must be files/ID, " GOOGLE_URL "v1beta/files/ID, or a URL of another host, "               \
        "in at most 8192 bytes."
#define URI_FORM                                                                                            \
        "uri must be files/ID, " GOOGLE_URL "v1beta/files/ID, or a URL of another host, "                   \
        "in at most 8192 bytes."
#define FILE_NAME_FORM "fileName must be files/ID."
#define CACHE_FORM "cachedContent must be cachedContents/ID."
#define STORE_FORM "fileSearchStoreNames must be names: fileSearchStores/ID."
#define PREVIOUS_FORM "previous_interaction_id must be the id of an interaction."

/* The members whose values name something. */
typedef struct NamesMember {
        NamesPlace place;
        const char *name; /* NULL: an element of the array */
        const char *kind;
        const char *form; /* what its value must be; NULL: it may be something else, too */
        bool is_bare;     /* the kind may be left out */
} NamesMember;

static const NamesMember members[] = {
        { PLACE_FILE, "fileUri", BINDING_FILES, FILE_FORM },
        { PLACE_FILE, "file_uri", BINDING_FILES, FILE_FORM },
        { PLACE_INPUT, "uri", BINDING_FILES, URI_FORM },
        { PLACE_CONFIG, "fileName", BINDING_FILES, FILE_NAME_FORM },
        { PLACE_CONFIG, "file_name", BINDING_FILES, FILE_NAME_FORM },
        { PLACE_REQUEST, "fileName", BINDING_FILES, FILE_NAME_FORM },
        { PLACE_REQUEST, "file_name", BINDING_FILES, FILE_NAME_FORM },
        { PLACE_REQUEST, "cachedContent", BINDING_CACHES, CACHE_FORM },
        { PLACE_REQUEST, "cached_content", BINDING_CACHES, CACHE_FORM },
        { PLACE_STORES, NULL, BINDING_STORES, STORE_FORM },
        { PLACE_REQUEST, "previous_interaction_id", BINDING_INTERACTIONS, PREVIOUS_FORM, .is_bare = true },
        { PLACE_REQUEST, "previousInteractionId", BINDING_INTERACTIONS, PREVIOUS_FORM, .is_bare = true },
        { PLACE_REQUEST, "agent", BINDING_AGENTS, NULL, .is_bare = true },
        { PLACE_REQUEST, "base_agent", BINDING_AGENTS, NULL, .is_bare = true },
        { PLACE_REQUEST, "environment", BINDING_ENVIRONMENTS, NULL, .is_bare = true },
        { PLACE_REQUEST, "base_environment", BINDING_ENVIRONMENTS, NULL, .is_bare = true },
        { PLACE_REQUEST, "from_environment", BINDING_ENVIRONMENTS, NULL, .is_bare = true },
        { PLACE_ANY, "environment_id", BINDING_ENVIRONMENTS, NULL, .is_bare = true },
        { PLACE_ANY, "credential", BINDING_CREDENTIALS, NULL, .is_bare = true },
        { PLACE_ANY, "credential_id", BINDING_CREDENTIALS, NULL, .is_bare = true },
        { PLACE_ANY, "voice", BINDING_VOICES, NULL, .is_bare = true },
        { PLACE_ANY, "voiceName", BINDING_VOICES, NULL, .is_bare = true },
        { PLACE_ANY, "voice_name", BINDING_VOICES, NULL, .is_bare = true },
        { PLACE_ANY, "interaction_id", BINDING_INTERACTIONS, NULL, .is_bare = true },
        { PLACE_ANY, "model", BINDING_TUNED, NULL }, /* a batch has one, too */
        { PLACE_ANY, "baseModel", BINDING_TUNED, NULL },
        { PLACE_ANY, "base_model", BINDING_TUNED, NULL },
        { PLACE_ANY, "tunedModel", BINDING_TUNED, NULL }, /* on which another is based */
        { PLACE_ANY, "tuned_model", BINDING_TUNED, NULL },
        { PLACE_ANY, "uri", BINDING_FILES, NULL },
};

/* Most names differ in their first character. */
static bool name_is(JsonView name, const char *s) {
        return name.end - name.p > 1 && (name.p[1] == *s || name.p[1] == '\\') && json_view_equals(name, s);
}

/* An element of an array has no name, so it leads to none of these places. */
static NamesPlace place_of(NamesPlace parent, JsonView name) {
        if (parent == PLACE_DATA)
                return PLACE_DATA;
        for (size_t i = 0; name.p && i < ELEMENTSOF(places); i++)
                if ((places[i].from == PLACE_ANY || places[i].from == parent) &&
                    name_is(name, places[i].name))
                        return places[i].place;
        return parent == PLACE_INPUT ? PLACE_INPUT : PLACE_OTHER;
}

static bool is_version(const char *s, size_t n) {
        return n > 1 && s[0] == 'v' && strspn(s, VERSION_CHARS) >= n;
}

/* The name, if the value is written as documented; false: it is not. */
static bool name_as_documented(const NamesMember *m, const char *s, char ret[static BINDING_NAME_MAX + 1]) {
        bool is_file = streq(m->kind, BINDING_FILES);
        const char *rest = is_file ? startswith(s, GOOGLE_URL) : NULL;
        size_t n;

        if (rest) {
                if (!is_version(rest, strcspn(rest, "/")))
                        return false;
                s = rest + strcspn(rest, "/");
                s += *s == '/';
        }
        n = strlen(s);
        if (m->place == PLACE_INPUT && (rest = strchr(s, ':')) && /* the result of a prediction */
            (streq(rest, ":download") || streq(rest, ":download?alt=media")))
                n = (size_t) (rest - s);
        if (n > BINDING_NAME_MAX)
                return false;
        if (m->is_bare && !memchr(s, '/', n))
                return binding_name_make(m->kind, s, n, ret);
        if (!startswith(s, m->kind) || !binding_name_is_valid(s, n))
                return false;
        memcpy(ret, s, n);
        ret[n] = 0;
        return true;
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
        static const char *const kinds[] = { BINDING_FILES,  BINDING_CACHES,       BINDING_STORES,
                                             BINDING_AGENTS, BINDING_INTERACTIONS, BINDING_ENVIRONMENTS,
                                             BINDING_TUNED,  BINDING_CREDENTIALS,  BINDING_VOICES };

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
                if (kind && binding_name_make(kind, s, n, name) && !w->found(name, w->userdata))
                        return false;
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
static bool look_at_value(NamesWalk *w, const NamesMember *m, JsonView value) {
        char text[URI_MAX + 1], name[BINDING_NAME_MAX + 1];
        bool is_fine;

        json_view_copy(value, text, sizeof(text));
        is_fine = json_view_equals(value, text); /* else it is too long, or it holds a NUL */
        if (is_fine && name_as_documented(m, text, name))
                return w->found(name, w->userdata);
        is_fine = is_fine && (!text[0] || (streq(m->kind, BINDING_FILES) && is_elsewhere(text)));
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
        if (!is_fine && m->form)
                w->fault = m->form;
        return true;
}

static bool look_at(NamesWalk *w, NamesPlace place, JsonView name, JsonView value) {
        if (!json_view_is(value, '"') || place == PLACE_DATA)
                return true;
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                const NamesMember *m = &members[i];

                if ((m->place == place || m->place == PLACE_ANY) && !name.p == !m->name &&
                    (!name.p || name_is(name, m->name)))
                        return look_at_value(w, m, value);
        }
        return true;
}

/* The result of a function is the client's, or a list of contents as in its input. */
static NamesPlace place_at(const JsonCursor *c, NamesPlace parent, JsonView name) {
        if (parent == PLACE_INPUT && name.p && json_view_equals(name, "result"))
                return json_is_at(c, '[') ? PLACE_INPUT : PLACE_DATA;
        return place_of(parent, name);
}

/* Walks the object or array at the cursor. False ends the walk. */
static bool walk(NamesWalk *w, JsonCursor *outer, NamesPlace place) {
        JsonCursor c = json_descend(outer);
        bool go_on = true;
        JsonView name;

        while (go_on && json_step(&c, &name)) {
                NamesPlace next = place_at(&c, place, name);

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

/* Most requests have none of the members. Their names hold `eU`, `dC`, `hS` or `_`, or an escape. */
static bool may_have_members(const char *json, size_t n) {
        static const struct {
                char c, before; /* before: 0: any */
        } signs[] = { { '\\', 0 }, { '_', 0 }, { 'U', 'e' }, { 'C', 'd' }, { 'S', 'h' } };
        const char *end = json + n, *p;

        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                for (p = json; (p = memchr(p, signs[i].c, (size_t) (end - p))); p++)
                        if (!signs[i].before || (p > json && p[-1] == signs[i].before))
                                return true;
        return false;
}

const char *gemini_names(const char *json, size_t n, bool all, GeminiNameFn f, void *userdata) {
        JsonCursor document = json_cursor(json, n);
        NamesWalk w = { .found = f, .userdata = userdata, .depth = 1 };

        if (!all && !may_have_members(json, n))
                return NULL;
        if (json_step(&document, NULL) && json_is_at(&document, '{'))
                (void) walk(&w, &document, PLACE_REQUEST);
        return w.fault;
}
