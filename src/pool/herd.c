/* SPDX-License-Identifier: MIT */

/*
 * A 401 of Google's form that names no reason about the key may have its cause on the way: a proxy that
 * removes the header with the key makes every key look dead. One key alone is not used for a while
 * (judgement_doubt_wait()). But if another key is refused in the same way, it is not the keys: the second
 * one is not struck, and the first one is revived. The same holds for more keys, as long as they follow one
 * another within a minute.
 *
 * How far two refusals are apart is measured from the first one to the beginning of the client's request
 * that met the second one: at most a second. So the attempts of one request always count together, and so do
 * requests that overlap, however slowly the refusals arrive.
 *
 * An answer that does name the key (API_KEY_…, "API key not valid") is sure: it always strikes its key.
 */

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

bool pool_herd_joins(Pool *p, PoolKey *k, usec_t began) {
        PoolHerd *h = &p->herd;
        bool is_near = h->at > 0 && began <= usec_add(h->at, h->confirmed ? HERD_MEMORY : HERD_SPAN);

        h->at = p->day.now;
        if (!is_near || (!h->last && !h->confirmed)) {
                h->last = k;
                h->confirmed = false;
                return false;
        }
        if (h->last == k)
                return h->confirmed;
        if (!h->confirmed)
                revive(p, h->last);
        h->confirmed = true;
        h->last = k;
        return true;
}

void pool_herd_forget(Pool *p, const PoolKey *k) {
        if (p->herd.last == k)
                p->herd.last = NULL;
}
