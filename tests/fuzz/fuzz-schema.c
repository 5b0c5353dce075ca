/* SPDX-License-Identifier: MIT */

/*
 * Whatever the client's schema is: the cleaned one is JSON, follows Google's rules, has the names of all
 * properties, is not longer than its ceiling by more than what closes it, and cleaning it again changes
 * nothing.
 */

#include <string.h>

#include "../unit/schema-strict.h"
#include "base/limits.h"
#include "base/text.h"
#include "dialect/schema.h"

#define OUT_MAX    (64U << 20)
#define NAMES_MAX  4096U /* bytes of a schema whose names are looked for: each is compared with all */
#define NAMES_DEEP 20U   /* …and its depth: what is deeper may be cut off */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static unsigned depth_of(const char *s, size_t n) {
        unsigned depth = 0, deepest = 0;

        for (size_t i = 0; i < n; i++) {
                depth += s[i] == '{' || s[i] == '[';
                deepest = MAX(deepest, depth);
                depth -= (s[i] == '}' || s[i] == ']') && depth > 0;
        }
        return deepest;
}

static void clean(const char *s, size_t n, SchemaUse use, Buf *out, JsonView *ret_in, JsonIndex *index) {
        JWriter w = JWRITER_INIT(out);
        const char *fault;

        check(json_index_make(index, s, n, &fault) == 0);
        *ret_in = json_view_indexed(index, s, n);
        schema_write(*ret_in, use, &w, NULL);
        check(out->error == 0 && w.depth == 0);
}

static void look(const char *s, size_t n, SchemaUse use) {
        static JsonIndex index, index_again;
        _cleanup_buf_ Buf out = BUF_INIT(OUT_MAX), again = BUF_INIT(OUT_MAX);
        bool is_full, is_object;
        JsonView in, cleaned;
        const char *fault;

        clean(s, n, use, &out, &in, &index);
        check(!json_check(buf_data(&out), out.n));
        is_full = out.n >= SCHEMA_GROWTH_MAX * (size_t) (in.end - in.p) + SCHEMA_GROWTH_BASE;
        check(out.n <= (SCHEMA_GROWTH_MAX + 4) * n + SCHEMA_GROWTH_BASE + (64U << 10));
        clean(buf_data(&out), out.n, use, &again, &cleaned, &index_again);
        if (!is_full) {
                check(again.n == out.n && memcmp(buf_data(&again), buf_data(&out), out.n) == 0);
                fault = schema_strict(cleaned, use == SCHEMA_PARAMETERS);
                check(!fault);
        }
        is_object = use == SCHEMA_PARAMETERS && schema_root(in) != SCHEMA_OTHER;
        if (!is_full && n <= NAMES_MAX && depth_of(s, n) <= NAMES_DEEP)
                check(!schema_lost_name(in, is_object, cleaned).p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *copy = malloc(MAX(size, (size_t) 1));

        if (!copy)
                return 0;
        memcpy(copy, data, size);
        if (!json_check(copy, size) && text_is_utf8(copy, size)) { /* as a request's body is */
                look(copy, size, SCHEMA_PARAMETERS);
                look(copy, size, SCHEMA_RESPONSE);
        }
        free(copy);
        return 0;
}
