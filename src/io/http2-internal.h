/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of HTTP/2 share: http2.c, http2-session.c, http2-request.c. */

#include <nghttp2/nghttp2.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "base/limits-http2.h"
#include "io/http2-memory.h"
#include "io/http2-meter.h"
#include "io/http2.h"

#define HTTP2_RECORD     (16U << 10) /* bytes that go into one TLS record */
#define HTTP2_FRAME_HEAD 9U

/* A stream, from the request's start until libnghttp2 has closed it: a cancelled work leaves it behind. */
typedef struct Http2Stream {
        Http2 *connection;
        List link;      /* of Http2.streams */
        HttpWork *work; /* NULL: it has ended */
        int32_t id;
        uint64_t at;    /* of the request's first byte in all that is sent; UINT64_MAX: not packed */
        size_t n_held;  /* bytes of the body that the work has and the stream's window lacks */
        size_t n_head;  /* bytes of all heads of the answer */
        unsigned n_lines, n_heads;
        int status;     /* of the head that is being read */
        bool has_head;  /* the final one has come */
        bool invalid;   /* libnghttp2 has found a fault in the answer */
} Http2Stream;

struct Http2 {
        Loop *loop;
        Transport *transport;
        LoopFd watch;
        LoopHook hook;   /* writes, and ends what has ended */
        LoopSlice slice; /* reads what TLS has decrypted and epoll does not show */
        sd_event_source *timer; /* on while a stream is open */
        Http2Ops ops;
        void *userdata;

        nghttp2_session *session;
        Http2Memory memory;
        Http2Meter meter;
        Buf line; /* `name: value` */

        List streams, works;
        size_t n_streams, n_works;

        char *out; /* HTTP2_RECORD bytes; those from n_out_written to n_out wait to be written */
        size_t n_out, n_out_written;
        const uint8_t *frame; /* libnghttp2's: the rest of a frame that did not fit */
        size_t n_frame;
        uint64_t n_packed, n_written; /* bytes in all */

        usec_t opened_at; /* the first of the open streams */
        usec_t read_at, written_at;

        bool is_open;      /* http2_new() has succeeded */
        bool has_settings; /* the server's */
        bool pinged;       /* nothing was read since the PING */
        bool asks;         /* nor since that of http2_ask() */
        bool blocked;      /* the socket takes no more */
        bool full;         /* it had no room at the end of the turn */
        bool was_used;     /* it had works at the end of the turn */
        bool drains;
        bool failed; /* `cause` is why */
        bool dead;   /* nothing can be written any more */
        bool closed;
        char cause[HTTP_CAUSE_MAX];
};

/* --- http2.c --- */
void http2_fail(Http2 *c, uint32_t code, const char *cause); /* the server gets a GOAWAY, if possible */
void http2_break(Http2 *c, const char *cause);               /* without a GOAWAY */
void http2_wake(Http2 *c);                                   /* there may be something to write, or to end */

/* --- http2-session.c --- */
int http2_session_new(Http2 *c);
Http2Stream *http2_stream_of(Http2 *c, const HttpWork *w);
void http2_stream_free(Http2Stream *s);
void http2_stream_end(Http2Stream *s, HttpWorkEnd end, const char *cause); /* of its work, if it has one */
void http2_stream_reset(Http2Stream *s);                                   /* RST_STREAM */
void http2_stream_consume(Http2Stream *s);

/* --- http2-request.c --- */
int http2_request_submit(Http2Stream *s); /* 0, or -errno */
