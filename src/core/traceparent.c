/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "core/traceparent.h"

#define HEX "0123456789abcdef"

static const struct {
        size_t at, n;
        const char *forbidden; /* the value that means "invalid"; NULL: none does */
} parts[] = {
        { 0, 2, "ff" },
        { 3, TRACE_ID_LENGTH, "00000000000000000000000000000000" },
        { 36, 16, "0000000000000000" },
        { 53, 2, NULL },
};

bool traceparent_parse(const char *s, char ret_trace_id[static TRACE_ID_LENGTH + 1]) {
        if (!s || strlen(s) != TRACEPARENT_LENGTH)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                const char *p = s + parts[i].at;

                if (!text_in_charset(p, parts[i].n, HEX) || (i > 0 && p[-1] != '-') ||
                    (parts[i].forbidden && strncmp(p, parts[i].forbidden, parts[i].n) == 0))
                        return false;
        }
        memcpy(ret_trace_id, s + parts[1].at, TRACE_ID_LENGTH);
        ret_trace_id[TRACE_ID_LENGTH] = 0;
        return true;
}
