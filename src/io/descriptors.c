/* SPDX-License-Identifier: MIT */

/*
 * A client is accepted only if, after it, there is room for the connections upstream that all clients are
 * expected to need, so that a request does not wait for a descriptor:
 *
 *     clients + others + max(upstream, expected) <= room
 *
 * `room` is the limit without DESCRIPTORS_RESERVE. At HTTP/1.1 a client is expected to need a connection of
 * its own, because it has a request or is about to send one; of those between two requests (parked) only a
 * quarter is, because they have what they wanted for the time being. At HTTP/2 one connection is enough for
 * many clients. As long as no connection was made it is HTTP/1.1, where they need more.
 *
 * More parked clients than that may begin at once. Then no connection upstream may be made, either, and
 * calls wait until a descriptor is given back; they come before clients that wait to be accepted.
 *
 * When something waits, idle connections upstream are closed first, one at a time, as far as that helps.
 */

#include "base/limits.h"
#include "io/descriptors.h"

struct Descriptors {
        Loop *loop;
        LoopHook hook;
        size_t room; /* SIZE_MAX: no limit */
        size_t n[_DESCRIPTOR_USE_MAX], n_parked;
        bool is_shared;
        List waiting[_DESCRIPTOR_USE_MAX]; /* DescriptorsWait.link */
        List keepers;
};

/* --- the rule --- */

static size_t room_of(uint64_t limit) {
        uint64_t room = limit - MIN(limit / 2, DESCRIPTORS_RESERVE);

        return (size_t) MIN(room, SIZE_MAX);
}

static size_t shared_upstream(size_t clients) {
        return DESCRIPTORS_SHARED_SPARE + clients / DESCRIPTORS_SHARED_CLIENTS;
}

static size_t expected_upstream(const Descriptors *d, size_t clients) {
        size_t parked = MIN(d->n_parked, clients);

        return d->is_shared ? shared_upstream(clients) : clients - parked + parked / 4;
}

size_t descriptors_most_clients(uint64_t limit) {
        size_t room = room_of(limit), low = 1, high = MAX(room, 1U);

        while (low < high) {
                size_t n = high - (high - low) / 2;

                if (shared_upstream(n) + DESCRIPTORS_OTHER(n) <= room - n)
                        low = n;
                else
                        high = n - 1;
        }
        return low;
}

static bool admits_client(const Descriptors *d, size_t upstream) {
        size_t clients = d->n[DESCRIPTOR_CLIENT] + 1;

        /* With the smallest of limits there is still one. */
        return clients == 1 ||
               clients + d->n[DESCRIPTOR_OTHER] + MAX(upstream, expected_upstream(d, clients)) <= d->room;
}

bool descriptors_admit(const Descriptors *d, DescriptorUse use) {
        const size_t *n = d->n;

        if (use == DESCRIPTOR_CLIENT)
                return admits_client(d, n[DESCRIPTOR_UPSTREAM]);
        return n[DESCRIPTOR_UPSTREAM] == 0 ||
               n[DESCRIPTOR_CLIENT] + n[DESCRIPTOR_OTHER] + n[DESCRIPTOR_UPSTREAM] < d->room;
}

/* --- what waits --- */

static bool close_idle(Descriptors *d) {
        LIST_FOREACH(i, &d->keepers) {
                DescriptorsKeeper *k = list_entry(i, DescriptorsKeeper, link);

                if (k->close_idle(k->userdata))
                        return true;
        }
        return false;
}

static void wake(List *waiting) {
        List woken = LIST_INIT(woken), *first;

        list_splice(&woken, waiting);
        while ((first = list_first(&woken))) {
                DescriptorsWait *w = list_entry(first, DescriptorsWait, link);

                list_unlink(first);
                w->fn(w->userdata);
        }
}

/* What is closed here is given back later in this turn, and then this hook is asked again. */
static void on_hook(void *userdata) {
        Descriptors *d = userdata;
        List *upstream = &d->waiting[DESCRIPTOR_UPSTREAM], *clients = &d->waiting[DESCRIPTOR_CLIENT];

        if (!list_is_empty(upstream)) {
                if (descriptors_admit(d, DESCRIPTOR_UPSTREAM))
                        wake(upstream);
                else
                        (void) close_idle(d);
        }
        if (list_is_empty(clients))
                return;
        if (descriptors_admit(d, DESCRIPTOR_CLIENT))
                wake(clients);
        else if (admits_client(d, 0))
                (void) close_idle(d);
}

static void look(Descriptors *d) {
        if (!list_is_empty(&d->waiting[DESCRIPTOR_UPSTREAM]) ||
            !list_is_empty(&d->waiting[DESCRIPTOR_CLIENT]))
                loop_hook_ask(d->loop, &d->hook);
}

void descriptors_wait(Descriptors *d, DescriptorUse use, DescriptorsWait *w) {
        assert(use != DESCRIPTOR_OTHER);

        if (!list_is_linked(&w->link))
                list_append(&d->waiting[use], &w->link);
        look(d);
}

void descriptors_stop(DescriptorsWait *w) {
        list_unlink(&w->link);
}

void descriptors_keep(Descriptors *d, DescriptorsKeeper *k, bool (*close_idle_fn)(void *userdata),
                      void *userdata) {
        *k = (DescriptorsKeeper){ .close_idle = close_idle_fn, .userdata = userdata };
        list_append(&d->keepers, &k->link);
}

void descriptors_kept(Descriptors *d) {
        look(d);
}

void descriptors_keep_no_more(DescriptorsKeeper *k) {
        if (k->link.next)
                list_unlink(&k->link);
}

/* --- the count --- */

void descriptors_take(Descriptors *d, DescriptorUse use) {
        d->n[use]++;
}

void descriptors_give(Descriptors *d, DescriptorUse use) {
        assert(d->n[use] > 0);

        d->n[use]--;
        look(d);
}

size_t descriptors_used(const Descriptors *d, DescriptorUse use) {
        return d->n[use];
}

void descriptors_park(Descriptors *d, bool parks) {
        assert(parks || d->n_parked > 0);

        if (parks)
                d->n_parked++;
        else
                d->n_parked--;
        look(d);
}

void descriptors_set_limit(Descriptors *d, uint64_t limit) {
        d->room = room_of(limit);
        look(d);
}

void descriptors_set_shared(Descriptors *d, bool is_shared) {
        d->is_shared = is_shared;
        look(d);
}

/* --- start and end --- */

Descriptors *descriptors_new(Loop *loop) {
        Descriptors *d = calloc(1, sizeof(Descriptors));

        if (!d)
                return NULL;
        d->loop = loop;
        d->room = SIZE_MAX;
        for (size_t i = 0; i < _DESCRIPTOR_USE_MAX; i++)
                list_init(&d->waiting[i]);
        list_init(&d->keepers);
        loop_hook_add(loop, &d->hook, on_hook, d);
        return d;
}

Descriptors *descriptors_free(Descriptors *d) {
        if (!d)
                return NULL;
        loop_hook_remove(&d->hook);
        free(d);
        return NULL;
}
