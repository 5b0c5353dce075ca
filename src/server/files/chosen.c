/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/json/cursor.h"
#include "base/text.h"
#include "dialect/gemini/kind.h"
#include "server/files/chosen.h"
#include "server/files/owner.h"
#include "server/http.h"
#include "server/reply.h"

/* Google decides about anything that is not one of its names. */
static void put_name(const char *kind, const char *id, Buf *ret) {
        char name[BINDING_NAME_MAX + 1];

        id = startswith(id, kind) ?: id;
        if (snprintf(name, sizeof(name), "%s%s", kind, id) < (int) sizeof(name) &&
            binding_name_is_valid(name, strlen(name)))
                (void) buf_append(ret, name, strlen(name) + 1);
}

/* --- in the body --- */

static void list_one(JsonView value, const char *kind, Buf *ret) {
        char text[BINDING_NAME_MAX + 2];

        json_view_copy(value, text, sizeof(text));
        if (json_view_equals(value, text)) /* else it is too long for one */
                put_name(kind, text, ret);
}

/* Each member of that name: which of several counts is Google's matter. */
static void list_members(JsonView object, const char *member, const char *kind, Buf *ret) {
        JsonCursor c = json_enter(object);
        JsonView name, value;

        if (!json_view_is(object, '{'))
                return;
        while (json_next(&c, &name, &value))
                if (json_view_equals(name, member))
                        list_one(value, kind, ret);
}

void chosen_list(const Buf *json, const char *kind, Buf *ret) {
        JsonView root = json_view(json->n > 0 ? buf_data(json) : "", json->n), name, value;
        JsonCursor c = json_enter(root);

        list_members(root, "id", kind, ret);
        if (!gemini_kind(kind)->snake)
                list_members(root, "name", kind, ret);
        while (json_next(&c, &name, &value))
                if (json_view_equals(name, "file"))
                        list_members(value, "name", kind, ret);
}

/* --- in the query --- */

typedef struct Arguments {
        const char *kind;
        Buf *names;
} Arguments;

static void on_argument(const char *name, const char *value, void *userdata) {
        Arguments *a = userdata;
        char id[3 * BINDING_ID_MAX + 1];

        if (!strcaseeq(name, "tunedModelId") && !strcaseeq(name, "tuned_model_id"))
                return;
        if (!value || strlen(value) >= sizeof(id))
                return;
        memcpy(id, value, strlen(value) + 1);
        if (text_percent_decode(id) >= 0)
                put_name(a->kind, id, a->names);
}

/* --- both --- */

static int check_one(FileOwner *asker, const char *name, char ret[static BINDING_NAME_MAX + 1],
                     ApiError *ret_error) {
        if (!pool_bound_to(asker->pool, name, asker->now))
                return 0;
        if (file_owner_may_use(asker, name)) {
                memcpy(ret, name, strlen(name) + 1);
                return 0;
        }
        api_error_set(ret_error, 409, NULL, "%s already exists: choose another name.", name);
        return HANDLER_E_REFUSED;
}

static int check_all(FileOwner *asker, const Buf *names, char ret[static BINDING_NAME_MAX + 1],
                     ApiError *ret_error) {
        const char *p = names->n > 0 ? buf_data(names) : "", *end = p + names->n;
        int e = 0;

        for (; e == 0 && p < end; p += strlen(p) + 1)
                e = check_one(asker, p, ret, ret_error);
        return e;
}

int chosen_check(Request *q, const char *kind, const Buf *names, char ret[static BINDING_NAME_MAX + 1],
                 ApiError *ret_error) {
        _cleanup_buf_ Buf arguments = BUF_INIT(CHOSEN_BYTES_MAX);
        Arguments a = { kind, &arguments };
        FileOwner asker;
        int e;

        http_request_each_argument(q->io, on_argument, &a);
        if (names->error < 0 || arguments.error < 0) {
                api_error_set(ret_error, 400, NULL, "What is made has one name.");
                return HANDLER_E_REFUSED;
        }
        if (names->n == 0 && arguments.n == 0)
                return 0;
        e = file_owner_init(&asker, q);
        if (e == 0)
                e = check_all(&asker, names, ret, ret_error);
        return e == 0 ? check_all(&asker, &arguments, ret, ret_error) : e;
}
