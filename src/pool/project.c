/* SPDX-License-Identifier: MIT */

/*
 * Whose keys they are. Google counts by project, and a key does not say whose it is; some of its refusals do
 * (ErrorInfo, metadata.consumer: "projects/123"). Keys of which that is known share a project as if the
 * configuration had named it: what one of them finds spent the others don't ask again. The configuration
 * wins: a key that it places stays there, and what was learned is only kept.
 *
 * Nothing else makes keys share a project, above all not that they were refused in the same moment: what
 * comes from overload, or from one address, does that to strangers as well. Explain hints at it.
 *
 * A join arranges everything anew, as a reload does: O(keys + slots). In a large pool many keys can be found
 * to belong together within seconds, when a project is suspended; so there all of ten seconds are one join.
 */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "pool/internal.h"
#include "pool/project.h"
#include "pool/notify.h"

#define JOIN_AT_ONCE_KEYS 256U
#define JOIN_INTERVAL (10 * USEC_PER_SEC)

void pool_project_learn(Pool *p, PoolKey *k, const char *name) {
        char *copy;

        if (k->gone || streq_ptr(k->learned, name))
                return;
        copy = strdup(name);
        if (!copy)
                return; /* it will be said again */
        free(k->learned);
        k->learned = copy;
        pool_note(p, &k->learned_dirty, true);
        if (k->placed || k->joining || streq_ptr(k->project->name, name))
                return;
        k->joining = true;
        p->n_joining++;
}

static int join(Pool *p, PoolKey *k) {
        PoolProject *project;
        PoolBucket *b;
        int r;

        r = pool_project_ref(p, k, k->learned, &project);
        if (r < 0)
                return r;
        /* What a store knows of a project that is new is of a time that is over, unless it is read late. */
        if (project->n_keys == 1)
                project->restored = k->restored;
        LIST_FOREACH(i, &k->slots) {
                r = pool_bucket_acquire(p, project, list_entry(i, PoolSlot, by_key)->bucket->model, &b);
                if (r < 0) {
                        (void) pool_project_unref(p, project);
                        return r;
                }
        }
        pool_key_move(p, k, project);
        return 0;
}

int pool_project_restore(Pool *p, PoolKey *k, const char *name) {
        int r = 0;

        if (k->learned)
                return 0; /* what Google has said since is newer */
        pool_project_learn(p, k, name);
        pool_unnote(&k->learned_dirty);
        if (!k->learned)
                return -ENOMEM;
        if (k->joining) {
                k->joining = false;
                p->n_joining--;
                r = join(p, k);
        }
        return r;
}

static void tell(Pool *p, const PoolKey *k) {
        if (p->observer.project_learned && k->project->n_keys > 1)
                p->observer.project_learned(k, k->project->name, k->project->n_keys - 1,
                                            p->observer_userdata);
}

void pool_project_join(Pool *p) {
        if (p->n_joining == 0 ||
            (p->n_keys > JOIN_AT_ONCE_KEYS && p->now < usec_add(p->joined_at, JOIN_INTERVAL)))
                return;
        p->joined_at = p->now;
        p->n_joining = 0;
        /* With memory short a key stays where it is, until it is named again. */
        for (size_t i = 0; i < p->n_keys; i++)
                if (p->keys[i]->joining && join(p, p->keys[i]) < 0) {
                        free(TAKE_PTR(p->keys[i]->learned));
                        p->keys[i]->joining = false;
                }
        pool_arrange(p);
        for (size_t i = 0; i < p->n_keys; i++) {
                if (!p->keys[i]->joining)
                        continue;
                p->keys[i]->joining = false;
                tell(p, p->keys[i]);
        }
        pool_notify_all(p, "joined");
}
