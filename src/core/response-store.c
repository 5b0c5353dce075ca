/* SPDX-License-Identifier: MIT */

/*
 * A hash table with chains, a list of all entries by use, and one for each client. The chains have a random
 * key. A client's share is found in a list: there are as many as tokens in use.
 */

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/limits-responses.h"
#include "base/text.h"
#include "core/response-store-internal.h"

#define AGED_PER_CALL 4U
#define SAVED_AGAIN (10 * USEC_PER_MINUTE) /* a row has the time of the last use up to this */

bool response_name_parse(uint64_t client, const char *id, ResponseName *ret) {
        const char *digits = strchr(id, '_');
        ResponseName name = { .client = client };

        if (!digits || strlen(++digits) < RESPONSE_ID_DIGITS)
                return false;
        for (size_t i = 0; i < RESPONSE_ID_BYTES; i++) {
                int high = text_unhex(digits[2 * i]), low = text_unhex(digits[2 * i + 1]);

                if (high < 0 || low < 0)
                        return false;
                name.id[i] = (uint8_t) (high << 4 | low);
        }
        *ret = name;
        return true;
}

static uint64_t chain_of(const ResponseStore *s, const ResponseName *name) {
        uint64_t id;

        memcpy(&id, name->id, sizeof(id));
        return hash_mix(id ^ hash_mix(name->client ^ s->secret)) % s->n_chains;
}

int response_store_new(const ResponseStoreLimits *limits, bool is_saved, ResponseStore **ret) {
        _cleanup_free_ ResponseStore *s = calloc(1, sizeof(ResponseStore));

        assert(limits->n > 0);

        if (!s)
                return -ENOMEM;
        s->limits = *limits;
        s->is_saved = is_saved;
        s->forgets_all = !is_saved;
        s->n_chains = limits->n;
        s->chains = calloc(s->n_chains, sizeof(*s->chains));
        if (!s->chains)
                return -ENOMEM;
        if (getrandom(&s->secret, sizeof(s->secret), 0) != (ssize_t) sizeof(s->secret) ||
            pthread_mutex_init(&s->lock, NULL) != 0) {
                free(s->chains);
                return -EIO;
        }
        list_init(&s->by_use);
        list_init(&s->shares);
        list_init(&s->by_dirt);
        list_init(&s->gone);
        *ret = TAKE_PTR(s);
        return 0;
}

ResponseStore *response_store_free(ResponseStore *s) {
        if (!s)
                return NULL;
        LIST_FOREACH(i, &s->by_use)
                free(list_entry(i, ResponseEntry, by_use));
        LIST_FOREACH(i, &s->shares)
                free(list_entry(i, ResponseShare, shares));
        LIST_FOREACH(i, &s->gone)
                free(list_entry(i, ResponseGone, gone));
        (void) pthread_mutex_destroy(&s->lock);
        free(s->chains);
        free(s);
        return NULL;
}

ResponseEntry *response_store_find(const ResponseStore *s, const ResponseName *name) {
        ResponseEntry *e = s->chains[chain_of(s, name)];

        while (e && (e->name.client != name->client || memcmp(e->name.id, name->id, sizeof(name->id)) != 0))
                e = e->next;
        return e;
}

static ResponseShare *find_share(ResponseStore *s, uint64_t client) {
        LIST_FOREACH(i, &s->shares) {
                ResponseShare *share = list_entry(i, ResponseShare, shares);

                if (share->client == client)
                        return share;
        }
        return NULL;
}

static ResponseShare *need_share(ResponseStore *s, uint64_t client) {
        ResponseShare *share = find_share(s, client);

        if (share)
                return share;
        share = calloc(1, sizeof(ResponseShare));
        if (!share)
                return NULL;
        share->client = client;
        list_init(&share->by_use);
        list_append(&s->shares, &share->shares);
        return share;
}

/* A row without an entry would come back with the next start, until its hour is over: that is all that
 * missing memory costs. */
static void forget_row(ResponseStore *s, const ResponseEntry *e) {
        ResponseGone *gone = s->is_saved && e->saved > 0 ? malloc(sizeof(ResponseGone)) : NULL;

        if (!gone)
                return;
        gone->name = e->name;
        list_append(&s->gone, &gone->gone);
}

static void drop(ResponseStore *s, ResponseEntry *e) {
        ResponseEntry **at = &s->chains[chain_of(s, &e->name)];
        ResponseShare *share = e->share;

        while (*at != e)
                at = &(*at)->next;
        *at = e->next;
        forget_row(s, e);
        s->n--;
        s->bytes -= e->n_input + e->n_response;
        share->n--;
        share->bytes -= e->n_input + e->n_response;
        list_unlink(&e->by_use);
        list_unlink(&e->of_client);
        list_unlink(&e->by_dirt);
        free(e);
        if (share->n > 0)
                return;
        list_unlink(&share->shares);
        free(share);
}

static void make_room(ResponseStore *s, ResponseShare *share, size_t bytes) {
        const ResponseStoreLimits *l = &s->limits;

        share->n++; /* it stays while this drops its entries */
        while (share->n > 1 && (share->n > l->client_n || share->bytes + bytes > l->client_bytes))
                drop(s, list_entry(list_first(&share->by_use), ResponseEntry, of_client));
        while (s->n > 0 && (s->n >= l->n || s->bytes + bytes > l->bytes))
                drop(s, list_entry(list_first(&s->by_use), ResponseEntry, by_use));
        share->n--;
}

ResponseEntry *response_store_add(ResponseStore *s, const ResponseName *name, const char *input,
                                  size_t n_input, const char *response, size_t n_response, usec_t used) {
        size_t n = n_input + n_response;
        ResponseEntry *e, **chain;
        ResponseShare *share;

        if (n > RESPONSE_BYTES_MAX || n > s->limits.client_bytes || n > s->limits.bytes)
                return NULL;
        e = malloc(sizeof(ResponseEntry) + n);
        share = e ? need_share(s, name->client) : NULL;
        if (!share) {
                free(e);
                return NULL;
        }
        make_room(s, share, n);
        chain = &s->chains[chain_of(s, name)];
        *e = (ResponseEntry){
                .next = *chain, .name = *name, .share = share, .used = used, .n_input = n_input,
                .n_response = n_response,
        };
        memcpy(e->text, input, n_input);
        memcpy(e->text + n_input, response, n_response);
        *chain = e;
        list_init(&e->by_dirt);
        list_append(&s->by_use, &e->by_use);
        list_append(&share->by_use, &e->of_client);
        s->n++;
        s->bytes += n;
        share->n++;
        share->bytes += n;
        return e;
}

static void drop_aged(ResponseStore *s, usec_t now) {
        for (unsigned i = 0; i < AGED_PER_CALL && s->n > 0; i++) {
                ResponseEntry *e = list_entry(list_first(&s->by_use), ResponseEntry, by_use);

                if (usec_add(e->used, s->limits.age) >= now)
                        return;
                drop(s, e);
        }
}

static void mark(ResponseStore *s, ResponseEntry *e) {
        if (!s->noted || !s->is_saved)
                return;
        list_unlink(&e->by_dirt);
        list_append(&s->by_dirt, &e->by_dirt);
}

/* Returns whether the state writer is to be notified, without the lock. */
static bool note(ResponseStore *s) {
        if (!s->noted || !s->is_saved)
                return false;
        if (s->is_noted || (list_is_empty(&s->by_dirt) && list_is_empty(&s->gone)))
                return false;
        s->is_noted = true;
        return true;
}

static void unlock(ResponseStore *s, bool notify) {
        StateNotedFn noted = s->noted;
        void *userdata = s->userdata;

        (void) pthread_mutex_unlock(&s->lock);
        if (notify && noted)
                noted(false, userdata);
}

void response_store_put(ResponseStore *s, const ResponseName *name, const Buf *input, const Buf *response,
                        usec_t now) {
        ResponseEntry *e;

        if (input->n == 0 || response->n == 0)
                return;
        (void) pthread_mutex_lock(&s->lock);
        drop_aged(s, now);
        e = response_store_find(s, name);
        if (e)
                drop(s, e);
        e = response_store_add(s, name, buf_data(input), input->n, buf_data(response), response->n, now);
        if (e)
                mark(s, e);
        unlock(s, note(s));
}

static void use(ResponseStore *s, ResponseEntry *e, usec_t now) {
        e->used = MAX(e->used, now);
        list_unlink(&e->by_use);
        list_append(&s->by_use, &e->by_use);
        list_unlink(&e->of_client);
        list_append(&e->share->by_use, &e->of_client);
}

/* The state writer belongs to the loop, and this is also called in the worker's thread: so what is to be
 * saved of it waits for the next response that is kept. */
int response_store_get(ResponseStore *s, const ResponseName *name, usec_t now, Buf *input, Buf *response) {
        ResponseEntry *e;
        int r = -ENOENT;

        (void) pthread_mutex_lock(&s->lock);
        drop_aged(s, now);
        e = response_store_find(s, name);
        if (e && usec_add(e->used, s->limits.age) < now) {
                drop(s, e);
                e = NULL;
        }
        if (e) {
                use(s, e, now);
                if (usec_add(e->saved, SAVED_AGAIN) < e->used)
                        mark(s, e);
                r = input ? buf_append(input, e->text, e->n_input) : 0;
                if (r >= 0 && response)
                        r = buf_append(response, e->text + e->n_input, e->n_response);
        }
        unlock(s, false);
        return MIN(r, 0);
}

bool response_store_drop(ResponseStore *s, const ResponseName *name) {
        ResponseEntry *e;
        bool is_there;

        (void) pthread_mutex_lock(&s->lock);
        e = response_store_find(s, name);
        is_there = e;
        if (e)
                drop(s, e);
        unlock(s, note(s));
        return is_there;
}

size_t response_store_bytes(ResponseStore *s, uint64_t client) {
        const ResponseShare *share;
        size_t bytes;

        (void) pthread_mutex_lock(&s->lock);
        share = find_share(s, client);
        bytes = share ? share->bytes : 0;
        (void) pthread_mutex_unlock(&s->lock);
        return bytes;
}
