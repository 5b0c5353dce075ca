/* SPDX-License-Identifier: MIT */

/*
 * gemgate makes these lists of single objects, so it has to evaluate the arguments by itself. Those that
 * compare one member are evaluated. A filter in Google's language is refused, because without it the list
 * would have what the client does not want; and so is an argument that Google does not have.
 */

#include <string.h>

#include "base/json/cursor.h"
#include "base/text.h"
#include "dialect/gemini/argument.h"
#include "server/files/list-filter.h"
#include "server/http.h"

#define VALUE_MAX 512U

/* Of several values of an argument one has to be the member's; the case does not matter. */
static const struct {
        const char *kind, *argument; /* the member has the same name */
} compared[] = {
        { BINDING_ENVIRONMENTS, "mode" },     { BINDING_VOICES, "accent" },
        { BINDING_VOICES, "context" },        { BINDING_VOICES, "gender" },
        { BINDING_VOICES, "language_code" },  { BINDING_VOICES, "persona" },
        { BINDING_VOICES, "pitch" },          { BINDING_VOICES, "region_code" },
        { BINDING_VOICES, "type" },
};

/* Texts that `search` looks into. */
static const char *const searched[] = { "display_name", "description" };

static bool decode(const char *value, char ret[static VALUE_MAX]) {
        if (strlen(value) >= VALUE_MAX)
                return false;
        memcpy(ret, value, strlen(value) + 1);
        return text_percent_decode(ret) >= 0;
}

/* --- the check --- */

typedef struct Check {
        const GeminiPath *row;
        const char *unknown, *refused;
        char names[2][64];
} Check;

/* A client's own are the only ones that it gets. */
static bool is_all(const GeminiPath *row, const char *value) {
        char text[VALUE_MAX];

        return streq(row->kind, BINDING_TUNED) && decode(value, text) && streq(text, "owner:me");
}

static void check(const char *name, const char *value, void *userdata) {
        Check *c = userdata;
        char text[VALUE_MAX];

        switch (gemini_argument(c->row, name)) {
        case GEMINI_ARGUMENT_UNKNOWN:
                text_copy(c->names[0], sizeof(c->names[0]), name);
                c->unknown = c->names[0];
                break;
        case GEMINI_ARGUMENT_OWN:
                if (strnull(value))
                        break;
                if (streq(name, "filter") ? !is_all(c->row, value) : !decode(value, text)) {
                        text_copy(c->names[1], sizeof(c->names[1]), name);
                        c->refused = c->names[1];
                }
                break;
        case GEMINI_ARGUMENT_SYSTEM:
                break;
        }
}

int list_filter_check(Request *q, const GeminiPath *row, ApiError *ret_error) {
        Check c = { .row = row };

        http_request_each_argument(q->io, check, &c);
        if (c.unknown)
                api_error_set(ret_error, 400, c.unknown,
                              "Invalid JSON payload received. Unknown name \"%.64s\": Cannot bind query "
                              "parameter.",
                              c.unknown);
        else if (c.refused)
                api_error_set(ret_error, 400, c.refused,
                              "%.64s is not served as it is: gemgate makes this list itself, of all "
                              "projects.%s",
                              c.refused, streq(row->kind, BINDING_TUNED) ? " Only owner:me is." : "");
        return c.unknown || c.refused ? HANDLER_E_REFUSED : 0;
}

/* --- an object --- */

typedef struct Comparison {
        const char *argument;
        char member[VALUE_MAX];
        bool is_there, fits; /* the argument; one of its values */
} Comparison;

static void compare(const char *name, const char *value, void *userdata) {
        Comparison *c = userdata;
        char text[VALUE_MAX];

        if (strnull(value) || !gemini_argument_is(name, c->argument, strlen(c->argument)))
                return;
        c->is_there = true;
        if (decode(value, text) && strcaseeq(text, c->member))
                c->fits = true;
}

static bool is_found(const char *value, JsonView root) {
        char text[VALUE_MAX], member[VALUE_MAX];

        if (!decode(value, text))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(searched); i++) {
                json_view_copy(json_view_get(root, searched[i]), member, sizeof(member));
                if (strcasestr(member, text))
                        return true;
        }
        return false;
}

/* "models/m/operations": those of other models are not in it. */
static bool is_of_path(Request *q, const GeminiPath *row, JsonView root) {
        const char *path = gemini_path_rest(row, q->path);
        char name[VALUE_MAX];

        json_view_copy(json_view_get(root, "name"), name, sizeof(name));
        return path && startswith(name, path) && name[strlen(path)] == '/';
}

bool list_filter_wants(Request *q, const GeminiPath *row, const Buf *object) {
        JsonView root = json_view(buf_data(object), object->n);
        const char *search = http_request_argument(q->io, "search");

        if (streq(row->kind, BINDING_OPERATIONS) && !is_of_path(q, row, root))
                return false;
        if (streq(row->kind, BINDING_VOICES) && !strnull(search) && !is_found(search, root))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(compared); i++) {
                Comparison c = { .argument = compared[i].argument };

                if (!streq(compared[i].kind, row->kind))
                        continue;
                json_view_copy(json_view_get(root, c.argument), c.member, sizeof(c.member));
                http_request_each_argument(q->io, compare, &c);
                if (c.is_there && !c.fits)
                        return false;
        }
        return true;
}
