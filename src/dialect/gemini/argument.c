/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "dialect/gemini/argument.h"

/* https://cloud.google.com/apis/docs/system-parameters */
static const char *const everywhere[] = {
        "access_token", "alt",       "callback", "fields",          "key",        "oauth_token",
        "prettyPrint",  "quotaUser", "userIp",   "upload_protocol", "uploadType",
};

/* The next character as in camel case; 0 at the end. */
static char next(const char **p, const char *end) {
        if (*p == end)
                return 0;
        if (**p == '_' && *p + 1 < end) {
                (*p)++;
                return (char) toupper((unsigned char) *(*p)++);
        }
        return *(*p)++;
}

bool gemini_argument_is(const char *name, const char *word, size_t n) {
        const char *end = name + strlen(name), *stop = word + n;
        char a, b;

        do {
                a = next(&name, end);
                b = next(&word, stop);
        } while (a && a == b);
        return a == b;
}

static bool has(const char *list, const char *name) {
        for (; list && *list; list += strspn(list, " ")) {
                size_t n = strcspn(list, " ");

                if (gemini_argument_is(name, list, n))
                        return true;
                list += n;
        }
        return false;
}

GeminiArgument gemini_argument(const GeminiPath *row, const char *name) {
        if (has(row->arguments, name))
                return GEMINI_ARGUMENT_OWN;
        if (!name[0] || name[0] == '$')
                return GEMINI_ARGUMENT_SYSTEM;
        for (size_t i = 0; i < ELEMENTSOF(everywhere); i++)
                if (gemini_argument_is(name, everywhere[i], strlen(everywhere[i])))
                        return GEMINI_ARGUMENT_SYSTEM;
        return GEMINI_ARGUMENT_UNKNOWN;
}

bool gemini_path_is_list(const GeminiPath *row) {
        return streq(row->method, "GET") && has(row->arguments, "pageToken");
}
