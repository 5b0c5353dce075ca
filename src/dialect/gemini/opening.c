/* SPDX-License-Identifier: MIT */
#include "base/json/cursor.h"
#include "base/limits.h"
#include "dialect/gemini/opening.h"

bool gemini_opening_find(const char *json, size_t n, const char **ret, size_t *ret_n) {
        JsonCursor document = json_cursor(json, MIN(n, (size_t) OPENING_SEARCH_MAX)), members, contents;
        JsonView name, first;

        if (!json_step(&document, NULL) || !json_is_at(&document, '{'))
                return false;
        members = json_descend(&document);
        for (;;) {
                if (!json_step(&members, &name))
                        return false;
                if (json_view_equals(name, "contents"))
                        break;
                (void) json_take(&members);
        }
        if (!json_is_at(&members, '['))
                return false;
        contents = json_descend(&members);
        if (!json_next(&contents, NULL, &first))
                return false;
        *ret = first.p;
        *ret_n = MIN((size_t) (first.end - first.p), (size_t) OPENING_DIGEST_MAX);
        return true;
}
