/* SPDX-License-Identifier: MIT */

/* The pool's keys and projects: adding and removing. */

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pool/binding-internal.h"
#include "pool/chain.h"
#include "pool/pick-rotation.h"
#include "pool/internal.h"
#include "pool/notify.h"

#define SWEEP_MAX 1024U /* keys that are freed in one turn of the loop */

/* --- projects --- */

int pool_project_ref(Pool *p, PoolKey *k, const char *name, PoolProject **ret) {
        PoolProject **at = name ? tfind(&name, &p->projects_by_name, pool_name_compare) : NULL, *project;

        project = at ? *at : name ? NULL : &k->own;
        if (!project) {
                project = calloc(1, sizeof(PoolProject));
                if (!project)
                        return -ENOMEM;
                list_init(&project->buckets);
                list_init(&project->bindings);
                list_init(&project->turn);
                list_init(&project->turns);
                list_init(&project->unread);
                affinity_home_init(&project->home);
                pool_dirty_init(&project->dirty, POOL_PROJECTS);
                project->name = strdup(name);
                if (!project->name || !tsearch(project, &p->projects_by_name, pool_name_compare)) {
                        pool_error_clear(&project->error);
                        free((char *) project->name);
                        free(project);
                        return -ENOMEM;
                }
        }
        if (project->n_keys++ == 0) {
                project->fresh = p->last_update;
                project->limits = p->last_limits;
                list_append(&p->projects, &project->link);
        }
        *ret = project;
        return 0;
}

PoolProject *pool_project_unref(Pool *p, PoolProject *project) {
        if (!project || --project->n_keys > 0)
                return NULL;
        LIST_FOREACH(i, &project->buckets)
                (void) pool_bucket_free(list_entry(i, PoolBucket, by_project));
        list_unlink(&project->link);
        list_unlink(&project->turn);
        list_unlink(&project->unread);
        bindings_move(p, project, NULL);
        pool_unnote(&project->dirty);
        affinity_home_done(&project->home);
        if (!project->name) {
                breaker_close(&project->breaker); /* the key may become its own project again */
                return NULL;
        }
        (void) tdelete(project, &p->projects_by_name, pool_name_compare);
        pool_error_clear(&project->error);
        free((char *) project->name);
        free(project);
        return NULL;
}

/* --- keys --- */

int pool_key_compare_secret(const void *a, const void *b) {
        return secret_compare(*(Secret *const *) a, *(Secret *const *) b);
}

/* Compares masks without their numbers: several keys may have the same. */
int pool_key_compare_mask(const void *a, const void *b) {
        const PoolKey *x = a, *y = b;

        if (x->n_mask != y->n_mask)
                return x->n_mask < y->n_mask ? -1 : 1;
        return memcmp(x->mask, y->mask, x->n_mask);
}

void pool_key_number(PoolKey *k, void *const *by_mask) {
        PoolKey **first = tfind(k, by_mask, pool_key_compare_mask);
        unsigned n;

        if (*first == k)
                k->n_alike = 0;
        n = ++(*first)->n_alike;

        k->mask[k->n_mask] = 0;
        if (n > 1)
                (void) snprintf(k->mask + k->n_mask, sizeof(k->mask) - k->n_mask, "#%u", n);
}

int pool_key_new(Secret *secret, PoolKey **ret) {
        PoolKey *k;

        k = calloc(1, sizeof(PoolKey));
        if (!k)
                return -ENOMEM;
        k->secret = secret_ref(secret);
        list_init(&k->slots);
        list_init(&k->link);
        list_init(&k->turn);
        list_init(&k->unread);
        list_init(&k->own.buckets);
        list_init(&k->own.bindings);
        list_init(&k->own.turn);
        list_init(&k->own.turns);
        list_init(&k->own.unread);
        affinity_home_init(&k->own.home);
        list_init(&k->own.link);
        pool_dirty_init(&k->dirty, POOL_KEYS);
        pool_dirty_init(&k->learned_dirty, POOL_KEY_PROJECTS);
        pool_dirty_init(&k->own.dirty, POOL_PROJECTS);
        secret_mask_key(secret, k->mask);
        k->n_mask = strlen(k->mask);
        *ret = k;
        return 0;
}

PoolKey *pool_key_free(PoolKey *k) {
        if (!k)
                return NULL;
        list_unlink(&k->unread);
        (void) secret_unref(k->secret);
        (void) proxy_unref(k->proxy);
        (void) pool_ident_free(k->ident);
        free(k->learned);
        pool_error_clear(&k->error);
        pool_error_clear(&k->own.error);
        free(k);
        return NULL;
}

static void key_destroy(Pool *p, PoolKey *k) {
        pool_herd_forget(p, k);
        LIST_FOREACH(i, &k->slots)
                pool_slot_free(p, list_entry(i, PoolSlot, by_key));
        list_unlink(&k->turn);
        k->project->n_gone -= k->gone;
        (void) pool_project_unref(p, k->project);
        list_unlink(&k->link);
        list_unlink(&k->dirty.link);
        list_unlink(&k->learned_dirty.link);
        (void) pool_key_free(k);
}

/* With a store attached, the key is freed only after its last row was saved. */
static void destroy_unless_kept(Pool *p, PoolKey *k) {
        if (p->save.on)
                pool_note(p, &k->dirty, false);
        else if (k->n_leases == 0)
                key_destroy(p, k);
}

bool pool_keys_sweep(Pool *p) {
        size_t n = 0;

        LIST_FOREACH(i, &p->gone) {
                PoolKey *k = list_entry(i, PoolKey, link);

                if (k->n_leases > 0)
                        continue;
                if (n++ == SWEEP_MAX)
                        return true;
                key_destroy(p, k);
        }
        return false;
}

bool pool_has_secret(const Pool *p, const PoolKey *k) {
        return tfind(k, &p->by_secret, pool_key_compare_secret);
}

void pool_key_switch(Pool *p, PoolKey *k, bool disabled) {
        k->disabled = disabled;
        if (disabled)
                pool_chain_remove(p, k);
        else if (pool_key_is_arranged(p, k)) /* or its place comes soon */
                pool_chain_insert(p, k);
        pool_rotation_place(p, k);
        pool_key_place_slots(p, k);
}

void pool_key_retire(Pool *p, PoolKey *k) {
        k->disabled_before = k->disabled;
        k->disabled = k->gone = true;
        k->project->n_gone++;
        pool_rotation_place(p, k);
        pool_chain_remove(p, k);
        pool_key_place_slots(p, k);
        list_append(&p->gone, &k->link);
        destroy_unless_kept(p, k);
}

void pool_key_release(Pool *p, PoolKey *k) {
        k->n_leases--;
        if (k->gone)
                destroy_unless_kept(p, k);
}

/* All models were freed before. */
void pool_keys_free(Pool *p) {
        tdestroy(p->by_secret, free_nothing);
        tdestroy(p->by_mask, free_nothing);
        tdestroy(p->by_id, free_nothing);
        for (size_t i = 0; i < p->n_keys; i++)
                key_destroy(p, p->keys[i]);
        LIST_FOREACH(i, &p->gone)
                key_destroy(p, list_entry(i, PoolKey, link));
        free(p->keys);
}

void pool_breaker_put(Pool *p, PoolKey *k, Breaker *b, const Breaker *value) {
        PoolProject *project = k->project;

        p->n_usable -= pool_project_usable(project);
        project->n_alive -= k->chained && k->breaker.until == 0;
        *b = *value;
        project->n_alive += k->chained && k->breaker.until == 0;
        p->n_usable += pool_project_usable(project);
        pool_rotation_place(p, k);
}

void pool_breaker_set(Pool *p, PoolKey *k, Breaker *b, usec_t until) {
        Breaker value = *b;

        if (until > 0)
                breaker_open(&value, p->day.now, until);
        else
                breaker_close(&value);
        pool_breaker_put(p, k, b, &value);
}
