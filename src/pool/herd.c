/* SPDX-License-Identifier: MIT */

/*
 * A 401 of Google's form that names no reason about the key may have its cause on the way: a proxy that
 * removes the header with the key makes every key look dead. One key alone is taken for dead. But if another
 * key gets the same answer within a second, it is not the keys: the second one is not struck, and the first
 * one is revived. The same holds for more keys, as long as they follow one another within a minute.
 *
 * An answer that does name the key (API_KEY_…, "API key not valid") is sure: it always strikes its key.
 */

#include <string.h>

#include "base/text.h"
#include "core/judgement.h"
#include "pool/herd.h"
#include "pool/internal.h"
#include "pool/notify.h"

#define HERD_SPAN   USEC_PER_SEC
#define HERD_MEMORY USEC_PER_MINUTE

static void revive(Pool *p, PoolKey *k) {
        if (k->breaker.until == 0)
                return;
        pool_breaker_set(p, k, &k->breaker, 0);
        pool_error_clear(&k->error);
        pool_note(p, &k->dirty, true);
        LIST_FOREACH(i, &k->slots)
                pool_slot_place(p, list_entry(i, PoolSlot, by_key));
        pool_notify_changes(p, k, NULL, 1U << LAYER_KEY, 0, verdict_rule(VERDICT_FOREIGN)->name);
}

bool pool_herd_joins(Pool *p, PoolKey *k, const Verdict *v) {
        PoolHerd *h = &p->herd;
        usec_t since = usec_sub(p->day.now, h->at);
        char text[SLOT_ERROR_MAX];

        text_copy(text, sizeof(text), v->message);
        if (!h->last || !streq(text, h->text) || since > (h->confirmed ? HERD_MEMORY : HERD_SPAN)) {
                *h = (PoolHerd){ .last = k, .at = p->day.now };
                text_copy(h->text, sizeof(h->text), text);
                return false;
        }
        if (h->last == k)
                return h->confirmed;
        if (!h->confirmed)
                revive(p, h->last);
        h->confirmed = true;
        h->last = k;
        h->at = p->day.now;
        return true;
}

void pool_herd_forget(Pool *p, const PoolKey *k) {
        if (p->herd.last == k)
                p->herd = (PoolHerd){};
}
