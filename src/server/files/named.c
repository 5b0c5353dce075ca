/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "server/files/named.h"

#define NAMED_MAX 512U /* bytes: a message has to be read */
#define BETWEEN   ", "
#define ID_CHARS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* The next name of the list; false: there is none. */
static bool next(const char **list, size_t *ret_n) {
        const char *s = *list + *ret_n;

        if (*ret_n > 0)
                s += *s ? strlen(BETWEEN) : 0;
        if (!*s)
                return false;
        *list = s;
        *ret_n = strcspn(s, ",");
        return true;
}

static bool has(const char *list, const char *name) {
        size_t n = 0;

        while (next(&list, &n))
                if (strlen(name) == n && memcmp(list, name, n) == 0)
                        return true;
        return false;
}

void named_note(Request *q, const char *name) {
        const char *list = strempty(q->named);
        char *longer;

        if (strlen(list) + strlen(name) + strlen(BETWEEN) > NAMED_MAX || has(list, name) ||
            asprintf(&longer, "%s%s%s", list, *list ? BETWEEN : "", name) < 0)
                return;
        free(q->named);
        q->named = longer;
}

static const char *strstr_n(const char *s, const char *part, size_t n) {
        return memmem(s, strlen(s), part, n);
}

static bool is_of_id(char c) {
        return c && strchr(ID_CHARS, c);
}

/* Google names a file by its id. */
static bool names_one(const char *message, const char *list) {
        size_t n = 0;

        while (next(&list, &n)) {
                const char *id = memchr(list, '/', n), *end = list + n, *s = message;

                for (id += id != NULL; id && (s = strstr_n(s, id, (size_t) (end - id))); s++)
                        if ((s == message || !is_of_id(s[-1])) && !is_of_id(s[end - id]))
                                return true;
        }
        return false;
}

void named_weigh(const Request *q, Verdict *v) {
        size_t n = strlen(v->message);

        if (strnull(q->named))
                return;
        if (v->class == VERDICT_REQUEST && v->status == 404 && !strcasestr(v->message, "model"))
                v->class = VERDICT_RESOURCE;
        if (v->class != VERDICT_RESOURCE || names_one(v->message, q->named))
                return;
        (void) snprintf(v->message + n, sizeof(v->message) - n, "%sThe request names %s.", n > 0 ? " " : "",
                        q->named);
        v->message[text_utf8_prefix(v->message, sizeof(v->message) - 1)] = 0;
        secret_scrub(v->message, NULL);
}
