/* SPDX-License-Identifier: MIT */

/*
 * Names and the projects that own them. A binding is in a tree by name, in a heap by expiry, and in a list
 * of its project. Finding one is O(log n). Expired ones are not found, and are dropped when a new one is
 * added. But the clock at the start may be wrong, and has nothing to be compared with (core/day-clock). So
 * in the first hours none is dropped, and expired ones are read from the store, too: when the clock is set
 * back, they are found again. Only the room for others is a reason to drop one then.
 *
 * When a project goes (its last key was removed), its bindings go too: no key could serve them. Their rows
 * stay in the store, so they come back with the key. When the last key of a project moves to another
 * project, it takes the bindings along.
 *
 * The token that made a name is kept as a digest: keyed with the store's key if there is a store, else
 * without a key.
 */

#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "pool/binding-internal.h"
#include "pool/internal.h"

/* The clock is right at the latest an hour after it was set, and some time may pass before that. */
#define START_DOUBT (3 * USEC_PER_HOUR)

#define ID_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

const char *binding_kind(const char *name, size_t n) {
        static const char *const kinds[] = {
                BINDING_FILES,    BINDING_CACHES,       BINDING_UPLOADS, BINDING_BATCHES,
                BINDING_OPERATIONS, BINDING_TUNED,      BINDING_STORES,  BINDING_CORPORA,
                BINDING_GENERATED, BINDING_INTERACTIONS, BINDING_AGENTS, BINDING_ENVIRONMENTS,
                BINDING_TRIGGERS, BINDING_VOICES,       BINDING_WEBHOOKS, BINDING_CREDENTIALS,
                BINDING_SESSIONS,
        };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                size_t k = strlen(kinds[i]);

                if (n > k && memcmp(name, kinds[i], k) == 0)
                        return kinds[i];
        }
        return NULL;
}

bool binding_name_is_valid(const char *name, size_t n) {
        const char *kind = binding_kind(name, n);
        size_t k = kind ? strlen(kind) : 0;

        return kind && n - k <= BINDING_ID_MAX && text_in_charset(name + k, n - k, ID_CHARS);
}

bool binding_name_make(const char *kind, const char *id, size_t n, char ret[static BINDING_NAME_MAX + 1]) {
        size_t k = strlen(kind);

        if (n > BINDING_ID_MAX)
                return false;
        memcpy(ret, kind, k);
        memcpy(ret + k, id, n);
        ret[k + n] = 0;
        return binding_name_is_valid(ret, k + n);
}

int pool_owner(Pool *p, const Secret *token, BindingOwner *ret) {
        BindingOwner o = { .has_plain = true, .has_keyed = p->save.digester };
        int r;

        r = digest_secret_bytes(token, o.plain);
        if (r >= 0 && o.has_keyed)
                r = digester_bytes(p->save.digester, o.plain, sizeof(o.plain), o.keyed);
        if (r < 0)
                return r;
        *ret = o;
        return 0;
}

static bool is_owner(const Binding *b, const BindingOwner *o) {
        if (b->keyed)
                return o->has_keyed && memcmp(b->owner, o->keyed, sizeof(b->owner)) == 0;
        return o->has_plain && memcmp(b->owner, o->plain, sizeof(b->owner)) == 0;
}

static void set_owner(Binding *b, const BindingOwner *o) {
        memcpy(b->owner, o->has_keyed ? o->keyed : o->plain, sizeof(b->owner));
        b->keyed = o->has_keyed;
}

int binding_key_owner(Pool *p, Binding *b) {
        uint8_t keyed[DIGEST_KEYED_SIZE];
        int r;

        if (b->keyed)
                return 0;
        r = digester_bytes(p->save.digester, b->owner, sizeof(b->owner), keyed);
        if (r < 0)
                return r;
        memcpy(b->owner, keyed, sizeof(b->owner));
        b->keyed = true;
        return 0;
}

/* --- adding and removing --- */

static Binding *binding_free(Binding *b) {
        if (!b)
                return NULL;
        list_unlink(&b->dirty.link);
        free((char *) b->name);
        free(b->upstream);
        free(b);
        return NULL;
}
DEFINE_CLEANUP(Binding *, binding_free);

void binding_forgotten(Binding *b) {
        pool_unnote(&b->dirty);
        (void) binding_free(b);
}

static void detach(Pool *p, Binding *b) {
        (void) tdelete(b, &p->bindings.by_name, pool_name_compare);
        heap_remove(&b->due);
        list_unlink(&b->by_project);
        b->project = NULL;
        p->bindings.n--;
}

/* Removes and frees the binding. */
static void end(Pool *p, Binding *b) {
        detach(p, b);
        if (p->save.on)
                pool_note(p, &b->dirty, true);
        else
                (void) binding_free(b);
}

static void set_expiry(Pool *p, Binding *b, usec_t expires) {
        heap_remove(&b->due);
        b->expires = expires;
        heap_push(&p->bindings.due, &b->due, (HeapRank){ .by = { expires } });
}

static bool is_over(const Pool *p, const Binding *b) {
        return b->expires <= p->day.now;
}

static void end_what_is_over(Pool *p) {
        HeapNode *n;

        if (p->day.now < p->bindings.doubted_until)
                return;
        while ((n = heap_first(&p->bindings.due)) && n->rank.by[0] <= p->day.now)
                end(p, CONTAINER_OF(n, Binding, due));
}

/* Unusable from now on; it is freed when the store has taken its last rows. */
static bool is_left(const PoolProject *project) {
        return project->n_gone == project->n_keys;
}

static Binding *find(Pool *p, const char *name) {
        Binding **at = tfind(&name, &p->bindings.by_name, pool_name_compare);

        return at && !is_over(p, *at) && !is_left((*at)->project) ? *at : NULL;
}

static void detach_unseen(Pool *p, const char *name) {
        Binding **at = tfind(&name, &p->bindings.by_name, pool_name_compare), *b;

        if (!at)
                return;
        b = *at;
        detach(p, b);
        (void) binding_free(b);
}

static int attach(Pool *p, const char *name, PoolProject *project, usec_t expires, const char *upstream,
                  Binding **ret) {
        _cleanup_(binding_freep) Binding *b = calloc(1, sizeof(Binding));
        HeapNode *first;

        if (!b)
                return -ENOMEM;
        pool_dirty_init(&b->dirty, POOL_BINDINGS);
        list_init(&b->by_project);
        b->name = strdup(name);
        b->upstream = upstream ? strdup(upstream) : NULL;
        if (!b->name || (upstream && !b->upstream))
                return -ENOMEM;
        detach_unseen(p, name);
        if (p->bindings.n >= BINDINGS_MAX && (first = heap_first(&p->bindings.due)))
                end(p, CONTAINER_OF(first, Binding, due));
        if (!tsearch(b, &p->bindings.by_name, pool_name_compare))
                return -ENOMEM;
        p->bindings.n++;
        b->project = project;
        list_append(&project->bindings, &b->by_project);
        set_expiry(p, b, expires);
        *ret = TAKE_PTR(b);
        return 0;
}

int pool_bind_name(Pool *p, const BindingWanted *w, usec_t now) {
        PoolProject *project = w->key->project;
        BindingOwner owner = {};
        Binding *b;
        int r;

        assert(binding_name_is_valid(w->name, strlen(w->name)));

        (void) pool_time(p, now);
        end_what_is_over(p);
        r = pool_owner(p, w->token, &owner);
        if (r < 0)
                return r;
        b = find(p, w->name);
        if (b && b->project != project)
                return -EEXIST;
        if (!b) {
                r = attach(p, w->name, project, w->expires, w->upstream, &b);
                if (r < 0)
                        return r;
        } else
                set_expiry(p, b, w->expires);
        set_owner(b, &owner);
        pool_note(p, &b->dirty, true);
        return 0;
}

void pool_bind_renew(Pool *p, const char *name, usec_t expires, usec_t now) {
        Binding *b;

        (void) pool_time(p, now);
        b = find(p, name);
        if (!b || b->expires == expires)
                return;
        set_expiry(p, b, expires);
        pool_note(p, &b->dirty, true);
}

void pool_unbind_name(Pool *p, const char *name) {
        Binding **at = tfind(&name, &p->bindings.by_name, pool_name_compare);

        if (at)
                end(p, *at);
}

void bindings_move(Pool *p, PoolProject *from, PoolProject *to) {
        LIST_FOREACH(i, &from->bindings) {
                Binding *b = list_entry(i, Binding, by_project);

                if (!to) {
                        detach(p, b);
                        (void) binding_free(b);
                        continue;
                }
                list_unlink(i);
                list_append(&to->bindings, i);
                b->project = to;
                pool_note(p, &b->dirty, true);
        }
}

/* An expired one makes room for one that is not. Its row stays. */
static bool make_room(Pool *p) {
        HeapNode *first = heap_first(&p->bindings.due);
        Binding *b = first ? CONTAINER_OF(first, Binding, due) : NULL;

        if (p->bindings.n < BINDINGS_MAX)
                return true;
        if (!b || !is_over(p, b))
                return false;
        detach(p, b);
        (void) binding_free(b);
        return true;
}

int binding_restore(Pool *p, const char *name, PoolProject *project,
                    const uint8_t owner[static DIGEST_KEYED_SIZE], usec_t expires, const char *upstream) {
        Binding *b = find(p, name);
        int r;

        /* What is in memory is newer. */
        if (b || (expires <= p->day.now && p->day.now >= p->bindings.doubted_until))
                return 0;
        if (expires <= p->day.now ? p->bindings.n >= BINDINGS_MAX : !make_room(p))
                return 0;
        r = attach(p, name, project, expires, upstream, &b);
        if (r < 0)
                return r;
        memcpy(b->owner, owner, sizeof(b->owner));
        b->keyed = true;
        return 0;
}

void bindings_note_all(Pool *p) {
        LIST_FOREACH(i, &p->projects)
                LIST_FOREACH(j, &list_entry(i, PoolProject, link)->bindings)
                        pool_note(p, &list_entry(j, Binding, by_project)->dirty, true);
}

void bindings_init(Pool *p) {
        p->bindings.due.steps = &p->steps;
        p->bindings.doubted_until = usec_add(p->day.now, START_DOUBT);
}

void bindings_shift(Pool *p, usec_t back) {
        p->bindings.doubted_until = usec_sub(p->bindings.doubted_until, back);
}

/* Those that have ended and that the store does not know; the others went with their projects. */
void bindings_done(Pool *p) {
        List *const lists[] = { &p->save.urgent, &p->save.dirty };

        for (size_t n = 0; n < ELEMENTSOF(lists); n++)
                LIST_FOREACH(i, lists[n]) {
                        PoolDirty *d = list_entry(i, PoolDirty, link);

                        if (d->table == POOL_BINDINGS)
                                (void) binding_free(CONTAINER_OF(d, Binding, dirty));
                }
}

/* --- queries --- */

PoolProject *pool_bound_to(Pool *p, const char *name, usec_t now) {
        Binding *b;

        if (p->bindings.n == 0)
                return NULL;
        (void) pool_time(p, now);
        b = find(p, name);
        return b ? b->project : NULL;
}

const char *pool_bound_upstream(Pool *p, const char *name, usec_t now) {
        Binding *b;

        (void) pool_time(p, now);
        b = find(p, name);
        return b ? b->upstream : NULL;
}

bool pool_is_bound_by(Pool *p, const char *name, const BindingOwner *owner, usec_t now) {
        Binding *b;

        (void) pool_time(p, now);
        b = find(p, name);
        return b && is_owner(b, owner);
}

bool pool_is_bound_by_another(Pool *p, const char *name, const BindingOwner *owner, usec_t now) {
        Binding *b;

        (void) pool_time(p, now);
        b = find(p, name);
        return b && !is_owner(b, owner);
}

size_t pool_n_bound(const Pool *p) {
        return p->bindings.n;
}

bool pool_bind_make_room(Pool *p, const char *kind, const Secret *token, usec_t now) {
        BindingOwner owner = {};
        Binding *first = NULL;
        size_t n = 0;

        (void) pool_time(p, now);
        end_what_is_over(p);
        if (p->bindings.n < BINDINGS_TOKEN_MAX / 2)
                return true;
        if (pool_owner(p, token, &owner) < 0)
                return false;
        LIST_FOREACH(i, &p->projects)
                LIST_FOREACH(j, &list_entry(i, PoolProject, link)->bindings) {
                        Binding *b = list_entry(j, Binding, by_project);

                        if (!startswith(b->name, kind) || !is_owner(b, &owner))
                                continue;
                        n++;
                        if (!first || b->expires < first->expires)
                                first = b;
                }
        if (first && (n >= BINDINGS_TOKEN_MAX / 2 || p->bindings.n >= BINDINGS_MAX))
                end(p, first);
        return p->bindings.n < BINDINGS_MAX;
}

bool pool_may_bind(Pool *p, const Secret *token, usec_t now) {
        BindingOwner owner = {};
        size_t n = 0, n_all = 0;

        (void) pool_time(p, now);
        end_what_is_over(p);
        if (pool_owner(p, token, &owner) < 0)
                return false;
        if (p->bindings.n < BINDINGS_TOKEN_MAX)
                return true;
        LIST_FOREACH(i, &p->projects)
                LIST_FOREACH(j, &list_entry(i, PoolProject, link)->bindings) {
                        const Binding *b = list_entry(j, Binding, by_project);

                        n_all += !is_over(p, b);
                        n += !is_over(p, b) && is_owner(b, &owner);
                }
        return n_all < BINDINGS_MAX && n < BINDINGS_TOKEN_MAX;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

int pool_bound_names(Pool *p, const char *kind, const Secret *token, const char *after, size_t max,
                     usec_t now, BindingNames *ret) {
        _cleanup_free_ const char **all = NULL;
        BindingNames names = {};
        BindingOwner owner = {};
        size_t n = 0;
        int r;

        (void) pool_time(p, now);
        end_what_is_over(p);
        r = pool_owner(p, token, &owner);
        if (r < 0)
                return r;
        all = calloc(p->bindings.n + 1, sizeof(char *));
        if (!all)
                return -ENOMEM;
        LIST_FOREACH(i, &p->projects)
                LIST_FOREACH(j, &list_entry(i, PoolProject, link)->bindings) {
                        const Binding *b = list_entry(j, Binding, by_project);

                        if (!is_over(p, b) && !is_left(b->project) && startswith(b->name, kind) &&
                            (!after || strcmp(b->name, after) > 0) && is_owner(b, &owner))
                                all[n++] = b->name;
                }
        qsort(all, n, sizeof(char *), compare_names);
        names.n = MIN(n, max);
        names.more = n > max;
        names.names = calloc(names.n + 1, sizeof(*names.names));
        if (!names.names)
                return -ENOMEM;
        for (size_t i = 0; i < names.n; i++)
                memcpy(names.names[i], all[i], strlen(all[i]) + 1);
        *ret = names;
        return 0;
}
