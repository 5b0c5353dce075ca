/* SPDX-License-Identifier: MIT */

/*
 * Google refuses a request at once, while an answer may take minutes. So a probe that was not refused within
 * BREAKER_PROBE_TIME has passed, although it is still under way: the breaker closes, and the others need not
 * wait for its end. The strikes stay, so a refusal after all is a repeated one.
 *
 * This holds for buckets and slots, except for a bucket whose day is spent. A dead key, and a project
 * without credit, are proven alive only by an answer.
 *
 * There is no timer. Each function of the pool that gets the time first closes what is due by then
 * (pool_time()), and a refusal names the time at which a probe passes, so the requests that wait come back
 * then. All probes wait for the same time, so the list of them is in order.
 */

#include "pool/internal.h"
#include "pool/notify.h"
#include "pool/probe.h"

void pool_probe_init(PoolProbe *probe, PoolSlot *slot) {
        list_init(&probe->link);
        probe->slot = slot;
}

usec_t pool_probe_begin(Pool *p, PoolProbe *probe) {
        list_unlink(&probe->link);
        probe->due = usec_add(p->day.now, BREAKER_PROBE_TIME);
        list_append(&p->probes, &probe->link);
        return probe->due;
}

static bool pass(Pool *p, Breaker *b) {
        if (b->probe == 0 || b->passes > p->day.now)
                return false;
        breaker_close_for_now(b);
        return true;
}

static void pass_slot(Pool *p, PoolSlot *s) {
        bool rate = pass(p, &s->rate), health = pass(p, &s->health);

        if (!rate && !health)
                return;
        pool_note(p, &s->dirty, true);
        pool_slot_place(p, s);
        pool_notify_slot(p, s, "probe");
}

static void pass_quota(Pool *p, PoolQuota *q) {
        if (!pass(p, &q->breaker))
                return;
        pool_quota_note(p, q);
        pool_quota_place(p, q);
        pool_notify_quota(p, q, "probe");
}

/* The observer may call the pool again, so the list is read from its beginning each time. */
void pool_probes_pass(Pool *p) {
        List *first;

        while ((first = list_first(&p->probes)) && list_entry(first, PoolProbe, link)->due <= p->day.now) {
                PoolProbe *probe = list_entry(first, PoolProbe, link);

                list_unlink(first);
                if (probe->slot)
                        pass_slot(p, probe->slot);
                else
                        pass_quota(p, CONTAINER_OF(probe, PoolQuota, probe));
        }
}

void pool_probes_shift(Pool *p, usec_t back) {
        LIST_FOREACH(i, &p->probes) {
                PoolProbe *probe = list_entry(i, PoolProbe, link);

                probe->due = usec_sub(probe->due, back);
        }
}
