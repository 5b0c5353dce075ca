/* SPDX-License-Identifier: MIT */

/* A line for CORS_ORIGINS, and Access-Control-Request-Headers. */

#include <string.h>

#include "base/text.h"
#include "core/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

/* What goes into a header of the answer is printable ASCII. */
static void check_header(const char *s) {
        for (; *s; s++)
                check((*s >= 0x20 && *s < 0x7f) || *s == '\t');
}

/* An origin that was taken is in the form in which browsers send it: it fits itself, and nothing else. */
static void check_origin(const char *text) {
        _cleanup_(origin_set_done) OriginSet s = {}, again = {};
        const char *origin;

        if (origin_set_add(&s, text) < 0 || s.any)
                return;
        check(s.n == 1);
        origin = s.origins[0];
        check_header(origin);
        check(origin_set_match(&s, origin) == origin);
        check(origin_set_add(&again, origin) == 0 && streq(again.origins[0], origin));
        check(!strpbrk(strstr(origin, "://") + strlen("://"), "/?#@ "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = NULL;
        char *names;

        if (size > 1 << 16)
                return 0;
        text = malloc(size + 1);
        check(text);
        memcpy(text, data, size);
        text[size] = 0;

        names = strchr(text, '\n');
        if (names) {
                *names++ = 0;
                if (header_names_are_valid(names))
                        check_header(names);
        }
        check_origin(text);
        return 0;
}
