/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the HTTP server share: http-server.c (all listeners), http-listener.c (one socket),
 * http-shard.c (one daemon of libmicrohttpd), http-wire.c (the bytes that it receives), http-receive.c (a
 * request as it arrives), http-body.c and http-pass.c (its body), http-request.c (a request as the floor
 * above sees it, and its reply), http-upgrade.c (one that becomes a WebSocket), http-park.c (a connection
 * between two requests). */

#include <microhttpd.h>
#include <netinet/in.h>

#include "io/descriptors.h"
#include "io/http-framing.h"
#include "io/http-request.h"
#include "io/http-room.h"
#include "io/http-server.h"
#include "io/http-upgrade.h"
#include "io/timeout.h"

typedef struct HttpShard HttpShard;
typedef struct HttpConnection HttpConnection;

struct HttpServer {
        Loop *loop;
        HttpServerParams params;
        HttpServerOps ops;
        void *userdata;
        List listeners;
        size_t n_requests, n_admitted;
        unsigned n_connections, n_guests; /* of all listeners together */
        HttpRoom room;
        DescriptorUse use; /* of connections */
        HttpConnection **by_fd; /* by their descriptors; holes are NULL */
        size_t n_by_fd;
        TimeoutQueue *head_due, *guest_due, *body_due, *linger_due, *idle_due;
        uint64_t n_runs; /* of MHD_run(): tests compare it with the work done */
        bool quiesced, grace_over;
        struct sd_event_source *grace; /* while quiesced: for connections that have sent no request yet */
};

struct HttpConnection {
        List link;
        HttpServer *server;
        HttpShard *shard;
        struct MHD_Connection *mhd;
        union {
                struct sockaddr sa;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
        } peer; /* sa_family is AF_UNSPEC for a unix socket */
        List hung, trial, broken; /* broken: its bytes, see http-wire.c */
        int fd;
        LoopFd watch; /* of what arrives and of its end: EPOLLIN, EPOLLRDHUP */
        Timeout due;  /* of the head or the body that is arriving, or of being idle while parked */
        HttpFraming framing;
        Buf ahead; /* received, but behind a head that libmicrohttpd has not read yet */
        bool hup;
        bool unread; /* bytes have arrived, and not all are read; may be true without a reason */
        bool answers, parked; /* see http-wire.c; http-park.c */
        bool guest;           /* its address is not welcome: it has one short request without a body */
        bool cut;             /* by us: nothing more is read from it */
        bool sends;           /* bytes of the next head have arrived */
        bool closed;          /* by libmicrohttpd, which frees it in its next run */
        bool stalled;         /* see http-stall.c */
        bool has_sent;        /* it has sent a request since it was opened */
        bool begun;           /* the request line has arrived, but not yet all headers */
        bool upgraded;        /* the socket is the WebSocket's */
        HttpRequest *request; /* the one in progress, or NULL */
};

struct HttpRequest {
        HttpConnection *connection;
        void *userdata;
        const char *method, *path;
        const char *fault; /* of the head: why it is refused */
        uint64_t header_names; /* a bit for each header that it may have, by http_name_bit() */
        bool chunked, has_length;
        uint64_t length; /* of the body, if it is not in chunks */
        usec_t started, first_byte;

        Buf body;
        uint64_t body_max, swallowed;
        uint64_t arrived, carried; /* in the present window, and of earlier ones; passed on: in all */
        unsigned n_windows;
        HttpShare share;
        HttpBodyFault body_fault;

        struct MHD_Response *response; /* built, but not queued */
        int status;
        Buf out;
        uint64_t sent; /* bytes of the reply's body */
        char *whole; /* a large reply; it is sent in pieces */
        size_t n_whole;
        usec_t progress; /* when the latest piece of it was taken */
        bool headed, bodied, replied, queued, streaming, finished, clean, full;
        bool suspended, gone, failed; /* failed: there is no reply, and the connection is closed */
        bool admitted, skips, passes, lingers; /* lingers: answered before the end of its body */
        bool lasts;  /* HTTP/1.1, and no header of the request or the reply ends the connection */
        bool direct; /* the reply goes past libmicrohttpd: the body is not complete */
        bool is_1_0;
        struct MHD_UpgradeResponseHandle *upgrade; /* until the WebSocket is freed */
        HttpUpgradeFn upgrade_fn; /* NULL: the reply is an ordinary one */
        void *upgrade_userdata;
};

/* Most lookups are for headers that a request does not have: one look at its bits shows that. */
static inline uint64_t http_name_bit(const char *name, size_t n) {
        return UINT64_C(1) << (((unsigned) name[0] & 0x1f) * 5 + n) % 64; /* in either case of the letter */
}

void http_server_settled(HttpServer *s); /* a connection was closed */
void http_request_gone(HttpRequest *r); /* its client has hung up */
void http_request_wake(HttpRequest *r); /* resumes a suspended connection, at the end of this turn */

/* Takes the response; NULL: -ENOMEM. It is queued in this turn. */
int http_request_set_response(HttpRequest *r, int status, struct MHD_Response *response,
                              const HttpHeader *headers, size_t n_headers);
int http_request_give_up(HttpRequest *r, int error); /* closes its connection, and returns the error */
