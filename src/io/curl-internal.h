/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of libcurl share: curl-glue.c, curl-socket.c, curl-cause.c, tunnel.c. */

#include <curl/curl.h>
#include <systemd/sd-event.h>

#include "io/tunnel.h"

typedef struct CurlSocket {
        LoopFd watch;
        CurlGlue *glue;
        int fd;
} CurlSocket;

struct CurlGlue {
        Loop *loop;
        CURLM *multi;
        LoopHook hook;
        sd_event_source *timer;
        usec_t timer_due; /* what the timer is set to; USEC_INFINITY: off */
        usec_t wanted;    /* libcurl's last request for a timer; USEC_INFINITY: none */
        bool due;         /* a zero timer */
        CurlSocket **sockets; /* by descriptor */
        size_t n_sockets;
        size_t n_tunnels;
};

void tunnel_finish(Tunnel *t, CURLcode code); /* the tunnel may be freed in here */

/* libcurl's callbacks; userdata is the CurlGlue. */
int curl_socket_on_change(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socketp);
curl_socket_t curl_socket_on_open(void *userdata, curlsocktype purpose, struct curl_sockaddr *address);
int curl_socket_on_close(void *userdata, curl_socket_t fd);

void curl_sockets_done(CurlGlue *g);

/* Why there is no tunnel. `words`: libcurl's. */
void curl_cause(CURL *easy, const Proxy *proxy, CURLcode code, const char *words,
                char ret[static TUNNEL_CAUSE_MAX]);
