/* SPDX-License-Identifier: MIT */

/*
 * Learns the projects of keys. Google counts by project, and a key does not name its project; some refusals
 * do (ErrorInfo, metadata.consumer: "projects/123"). Keys with the same learned project share it as if the
 * configuration had named it: a quota that one of them finds spent is spent for the others. The
 * configuration wins: a key with a configured project stays there, and what was learned is only kept.
 *
 * Nothing else makes keys share a project, above all not a refusal in the same moment: overload, or a limit
 * on one address, causes that for unrelated keys too. pool_explain() mentions it as a hint.
 *
 * A join rearranges everything, as a reload does: O(keys + slots). When a project is suspended, a large
 * pool can learn of many keys within seconds; so there the joins of ten seconds are carried out together.
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
                return; /* out of memory: the next refusal names it again */
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
        int r;

        r = pool_project_ref(p, k, k->learned, &project);
        if (r < 0)
                return r;
        project->fresh = false; /* Google has named it: it is no other name for the former one */
        /* Rows of a new project are read only if the store is read late. */
        if (project->n_keys == 1)
                project->restored = k->restored;
        r = pool_key_prepare_move(p, k, project);
        if (r < 0) {
                (void) pool_project_unref(p, project);
                return r;
        }
        pool_key_move(p, k, project);
        return 0;
}

int pool_project_restore(Pool *p, PoolKey *k, const char *name) {
        int r = 0;

        if (k->learned)
                return 0; /* Google has named one since; that is newer */
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

static void notify_learned(Pool *p, const PoolKey *k) {
        if (p->observer.project_learned && k->project->n_keys > 1)
                p->observer.project_learned(k, k->project->name, k->project->n_keys - 1,
                                            p->observer_userdata);
}

void pool_project_join(Pool *p) {
        if (p->n_joining == 0 ||
            (p->n_keys > JOIN_AT_ONCE_KEYS && p->day.now < usec_add(p->joined_at, JOIN_INTERVAL)))
                return;
        p->joined_at = p->day.now;
        p->n_joining = 0;
        /* Out of memory: the key stays in its project until Google names it again. */
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
                notify_learned(p, p->keys[i]);
        }
        pool_notify_all(p, "joined");
}
