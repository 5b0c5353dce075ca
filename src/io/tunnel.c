/* SPDX-License-Identifier: MIT */

/*
 * libcurl connects to the proxy, and by CONNECT or SOCKS through it (CURLOPT_CONNECT_ONLY). It believes that
 * plain HTTP will follow, so it leaves TLS with the server to us.
 *
 * Then the socket is duplicated: so it outlives libcurl's connection, which ends with the easy handle. With
 * an https proxy the handle lives on and passes the bytes, and the duplicate is there to be watched. libcurl
 * uses such a connection for nothing else, and does not end it when it is idle, because it is connect-only
 * and, from the first byte on, in use.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/limits-dial.h"
#include "io/curl-internal.h"

#define HOST_SHOWN_MAX 320U

struct Tunnel {
        CurlGlue *glue;
        CURL *easy;
        Proxy *proxy;
        TunnelFn fn;
        void *userdata;
        usec_t started;
        size_t n_steps; /* of libcurl, so far: on_progress() */
        bool added;
        char words[CURL_ERROR_SIZE]; /* libcurl's details of a failure; "" */
};

/* A proxy's own answer, which is thrown away. */
static size_t on_data(char *p _unused_, size_t size, size_t n, void *userdata _unused_) {
        return size * n;
}

/* libcurl reads the answer to CONNECT byte by byte, without a pause as long as there are some, and calls
 * this for each: a proxy that sends a body without an end would stop the whole loop. */
static int on_progress(void *userdata, curl_off_t n_down _unused_, curl_off_t down _unused_,
                       curl_off_t n_up _unused_, curl_off_t up _unused_) {
        Tunnel *t = userdata;

        return ++t->n_steps > TUNNEL_ANSWER_MAX;
}

static int set_target(CURL *easy, const TunnelParams *p) {
        bool is_six = strchr(p->host, ':');
        char url[HOST_SHOWN_MAX];
        int n;

        n = snprintf(url, sizeof(url), "http://%s%s%s:%u/", is_six ? "[" : "", p->host, is_six ? "]" : "",
                     p->port);
        if (n < 0 || (size_t) n >= sizeof(url))
                return -EINVAL;
        return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
                               curl_easy_setopt(easy, CURLOPT_PROXY,
                                                secret_reveal(proxy_url(p->proxy))) == CURLE_OK ?
                       0 :
                       -ENOMEM;
}

static void set_options(Tunnel *t, usec_t timeout) {
        CURL *easy = t->easy;

        (void) curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
        (void) curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->words);
        (void) curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        /* Else a tunnel that is freed while the proxy's name is looked up waits for the resolver, which may
         * take many seconds. So the resolver's thread is left to itself, and ends when it has its answer. */
        (void) curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
        (void) curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        (void) curl_easy_setopt(easy, CURLOPT_USERAGENT, "gemgate/" GEMGATE_VERSION);
        (void) curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, curl_socket_on_open);
        (void) curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t->glue);
        (void) curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, curl_socket_on_close);
        (void) curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, t->glue);
        (void) curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
        (void) curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
        (void) curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
        (void) curl_easy_setopt(easy, CURLOPT_XFERINFODATA, t);
        /* Empty, not NULL: then libcurl does not look for the environment's variable. */
        (void) curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
        (void) curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        /* No session shows a proxy that two of its users are the same machine. */
        (void) curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
        /* The caller's own time-out comes first. */
        (void) curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                                (long) (usec_add(timeout, USEC_PER_SEC) / USEC_PER_MSEC));
}

int tunnel_start(CurlGlue *g, const TunnelParams *p, TunnelFn f, void *userdata, Tunnel **ret) {
        _cleanup_(tunnel_freep) Tunnel *t = calloc(1, sizeof(Tunnel));
        int r;

        assert(!proxy_is_none(p->proxy));
        if (!t)
                return -ENOMEM;
        t->glue = g;
        t->proxy = proxy_ref(p->proxy);
        t->fn = f;
        t->userdata = userdata;
        t->started = clock_monotonic();
        g->n_tunnels++;
        t->easy = curl_easy_init();
        if (!t->easy)
                return -ENOMEM;
        set_options(t, p->timeout);
        r = set_target(t->easy, p);
        if (r < 0)
                return r;
        if (curl_multi_add_handle(g->multi, t->easy) != CURLM_OK)
                return -ENOMEM;
        t->added = true;
        *ret = TAKE_PTR(t);
        return 0;
}

Tunnel *tunnel_free(Tunnel *t) {
        if (!t)
                return NULL;
        if (t->added)
                (void) curl_multi_remove_handle(t->glue->multi, t->easy);
        if (t->easy)
                curl_easy_cleanup(t->easy);
        proxy_unref(t->proxy);
        t->glue->n_tunnels--;
        free(t);
        return NULL;
}

void tunnel_finish(Tunnel *t, CURLcode code) {
        const char *words = code == CURLE_ABORTED_BY_CALLBACK ? "its answer is too long" :
                            t->words[0]                       ? t->words :
                                                                curl_easy_strerror(code);
        char cause[TUNNEL_CAUSE_MAX];

        if (code != CURLE_OK)
                curl_cause(t->easy, t->proxy, code, words, cause);
        t->fn(code == CURLE_OK ? NULL : cause, t->userdata);
}

static usec_t time_of(const Tunnel *t, CURLINFO info) {
        curl_off_t since = 0;

        (void) curl_easy_getinfo(t->easy, info, &since);
        return since > 0 ? t->started + (usec_t) since : 0;
}

void tunnel_times(const Tunnel *t, usec_t *ret_resolved, usec_t *ret_connected) {
        *ret_resolved = time_of(t, CURLINFO_NAMELOOKUP_TIME_T);
        *ret_connected = time_of(t, CURLINFO_CONNECT_TIME_T);
}

void tunnel_late(const Tunnel *t, char ret[static TUNNEL_CAUSE_MAX]) {
        curl_cause(t->easy, t->proxy, CURLE_OPERATION_TIMEDOUT, "", ret);
}

/* --- an open one --- */

int tunnel_socket(const Tunnel *t, int *ret) {
        curl_socket_t fd = CURL_SOCKET_BAD;
        int r;

        if (curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
                return -ENOTCONN;
        r = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (r < 0)
                return -errno;
        *ret = r;
        return 0;
}

bool tunnel_is_wrapped(const Tunnel *t) {
        return proxy_is_https(t->proxy);
}

static ssize_t result_of(CURLcode code, size_t n) {
        switch (code) {
        case CURLE_OK:
                return (ssize_t) n;
        case CURLE_AGAIN:
                return -EAGAIN;
        default: /* the proxy has broken its TLS, or the connection */
                return -ECONNRESET;
        }
}

ssize_t tunnel_read(Tunnel *t, void *p, size_t n) {
        size_t k = 0;
        CURLcode code;

        code = curl_easy_recv(t->easy, p, n, &k);
        return result_of(code, k);
}

ssize_t tunnel_write(Tunnel *t, const void *p, size_t n) {
        size_t k = 0;
        CURLcode code;

        code = curl_easy_send(t->easy, p, n, &k);
        return result_of(code, k);
}
