/* SPDX-License-Identifier: MIT */

/*
 * The loop and the threads share what is in Shared below `lock`: the look-ups that wait, and those that are
 * done. A look-up belongs to one side at a time. It has a place for its answer from the start, so a thread
 * allocates nothing of ours. A thread whose resolver was freed meanwhile frees its look-up and ends. The
 * last of all frees what they share.
 *
 * Names, their answers and what waits for them are the loop's. All dials to the same name share one look-up.
 * When none of them waits any longer, it goes on: the next dial needs its answer.
 */

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/limits-dial.h"
#include "base/text.h"
#include "base/thread.h"
#include "io/resolver.h"

#define KEEP_GOOD (60 * USEC_PER_SEC)
#define KEEP_BAD  (1 * USEC_PER_SEC) /* so that a burst of requests is one look-up */

typedef struct Name Name;

typedef struct LookUp {
        List link; /* in `waiting` or `done`; of none while a thread has it */
        Name *name; /* the loop's; NULL: dropped */
        ResolverAnswer *answer;
        char host[];
} LookUp;

struct Name {
        List link; /* the one that was asked for last is the last */
        ResolverAnswer *answer; /* NULL: none yet */
        usec_t until; /* the answer is good */
        LookUp *look_up; /* NULL: none is under way */
        List waits;
        char host[];
};

typedef struct Shared {
        pthread_mutex_t lock;
        unsigned n_refs, n_threads; /* the resolver has a reference, and each thread */
        List waiting, done;
        int event_fd;
        bool ends;
} Shared;

struct Resolver {
        Loop *loop;
        Shared *shared;
        LoopFd watch;
        List names;
        size_t n_names;
};

/* --- answers --- */

static ResolverAnswer *answer_new(size_t max) {
        ResolverAnswer *a = calloc(1, sizeof(ResolverAnswer) + max * sizeof(ResolverAddress));

        if (a)
                a->n_refs = 1;
        return a;
}

static ResolverAnswer *answer_ref(ResolverAnswer *a) {
        a->n_refs++;
        return a;
}

ResolverAnswer *resolver_answer_unref(ResolverAnswer *a) {
        if (a && --a->n_refs == 0)
                free(a);
        return NULL;
}

const char *resolver_answer_words(const ResolverAnswer *a) {
        const char *words = a->error == EAI_SYSTEM ? strerrordesc_np(a->number) : gai_strerror(a->error);

        return words ?: "unknown error";
}

static const struct addrinfo *next_of_family(const struct addrinfo *i, int family) {
        while (i && (i->ai_family != family || i->ai_addrlen > sizeof(ResolverAddress)))
                i = i->ai_next;
        return i;
}

/* IPv6 and IPv4 in turn, as long as there are both. A family that does not work thus costs one delay. */
static void take_addresses(ResolverAnswer *a, const struct addrinfo *all) {
        int family = all->ai_family == AF_INET6 ? AF_INET6 : AF_INET;
        const struct addrinfo *these = next_of_family(all, family);
        const struct addrinfo *others = next_of_family(all, family == AF_INET ? AF_INET6 : AF_INET), *swap;

        while ((these || others) && a->n < RESOLVER_ADDRESSES_MAX) {
                if (these) {
                        memcpy(&a->addresses[a->n++], these->ai_addr, these->ai_addrlen);
                        these = next_of_family(these->ai_next, these->ai_family);
                }
                swap = these;
                these = others;
                others = swap;
        }
}

static void resolve(ResolverAnswer *a, const char *host, int flags) {
        const struct addrinfo hints = { .ai_flags = flags, .ai_socktype = SOCK_STREAM };
        struct addrinfo *all = NULL;

        a->error = getaddrinfo(host, NULL, &hints, &all);
        a->number = a->error == EAI_SYSTEM ? errno : 0;
        if (a->error != 0)
                return;
        take_addresses(a, all);
        freeaddrinfo(all);
        if (a->n == 0)
                a->error = EAI_NONAME;
}

/* --- the threads --- */

static void look_up_free(LookUp *u) {
        resolver_answer_unref(u->answer);
        free(u);
}

/* The caller has the lock, which is released. */
static void shared_unref(Shared *s) {
        bool is_last = --s->n_refs == 0;

        (void) pthread_mutex_unlock(&s->lock);
        if (!is_last)
                return;
        (void) pthread_mutex_destroy(&s->lock);
        (void) safe_close(s->event_fd);
        free(s);
}

static void *run(void *userdata) {
        Shared *s = userdata;
        List *first;

        (void) pthread_setname_np(pthread_self(), "gemgated-names");
        (void) pthread_mutex_lock(&s->lock);
        while ((first = list_first(&s->waiting))) {
                LookUp *u = list_entry(first, LookUp, link);

                list_unlink(first);
                (void) pthread_mutex_unlock(&s->lock);
                resolve(u->answer, u->host, 0);
                (void) pthread_mutex_lock(&s->lock);
                if (s->ends)
                        look_up_free(u);
                else {
                        list_append(&s->done, &u->link);
                        (void) eventfd_write(s->event_fd, 1);
                }
        }
        s->n_threads--;
        shared_unref(s);
        return NULL;
}

/* If there is a thread already, it takes this look-up, too, but later. */
static int start_look_up(Shared *s, LookUp *u) {
        pthread_t thread;
        int r = 0;

        (void) pthread_mutex_lock(&s->lock);
        list_append(&s->waiting, &u->link);
        if (s->n_threads < RESOLVER_THREADS_MAX) {
                r = thread_start(run, s, &thread);
                if (r >= 0) {
                        (void) pthread_detach(thread);
                        s->n_threads++;
                        s->n_refs++;
                } else if (s->n_threads > 0)
                        r = 0;
                else
                        list_unlink(&u->link);
        }
        (void) pthread_mutex_unlock(&s->lock);
        return r;
}

/* --- names --- */

/* A look-up that a thread has is dropped when that is done. */
static void drop_look_up(Resolver *r, Name *n) {
        LookUp *u = TAKE_PTR(n->look_up);
        bool is_linked;

        if (!u)
                return;
        u->name = NULL;
        (void) pthread_mutex_lock(&r->shared->lock);
        is_linked = list_is_linked(&u->link);
        list_unlink(&u->link);
        (void) pthread_mutex_unlock(&r->shared->lock);
        if (is_linked)
                look_up_free(u);
}

static void name_free(Resolver *r, Name *n) {
        assert(list_is_empty(&n->waits));
        drop_look_up(r, n);
        resolver_answer_unref(n->answer);
        list_unlink(&n->link);
        r->n_names--;
        free(n);
}

static Name *find_name(Resolver *r, const char *host) {
        LIST_FOREACH(i, &r->names) {
                Name *n = list_entry(i, Name, link);

                if (strcaseeq(n->host, host))
                        return n;
        }
        return NULL;
}

/* Makes room for one more. */
static int drop_oldest(Resolver *r) {
        LIST_FOREACH(i, &r->names) {
                Name *n = list_entry(i, Name, link);

                if (!list_is_empty(&n->waits))
                        continue;
                name_free(r, n);
                return 0;
        }
        return -EMFILE;
}

static int name_new(Resolver *r, const char *host, Name **ret) {
        size_t size = strlen(host) + 1;
        Name *n;
        int k;

        if (r->n_names >= RESOLVER_NAMES_MAX) {
                k = drop_oldest(r);
                if (k < 0)
                        return k;
        }
        n = calloc(1, sizeof(Name) + size);
        if (!n)
                return -ENOMEM;
        memcpy(n->host, host, size);
        list_init(&n->waits);
        list_append(&r->names, &n->link);
        r->n_names++;
        *ret = n;
        return 0;
}

static int look_up(Resolver *r, Name *n) {
        size_t size = strlen(n->host) + 1;
        LookUp *u;
        int k;

        u = calloc(1, sizeof(LookUp) + size);
        if (!u)
                return -ENOMEM;
        list_init(&u->link);
        u->name = n;
        memcpy(u->host, n->host, size);
        u->answer = answer_new(RESOLVER_ADDRESSES_MAX);
        if (!u->answer) {
                free(u);
                return -ENOMEM;
        }
        k = start_look_up(r->shared, u);
        if (k < 0) {
                look_up_free(u);
                return k;
        }
        n->look_up = u;
        return 0;
}

static void finish(Resolver *r, LookUp *u) {
        ResolverAnswer *a = TAKE_PTR(u->answer);
        Name *n = u->name;
        List waits = LIST_INIT(waits), *first;

        free(u);
        if (n) {
                resolver_answer_unref(n->answer);
                n->answer = answer_ref(a);
                n->until = usec_add(clock_monotonic(), a->error == 0 ? KEEP_GOOD : KEEP_BAD);
                n->look_up = NULL;
                list_splice(&waits, &n->waits); /* from here on the name may be dropped */
        }
        while ((first = list_first(&waits))) {
                ResolverWait *w = list_entry(first, ResolverWait, link);

                list_unlink(first);
                w->fn(w, answer_ref(a));
        }
        resolver_answer_unref(a);
}

static void on_done(uint32_t events _unused_, void *userdata) {
        Resolver *r = userdata;
        eventfd_t n;
        List *first;

        (void) eventfd_read(r->shared->event_fd, &n);
        do {
                LookUp *u = NULL;

                (void) pthread_mutex_lock(&r->shared->lock);
                first = list_first(&r->shared->done);
                if (first) {
                        u = list_entry(first, LookUp, link);
                        list_unlink(first);
                }
                (void) pthread_mutex_unlock(&r->shared->lock);
                if (u)
                        finish(r, u);
        } while (first);
}

/* This machine (RFC 6761). What goes there may be plain HTTP, so no server may lead it elsewhere. */
static void take_localhost(ResolverAnswer *a) {
        a->addresses[0].six = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                                     .sin6_addr = in6addr_loopback };
        a->addresses[1].four = (struct sockaddr_in){ .sin_family = AF_INET,
                                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        a->n = 2;
}

/* What needs no look-up, and so no thread: not even a file is read. */
static int ask_here(const char *host, ResolverAnswer **ret) {
        _cleanup_(resolver_answer_unrefp) ResolverAnswer *a = answer_new(RESOLVER_ADDRESSES_MAX);

        if (!a)
                return -ENOMEM;
        if (strcaseeq(host, "localhost") || strcaseeq(host, "localhost."))
                take_localhost(a);
        else
                resolve(a, host, AI_NUMERICHOST);
        if (a->error == EAI_NONAME)
                return 0;
        *ret = TAKE_PTR(a);
        return 1;
}

int resolver_ask(Resolver *r, const char *host, ResolverWait *w, ResolverFn fn, ResolverAnswer **ret) {
        Name *n;
        int k;

        assert(!list_is_linked(&w->link));

        if (strlen(host) > RESOLVER_NAME_MAX)
                return -ENAMETOOLONG;
        k = ask_here(host, ret);
        if (k != 0)
                return k;
        n = find_name(r, host);
        if (!n) {
                k = name_new(r, host, &n);
                if (k < 0)
                        return k;
        }
        list_unlink(&n->link);
        list_append(&r->names, &n->link);
        if (n->answer && clock_monotonic() < n->until) {
                *ret = answer_ref(n->answer);
                return 1;
        }
        if (!n->look_up) {
                k = look_up(r, n);
                if (k < 0)
                        return k;
        }
        w->fn = fn;
        list_append(&n->waits, &w->link);
        return 0;
}

void resolver_stop(ResolverWait *w) {
        list_unlink(&w->link);
}

/* NULL: it is no longer kept. */
static Name *name_of(Resolver *r, const ResolverAnswer *a) {
        LIST_FOREACH(i, &r->names) {
                Name *n = list_entry(i, Name, link);

                if (n->answer == a)
                        return n;
        }
        return NULL;
}

void resolver_forget(Resolver *r, const ResolverAnswer *a) {
        Name *n = name_of(r, a);

        if (n)
                n->until = 0;
}

/* A copy, because others are still trying the addresses of the answer, in its order. */
void resolver_prefer(Resolver *r, const ResolverAnswer *a, size_t i) {
        Name *n = name_of(r, a);
        ResolverAnswer *copy;

        assert(i < a->n);
        if (!n || i == 0)
                return;
        copy = answer_new(a->n);
        if (!copy)
                return;
        copy->n = a->n;
        copy->addresses[0] = a->addresses[i];
        memcpy(copy->addresses + 1, a->addresses, i * sizeof(ResolverAddress));
        memcpy(copy->addresses + i + 1, a->addresses + i + 1, (a->n - i - 1) * sizeof(ResolverAddress));
        resolver_answer_unref(n->answer);
        n->answer = copy;
}

/* --- start and end --- */

int resolver_new(Loop *l, Resolver **ret) {
        _cleanup_(resolver_freep) Resolver *r = NULL;
        Shared *s;
        int k;

        r = calloc(1, sizeof(Resolver));
        if (!r)
                return -ENOMEM;
        r->loop = l;
        r->watch = LOOP_FD_NULL;
        list_init(&r->names);
        s = calloc(1, sizeof(Shared));
        if (!s)
                return -ENOMEM;
        k = pthread_mutex_init(&s->lock, NULL);
        if (k != 0) {
                free(s);
                return -k;
        }
        r->shared = s;
        s->n_refs = 1;
        list_init(&s->waiting);
        list_init(&s->done);
        s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (s->event_fd < 0)
                return -errno;
        k = loop_fd_add(l, &r->watch, s->event_fd, EPOLLIN, on_done, r);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(r);
        return 0;
}

Resolver *resolver_free(Resolver *r) {
        Shared *s;

        if (!r)
                return NULL;
        s = r->shared;
        LIST_FOREACH(i, &r->names)
                name_free(r, list_entry(i, Name, link));
        loop_fd_remove(r->loop, &r->watch);
        free(r);
        if (!s)
                return NULL;
        (void) pthread_mutex_lock(&s->lock);
        s->ends = true;
        assert(list_is_empty(&s->waiting));
        LIST_FOREACH(i, &s->done) {
                LookUp *u = list_entry(i, LookUp, link);

                list_unlink(i);
                look_up_free(u);
        }
        shared_unref(s);
        return NULL;
}
