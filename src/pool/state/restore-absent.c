/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/limits.h"
#include "pool/state/restore-absent.h"
#include "pool/internal.h"

#define SAVE_AT_ONCE 256U

typedef struct Absent {
        RowValue id; /* first, for compare_id(); its bytes are `bytes` */
        List link;
        usec_t used;
        char bytes[];
} Absent;

static int compare_id(const void *a, const void *b) {
        const RowValue *x = a, *y = b;

        if (x->type != y->type)
                return x->type < y->type ? -1 : 1;
        if (x->n != y->n)
                return x->n < y->n ? -1 : 1;
        return memcmp(x->data, y->data, x->n);
}

static void absent_free(Absent *a) {
        list_unlink(&a->link);
        free(a);
}

void restore_absent_init(RestoreAbsent *a) {
        *a = (RestoreAbsent){};
        list_init(&a->list);
}

void restore_absent_free(List *list) {
        LIST_FOREACH(i, list)
                absent_free(list_entry(i, Absent, link));
}

void restore_absent_done(RestoreAbsent *a) {
        tdestroy(a->by_id, free_nothing);
        a->by_id = NULL;
        restore_absent_free(&a->list);
}

int restore_absent_note(RestoreAbsent *a, const RowValue *id, usec_t used) {
        Absent **at = tfind(id, &a->by_id, compare_id), *new;

        if (at) {
                (*at)->used = MAX((*at)->used, used);
                return 0;
        }
        if (a->n >= STATE_ABSENT_MAX)
                return 0; /* they have their turn when the others are gone */
        new = malloc(sizeof(Absent) + id->n);
        if (!new)
                return -ENOMEM;
        *new = (Absent){ .id = *id, .used = used };
        memcpy(new->bytes, id->data, id->n);
        new->id.data = new->bytes;
        if (!tsearch(new, &a->by_id, compare_id)) {
                free(new);
                return -ENOMEM;
        }
        list_append(&a->list, &new->link);
        a->n++;
        return 0;
}

void restore_absent_end(RestoreAbsent *a, Pool *p) {
        uint32_t first = daybook_nth_date(p->daybook, p->day.date, p->keep_days);

        /* Drops the list of an earlier reading: entries that are not in the new one are configured again. */
        restore_absent_free(&p->save.absent);
        LIST_FOREACH(i, &a->list) {
                Absent *it = list_entry(i, Absent, link);

                if (day_date_of(&p->day, it->used) >= first)
                        continue;
                list_unlink(&it->link);
                list_append(&p->save.absent, &it->link);
        }
        if (!list_is_empty(&p->save.absent))
                pool_note(p, &p->save.total, false);
        restore_absent_done(a);
}

bool pool_save_absent(Pool *p, Rows *out) {
        /* The tables whose rows begin with a key or a project. */
        static const PoolTable tables[] = {
                POOL_KEYS, POOL_KEY_PROJECTS, POOL_KEY_MODELS, POOL_PROJECTS, POOL_QUOTAS, POOL_CEILINGS,
                POOL_ERRORS,
        };
        unsigned n = 0;

        LIST_FOREACH(i, &p->save.absent) {
                Absent *a = list_entry(i, Absent, link);

                if (n++ >= SAVE_AT_ONCE)
                        return true;
                for (size_t j = 0; j < ELEMENTSOF(tables); j++)
                        if (pool_schema.tables[tables[j]].columns[0].types & a->id.type)
                                rows_forget(out, ROW_FORGET_EQUAL, tables[j], 0, a->id);
                absent_free(a);
        }
        return false;
}
