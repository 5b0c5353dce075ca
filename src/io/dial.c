/* SPDX-License-Identifier: MIT */

/*
 * A dial goes through its states in one direction, and may leave out some (dial_enter()). Whatever ends it,
 * the end is reported in a hook: so its owner never has a callback from within dial_start(), and may free
 * any dial in it.
 *
 * The address that has connected is the first one that later dials try, as long as the answer is kept: a
 * silent IPv6 delays one connection a minute.
 *
 * If all addresses fail, the cause is the first failure that is more than the lack of a route, since a
 * machine without IPv6 has no route to each IPv6 address.
 */

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits-dial.h"
#include "base/text.h"
#include "io/dial.h"
#include "io/resolver.h"
#include "io/timeout.h"
#include "io/tls.h"
#include "io/transport.h"

#define NEXT_ADDRESS (250 * USEC_PER_MSEC) /* RFC 8305 */
#define CAUSE_MAX    (RESOLVER_NAME_MAX + 2U * TLS_WORDS_MAX)

typedef enum DialState {
        DIAL_RESOLVING,
        DIAL_CONNECTING,
        DIAL_LOADING, /* connected; waits for the CAs */
        DIAL_SECURING,
        DIAL_ENDED, /* has been reported, or will be */
} DialState;

/* A connection to one address. */
typedef struct DialAttempt {
        Dial *dial;
        LoopFd watch;
        int fd; /* -1: has failed */
} DialAttempt;

struct Dialer {
        Loop *loop;
        char *ca_file;
        Resolver *resolver;
        Tls *tls; /* NULL: not used yet */
        TimeoutQueue *next, *deadline;
        LoopHook hook;
        List ended; /* dials to report */
        size_t n_dials;
};

struct Dial {
        Dialer *dialer;
        List ended;
        DialFn fn;
        void *userdata;
        DialState state;
        DialTimes times;
        Timeout next, deadline;
        ResolverWait resolving;
        ResolverAnswer *answer;
        DialAttempt *attempts; /* of each address; those that have begun have a dial */
        size_t n_begun, n_open;
        int error; /* of an attempt; 0: none yet */
        Tls *tls;
        TlsWait loading;
        SSL *ssl;
        LoopFd watch; /* of the handshake */
        int fd;       /* connected; -1: not yet, or taken by the transport */
        Transport *transport;
        uint16_t port;
        bool http2;
        char cause[CAUSE_MAX];
        char host[];
};

/* --- states --- */

static void dial_enter(Dial *d, DialState state) {
        assert(state > d->state);
        d->state = state;
}

static void attempt_close(DialAttempt *a) {
        if (a->fd < 0)
                return;
        loop_fd_remove(a->dial->dialer->loop, &a->watch);
        a->fd = safe_close(a->fd);
        a->dial->n_open--;
}

/* Ends all that is under way. */
static void stop(Dial *d) {
        timeout_stop(&d->next);
        timeout_stop(&d->deadline);
        resolver_stop(&d->resolving);
        tls_stop(&d->loading);
        for (size_t i = 0; i < d->n_begun; i++)
                attempt_close(&d->attempts[i]);
        loop_fd_remove(d->dialer->loop, &d->watch);
        d->ssl = tls_close(d->ssl);
        d->fd = safe_close(d->fd);
}

static void report_later(Dial *d) {
        dial_enter(d, DIAL_ENDED);
        stop(d);
        list_append(&d->dialer->ended, &d->ended);
        loop_hook_ask(d->dialer->loop, &d->dialer->hook);
}

static void _printf_(2, 3) fail(Dial *d, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(d->cause, sizeof(d->cause), fmt, ap);
        va_end(ap);
        report_later(d);
}

static void succeed(Dial *d) {
        SSL *ssl = TAKE_PTR(d->ssl);
        int fd;

        loop_fd_remove(d->dialer->loop, &d->watch);
        fd = TAKE_FD(d->fd);
        if (transport_new(fd, ssl, &d->transport) < 0)
                fail(d, "out of memory");
        else
                report_later(d);
}

static void on_hook(void *userdata) {
        Dialer *r = userdata;
        List ended = LIST_INIT(ended), *first;

        list_splice(&ended, &r->ended); /* what ends from here on has its own turn */
        while ((first = list_first(&ended))) {
                Dial *d = list_entry(first, Dial, ended);

                list_unlink(first);
                d->fn(TAKE_PTR(d->transport), &d->times, d->cause, d->userdata);
        }
}

/* --- TLS --- */

static void shake_hands(Dial *d);

static void on_handshake(uint32_t events _unused_, void *userdata) {
        shake_hands(userdata);
}

static int watch_handshake(Dial *d, uint32_t events) {
        return d->watch.fd < 0 ?
                       loop_fd_add(d->dialer->loop, &d->watch, d->fd, events, on_handshake, d) :
                       loop_fd_modify(d->dialer->loop, &d->watch, events);
}

static void shake_hands(Dial *d) {
        char words[TLS_WORDS_MAX];
        uint32_t events;
        int r;

        r = tls_handshake(d->tls, d->ssl, &events, words);
        if (r == 0) {
                d->times.secured = clock_monotonic();
                succeed(d);
                return;
        }
        if (r == -EAGAIN) {
                r = watch_handshake(d, events);
                if (r < 0)
                        fail(d, "%s (%s port %u)", strerror(-r), d->host, d->port);
                return;
        }
        fail(d, "%s (%s port %u)", words, d->host, d->port);
}

static void secure(Dial *d) {
        int r;

        dial_enter(d, DIAL_SECURING);
        r = tls_open(d->tls, d->host, d->port, d->http2, d->fd, &d->ssl);
        if (r < 0)
                fail(d, "TLS handshake failed: %s (%s port %u)", strerror(-r), d->host, d->port);
        else
                shake_hands(d);
}

static void on_loaded(TlsWait *w) {
        secure(CONTAINER_OF(w, Dial, loading));
}

/* --- connections --- */

static void take_connected(Dial *d, DialAttempt *a) {
        d->times.connected = clock_monotonic();
        resolver_prefer(d->dialer->resolver, d->answer, (size_t) (a - d->attempts));
        loop_fd_remove(d->dialer->loop, &a->watch);
        d->fd = TAKE_FD(a->fd);
        d->n_open--;
        for (size_t i = 0; i < d->n_begun; i++)
                attempt_close(&d->attempts[i]);
        timeout_stop(&d->next);
        if (!d->tls)
                succeed(d);
        else if (tls_wait(d->tls, &d->loading, on_loaded) > 0)
                secure(d);
        else
                dial_enter(d, DIAL_LOADING);
}

static bool is_lack_of_route(int error) {
        return error == ENETUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

static void note_error(Dial *d, int error) {
        if (d->error == 0 || (is_lack_of_route(d->error) && !is_lack_of_route(error)))
                d->error = error;
}

static void try_next(Dial *d);

static void on_attempt(uint32_t events _unused_, void *userdata) {
        DialAttempt *a = userdata;
        Dial *d = a->dial;
        int error = 0;

        if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) }) < 0)
                error = errno;
        if (error == 0) {
                take_connected(d, a);
                return;
        }
        note_error(d, error);
        attempt_close(a);
        try_next(d);
}

static int connect_to(const ResolverAddress *address, uint16_t port, int *ret_fd) {
        ResolverAddress to = *address;
        socklen_t size = to.any.sa_family == AF_INET6 ? sizeof(to.six) : sizeof(to.four);
        int fd, r;

        if (to.any.sa_family == AF_INET6)
                to.six.sin6_port = htons(port);
        else
                to.four.sin_port = htons(port);
        fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        r = connect(fd, &to.any, size) < 0 ? -errno : 1;
        if (r == -EINPROGRESS || r == -EINTR)
                r = 0;
        if (r < 0)
                (void) safe_close(fd);
        else
                *ret_fd = fd;
        return r;
}

/* 1: connected. 0: it is under way. -errno. */
static int attempt_begin(DialAttempt *a, Dial *d, const ResolverAddress *address) {
        int r, k;

        *a = (DialAttempt){ .dial = d, .watch = LOOP_FD_NULL, .fd = -1 };
        r = connect_to(address, d->port, &a->fd);
        if (r < 0)
                return r;
        d->n_open++;
        if (r > 0)
                return r;
        k = loop_fd_add(d->dialer->loop, &a->watch, a->fd, EPOLLOUT, on_attempt, a);
        if (k < 0)
                attempt_close(a);
        return k;
}

static void fail_to_connect(Dial *d) {
        resolver_forget(d->dialer->resolver, d->answer);
        fail(d, "%s (%s port %u)", strerrordesc_np(d->error) ?: "No connection", d->host, d->port);
}

/* Begins the next attempt that does not fail at once. */
static void try_next(Dial *d) {
        while (d->n_begun < d->answer->n) {
                DialAttempt *a = &d->attempts[d->n_begun];
                int r;

                r = attempt_begin(a, d, &d->answer->addresses[d->n_begun++]);
                if (r > 0) {
                        take_connected(d, a);
                        return;
                }
                if (r == 0) {
                        timeout_start(d->dialer->next, &d->next);
                        return;
                }
                note_error(d, -r);
        }
        if (d->n_open == 0)
                fail_to_connect(d);
}

static void on_next(Timeout *t) {
        try_next(CONTAINER_OF(t, Dial, next));
}

/* --- names --- */

static void take_answer(Dial *d, ResolverAnswer *answer) {
        d->answer = answer;
        d->times.resolved = clock_monotonic();
        if (answer->error != 0) {
                fail(d, "Could not resolve host: %s (%s)", d->host, resolver_answer_words(answer));
                return;
        }
        d->attempts = calloc(answer->n, sizeof(DialAttempt));
        if (!d->attempts) {
                fail(d, "out of memory");
                return;
        }
        dial_enter(d, DIAL_CONNECTING);
        try_next(d);
}

static void on_answer(ResolverWait *w, ResolverAnswer *answer) {
        take_answer(CONTAINER_OF(w, Dial, resolving), answer);
}

static void on_deadline(Timeout *t) {
        Dial *d = CONTAINER_OF(t, Dial, deadline);

        switch (d->state) {
        case DIAL_RESOLVING:
                fail(d, "Could not resolve host: %s (no answer within CONNECT_TIMEOUT)", d->host);
                break;
        case DIAL_CONNECTING:
                resolver_forget(d->dialer->resolver, d->answer);
                fail(d, "no connection within CONNECT_TIMEOUT (%s port %u)", d->host, d->port);
                break;
        default:
                fail(d, "no TLS within CONNECT_TIMEOUT (%s port %u)", d->host, d->port);
                break;
        }
}

/* --- one dial --- */

/* Without the brackets that an IPv6 address has in a URL. */
static Dial *dial_new(const char *host) {
        size_t n = strlen(host);
        Dial *d;

        if (n >= 2 && host[0] == '[' && host[n - 1] == ']')
                host++, n -= 2;
        d = calloc(1, sizeof(Dial) + n + 1);
        if (d)
                memcpy(d->host, host, n);
        return d;
}

static int need_tls(Dialer *r) {
        return r->tls ? 0 : tls_new(r->loop, r->ca_file, &r->tls);
}

int dial_start(Dialer *r, const DialParams *p, DialFn f, void *userdata, Dial **ret) {
        _cleanup_(dial_freep) Dial *d = NULL;
        ResolverAnswer *answer;
        int k;

        if (p->tls) {
                k = need_tls(r);
                if (k < 0)
                        return k;
        }
        d = dial_new(p->host);
        if (!d)
                return -ENOMEM;
        d->dialer = r;
        list_init(&d->ended);
        d->fn = f;
        d->userdata = userdata;
        d->next = TIMEOUT_INIT(d->next);
        d->deadline = TIMEOUT_INIT(d->deadline);
        d->resolving = RESOLVER_WAIT_INIT(d->resolving);
        d->loading = TLS_WAIT_INIT(d->loading);
        d->watch = LOOP_FD_NULL;
        d->fd = -1;
        d->port = p->port;
        d->http2 = p->http2;
        d->tls = p->tls ? tls_ref(r->tls) : NULL;
        r->n_dials++;

        k = resolver_ask(r->resolver, d->host, &d->resolving, on_answer, &answer);
        if (k == -ENOMEM)
                return k;
        if (k >= 0) {
                timeout_queue_set_duration(r->deadline, p->timeout);
                timeout_start(r->deadline, &d->deadline);
        }
        if (k > 0)
                take_answer(d, answer);
        else if (k < 0)
                fail(d, "Could not resolve host: %s (%s)", d->host,
                     k == -EMFILE ? "too many names at one time" : strerror(-k));
        *ret = TAKE_PTR(d);
        return 0;
}

Dial *dial_free(Dial *d) {
        if (!d)
                return NULL;
        stop(d);
        list_unlink(&d->ended);
        transport_free(d->transport);
        free(d->attempts);
        resolver_answer_unref(d->answer);
        tls_unref(d->tls);
        d->dialer->n_dials--;
        free(d);
        return NULL;
}

/* --- the dialer --- */

static int copy_params(const DialerParams *p, char **ret) {
        char *copy = p->ca_file ? strdup(p->ca_file) : NULL;

        if (p->ca_file && !copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

int dialer_configure(Dialer *r, const DialerParams *p) {
        char *ca_file;
        int k;

        k = copy_params(p, &ca_file);
        if (k < 0)
                return k;
        free(r->ca_file);
        r->ca_file = ca_file;
        r->tls = tls_unref(r->tls); /* the next dial makes another one */
        return 0;
}

int dialer_new(Loop *loop, const DialerParams *p, Dialer **ret) {
        _cleanup_(dialer_freep) Dialer *r = NULL;
        int k;

        r = calloc(1, sizeof(Dialer));
        if (!r)
                return -ENOMEM;
        r->loop = loop;
        list_init(&r->ended);
        loop_hook_add(loop, &r->hook, on_hook, r);
        k = copy_params(p, &r->ca_file);
        if (k >= 0)
                k = resolver_new(loop, &r->resolver);
        if (k >= 0)
                k = timeout_queue_new(loop, NEXT_ADDRESS, on_next, &r->next);
        if (k >= 0)
                k = timeout_queue_new(loop, 0, on_deadline, &r->deadline);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(r);
        return 0;
}

Dialer *dialer_free(Dialer *r) {
        if (!r)
                return NULL;
        assert(r->n_dials == 0);
        loop_hook_remove(&r->hook);
        timeout_queue_free(r->next);
        timeout_queue_free(r->deadline);
        resolver_free(r->resolver);
        tls_unref(r->tls);
        free(r->ca_file);
        free(r);
        return NULL;
}
