/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of libcurl share: curl-glue.c, curl-call.c, curl-proxy.c, curl-socket.c, curl-cause.c. */

#include <curl/curl.h>
#include <systemd/sd-event.h>

#include "io/curl-glue.h"

#define CURL_POOL_MAX   256U /* easy handles kept for reuse */
#define CURL_HEADER_MAX (64U + SECRET_LENGTH_MAX)

typedef struct CurlGlue CurlGlue;
typedef struct CurlRoad CurlRoad; /* a proxy, and its connections */

typedef struct CurlSocket {
        LoopFd watch;
        CurlGlue *glue;
        int fd;
        bool ours;   /* opened by curl_socket_on_open() */
        bool proven; /* connected: there was something to read, and no error */
        bool parked; /* in epoll, but unused by libcurl at present */
} CurlSocket;

typedef struct CurlHandle {
        CURL *easy;
        CURLU *url; /* the parsed URL of the request */
        char *text; /* the same URL as text; NULL: none yet */
        char *words; /* CURL_ERROR_SIZE: libcurl's details of a failure; "" */
        unsigned n_renewed; /* the glue's, when its CAs were set */
} CurlHandle;

struct CurlGlue {
        HttpClient client;
        Loop *loop;
        CURLM *multi;
        LoopHook hook;
        sd_event_source *timer;
        usec_t timer_due; /* what the timer is set to; USEC_INFINITY: off */
        usec_t wanted;    /* libcurl's last request for a timer; USEC_INFINITY: none */
        bool due;         /* a zero timer */
        bool http2;
        CurlSocket **sockets; /* by descriptor */
        size_t n_sockets;
        CurlHandle pool[CURL_POOL_MAX];
        size_t n_pool;
        List resumed; /* calls to go on, at the end of the turn */
        List roads;   /* see curl-proxy.c */
        void *roads_by_proxy; /* a tsearch() tree of those that new calls may take */
        size_t n_calls;
        const char *ca_file; /* NULL: the system's CAs; borrowed */
        unsigned n_renewed;
};

typedef struct CurlCall {
        HttpCall call;
        CurlGlue *glue;
        CurlHandle handle;
        CurlRoad *road; /* NULL: no proxy */
        Secret *secret;
        struct curl_slist headers[4 + HTTP_CALL_HEADERS_MAX];
        char header[CURL_HEADER_MAX];
        List resumed;
        size_t n_left;         /* of ops.read: bytes to come; SIZE_MAX: not known */
        size_t n_lines;        /* bytes of the answer's heads and trailers */
        usec_t started, sent;  /* CLOCK_MONOTONIC; sent 0: libcurl has not begun to send the request */
        int status;
        bool is_get, added, paused;
        bool held;    /* on_data() returned PAUSE, and libcurl waits */
        bool starved; /* likewise on_read() */
        bool in_head; /* the lines that come are the final head's */
        bool has_head; /* it is complete */
        bool aborted, in_callback;
        bool again;   /* it was sent once more */
        bool cut;     /* libcurl would have sent it once more, but must not */
} CurlCall;

/* curl-call.c: what HttpClientOps names. */
int curl_call_start(HttpClient *client, const HttpCallParams *p, const HttpCallOps *ops, void *userdata,
                    HttpCall **ret);
void curl_call_pause(HttpCall *call, bool paused);
void curl_call_continue(HttpCall *call);
void curl_call_timings(const HttpCall *call, HttpTimings *ret);
usec_t curl_call_retry_after(const HttpCall *call);
void curl_call_free(HttpCall *call);

void curl_call_resume(CurlCall *c);              /* at the end of a turn */
void curl_call_finish(CurlCall *c, CURLcode code); /* the call may be freed in here */
void curl_handle_done(CurlHandle *h);

/* libcurl's callbacks; userdata is the CurlGlue. */
int curl_socket_on_change(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socketp);
curl_socket_t curl_socket_on_open(void *userdata, curlsocktype purpose, struct curl_sockaddr *address);
int curl_socket_on_close(void *userdata, curl_socket_t fd);

void curl_sockets_done(CurlGlue *g);

/* Sets the options of a handle that is in no multi handle. On failure *ret may be set, and must be given,
 * too. -ENOMEM. */
int curl_road_take(CurlGlue *g, CURL *easy, Proxy *proxy, CurlRoad **ret);
void curl_road_give(CURL *easy, CurlRoad *road); /* NULL is nothing */
/* Calls under way go on, and idle connections of all proxies are closed. */
void curl_roads_renew(CurlGlue *g);

Proxy *curl_road_proxy(const CurlRoad *road); /* of NULL: NULL */

/* Why the call did not complete. `proxy`: that it went through, or NULL. `sent`: the request was about to be
 * sent. `words`: libcurl's. */
void curl_cause(CURL *easy, const Proxy *proxy, CURLcode code, bool sent, const char *words,
                char ret[static HTTP_CAUSE_MAX]);
