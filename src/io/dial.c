/* SPDX-License-Identifier: MIT */

/*
 * A dial goes through its states in one direction, and may leave out some (dial_enter()). Whatever ends it,
 * the end is reported in a hook: so its owner never has a callback from within dial_start(), and may free
 * any dial in it.
 *
 * The way to the server is that of dial-address.c, or through a proxy that of dial-proxy.c; then comes TLS.
 *
 * A dial counts as a descriptor from its start (io/descriptors.c), and as another for each address that is
 * tried beside the first. Through a proxy it counts as two: libcurl may try two addresses. What it has made
 * counts as one; behind an https proxy as two, because libcurl keeps its own (io/tunnel.c).
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/dial-internal.h"

#define NEXT_ADDRESS (250 * USEC_PER_MSEC) /* RFC 8305 */

/* --- states --- */

void dial_enter(Dial *d, DialState state) {
        assert(state > d->state);
        d->state = state;
}

void dial_count(Dial *d, size_t n) {
        Descriptors *all = loop_descriptors(d->dialer->loop);

        for (; d->n_counted < n; d->n_counted++)
                descriptors_take(all, DESCRIPTOR_UPSTREAM);
        for (; d->n_counted > n; d->n_counted--)
                descriptors_give(all, DESCRIPTOR_UPSTREAM);
}

/* Ends all that is under way. */
static void stop(Dial *d) {
        timeout_stop(&d->deadline);
        tls_stop(&d->loading);
        dial_addresses_stop(d);
        loop_fd_remove(d->dialer->loop, &d->watch);
        d->tunnel = tunnel_free(d->tunnel);
        d->ssl = tls_close(d->ssl);
        d->fd = safe_close(d->fd);
        dial_count(d, 0);
}

static void report_later(Dial *d) {
        dial_enter(d, DIAL_ENDED);
        stop(d);
        list_append(&d->dialer->ended, &d->ended);
        loop_hook_ask(d->dialer->loop, &d->dialer->hook);
}

void dial_fail(Dial *d, const char *fmt, ...) {
        size_t n = 0;
        va_list ap;

        if (d->proxy)
                n = (size_t) snprintf(d->cause, sizeof(d->cause), "proxy %s: behind it: ",
                                      proxy_address(d->proxy));
        va_start(ap, fmt);
        (void) vsnprintf(d->cause + n, sizeof(d->cause) - n, fmt, ap);
        va_end(ap);
        report_later(d);
}

void dial_fail_at_proxy(Dial *d, const char *cause) {
        text_copy(d->cause, sizeof(d->cause), cause);
        report_later(d);
}

static void succeed(Dial *d) {
        SSL *ssl = TAKE_PTR(d->ssl);
        int fd;

        loop_fd_remove(d->dialer->loop, &d->watch);
        fd = TAKE_FD(d->fd);
        if (transport_new(fd, ssl, &d->transport) < 0) {
                dial_fail(d, "out of memory");
                return;
        }
        transport_count(d->transport, loop_descriptors(d->dialer->loop), d->n_counted);
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
                        dial_fail(d, "%s (%s port %u)", strerror(-r), d->host, d->port);
                return;
        }
        dial_fail(d, "%s (%s port %u)", words, d->host, d->port);
}

static void secure(Dial *d) {
        int r;

        dial_enter(d, DIAL_SECURING);
        r = tls_open(d->tls,
                     &(TlsParams){
                             .host = d->host,
                             .port = d->port,
                             .http2 = d->http2,
                             .fd = d->fd,
                             .proxy = d->proxy,
                             .tunnel = d->tunnel,
                     },
                     &d->ssl);
        if (r < 0) {
                dial_fail(d, "TLS handshake failed: %s (%s port %u)", strerror(-r), d->host, d->port);
                return;
        }
        d->tunnel = NULL;
        shake_hands(d);
}

static void on_loaded(TlsWait *w) {
        secure(CONTAINER_OF(w, Dial, loading));
}

void dial_connected(Dial *d) {
        assert(d->fd >= 0);
        if (!d->tls)
                succeed(d);
        else if (tls_wait(d->tls, &d->loading, on_loaded) > 0)
                secure(d);
        else
                dial_enter(d, DIAL_LOADING);
}

static void on_deadline(Timeout *t) {
        Dial *d = CONTAINER_OF(t, Dial, deadline);

        switch (d->state) {
        case DIAL_RESOLVING:
        case DIAL_CONNECTING:
                dial_addresses_late(d);
                break;
        case DIAL_TUNNELLING:
                dial_proxy_late(d);
                break;
        default:
                dial_fail(d, "no TLS within CONNECT_TIMEOUT (%s port %u)", d->host, d->port);
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

/* TLS and libcurl begin with the first dial that needs them. */
static int need(Dialer *r, const DialParams *p) {
        int k = 0;

        if (p->tls && !r->tls)
                k = tls_new(r->loop, r->ca_file, &r->tls);
        if (k >= 0 && p->proxy && !r->glue)
                k = curl_glue_new(r->loop, &r->glue);
        return k;
}

int dial_start(Dialer *r, const DialParams *p, DialFn f, void *userdata, Dial **ret) {
        _cleanup_(dial_freep) Dial *d = NULL;
        int k;

        assert(!p->proxy || p->tls || !proxy_is_https(p->proxy));
        k = need(r, p);
        if (k < 0)
                return k;
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
        d->proxy = proxy_ref(p->proxy);
        d->tls = p->tls ? tls_ref(r->tls) : NULL;
        r->n_dials++;
        dial_count(d, d->proxy ? 2 : 1);

        timeout_queue_set_duration(r->deadline, p->timeout);
        timeout_start(r->deadline, &d->deadline);
        k = d->proxy ? dial_proxy_start(d, p->timeout) : dial_addresses_start(d);
        if (k < 0)
                return k;
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
        proxy_unref(d->proxy);
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
                k = timeout_queue_new(loop, NEXT_ADDRESS, dial_on_next, &r->next);
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
        curl_glue_free(r->glue);
        tls_unref(r->tls);
        free(r->ca_file);
        free(r);
        return NULL;
}
