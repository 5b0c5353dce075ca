/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <netdb.h>
#include <poll.h>
#include <pthread.h>

#include "base/text.h"
#include "fake-names.h"
#include "folder.h"

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const FakeName *names;
static size_t n_names;
static unsigned n_asked;
static bool released;
static size_t n_at_start;

/* An emulator has threads, too. */
static __attribute__((constructor)) void count_at_start(void) {
        n_at_start = folder_count("/proc/self/task");
}

size_t fake_names_threads(void) {
        return folder_count("/proc/self/task") - n_at_start;
}

void fake_names_set(const FakeName *rows, size_t n) {
        (void) pthread_mutex_lock(&lock);
        names = rows;
        n_names = n;
        n_asked = 0;
        released = false;
        (void) pthread_mutex_unlock(&lock);
}

void fake_names_release(void) {
        (void) pthread_mutex_lock(&lock);
        released = true;
        (void) pthread_cond_broadcast(&changed);
        (void) pthread_mutex_unlock(&lock);
}

unsigned fake_names_asked(void) {
        unsigned n;

        (void) pthread_mutex_lock(&lock);
        n = n_asked;
        (void) pthread_mutex_unlock(&lock);
        return n;
}

void fake_names_wait(unsigned n) {
        (void) pthread_mutex_lock(&lock);
        while (n_asked < n)
                (void) pthread_cond_wait(&changed, &lock);
        (void) pthread_mutex_unlock(&lock);
}

void fake_names_end(unsigned others) {
        fake_names_release();
        while (fake_names_threads() > others)
                (void) poll(NULL, 0, 1);
}

static int answer(const FakeName *n, const struct addrinfo *hints, struct addrinfo **ret) {
        struct addrinfo numeric = *hints, **end = ret;
        char copy[1024], *rest = copy, *one;
        int r;

        if (!n->addresses) {
                errno = n->number;
                return n->error;
        }
        numeric.ai_flags |= AI_NUMERICHOST;
        text_copy(copy, sizeof(copy), n->addresses);
        *ret = NULL;
        while ((one = strsep(&rest, " "))) {
                r = __real_getaddrinfo(one, NULL, &numeric, end);
                if (r != 0)
                        return r;
                end = &(*end)->ai_next;
        }
        return 0;
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret) {
        const FakeName *found = NULL;

        if (hints->ai_flags & AI_NUMERICHOST)
                return __real_getaddrinfo(host, service, hints, ret);
        (void) pthread_mutex_lock(&lock);
        for (size_t i = 0; i < n_names; i++)
                if (streq(names[i].host, host))
                        found = &names[i];
        n_asked++;
        (void) pthread_cond_broadcast(&changed);
        while (found && found->held && !released)
                (void) pthread_cond_wait(&changed, &lock);
        (void) pthread_mutex_unlock(&lock);
        return found ? answer(found, hints, ret) : EAI_NONAME;
}
