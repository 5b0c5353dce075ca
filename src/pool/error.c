/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pool/error.h"

void pool_error_format(const Verdict *v, char ret[static SLOT_ERROR_MAX]) {
        bool silent = v->status == 0 && v->cause[0];
        const char *text = silent ? v->cause : v->message[0] ? v->message : v->reason;
        size_t n;

        n = (size_t) snprintf(ret, SLOT_ERROR_MAX, "%s%s", verdict_brief(v), *text ? ": " : "");
        text_copy(ret + n, text_utf8_prefix(text, SLOT_ERROR_MAX - n - 1) + 1, text);
        if (silent)
                text_uncapitalize(ret + n);
}

void pool_error_set(PoolError *e, const Verdict *v, usec_t now) {
        char text[SLOT_ERROR_MAX];
        char *t;

        pool_error_format(v, text);
        t = strdup(text);
        if (!t)
                return;
        free(e->text);
        e->text = t;
        e->at = now;
}

void pool_error_copy(PoolError *to, const PoolError *from) {
        char *t = from->text ? strdup(from->text) : NULL;

        if (!t)
                return;
        free(to->text);
        to->text = t;
        to->at = from->at;
}

void pool_error_clear(PoolError *e) {
        free(TAKE_PTR(e->text));
        e->at = 0;
}
