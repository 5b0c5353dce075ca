/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "pool/error.h"

void pool_error_set(PoolError *e, const Verdict *v, usec_t now) {
        const char *text = verdict_rule(v->class)->name;
        char *t;

        if (v->message[0])
                text = v->message;
        else if (v->reason[0])
                text = v->reason;

        t = strndup(text, text_utf8_prefix(text, SLOT_ERROR_MAX));
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
