/* SPDX-License-Identifier: MIT */
#include "base/row-reader.h"

#include <string.h>

#include "base/text.h"

uint64_t row_get_number(RowReader *r, uint64_t max) {
        int64_t v = r->next++->integer;

        if (v < 0)
                r->bad = true;
        return v < 0 ? 0 : MIN((uint64_t) v, max);
}

bool row_get_bool(RowReader *r) {
        return row_get_number(r, UINT64_MAX) > 0;
}

char *row_get_text(RowReader *r, size_t max) {
        const RowValue *v = r->next++;
        char *s = NULL;

        if (v->type == ROW_NULL)
                return NULL;
        if (v->n > max || memchr(v->data, 0, v->n) || !text_is_utf8(v->data, v->n))
                r->bad = true;
        else
                s = strndup(v->data, v->n);
        return s;
}
