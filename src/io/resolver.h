/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Names to addresses. The system's resolver waits for files and servers, so it runs in threads beside the
 * loop, and nothing waits for them: neither a cancel nor the end of the process. Each thread looks up one
 * name after another, and ends when no more wait. RESOLVER_THREADS_MAX of them at most: one silent name
 * server does not hold up the other names.
 *
 * An answer is kept for a minute, a failure for a second. A numeric address and `localhost` are answered at
 * once.
 */

#include <netinet/in.h>

#include "base/list.h"
#include "base/macros.h"
#include "io/forward.h"
#include "io/loop.h"

typedef union ResolverAddress {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
} ResolverAddress;

typedef struct ResolverAnswer {
        unsigned n_refs;   /* the loop's alone */
        int error, number; /* 0, or EAI_…, and with EAI_SYSTEM errno */
        size_t n;
        ResolverAddress addresses[]; /* without a port; IPv6 and IPv4 in turn, in the system's order */
} ResolverAnswer;

ResolverAnswer *resolver_answer_unref(ResolverAnswer *a);
DEFINE_CLEANUP(ResolverAnswer *, resolver_answer_unref);
const char *resolver_answer_words(const ResolverAnswer *a); /* why there are no addresses */

/* A member of the one that waits. */
typedef struct ResolverWait ResolverWait;
typedef void (*ResolverFn)(ResolverWait *w, ResolverAnswer *a /* taken */);

struct ResolverWait {
        List link;
        ResolverFn fn;
};

#define RESOLVER_WAIT_INIT(w) ((ResolverWait){ .link = LIST_INIT((w).link) })

int resolver_new(Loop *l, Resolver **ret);
Resolver *resolver_free(Resolver *r); /* everything that waits has been stopped before */
DEFINE_CLEANUP(Resolver *, resolver_free);

/* 1: *ret is the answer. 0: `fn` gets it in a later turn. -EMFILE: too many names are being looked up;
 * -ENAMETOOLONG, -errno. */
int resolver_ask(Resolver *r, const char *host, ResolverWait *w, ResolverFn fn, ResolverAnswer **ret);
void resolver_stop(ResolverWait *w); /* harmless if it does not wait */

/* The addresses of this answer lead nowhere, so the next one to ask has the name looked up. */
void resolver_forget(Resolver *r, const ResolverAnswer *a);

/* Address `i` has answered, the ones before it have not: as long as the answer is kept, it comes first. */
void resolver_prefer(Resolver *r, const ResolverAnswer *a, size_t i);
